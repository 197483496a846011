use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Exchange};

/// Accounts of `accept_authority`.
#[derive(Accounts)]
pub struct AcceptAuthority {
    #[account(address = exchange.pending_authority @ MarketError::NotAuthority)]
    pub pending_authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Makes the proposed key, which signs, the authority.
pub fn accept_authority(ctx: &mut Context<AcceptAuthority>) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    exchange.authority = exchange.pending_authority;
    exchange.pending_authority = Address::default();
    Ok(())
}
