use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::OracleError,
    state::{now_s, PublisherBond},
};

/// Accounts of `request_bond_release`.
#[derive(Accounts)]
pub struct RequestBondRelease {
    #[account(address = bond.publisher @ OracleError::NotBondOwner)]
    pub publisher: Signer,
    #[account(mut)]
    pub bond: Account<PublisherBond>,
}

/// 1. Starts the cooldown of 7 days, again if it ran. From now on no feed is listed on this bond; until the end it can
///    be slashed.
pub fn request_bond_release(ctx: &mut Context<RequestBondRelease>) -> Result<()> {
    ctx.accounts.bond.release_unix_s = now_s()? + BOND_COOLDOWN_S;
    Ok(())
}
