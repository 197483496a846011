use anchor_lang::prelude::*;

use crate::{constants::*, state::Config};

/// Accounts of `init_config`.
#[derive(Accounts)]
pub struct InitConfig {
    #[account(unsafe(dup))] // may be the authority too: a signer has no data to alias
    pub creator: Signer,
    /// CHECK: only its address is stored.
    pub authority: UncheckedAccount,
    #[account(init, payer = creator, seeds = [b"config", creator.address().as_ref()], bump)]
    pub config: Account<Config>,
    pub system_program: Program<System>,
}

/// 1. Creates the config of `creator`. 2. Stores authority and operator; feeds are kept 48 h, bonds are off.
pub fn init_config(ctx: &mut Context<InitConfig>, operator: Address) -> Result<()> {
    let bump = ctx.bumps.config;
    let accounts = &mut ctx.accounts;
    let (creator, authority) = (*accounts.creator.address(), *accounts.authority.address());
    let config = &mut accounts.config;
    config.version = VERSION;
    config.bump = bump;
    config.creator = creator;
    config.authority = authority;
    config.operator = operator;
    config.retention_s = DEFAULT_RETENTION_S;
    Ok(())
}
