use anchor_lang::prelude::*;

use crate::{
    constants::{MAX_RETENTION_S, MIN_RETENTION_S},
    errors::OracleError,
    state::Config,
};

/// Accounts of `set_params`.
#[derive(Accounts)]
pub struct SetParams {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub config: Account<Config>,
}

/// 1. Sets who gets slashed bonds, the bond a publisher of a new feed needs (0: none) and how long final feeds stay.
///    Feeds that exist are not listed again: a higher bond concerns new ones.
pub fn set_params(
    ctx: &mut Context<SetParams>,
    bond_receiver: Address,
    min_bond_lamports: u64,
    retention_s: u32,
) -> Result<()> {
    require!((MIN_RETENTION_S..=MAX_RETENTION_S).contains(&retention_s), OracleError::BadParameter);
    let config = &mut ctx.accounts.config;
    config.bond_receiver = bond_receiver;
    config.min_bond_lamports = min_bond_lamports;
    config.retention_s = retention_s;
    Ok(())
}
