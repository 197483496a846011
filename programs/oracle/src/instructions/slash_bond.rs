use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    state::{Config, PublisherBond},
};

/// Accounts of `slash_bond`.
#[derive(Accounts)]
pub struct SlashBond {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    pub config: Account<Config>,
    #[account(mut, constraint = bond.config == *config.address() @ OracleError::WrongConfig)]
    pub bond: Account<PublisherBond>,
    /// CHECK: compared with the address stored in the config. While unset it is the system program, never writable.
    #[account(mut, unsafe(dup), address = config.bond_receiver @ OracleError::WrongBondReceiver)]
    pub bond_receiver: UncheckedAccount,
}

/// 1. Checks that the receiver is the config's. 2. Takes `lamports` from the bond, also while it is being released.
/// 3. Moves them to the receiver.
pub fn slash_bond(ctx: &mut Context<SlashBond>, lamports: u64) -> Result<()> {
    let a = &mut ctx.accounts;
    require!(lamports <= a.bond.lamports, OracleError::BondTooSmall);
    a.bond.lamports -= lamports;
    a.bond.slashed_lamports += lamports;
    a.bond.sub_lamports(lamports)?;
    a.bond_receiver.add_lamports(lamports)?;
    let balance = a.bond.account().lamports();
    a.bond.invariant(balance)
}
