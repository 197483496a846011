use anchor_lang::prelude::*;
use oracle::Feed;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, PositionLiquidated},
    state::{credit, debit, math, replace, Exchange, Margin, Market, Pool, Position, Stake, Window},
    timing::{fresh_sample, Pricing},
};

/// Accounts of `liquidate`.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate {
    pub liquidator: Signer,
    /// CHECK: margin account of the liquidator; may be the position's own, hence loaded by hand.
    #[account(unsafe(dup))]
    pub liquidator_margin: UncheckedAccount,
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = window.market @ MarketError::WrongAccount)]
    pub market: Account<Market>,
    #[account(mut, address = position.window @ MarketError::WrongAccount)]
    pub window: Account<Window>,
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: Account<Feed>,
    /// May be `liquidator_margin`; an alias of any other writable account is still refused there.
    #[account(unsafe(dup), address = position.margin @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(mut)]
    pub position: Account<Position>,
}

/// 1. Takes the borrow fee, so that equity counts it.
/// 2. Needs the newest sample (at most 5 s old, even epoch, landed since the cluster's last restart) and equity at its
///    forward price below maintenance margin.
/// 3. Closes half of the position at the closing price, or all of it when it is small (`liquidation_dust_e6`) or has
///    less than half of the maintenance margin; loss at most the collateral.
/// 4. Takes the fee and the liquidator's reward (1 %) from the collateral that came free. The rest stays in the
///    position, or goes to the owner when nothing is left of it.
/// 5. Voids the position's pending orders: they end with `Liquidated`.
pub fn liquidate(ctx: &mut Context<Liquidate>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    require!(a.position.qty_e6 > 0, MarketError::PositionEmpty);
    let total = a.pool.total_e6()?;
    a.window.accrue(&a.feed)?;
    let borrow_e6 = a.window.take_borrow(&mut a.position, &mut a.pool)?;
    let Mark { qty_e6, price_e6, mark_e6 } = mark(a, &clock)?;

    let (side, collateral_e6, before) = (a.position.side()?, a.position.collateral_e6, Stake::of(&a.position)?);
    let done = a.position.reduce(qty_e6, price_e6)?;
    before.book(Stake::of(&a.position)?, &mut a.pool, &mut a.market, &mut a.window, &mut a.margin)?;
    let insured_e6 = a.pool.settle_pnl(&done)?;
    a.position.generation += 1;
    a.window.set_rate(&a.pool, &a.exchange)?;

    let mut rest = done.returned_e6;
    credit(&mut rest, done.gain_e6)?;
    let fee_e6 = math(model::fee(qty_e6, a.exchange.fee_e6))?.min(rest);
    debit(&mut rest, fee_e6)?;
    credit(&mut a.pool.fee_escrow_e6, fee_e6)?;
    credit(&mut a.pool.fees_charged_e6, fee_e6)?;
    credit(&mut a.position.fees_e6, fee_e6)?;
    a.window.charge(fee_e6)?;
    let reward_e6 = math(model::part_floor(rest, LIQUIDATION_REWARD_BPS, BPS))?;
    debit(&mut rest, reward_e6)?;
    reward(a, reward_e6)?;
    credit(&mut a.pool.margin_e6, reward_e6)?;
    let left_e6 = a.position.qty_e6;
    let (mut kept_e6, mut returned_e6) = (0, 0);
    if left_e6 > 0 {
        kept_e6 = rest;
        credit(&mut a.position.collateral_e6, kept_e6)?;
    } else {
        returned_e6 = rest;
        credit(&mut a.margin.free_e6, returned_e6)?;
        credit(&mut a.pool.margin_e6, returned_e6)?;
    }
    replace(&mut a.pool.position_collateral_e6, collateral_e6, a.position.collateral_e6)?;
    a.pool.invariant(total)?;

    let event = PositionLiquidated {
        position: *a.position.address(),
        owner: a.position.owner,
        window: a.position.window,
        liquidator: *a.liquidator.address(),
        side: side as u8,
        qty_e6,
        price_e6,
        mark_e6,
        collateral_e6,
        gain_e6: done.gain_e6,
        loss_e6: done.loss_e6,
        bad_debt_e6: done.bad_debt_e6,
        fee_e6,
        reward_e6,
        returned_e6,
        left_e6,
        kept_e6,
        sample_index: a.feed.samples - 1,
        borrow_e6,
        insured_e6,
    };
    emit!(ctx, event);
    Ok(())
}

/// What a liquidation closes.
struct Mark {
    qty_e6: u64,
    /// Closing price.
    price_e6: u32,
    /// Forward price that the margin was measured at.
    mark_e6: u32,
}

/// How much may be closed at the newest sample and at which price.
fn mark(a: &Liquidate, clock: &Clock) -> Result<Mark> {
    require!(a.window.is_open(), MarketError::WindowNotOpen);
    let sample = fresh_sample(&a.feed, LIQUIDATION_MAX_AGE_MS, clock)?;
    let pricing = Pricing::of(&a.feed, sample, &a.window)?;
    require!(pricing.at.left_ms > 0, MarketError::WindowNotOpen);
    let held = a.position.qty_e6;
    let equity = a.position.pnl(pricing.forward_e6)?.equity(a.position.collateral_e6);
    let least = math(model::margin_required(held, model::maintenance_margin(pricing.at.left_ms)))?;
    require!(equity < least, MarketError::MarginSufficient);
    let qty_e6 = model::liquidation_qty(held, a.exchange.liquidation_dust_e6, equity, least);
    let closing = a.position.side()?.opposite();
    let price_e6 = pricing.fill_price(closing, qty_e6, &a.window)?;
    Ok(Mark { qty_e6, price_e6, mark_e6: pricing.forward_e6 })
}

/// Credit the liquidator's margin account, which may be the position's own.
fn reward(a: &mut Liquidate, reward_e6: u64) -> Result<()> {
    let liquidator = *a.liquidator.address();
    if a.liquidator_margin.address() == a.margin.address() {
        require!(a.margin.owner == liquidator, MarketError::WrongOwner);
        return credit(&mut a.margin.free_e6, reward_e6);
    }
    // SAFETY: it is none of the other accounts: `margin` was compared above, the rest are of other types.
    let mut margin = unsafe { Account::<Margin>::load_mut(*a.liquidator_margin.account())? };
    require!(margin.exchange == *a.exchange.address(), MarketError::WrongAccount);
    require!(margin.owner == liquidator, MarketError::WrongOwner);
    credit(&mut margin.free_e6, reward_e6)
}
