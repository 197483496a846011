use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, CollateralChanged},
    state::{credit, debit, Exchange, Margin, Pool},
    tokens::pay,
};

/// Accounts of `withdraw_collateral`.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawCollateral {
    #[account(address = margin.owner @ MarketError::WrongOwner)]
    pub owner: Signer,
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, constraint = margin.exchange == *exchange.address() @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut)]
    pub destination: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

/// 1. Takes `amount_e6` from free margin; when Halted no more than the principal, deposits - withdrawals.
/// 2. Counts what goes beyond the principal as winnings against the limits of the hour and the day. 3. Sends it.
///
/// Principal always leaves. Across the end of an hour or a day at most twice a limit can.
pub fn withdraw_collateral(ctx: &mut Context<WithdrawCollateral>, amount_e6: u64) -> Result<()> {
    let a = &mut ctx.accounts;
    require!(amount_e6 > 0, MarketError::BadAmount);
    require!(amount_e6 <= a.margin.free_e6, MarketError::InsufficientMargin);
    let clock = Clock::get()?;
    let principal = a.margin.deposits_e6.saturating_sub(a.margin.withdrawals_e6);
    let winnings_e6 = amount_e6.saturating_sub(principal);
    require!(winnings_e6 == 0 || a.exchange.pause_at(&clock) < PAUSE_HALTED, MarketError::Paused);
    if winnings_e6 > 0 {
        a.pool.count_outflow(&a.exchange, winnings_e6, clock.unix_timestamp.max(0) as u64)?;
    }
    debit(&mut a.margin.free_e6, amount_e6)?;
    credit(&mut a.margin.withdrawals_e6, amount_e6)?;
    debit(&mut a.pool.margin_e6, amount_e6)?;
    pay(&a.token_program, &mut a.vault, &mut a.destination, &a.pool, amount_e6)?;
    a.pool.invariant_vault(a.vault.amount())?;

    let (margin, owner, free_e6) = (*a.margin.address(), a.margin.owner, a.margin.free_e6);
    emit!(ctx, CollateralChanged { margin, owner, deposit: 0, amount_e6, free_e6 });
    Ok(())
}
