use anchor_lang::prelude::*;

use crate::{
    errors::MarketError,
    state::{Exchange, ExchangeParams},
};

/// Accounts of `set_params`.
#[derive(Accounts)]
pub struct SetParams {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Replaces the parameters, inside the limits fixed in the code. Pending orders keep their delay and fee reserve.
pub fn set_params(ctx: &mut Context<SetParams>, params: ExchangeParams) -> Result<()> {
    ctx.accounts.exchange.set(&params)
}
