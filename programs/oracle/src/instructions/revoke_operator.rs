use anchor_lang::prelude::*;

use crate::{errors::OracleError, state::Config};

/// Accounts of `revoke_operator`.
#[derive(Accounts)]
pub struct RevokeOperator {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub config: Account<Config>,
}

/// 1. Sets the operator to the default key, which nobody is. Apart from `set_operator` so that a treasury can let it
///    pass without delay: it only takes power away.
pub fn revoke_operator(ctx: &mut Context<RevokeOperator>) -> Result<()> {
    ctx.accounts.config.operator = Address::default();
    Ok(())
}
