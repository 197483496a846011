use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Market, timing::live_feed};

/// Accounts of `close_market`.
#[derive(Accounts)]
pub struct CloseMarket {
    #[account(mut, close = rent_receiver)]
    pub market: Account<Market>,
    /// CHECK: the market's feed, or what is left of it.
    #[account(address = market.feed @ MarketError::WrongFeed)]
    pub feed: UncheckedAccount,
    /// CHECK: compared with the address stored in the market.
    #[account(unsafe(dup), address = market.rent_receiver @ MarketError::WrongAccount)]
    pub rent_receiver: UncheckedAccount,
}

/// 1. Closes the market of a match that is over, rent to who paid it. All its windows are closed (I9).
///
/// Anybody may call it, under every pause.
pub fn close_market(ctx: &mut Context<CloseMarket>) -> Result<()> {
    let a = &mut ctx.accounts;
    let over = live_feed(a.feed.account())?.is_none_or(|feed| feed.status == oracle::STATUS_FINAL);
    require!(over, MarketError::MatchRunning);
    require!(a.market.windows == a.market.closed, MarketError::WindowsLeft);
    require!(a.market.reserved_e6 == 0, MarketError::InvariantBroken);
    Ok(())
}
