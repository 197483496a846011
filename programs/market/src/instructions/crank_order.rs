use anchor_lang::prelude::*;
use model::Side;
use oracle::{Feed, Sample};

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, OrderEnded},
    matching::{decide, determine, execute, Fill, Ripe},
    resting,
    state::{credit, debit, math, Exchange, Margin, Market, Order, Pool, Position, Reduction, Stake, Window},
    timing::{last_restart_slot, live_feed, sample_ms},
};

/// Accounts of `crank_order`.
#[event_cpi]
#[derive(Accounts)]
pub struct CrankOrder {
    /// Gets the tip; may be anybody.
    #[account(unsafe(dup))]
    pub cranker: Signer,
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = window.market @ MarketError::WrongAccount)]
    pub market: Account<Market>,
    #[account(mut, address = order.window @ MarketError::WrongAccount)]
    pub window: Account<Window>,
    /// CHECK: the window's feed; may be closed once the window is final.
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: UncheckedAccount,
    #[account(mut, address = order.margin @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(mut, address = order.position @ MarketError::WrongAccount)]
    pub position: Account<Position>,
    #[account(mut)]
    pub order: Account<Order>,
    /// CHECK: compared with the address stored in the order.
    #[account(unsafe(dup), address = order.rent_payer @ MarketError::WrongAccount)]
    pub rent_payer: UncheckedAccount,
}

/// What the end of an order moved; the body of its event.
#[derive(Clone, Copy, Default)]
struct Outcome {
    reason: u8,
    filled_e6: u64,
    closed_e6: u64,
    price_e6: u32,
    forward_e6: u32,
    conf_e6: u32,
    fee_e6: u64,
    collateral_in_e6: u64,
    refund_e6: u64,
    borrow_e6: u64,
    insured_e6: u64,
    reduction: Reduction,
    sample_index: u64,
    data_ms: u64,
    suspend_epoch: u16,
}

impl Outcome {
    /// Record the sample at which the order ends.
    fn note(&mut self, feed: &Feed, index: u64, sample: &Sample) {
        self.sample_index = index;
        self.data_ms = sample_ms(feed, sample);
        self.suspend_epoch = sample.suspend_epoch;
        self.conf_e6 = sample.conf_e4 as u32 * 100;
    }
}

/// 1. Finds the order's determined sample (`sample_index` is checked) or the reason why there is none. For an order
///    that rests `sample_index` is its trigger: it fills, is over, or the instruction fails and it rests on.
/// 2. Fills at that sample's price: an opposite position is closed up to its quantity, else collateral enters.
/// 3. Books borrow fee, fee, gain or loss and reservation; refunds what is left of the escrow.
/// 4. Closes the order: rent to its payer, tip to the cranker.
pub fn crank_order(ctx: &mut Context<CrankOrder>, sample_index: u64) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    let total = a.pool.total_e6()?;
    let mut outcome = Outcome::default();
    let ended = match judge(a, sample_index, &clock, &mut outcome)? {
        Ok(fill) => apply(a, &fill, &mut outcome)?,
        Err(reason) => reason,
    };
    outcome.reason = ended as u8;
    if ended != EndReason::Filled {
        outcome = Outcome { refund_e6: a.order.escrow_e6(), ..outcome };
        refund(a, outcome.refund_e6)?;
    }
    a.order.collateral_e6 = 0;
    a.order.fee_reserve_e6 = 0;
    a.position.pending_orders -= 1;
    a.window.pending_orders -= 1;
    a.margin.open_orders -= 1;
    a.pool.invariant(total)?;

    let order = &a.order;
    let event = OrderEnded {
        order: *order.address(),
        owner: order.owner,
        window: order.window,
        client_id: order.client_id,
        side: order.side,
        reason: outcome.reason,
        qty_e6: order.qty_e6,
        filled_e6: outcome.filled_e6,
        closed_e6: outcome.closed_e6,
        price_e6: outcome.price_e6,
        forward_e6: outcome.forward_e6,
        conf_e6: outcome.conf_e6,
        fee_e6: outcome.fee_e6,
        gain_e6: outcome.reduction.gain_e6,
        loss_e6: outcome.reduction.loss_e6,
        bad_debt_e6: outcome.reduction.bad_debt_e6,
        collateral_in_e6: outcome.collateral_in_e6,
        collateral_out_e6: outcome.reduction.returned_e6,
        refund_e6: outcome.refund_e6,
        sample_index: outcome.sample_index,
        data_ms: outcome.data_ms,
        commit_ms: order.commit_ms,
        suspend_epoch: outcome.suspend_epoch,
        borrow_e6: outcome.borrow_e6,
        kind: order.kind,
        insured_e6: outcome.insured_e6,
    };
    let tip = order.tip_lamports;
    a.order.sub_lamports(tip)?;
    a.cranker.add_lamports(tip)?;
    a.order.close(*a.rent_payer.account())?;
    emit!(ctx, event);
    Ok(())
}

