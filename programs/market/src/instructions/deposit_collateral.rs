use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::PAUSE_NO_NEW_ORDERS,
    errors::MarketError,
    events::{emit, CollateralChanged},
    state::{credit, Exchange, Margin, Pool},
    tokens::take,
};

/// Accounts of `deposit_collateral`.
#[event_cpi]
#[derive(Accounts)]
pub struct DepositCollateral {
    /// Owns the tokens; anybody may deposit for anybody.
    pub depositor: Signer,
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, constraint = margin.exchange == *exchange.address() @ MarketError::WrongAccount)]
    pub margin: Account<Margin>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut)]
    pub source: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

/// 1. Moves `amount_e6` from the depositor to the vault. 2. Books it as free margin; winnings that return count no
///    longer against the outflow limits.
pub fn deposit_collateral(ctx: &mut Context<DepositCollateral>, amount_e6: u64) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    require!(amount_e6 > 0, MarketError::BadAmount);
    take(&a.token_program, &mut a.source, &mut a.vault, &a.depositor, amount_e6)?;
    credit(&mut a.margin.free_e6, amount_e6)?;
    // What comes back no longer counts as gone: the same money sent round cannot use up everybody's limit.
    let returned_e6 = amount_e6.min(a.margin.withdrawals_e6.saturating_sub(a.margin.deposits_e6));
    a.pool.outflow_hour_e6 = a.pool.outflow_hour_e6.saturating_sub(returned_e6);
    a.pool.outflow_day_e6 = a.pool.outflow_day_e6.saturating_sub(returned_e6);
    credit(&mut a.margin.deposits_e6, amount_e6)?;
    credit(&mut a.pool.margin_e6, amount_e6)?;
    a.pool.invariant_vault(a.vault.amount())?;

    let (margin, owner, free_e6) = (*a.margin.address(), a.margin.owner, a.margin.free_e6);
    emit!(ctx, CollateralChanged { margin, owner, deposit: 1, amount_e6, free_e6 });
    Ok(())
}
