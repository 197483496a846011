use anchor_lang::{prelude::*, Discriminator};

use crate::{errors::OracleError, state::Config};

/// Accounts of `migrate_config`.
#[derive(Accounts)]
pub struct MigrateConfig {
    #[account(mut)]
    pub payer: Signer,
    /// CHECK: owned by this program; discriminator and length are checked in the handler.
    #[account(mut, owner = crate::ID)]
    pub config: UncheckedAccount,
    pub system_program: Program<System>,
}

/// A config made before bonds and retention is shorter than it is now, and no instruction takes it.
///
/// 1. Grows it to today's size, the rent from `payer`. New fields are zero: no bonds, and the shortest retention. Anyone
///    may send this; nothing that was there changes.
pub fn migrate_config(ctx: &mut Context<MigrateConfig>) -> Result<()> {
    let mut view = *ctx.accounts.config.account();
    let old = view.data_len() < Config::SPACE && view.try_borrow()?.starts_with(Config::DISCRIMINATOR);
    require!(old, OracleError::NotOldConfig);
    Ok(anchor_lang::realloc_account(&mut view, Config::SPACE, ctx.accounts.payer.account(), true)?)
}
