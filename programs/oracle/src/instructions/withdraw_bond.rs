use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    state::{now_s, PublisherBond},
};

/// Accounts of `withdraw_bond`.
#[derive(Accounts)]
pub struct WithdrawBond {
    #[account(mut, address = bond.publisher @ OracleError::NotBondOwner)]
    pub publisher: Signer,
    #[account(mut)]
    pub bond: Account<PublisherBond>,
}

/// 1. Checks that the cooldown is over. 2. Ends the release. 3. Moves the whole bond to its publisher; the account stays
///    with the score.
pub fn withdraw_bond(ctx: &mut Context<WithdrawBond>) -> Result<()> {
    let a = &mut ctx.accounts;
    require!(a.bond.release_unix_s > 0, OracleError::NoRelease);
    require!(now_s()? >= a.bond.release_unix_s, OracleError::CooldownRunning);
    let lamports = a.bond.lamports;
    a.bond.lamports = 0;
    a.bond.release_unix_s = 0;
    a.bond.sub_lamports(lamports)?;
    a.publisher.add_lamports(lamports)?;
    let balance = a.bond.account().lamports();
    a.bond.invariant(balance)
}
