use anchor_lang::prelude::*;
use model::Side;

use crate::{
    constants::*,
    errors::MarketError,
    state::{math, Exchange, Pool, Window},
    timing::{clock_ms, live_feed, sample_ms, Pricing},
};

/// Accounts of `mark_window`.
#[derive(Accounts)]
pub struct MarkWindow {
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub window: Account<Window>,
    /// CHECK: the window's feed; not read once the window is final.
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: UncheckedAccount,
}

/// 1. Lets the borrow index grow and takes the pool's rate of now.
/// 2. Measures what each side gains or loses: at the newest sample's forward price, or at the settlement.
/// 3. Writes it into the round of this slot.
///
/// Anybody may call it, under every pause. Not while trading is suspended: the price is about to jump,
/// and without this mark no liquidity moves.
pub fn mark_window(ctx: &mut Context<MarkWindow>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    require!(a.window.open_positions > 0, MarketError::NothingToMark);
    let now_ms = clock_ms(&clock);
    let (price_e6, data_ms) = match a.window.state {
        WINDOW_VOID => (None, now_ms),
        WINDOW_FINAL => (Some(a.window.settlement_e6), now_ms),
        _ => {
            let feed = live_feed(a.feed.account())?.ok_or(MarketError::FeedGone)?;
            let sample = feed.newest().ok_or(MarketError::NoSample)?;
            let data_ms = sample_ms(&feed, sample);
            require!(now_ms.saturating_sub(data_ms) <= MARK_MAX_AGE_MS, MarketError::StaleMark);
            require!(sample.suspend_epoch % 2 == 0, MarketError::Suspended);
            a.window.accrue(&feed)?;
            a.window.set_rate(&a.pool, &a.exchange)?;
            (Some(Pricing::of(&feed, sample, &a.window)?.forward_e6), data_ms)
        }
    };
    let (mut gain_e6, mut loss_e6) = (0u64, 0u64);
    if let Some(price_e6) = price_e6 {
        let window = &a.window;
        let positions = window.open_positions as u64;
        let long = math(model::mark_side(Side::Long, window.oi_long_e6, window.entry_long_e6, price_e6, positions))?;
        let short =
            math(model::mark_side(Side::Short, window.oi_short_e6, window.entry_short_e6, price_e6, positions))?;
        gain_e6 = long.gain_e6.saturating_add(short.gain_e6);
        loss_e6 = long.loss_e6.saturating_add(short.loss_e6);
    }
    a.pool.mark(&mut a.window, gain_e6, loss_e6, data_ms, clock.slot)
}
