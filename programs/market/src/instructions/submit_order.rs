use anchor_lang::prelude::*;
use oracle::Feed;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, OrderPlaced},
    state::{credit, debit, delegate, math, Attestation, Exchange, Margin, Order, Pool, Position, Session, Window},
    timing::{commit_ms, progress},
    tokens::put_tip,
};

/// What an order asks for.
#[derive(Clone, Copy, Debug)]
pub struct OrderParams {
    /// Above every earlier one of this margin account, so that a retry can never fill twice.
    pub client_id: u64,
    /// Direction of the trade: 0 long, 1 short. Closing a long is a short trade.
    pub side: u8,
    /// 1 reduce only.
    pub flags: u8,
    pub qty_e6: u64,
    /// Worst price: highest for a long, lowest for a short.
    pub limit_e6: u32,
    /// Moves into the position when the order opens.
    pub collateral_e6: u64,
    /// Milliseconds after commit beyond which no sample fills it; 0: the exchange's default, or when it rests its
    /// window's end.
    pub expiry_ms: u32,
    /// 0 market, 1 limit, 2 stop-loss, 3 take-profit.
    pub kind: u8,
    /// Stop-loss, take-profit: forward price at which it triggers.
    pub trigger_e6: u32,
}

/// Accounts of `submit_order`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(client_id: u64)]
pub struct SubmitOrder {
    /// Owner of the margin account, or the delegate of `session`.
    pub owner: Signer,
    /// Pays rent and tip; may be the owner.
    #[account(unsafe(dup))]
    pub payer: Signer,
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub window: Account<Window>,
    #[account(address = window.feed @ MarketError::WrongFeed)]
    pub feed: Account<Feed>,
    #[account(mut, constraint = margin.exchange == window.exchange @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(
        init_if_needed, payer = payer,
        seeds = [b"position", margin.address().as_ref(), window.address().as_ref()], bump
    )]
    pub position: Account<Position>,
    #[account(
        init, payer = payer, seeds = [b"order", margin.address().as_ref(), &client_id.to_le_bytes()], bump
    )]
    pub order: Account<Order>,
    /// Needed when a delegate signs.
    #[account(mut)]
    pub session: Option<Account<Session>>,
    /// Needed for orders that open where the exchange has an attestor.
    pub attestation: Option<Account<Attestation>>,
    pub system_program: Program<System>,
}

/// 1. Refuses who may not trade: no owner or delegate, no attestation, too many orders this minute.
/// 2. Refuses what could not be filled fairly: paused, window not open or about to end; a market order also while
///    trading is suspended or no play runs. One that rests waits for that.
/// 3. Creates the position account if it is missing.
/// 4. Moves collateral and fee from free margin into the order escrow; the tip into the order account.
/// 5. Writes the order with its commit time, slot, sample count and suspend epoch.
pub fn submit_order(ctx: &mut Context<SubmitOrder>, params: OrderParams) -> Result<()> {
    let clock = Clock::get()?;
    let (order_bump, position_bump) = (ctx.bumps.order, ctx.bumps.position);
    let a = &mut ctx.accounts;
    let reduce_only = params.flags & FLAG_REDUCE_ONLY != 0;
    check_params(&params, &a.exchange)?;
    a.exchange.allows(if reduce_only { PAUSE_REDUCE_ONLY } else { PAUSE_ACTIVE }, &clock)?;
    require!(params.client_id > a.margin.last_client_id, MarketError::ClientIdUsed);
    check_feed(&a.feed, &a.window, params.kind)?;
    if !reduce_only {
        check_attestation(&a.exchange, a.attestation.as_deref(), &a.margin.owner, &clock)?;
    }
    a.margin.count_order(a.exchange.orders_per_minute, &clock)?;

    let fee = math(model::fee(params.qty_e6, a.exchange.fee_e6))?;
    let fee_reserve_e6 = if reduce_only {
        // Whoever has nothing left must still be able to close: the rest of the fee comes out of what is freed.
        fee.min(a.margin.free_e6.saturating_sub(params.collateral_e6))
    } else {
        let least = math(model::margin_required(params.qty_e6, a.exchange.initial_margin_e6))?;
        require!(params.collateral_e6 >= least, MarketError::CollateralTooLow);
        fee
    };
    let escrow = params.collateral_e6.checked_add(fee_reserve_e6).ok_or(MarketError::Overflow)?;
    require!(escrow <= a.margin.free_e6, MarketError::InsufficientMargin);
    let margin = *a.margin.address();
    let session = a.session.as_deref_mut();
    if let Some(session) = delegate(a.owner.address(), &a.margin.owner, &margin, session, &clock)? {
        session.spend(params.qty_e6, escrow)?;
    }

    let total = a.pool.total_e6()?;
    debit(&mut a.margin.free_e6, escrow)?;
    debit(&mut a.pool.margin_e6, escrow)?;
    credit(&mut a.pool.order_escrow_e6, escrow)?;
    a.pool.invariant(total)?;

    if a.position.version == 0 {
        let position = &mut a.position;
        position.version = VERSION;
        position.bump = position_bump;
        position.owner = a.margin.owner;
        position.margin = *a.margin.address();
        position.window = *a.window.address();
        position.rent_payer = *a.payer.address();
        a.window.positions += 1;
    }
    a.position.pending_orders += 1;
    a.window.pending_orders += 1;
    a.margin.open_orders += 1;
    a.margin.last_client_id = params.client_id;

    let tip_lamports = a.exchange.tip_lamports;
    let commit_ms = commit_ms(&clock, Some(&a.feed));
    let market = params.kind == KIND_MARKET;
    let expiry_ms = if market && params.expiry_ms == 0 { a.exchange.order_expiry_ms } else { params.expiry_ms };
    let order = &mut a.order;
    order.version = VERSION;
    order.bump = order_bump;
    order.side = params.side;
    order.flags = params.flags;
    order.period = a.feed.period;
    order.suspend_epoch = a.feed.suspend_epoch;
    order.owner = a.margin.owner;
    order.margin = *a.margin.address();
    order.window = *a.window.address();
    order.position = *a.position.address();
    order.rent_payer = *a.payer.address();
    order.client_id = params.client_id;
    order.qty_e6 = params.qty_e6;
    order.collateral_e6 = params.collateral_e6;
    order.fee_reserve_e6 = fee_reserve_e6;
    order.commit_ms = commit_ms;
    order.commit_slot = clock.slot;
    order.commit_samples = a.feed.samples;
    order.tip_lamports = tip_lamports;
    order.delay_ms = a.exchange.delay_ms;
    order.expiry_ms = expiry_ms;
    order.limit_e6 = params.limit_e6;
    order.generation = a.position.generation;
    order.kind = params.kind;
    order.trigger_e6 = params.trigger_e6;
    order.until_ms = if market || expiry_ms == 0 { 0 } else { commit_ms + expiry_ms as u64 };
    let placed = OrderPlaced {
        order: *order.address(),
        margin: order.margin,
        owner: order.owner,
        window: order.window,
        client_id: params.client_id,
        side: params.side,
        flags: params.flags,
        qty_e6: params.qty_e6,
        limit_e6: params.limit_e6,
        collateral_e6: params.collateral_e6,
        fee_reserve_e6,
        commit_ms,
        expiry_ms,
        suspend_epoch: order.suspend_epoch,
        kind: params.kind,
        trigger_e6: params.trigger_e6,
    };
    put_tip(&a.system_program, a.payer.cpi_handle_mut(), a.order.cpi_handle_mut(), tip_lamports)?;
    emit!(ctx, placed);
    Ok(())
}

