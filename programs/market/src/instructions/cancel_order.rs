use anchor_lang::prelude::*;

use crate::{
    errors::MarketError,
    events::{emit, OrderCancelRequested},
    state::{delegate, Margin, Order, Session, Window},
    timing::{commit_ms, live_feed},
};

/// Accounts of `cancel_order`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelOrder {
    /// Owner of the margin account, or the delegate of `session`.
    pub owner: Signer,
    #[account(address = order.margin @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(address = order.window @ MarketError::WrongAccount)]
    pub window: Account<Window>,
    /// CHECK: the window's feed; may be closed once the window is final.
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: UncheckedAccount,
    #[account(mut)]
    pub order: Account<Order>,
    /// Needed when a delegate signs.
    #[account(mut)]
    pub session: Option<Account<Session>>,
}

/// 1. Notes that samples later than now + delay no longer trigger the order; `crank_order` ends it after that.
///
/// A trigger before that wins: an immediate cancel would be a free look. Works under every pause.
pub fn cancel_order(ctx: &mut Context<CancelOrder>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    let margin = *a.margin.address();
    delegate(a.owner.address(), &a.margin.owner, &margin, a.session.as_deref_mut(), &clock)?;
    require!(a.order.resting(), MarketError::NotCancellable);
    require!(a.order.cancelled == 0, MarketError::AlreadyCancelled);
    let feed = live_feed(a.feed.account())?;
    let until_ms = commit_ms(&clock, feed.as_deref()) + a.order.delay_ms as u64;
    // An order that expires sooner expires.
    if a.order.until_ms == 0 || until_ms < a.order.until_ms {
        a.order.until_ms = until_ms;
        a.order.cancelled = 1;
    }
    let event = OrderCancelRequested {
        order: *a.order.address(),
        owner: a.order.owner,
        window: a.order.window,
        client_id: a.order.client_id,
        until_ms: a.order.until_ms,
    };
    emit!(ctx, event);
    Ok(())
}
