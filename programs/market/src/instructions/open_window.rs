use anchor_lang::prelude::*;
use oracle::Feed;

use crate::{
    constants::VERSION,
    errors::MarketError,
    events::{emit, WindowOpened},
    state::{Exchange, Market, Window},
    timing::{nominal_ms, outcome},
};

/// Accounts of `open_window`.
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

/// 1. Creates window `window_id` (0..=8) with its impact constant. 2. Marks it in the market.
pub fn open_window(ctx: &mut Context<OpenWindow>, window_id: u8, k_e6: u64) -> Result<()> {
    let bump = ctx.bumps.window;
    let a = &mut ctx.accounts;
    let (start_ms, end_ms, w_ms) = nominal_ms(window_id).ok_or(MarketError::BadParameter)?;
    require!(k_e6 > 0 && k_e6 <= u64::MAX / 4, MarketError::BadParameter);
    let over = a.feed.status == oracle::STATUS_FINAL;
    require!(outcome(&a.feed, window_id, over)?.is_none(), MarketError::WindowNotOpen);

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
    window.start_ms = start_ms;
    window.end_ms = end_ms;
    window.w_ms = w_ms;
    let window = *window.address();
    emit!(ctx, WindowOpened { window, market, feed, window_id, w_ms, k_e6 });
    Ok(())
}
