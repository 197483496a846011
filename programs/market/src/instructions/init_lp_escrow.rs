use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::{token, Mint, TokenAccount};

use crate::{
    errors::MarketError,
    state::{Exchange, Pool},
};

/// Accounts of `init_lp_escrow`.
#[derive(Accounts)]
pub struct InitLpEscrow {
    #[account(unsafe(dup))]
    pub payer: Signer,
    #[account(address = pool.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub pool: Account<Pool>,
    #[account(address = pool.lp_mint @ MarketError::WrongAccount)]
    pub lp_mint: Account<Mint>,
    #[account(
        init, payer = payer, seeds = [b"lp-escrow", exchange.address().as_ref()], bump,
        token::mint = lp_mint, token::authority = pool
    )]
    pub lp_escrow: Account<TokenAccount>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

/// 1. Creates the escrow of waiting withdrawals' shares, which pools of version 1 were made without.
pub fn init_lp_escrow(ctx: &mut Context<InitLpEscrow>) -> Result<()> {
    ctx.accounts.pool.lp_escrow_bump = ctx.bumps.lp_escrow;
    Ok(())
}
