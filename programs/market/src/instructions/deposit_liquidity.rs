use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::{token::TokenCpiExt, Mint, TokenAccount};

use crate::{
    constants::PAUSE_ACTIVE,
    errors::MarketError,
    events::LiquidityChanged,
    state::{credit, math, Exchange, Pool},
};

/// Accounts of `deposit_liquidity`.
#[event_cpi]
#[derive(Accounts)]
pub struct DepositLiquidity {
    pub owner: Signer,
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut, address = exchange.lp_mint @ MarketError::WrongAccount)]
    pub lp_mint: Account<Mint>,
    #[account(mut)]
    pub source: Account<TokenAccount>,
    /// Receives the shares.
    #[account(mut)]
    pub shares: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

/// 1. Moves `amount_e6` to the vault and books it as cash. 2. Mints shares at cash per share, floored.
///
/// Only while no position is open and no order is pending, so that cash is the pool's whole value.
pub fn deposit_liquidity(ctx: &mut Context<DepositLiquidity>, amount_e6: u64, min_shares: u64) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_ACTIVE, &clock)?;
    require!(a.pool.idle(), MarketError::PoolBusy);
    let (cash_before, supply_before) = (a.pool.cash_e6, a.lp_mint.supply());
    let shares = math(model::shares_for_deposit(amount_e6, cash_before, supply_before))?;
    require!(amount_e6 > 0 && shares > 0, MarketError::BadAmount);
    require!(shares >= min_shares, MarketError::Slippage);

    a.token_program.transfer(&mut a.source, &mut a.vault, &a.owner, &[], amount_e6)?;
    credit(&mut a.pool.cash_e6, amount_e6)?;
    let (exchange, bump) = (*a.exchange.address(), [a.pool.bump]);
    let signer: &[&[u8]] = &[b"pool", exchange.as_ref(), &bump];
    a.token_program.mint_to(&mut a.lp_mint, &mut a.shares, &a.pool, &[signer], shares)?;
    a.pool.invariant_vault(a.vault.amount())?;

    let (owner, cash_after, supply_after) = (*a.owner.address(), a.pool.cash_e6, a.lp_mint.supply());
    emit_cpi!(LiquidityChanged {
        owner,
        deposit: 1,
        amount_e6,
        shares,
        cash_before,
        cash_after,
        supply_before,
        supply_after
    });
    Ok(())
}
