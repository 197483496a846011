use anchor_lang::prelude::*;

use crate::{
    errors::MarketError,
    events::{emit, PauseChanged},
    state::Exchange,
};

/// Accounts of `clear_guardian_pause`.
#[event_cpi]
#[derive(Accounts)]
pub struct ClearGuardianPause {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Ends the guardian's pause now; the guardian may pause again 72 h later.
pub fn clear_guardian_pause(ctx: &mut Context<ClearGuardianPause>) -> Result<()> {
    let clock = Clock::get()?;
    let exchange = &mut ctx.accounts.exchange;
    let before = exchange.pause_at(&clock);
    exchange.guardian_until_unix = exchange.guardian_until_unix.min(clock.unix_timestamp.max(0) as u64);
    let (exchange, after) = (*exchange.address(), exchange.pause_at(&clock));
    emit!(ctx, PauseChanged { exchange, before, after });
    Ok(())
}