/// What can be said about the order alone.
fn check_params(params: &OrderParams, exchange: &Exchange) -> Result<()> {
    let longest = if params.kind == KIND_MARKET { MAX_EXPIRY_MS } else { u32::MAX };
    let expiry = params.expiry_ms == 0 || (exchange.delay_ms..=longest).contains(&params.expiry_ms);
    let kind = match params.kind {
        KIND_MARKET | KIND_LIMIT => params.trigger_e6 == 0,
        KIND_STOP_LOSS | KIND_TAKE_PROFIT => {
            params.flags & FLAG_REDUCE_ONLY != 0 && params.trigger_e6 <= model::MAX_X_E6
        }
        _ => false,
    };
    require!(
        params.side <= 1
            && params.flags <= FLAG_REDUCE_ONLY
            && (MIN_QTY_E6..=MAX_QTY_E6).contains(&params.qty_e6)
            && params.limit_e6 <= model::MAX_X_E6
            && expiry
            && kind,
        MarketError::BadParameter
    );
    Ok(())
}

/// Whether the window trades right now; an order that rests may also wait for the match to begin or go on.
fn check_feed(feed: &Account<Feed>, window: &Window, kind: u8) -> Result<()> {
    require!(window.is_open() && feed.status != oracle::STATUS_FINAL, MarketError::WindowNotOpen);
    if kind == KIND_MARKET {
        require!(!feed.suspended(), MarketError::Suspended);
        require!(feed.in_break == 0, MarketError::InBreak);
    }
    match feed.newest() {
        Some(newest) => {
            let left_ms = progress(feed, newest, window)?.left_ms;
            require!(left_ms >= COMMIT_CLOSE_MS, MarketError::WindowClosing);
        }
        None => {
            require!(kind != KIND_MARKET, MarketError::NoSample);
        }
    }
    Ok(())
}

/// Whether `owner` may open positions here.
fn check_attestation(
    exchange: &Account<Exchange>,
    attestation: Option<&Attestation>,
    owner: &Address,
    clock: &Clock,
) -> Result<()> {
    if exchange.attestor == Address::default() {
        return Ok(());
    }
    // The attestor of today must have signed it: a new one starts with nobody attested.
    let valid = attestation.is_some_and(|found| found.covers(exchange.address(), owner, &exchange.attestor, clock));
    require!(valid, MarketError::NotEligible);
    Ok(())
}
