use anchor_lang::prelude::*;
use oracle::Feed;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, MarginMoved},
    state::{credit, debit, math, Exchange, Margin, Pool, Position, Window},
    timing::{fresh_sample, Pricing},
};

/// Accounts of `remove_margin`.
#[event_cpi]
#[derive(Accounts)]
pub struct RemoveMargin {
    #[account(address = margin.owner @ MarketError::WrongOwner)]
    pub owner: Signer,
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = position.window @ MarketError::WrongAccount)]
    pub window: Account<Window>,
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: Account<Feed>,
    #[account(mut, address = position.margin @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(mut)]
    pub position: Account<Position>,
}

/// 1. Takes the borrow fee. 2. Moves `amount_e6` from the position's collateral to free margin.
///
/// What stays must cover the initial margin twice over: as collateral, so that no gain leaves before settlement, and as
/// equity at the forward price of a fresh sample outside suspensions.
pub fn remove_margin(ctx: &mut Context<RemoveMargin>, amount_e6: u64) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_REDUCE_ONLY, &clock)?;
    require!(a.window.is_open(), MarketError::WindowNotOpen);
    require!(a.position.qty_e6 > 0, MarketError::PositionEmpty);
    require!(amount_e6 > 0, MarketError::BadAmount);
    let total = a.pool.total_e6()?;
    a.window.accrue(&a.feed)?;
    let borrow_e6 = a.window.take_borrow(&mut a.position, &mut a.pool)?;
    let sample = fresh_sample(&a.feed, LIQUIDATION_MAX_AGE_MS, &clock)?;
    let pricing = Pricing::of(&a.feed, sample, &a.window)?;
    let left = a.position.collateral_e6.checked_sub(amount_e6).ok_or(MarketError::BadAmount)?;
    let equity = a.position.pnl(pricing.forward_e6)?.equity(left);
    let least = math(model::margin_required(a.position.qty_e6, a.exchange.initial_margin_e6))?;
    require!(left >= least && equity >= least, MarketError::CollateralTooLow);

    debit(&mut a.position.collateral_e6, amount_e6)?;
    debit(&mut a.pool.position_collateral_e6, amount_e6)?;
    credit(&mut a.margin.free_e6, amount_e6)?;
    credit(&mut a.pool.margin_e6, amount_e6)?;
    a.pool.invariant(total)?;

    let event = MarginMoved {
        position: *a.position.address(),
        owner: a.position.owner,
        added: 0,
        amount_e6,
        collateral_e6: a.position.collateral_e6,
        free_e6: a.margin.free_e6,
        borrow_e6,
    };
    emit!(ctx, event);
    Ok(())
}
