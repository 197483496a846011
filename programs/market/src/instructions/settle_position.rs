use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, PositionSettled},
    state::{credit, debit, Exchange, Margin, Market, Pool, Position, Reduction, Stake, Window},
    timing::clock_ms,
};

/// Accounts of `settle_position`.
#[event_cpi]
#[derive(Accounts)]
pub struct SettlePosition {
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = window.market @ MarketError::WrongAccount)]
    pub market: Account<Market>,
    #[account(mut, address = position.window @ MarketError::WrongAccount)]
    pub window: Account<Window>,
    #[account(mut, address = position.margin @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(mut)]
    pub position: Account<Position>,
    /// CHECK: compared with the address stored in the position.
    #[account(unsafe(dup), address = position.rent_payer @ MarketError::WrongAccount)]
    pub rent_payer: UncheckedAccount,
}

/// 1. Takes the borrow fee that is left. Pays the position at the window's settlement, or its collateral and fees when the window is void.
/// 2. Releases its reservation. 3. Closes the account, rent to its payer. Empty positions are closed the same way.
///
/// Anybody may call it, in any order of positions, once the dispute time has passed; also while Halted.
pub fn settle_position(ctx: &mut Context<SettlePosition>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    ended(&a.window, &clock)?;
    require!(a.position.pending_orders == 0, MarketError::OrdersPending);

    let total = a.pool.total_e6()?;
    let void = a.window.state == WINDOW_VOID;
    // A void window takes no fee; a final one has accrued up to its end when it was finalised.
    let borrow_e6 = if void { 0 } else { a.window.take_borrow(&mut a.position, &mut a.pool)? };
    let (side, qty_e6, reserved_e6) = (a.position.side()?, a.position.qty_e6, a.position.reserved_e6);
    let (entry_cost_e6, collateral_e6) = (a.position.entry_cost_e6, a.position.collateral_e6);
    let mut done = Reduction { returned_e6: collateral_e6, ..Reduction::default() };
    let before = Stake::of(&a.position)?;
    let mut insured_e6 = 0;
    if qty_e6 > 0 {
        if !void {
            done = a.position.reduce(qty_e6, a.window.settlement_e6)?;
        }
        before.book(before.none(), &mut a.pool, &mut a.market, &mut a.window, &mut a.margin)?;
        debit(&mut a.pool.position_collateral_e6, collateral_e6)?;
        insured_e6 = a.pool.settle_pnl(&done)?;
    }
    let mut payout_e6 = done.returned_e6;
    credit(&mut payout_e6, done.gain_e6)?;
    let most = collateral_e6.checked_add(reserved_e6).ok_or(MarketError::Overflow)?;
    require!(payout_e6 <= most, MarketError::InvariantBroken); // I5
    let fees_returned_e6 = if void { a.position.fees_e6 } else { 0 };
    if fees_returned_e6 > 0 {
        a.window.refund_fee(fees_returned_e6)?;
        debit(&mut a.pool.fee_escrow_e6, fees_returned_e6)?;
        credit(&mut a.pool.fees_returned_e6, fees_returned_e6)?;
    }
    let back = payout_e6.checked_add(fees_returned_e6).ok_or(MarketError::Overflow)?;
    credit(&mut a.margin.free_e6, back)?;
    credit(&mut a.pool.margin_e6, back)?;
    a.window.positions -= 1;
    a.pool.invariant(total)?;

    let event = PositionSettled {
        position: *a.position.address(),
        owner: a.position.owner,
        window: a.position.window,
        side: side as u8,
        qty_e6,
        entry_cost_e6,
        collateral_e6,
        reserved_e6,
        settlement_e6: a.window.settlement_e6,
        payout_e6,
        gain_e6: done.gain_e6,
        loss_e6: done.loss_e6,
        bad_debt_e6: done.bad_debt_e6,
        fees_returned_e6,
        borrow_e6,
        insured_e6,
    };
    a.position.close(*a.rent_payer.account())?;
    emit!(ctx, event);
    Ok(())
}

/// Whether the window is final or void and its dispute time has passed.
pub(crate) fn ended(window: &Window, clock: &Clock) -> Result<()> {
    require!(!window.is_open(), MarketError::NotFinal);
    require!(clock_ms(clock) >= window.dispute_until_ms, MarketError::InDispute);
    Ok(())
}