/// Decide how the order ends; nothing is changed.
fn judge(
    a: &CrankOrder,
    index: u64,
    clock: &Clock,
    outcome: &mut Outcome,
) -> Result<core::result::Result<Fill, EndReason>> {
    match a.window.state {
        WINDOW_FINAL => return Ok(Err(EndReason::WindowOver)),
        WINDOW_VOID => return Ok(Err(EndReason::WindowVoid)),
        _ => {}
    }
    if last_restart_slot()? > a.order.commit_slot {
        return Ok(Err(EndReason::ClusterRestarted));
    }
    if a.order.generation != a.position.generation {
        return Ok(Err(EndReason::Liquidated));
    }
    let feed = live_feed(a.feed.account())?.ok_or(MarketError::FeedGone)?;
    if a.order.resting() {
        return judge_resting(a, &feed, index, clock, outcome);
    }
    match determine(&feed, &a.order, index, clock)? {
        Ripe::Ended(reason) => Ok(Err(reason)),
        Ripe::Sample(index, sample) => {
            outcome.note(&feed, index, sample);
            decide(&feed, sample, &a.order, &a.window, &a.position)
        }
    }
}

/// The same for an order that rests: triggered by sample `index`, over, or an error while it rests on.
fn judge_resting(
    a: &CrankOrder,
    feed: &Feed,
    index: u64,
    clock: &Clock,
    outcome: &mut Outcome,
) -> Result<core::result::Result<Fill, EndReason>> {
    if let Some((number, sample)) = resting::fill_sample(feed, &a.order, &a.window, &a.position, index)? {
        let end = execute(feed, sample, &a.order, &a.window, &a.position)?;
        let ends = match &end {
            // A pause stops what waited outside the book from opening, never what closes.
            Ok(fill) => fill.closes || a.exchange.pause_at(clock) == PAUSE_ACTIVE,
            Err(reason) => *reason == EndReason::NothingToReduce,
        };
        if ends {
            outcome.note(feed, number, sample);
            return Ok(end);
        }
    }
    match resting::over(feed, &a.order, &a.window, clock)? {
        Some(reason) => Ok(Err(reason)),
        None => Err(MarketError::RestsOn.into()),
    }
}

