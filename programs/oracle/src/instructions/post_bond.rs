use anchor_lang::prelude::*;

use crate::{errors::OracleError, state::PublisherBond};

/// Accounts of `post_bond`.
#[derive(Accounts)]
pub struct PostBond {
    #[account(address = bond.publisher @ OracleError::NotBondOwner)]
    pub publisher: Signer,
    #[account(mut)]
    pub bond: Account<PublisherBond>,
}

/// The lamports come by a transfer of the system program to the bond account, earlier in the same transaction.
///
/// 1. Books `lamports` that the account holds above its rent and what was booked. 2. Ends a release that was requested;
///    the publisher signs, or anybody could.
pub fn post_bond(ctx: &mut Context<PostBond>, lamports: u64) -> Result<()> {
    let bond = &mut ctx.accounts.bond;
    bond.lamports = bond.lamports.checked_add(lamports).ok_or(OracleError::BondNotFunded)?;
    bond.release_unix_s = 0;
    let balance = bond.account().lamports();
    require!(bond.covered(balance)?, OracleError::BondNotFunded);
    Ok(())
}
