use anchor_lang::prelude::*;

use crate::{
    errors::MarketError,
    events::{emit, MarginMoved},
    state::{credit, debit, Exchange, Margin, Pool, Position, Window},
};

/// Accounts of `add_margin`.
#[event_cpi]
#[derive(Accounts)]
pub struct AddMargin {
    #[account(address = margin.owner @ MarketError::WrongOwner)]
    pub owner: Signer,
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(address = position.window @ MarketError::WrongAccount)]
    pub window: Account<Window>,
    #[account(mut, address = position.margin @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(mut)]
    pub position: Account<Position>,
}

/// 1. Moves `amount_e6` from free margin into the position's collateral. Also under a pause: it only makes safer.
pub fn add_margin(ctx: &mut Context<AddMargin>, amount_e6: u64) -> Result<()> {
    let a = &mut ctx.accounts;
    require!(a.window.is_open(), MarketError::WindowNotOpen);
    require!(a.position.qty_e6 > 0, MarketError::PositionEmpty);
    require!(amount_e6 > 0, MarketError::BadAmount);
    require!(amount_e6 <= a.margin.free_e6, MarketError::InsufficientMargin);

    let total = a.pool.total_e6()?;
    debit(&mut a.margin.free_e6, amount_e6)?;
    debit(&mut a.pool.margin_e6, amount_e6)?;
    credit(&mut a.position.collateral_e6, amount_e6)?;
    credit(&mut a.pool.position_collateral_e6, amount_e6)?;
    a.pool.invariant(total)?;

    let event = MarginMoved {
        position: *a.position.address(),
        owner: a.position.owner,
        added: 1,
        amount_e6,
        collateral_e6: a.position.collateral_e6,
        free_e6: a.margin.free_e6,
        borrow_e6: 0,
    };
    emit!(ctx, event);
    Ok(())
}
