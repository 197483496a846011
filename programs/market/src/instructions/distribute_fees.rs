use anchor_lang::prelude::*;
use anchor_spl::Mint;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, FeesDistributed},
    instructions::settle_position::ended,
    state::{credit, debit, math, Exchange, Pool, Window},
};

/// Accounts of `distribute_fees`.
#[event_cpi]
#[derive(Accounts)]
pub struct DistributeFees {
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub window: Account<Window>,
    #[account(address = exchange.lp_mint @ MarketError::WrongAccount)]
    pub lp_mint: Account<Mint>,
}

/// 1. Splits the window's fees: liquidity providers' part into cash, insurance, protocol's part for
///    `collect_protocol_fees`. No token moves, so a treasury that cannot be paid holds nothing up.
///
/// Anybody may call it, once, after the dispute time and when no order and no position account of the window is left
/// (the accounts of a void window take their fees back, so nothing is left to split). While nobody holds shares the
/// liquidity providers' part goes to the insurance, so that the next depositor finds no gift.
pub fn distribute_fees(ctx: &mut Context<DistributeFees>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    ended(&a.window, &clock)?;
    require!(a.window.fees_done == 0, MarketError::FeesDone);
    require!(a.window.pending_orders == 0, MarketError::OrdersPending);
    require!(a.window.positions == 0, MarketError::PositionsOpen);

    let total = a.pool.total_e6()?;
    let fees = a.window.fee_escrow_e6;
    let mut lp_e6 = math(model::part_floor(fees, a.exchange.lp_bps as u64, BPS))?;
    let protocol_e6 = math(model::part_floor(fees, a.exchange.protocol_bps as u64, BPS))?;
    if a.lp_mint.supply() == 0 {
        lp_e6 = 0;
    }
    let insurance_e6 = fees - lp_e6 - protocol_e6;
    a.window.fee_escrow_e6 = 0;
    a.window.fees_done = 1;
    debit(&mut a.pool.fee_escrow_e6, fees)?;
    credit(&mut a.pool.fees_distributed_e6, fees)?;
    credit(&mut a.pool.cash_e6, lp_e6)?;
    credit(&mut a.pool.insurance_e6, insurance_e6)?;
    credit(&mut a.pool.protocol_fees_e6, protocol_e6)?;
    a.pool.invariant(total)?;

    let window = *a.window.address();
    emit!(ctx, FeesDistributed { window, lp_e6, insurance_e6, protocol_e6 });
    Ok(())
}
