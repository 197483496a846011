use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Exchange};

/// Accounts of `set_operator`.
#[derive(Accounts)]
pub struct SetOperator {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Replaces the operator.
pub fn set_operator(ctx: &mut Context<SetOperator>, operator: Address) -> Result<()> {
    ctx.accounts.exchange.operator = operator;
    Ok(())
}
