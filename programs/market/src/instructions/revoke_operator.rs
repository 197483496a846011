use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Exchange};

/// Accounts of `revoke_operator`.
#[derive(Accounts)]
pub struct RevokeOperator {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Leaves the exchange without an operator: nothing new is listed. Only tightens.
pub fn revoke_operator(ctx: &mut Context<RevokeOperator>) -> Result<()> {
    ctx.accounts.exchange.operator = Address::default();
    Ok(())
}
