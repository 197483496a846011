use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::{mint, token, Mint, TokenAccount};

use crate::{
    constants::LASTING_VERSION,
    errors::MarketError,
    state::{Exchange, Pool},
};

/// Accounts of `init_pool`.
#[derive(Accounts)]
pub struct InitPool {
    #[account(unsafe(dup))]
    pub payer: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
    #[account(address = exchange.collateral_mint @ MarketError::WrongAccount)]
    pub collateral_mint: Account<Mint>,
    #[account(init, payer = payer, seeds = [b"pool", exchange.address().as_ref()], bump)]
    pub pool: Account<Pool>,
    #[account(
        init, payer = payer, seeds = [b"vault", exchange.address().as_ref()], bump,
        token::mint = collateral_mint, token::authority = pool
    )]
    pub vault: Account<TokenAccount>,
    #[account(
        init, payer = payer, seeds = [b"lp", exchange.address().as_ref()], bump,
        mint::decimals = 6, mint::authority = pool
    )]
    pub lp_mint: Account<Mint>,
    /// Shares of waiting withdrawals.
    #[account(
        init, payer = payer, seeds = [b"lp-escrow", exchange.address().as_ref()], bump,
        token::mint = lp_mint, token::authority = pool
    )]
    pub lp_escrow: Account<TokenAccount>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

/// 1. Creates the pool, its vault, the mint of its shares and their escrow. 2. Stores their addresses in the exchange.
///
/// Anybody may pay for it: every address and every value follows from the exchange.
pub fn init_pool(ctx: &mut Context<InitPool>) -> Result<()> {
    let (bump, vault_bump, lp_mint_bump) = (ctx.bumps.pool, ctx.bumps.vault, ctx.bumps.lp_mint);
    let a = &mut ctx.accounts;
    let (vault, lp_mint) = (*a.vault.address(), *a.lp_mint.address());
    a.pool.version = LASTING_VERSION;
    a.pool.bump = bump;
    a.pool.vault_bump = vault_bump;
    a.pool.lp_mint_bump = lp_mint_bump;
    a.pool.lp_escrow_bump = ctx.bumps.lp_escrow;
    a.pool.exchange = *a.exchange.address();
    a.pool.vault = vault;
    a.pool.lp_mint = lp_mint;
    a.exchange.pool = *a.pool.address();
    a.exchange.vault = vault;
    a.exchange.lp_mint = lp_mint;
    Ok(())
}
