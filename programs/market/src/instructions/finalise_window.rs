use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, WindowFinalised},
    state::{math, Exchange, Window},
    timing::{clock_ms, live_feed, outcome, sample_ms, stood_still},
};

/// Accounts of `finalise_window`.
#[event_cpi]
#[derive(Accounts)]
pub struct FinaliseWindow {
    #[account(mut, address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub window: Account<Window>,
    /// CHECK: the window's feed; a window whose feed has gone is void.
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: UncheckedAccount,
}

/// 1. Settles the window on the mean of the measured play once its end is reached or can no longer be reached.
/// 2. Voids it when more than a tenth was not measured or not played, when trading had been suspended for 15 minutes at
///    its end, or when its feed has gone.
/// 3. Lets the borrow index grow for the last time.
///
/// Anybody may call it. A feed that is final, or silent for 6 h, plays no more.
pub fn finalise_window(ctx: &mut Context<FinaliseWindow>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    require!(a.window.is_open(), MarketError::AlreadyFinal);
    a.exchange.open_windows -= 1;
    let window = &mut a.window;
    let (area, left_out_ms) = match live_feed(a.feed.account())? {
        None => (0, window.w_ms),
        Some(feed) => {
            // Before the first sample nobody can hold a position, so a late kick-off is no reason to void.
            let silent = |sample| clock_ms(&clock) > sample_ms(&feed, sample).saturating_add(ABANDONED_MS);
            let abandoned = feed.newest().is_some_and(silent);
            window.accrue(&feed)?;
            let over = feed.status == oracle::STATUS_FINAL || abandoned;
            let (area, left_out_ms) = outcome(&feed, window, over).ok_or(MarketError::WindowNotEnded)?;
            (area, if stood_still(&feed, window) { window.w_ms } else { left_out_ms })
        }
    };
    let settlement = math(model::settlement(area, window.w_ms, left_out_ms))?;
    window.state = if settlement.is_some() { WINDOW_FINAL } else { WINDOW_VOID };
    window.settlement_e6 = settlement.unwrap_or(0);
    window.left_out_ms = left_out_ms;
    window.finalised_unix = clock.unix_timestamp;
    window.dispute_until_ms = clock_ms(&clock).saturating_add(a.exchange.dispute_ms as u64);
    let event = WindowFinalised {
        window: *window.address(),
        window_id: window.window_id,
        state: window.state,
        settlement_e6: window.settlement_e6,
        area,
        left_out_ms,
    };
    emit!(ctx, event);
    Ok(())
}
