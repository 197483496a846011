use anchor_lang::prelude::*;

use crate::{errors::OracleError, state::Config};

/// Accounts of `set_operator`.
#[derive(Accounts)]
pub struct SetOperator {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub config: Account<Config>,
}

/// 1. Replaces the operator; feeds that exist stay as they are.
pub fn set_operator(ctx: &mut Context<SetOperator>, operator: Address) -> Result<()> {
    ctx.accounts.config.operator = operator;
    Ok(())
}
