use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::{token::TokenCpiExt, Mint, TokenAccount};

use crate::{
    constants::PAUSE_NO_NEW_ORDERS,
    errors::MarketError,
    events::LiquidityChanged,
    state::{debit, math, Exchange, Pool},
};

/// Accounts of `withdraw_liquidity`.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawLiquidity {
    pub owner: Signer,
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut, address = exchange.lp_mint @ MarketError::WrongAccount)]
    pub lp_mint: Account<Mint>,
    /// Shares of the owner.
    #[account(mut)]
    pub shares: Account<TokenAccount>,
    #[account(mut)]
    pub destination: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

/// 1. Burns `shares`. 2. Pays their part of cash, floored; the last shares get all of it.
///
/// Only while no position is open and no order is pending, so that cash is the pool's whole value.
pub fn withdraw_liquidity(ctx: &mut Context<WithdrawLiquidity>, shares: u64, min_amount_e6: u64) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    require!(a.pool.idle(), MarketError::PoolBusy);
    let (cash_before, supply_before) = (a.pool.cash_e6, a.lp_mint.supply());
    require!(shares > 0 && shares <= supply_before, MarketError::BadAmount);
    // The virtual shares' part would stay behind for ever: nobody is left who could be diluted.
    let amount_e6 = match shares == supply_before {
        true => cash_before,
        false => math(model::amount_for_shares(shares, cash_before, supply_before))?,
    };
    require!(amount_e6 > 0, MarketError::BadAmount);
    require!(amount_e6 >= min_amount_e6, MarketError::Slippage);

    a.token_program.burn(&mut a.shares, &mut a.lp_mint, &a.owner, &[], shares)?;
    debit(&mut a.pool.cash_e6, amount_e6)?;
    let (exchange, bump) = (*a.exchange.address(), [a.pool.bump]);
    let signer: &[&[u8]] = &[b"pool", exchange.as_ref(), &bump];
    a.token_program.transfer(&mut a.vault, &mut a.destination, &a.pool, &[signer], amount_e6)?;
    a.pool.invariant_vault(a.vault.amount())?;

    let (owner, cash_after, supply_after) = (*a.owner.address(), a.pool.cash_e6, a.lp_mint.supply());
    emit_cpi!(LiquidityChanged {
        owner,
        deposit: 0,
        amount_e6,
        shares,
        cash_before,
        cash_after,
        supply_before,
        supply_after
    });
    Ok(())
}
