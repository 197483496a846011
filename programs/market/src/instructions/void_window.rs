use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, WindowVoided},
    state::{Exchange, Window},
    timing::clock_ms,
};

/// Accounts of `void_window`.
#[event_cpi]
#[derive(Accounts)]
pub struct VoidWindow {
    /// The guardian or the authority.
    pub signer: Signer,
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub window: Account<Window>,
}

/// 1. Voids a final window inside its dispute time: collateral and fees go back. 2. Ends the dispute.
///
/// Nobody can set another settlement: a wrong price can be undone, not replaced.
pub fn void_window(ctx: &mut Context<VoidWindow>) -> Result<()> {
    let now_ms = clock_ms(&Clock::get()?);
    let a = &mut ctx.accounts;
    let signer = *a.signer.address();
    require!(signer == a.exchange.guardian || signer == a.exchange.authority, MarketError::NotGuardian);
    require!(a.window.state != WINDOW_VOID, MarketError::WindowIsVoid);
    require!(a.window.state == WINDOW_FINAL, MarketError::NotFinal);
    require!(now_ms < a.window.dispute_until_ms, MarketError::DisputeOver);
    let (window, settlement_e6) = (*a.window.address(), a.window.settlement_e6);
    a.window.state = WINDOW_VOID;
    a.window.settlement_e6 = 0;
    a.window.dispute_until_ms = now_ms;
    emit!(ctx, WindowVoided { window, signer, settlement_e6 });
    Ok(())
}