/// Execute a fill, unless a cap forbids it.
fn apply(a: &mut CrankOrder, fill: &Fill, outcome: &mut Outcome) -> Result<EndReason> {
    let side = Side::from_u8(a.order.side).ok_or(MarketError::InvariantBroken)?;
    outcome.price_e6 = fill.price_e6;
    outcome.forward_e6 = fill.forward_e6;
    if !fill.closes {
        let cost = math(model::entry_cost(side, fill.qty_e6, fill.price_e6))?;
        let added = math(model::reservation(side, fill.qty_e6, cost))?;
        let sum = |reserved: u64| reserved.checked_add(added).ok_or(MarketError::Overflow);
        let (pool, game, user) = (sum(a.pool.reserved_e6)?, sum(a.market.reserved_e6)?, sum(a.margin.reserved_e6)?);
        if !a.pool.within_caps(&a.exchange, pool, game, user) {
            return Ok(EndReason::Cap);
        }
    }
    // An index that has grown counts for positions to come, though the fee is off by now.
    let borrow = a.exchange.borrow_max_e12 > 0 || a.window.borrow_rate_e12 > 0 || a.window.borrow_index_e12 > 0;
    if borrow {
        let feed = live_feed(a.feed.account())?.ok_or(MarketError::FeedGone)?;
        a.window.accrue(&feed)?;
        outcome.borrow_e6 = a.window.take_borrow(&mut a.position, &mut a.pool)?;
    }
    let before = Stake::of(&a.position)?;
    if fill.closes {
        close(a, fill, outcome)?;
    } else {
        open(a, fill, side, outcome)?;
    }
    before.book(Stake::of(&a.position)?, &mut a.pool, &mut a.market, &mut a.window, &mut a.margin)?;
    if borrow {
        a.window.set_rate(&a.pool, &a.exchange)?;
    }
    outcome.filled_e6 = fill.qty_e6;
    Ok(EndReason::Filled)
}

/// Collateral and fee leave the order escrow for position and fee escrow.
fn open(a: &mut CrankOrder, fill: &Fill, side: Side, outcome: &mut Outcome) -> Result<()> {
    let (collateral, fee) = (a.order.collateral_e6, a.order.fee_reserve_e6);
    if a.position.qty_e6 == 0 {
        a.position.opened_ms = outcome.data_ms;
    }
    a.position.open(side, fill.qty_e6, fill.price_e6, collateral)?;
    debit(&mut a.pool.order_escrow_e6, collateral)?;
    credit(&mut a.pool.position_collateral_e6, collateral)?;
    debit(&mut a.pool.order_escrow_e6, fee)?;
    charge(a, fee)?;
    outcome.collateral_in_e6 = collateral;
    outcome.fee_e6 = fee;
    Ok(())
}

/// Gain or loss moves between cash and collateral; what comes free, less the fee, goes to the owner's margin.
fn close(a: &mut CrankOrder, fill: &Fill, outcome: &mut Outcome) -> Result<()> {
    let done = a.position.reduce(fill.qty_e6, fill.price_e6)?;
    debit(&mut a.pool.position_collateral_e6, done.returned_e6)?;
    debit(&mut a.pool.position_collateral_e6, done.loss_e6)?;
    outcome.insured_e6 = a.pool.settle_pnl(&done)?;

    let escrow = a.order.escrow_e6();
    let reserve = a.order.fee_reserve_e6;
    let mut purse = reserve;
    credit(&mut purse, done.returned_e6)?;
    credit(&mut purse, done.gain_e6)?;
    // Rounding and parameter changes aside this is the reserve; a reduce-only order may have reserved less.
    let fee = math(model::fee(fill.qty_e6, a.exchange.fee_e6))?.min(purse);
    debit(&mut a.pool.order_escrow_e6, escrow)?;
    charge(a, fee)?;
    let back = purse - fee + a.order.collateral_e6;
    credit(&mut a.margin.free_e6, back)?;
    credit(&mut a.pool.margin_e6, back)?;
    outcome.closed_e6 = fill.qty_e6;
    outcome.fee_e6 = fee;
    outcome.refund_e6 = a.order.collateral_e6 + reserve.saturating_sub(fee);
    outcome.reduction = done;
    Ok(())
}

/// Book a fee that has left another balance.
fn charge(a: &mut CrankOrder, fee_e6: u64) -> Result<()> {
    credit(&mut a.pool.fee_escrow_e6, fee_e6)?;
    credit(&mut a.pool.fees_charged_e6, fee_e6)?;
    credit(&mut a.position.fees_e6, fee_e6)?;
    a.window.charge(fee_e6)
}

/// Give unused escrow back.
fn refund(a: &mut CrankOrder, amount_e6: u64) -> Result<()> {
    debit(&mut a.pool.order_escrow_e6, amount_e6)?;
    credit(&mut a.margin.free_e6, amount_e6)?;
    credit(&mut a.pool.margin_e6, amount_e6)
}
