use anchor_lang::prelude::*;
use oracle::Feed;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, WindowOpened},
    state::{Exchange, Market, Window},
    timing::outcome,
};

/// Accounts of `open_window` and `open_custom_window`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(window_id: u8)]
pub struct OpenWindow {
    #[account(address = exchange.operator @ MarketError::NotOperator)]
    pub operator: Signer,
    #[account(unsafe(dup))]
    pub payer: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
    #[account(mut, constraint = market.exchange == *exchange.address() @ MarketError::WrongAccount)]
    pub market: Account<Market>,
    #[account(address = market.feed @ MarketError::WrongFeed)]
    pub feed: Account<Feed>,
    #[account(init, payer = payer, seeds = [b"window", market.address().as_ref(), &window_id.to_le_bytes()], bump)]
    pub window: Account<Window>,
    pub system_program: Program<System>,
}

/// 1. Creates the standard window `window_id` (0..=8) with its impact constant. 2. Marks it in the market.
pub fn open_window(ctx: &mut Context<OpenWindow>, window_id: u8, k_e6: u64) -> Result<()> {
    let (from, to) = *SPANS.get(window_id as usize).ok_or(MarketError::BadParameter)?;
    open(ctx, window_id, from, to, k_e6)
}

/// 1. Creates the custom window `window_id` (9..=15) over the minutes `from..to` of one half, 10 to 45 of them.
/// 2. Marks it in the market. A custom id that was closed does not return.
pub fn open_custom_window(
    ctx: &mut Context<OpenWindow>,
    window_id: u8,
    from_minute: u8,
    to_minute: u8,
    k_e6: u64,
) -> Result<()> {
    let custom = (SPANS.len() as u8..=MAX_WINDOW_ID).contains(&window_id);
    let one_half = to_minute <= HALF_MINUTES || (from_minute >= HALF_MINUTES && to_minute <= 2 * HALF_MINUTES);
    let long_enough = to_minute >= from_minute.saturating_add(MIN_CUSTOM_MINUTES);
    require!(custom && one_half && long_enough, MarketError::BadParameter);
    open(ctx, window_id, from_minute, to_minute, k_e6)
}

#[inline(never)]
fn open(ctx: &mut Context<OpenWindow>, window_id: u8, from: u8, to: u8, k_e6: u64) -> Result<()> {
    let bump = ctx.bumps.window;
    let a = &mut ctx.accounts;
    require!((MIN_K_E6..=u64::MAX / 4).contains(&k_e6), MarketError::BadParameter);
    require!(a.market.closed & (1 << window_id) == 0, MarketError::WindowIdUsed);
    a.market.windows |= 1 << window_id;
    a.exchange.open_windows += 1;
    let (exchange, market, feed) = (*a.exchange.address(), *a.market.address(), *a.feed.address());
    let window = &mut a.window;
    window.version = VERSION;
    window.bump = bump;
    window.window_id = window_id;
    window.exchange = exchange;
    window.market = market;
    window.feed = feed;
    window.k_e6 = k_e6;
    window.start_ms = from as u32 * MINUTE_MS;
    window.end_ms = to as u32 * MINUTE_MS;
    window.w_ms = window.end_ms - window.start_ms;
    window.rent_receiver = *a.payer.address();
    let over = a.feed.status == oracle::STATUS_FINAL;
    require!(outcome(&a.feed, &a.window, over).is_none(), MarketError::WindowNotOpen);
    let (window, w_ms) = (*a.window.address(), a.window.w_ms);
    emit_cpi!(WindowOpened { window, market, feed, window_id, w_ms, k_e6 });
    Ok(())
}
