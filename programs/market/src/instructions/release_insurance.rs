use anchor_lang::prelude::*;
use anchor_spl::Mint;

use crate::{
    errors::MarketError,
    events::{emit, InsuranceReleased},
    state::{credit, Exchange, Pool},
};

/// Accounts of `release_insurance`.
#[event_cpi]
#[derive(Accounts)]
pub struct ReleaseInsurance {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(address = pool.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub pool: Account<Pool>,
    #[account(address = exchange.lp_mint @ MarketError::WrongAccount)]
    pub lp_mint: Account<Mint>,
}

/// 1. Moves `amount_e6` of the insurance into the pool's cash: to its providers, and to nobody else.
///
/// Refused while nobody holds shares: the next depositor would find a gift.
pub fn release_insurance(ctx: &mut Context<ReleaseInsurance>, amount_e6: u64) -> Result<()> {
    let a = &mut ctx.accounts;
    require!(a.lp_mint.supply() > 0, MarketError::NoShares);
    require!(amount_e6 > 0, MarketError::BadAmount);
    let total = a.pool.total_e6()?;
    a.pool.insurance_e6 = a.pool.insurance_e6.checked_sub(amount_e6).ok_or(MarketError::BadAmount)?;
    credit(&mut a.pool.cash_e6, amount_e6)?;
    a.pool.invariant(total)?;

    let exchange = *a.exchange.address();
    let (insurance_e6, cash_e6) = (a.pool.insurance_e6, a.pool.cash_e6);
    emit!(ctx, InsuranceReleased { exchange, amount_e6, insurance_e6, cash_e6 });
    Ok(())
}
