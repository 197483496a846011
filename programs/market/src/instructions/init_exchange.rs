use anchor_lang::prelude::*;
use anchor_spl::{Mint, TokenAccount};

use crate::{
    constants::LASTING_VERSION,
    errors::MarketError,
    state::{Exchange, ExchangeParams},
};

/// Accounts of `init_exchange`.
#[derive(Accounts)]
pub struct InitExchange {
    pub creator: Signer,
    #[account(unsafe(dup))]
    pub payer: Signer,
    /// CHECK: only its address is stored.
    pub authority: UncheckedAccount,
    /// CHECK: only its address is stored.
    pub operator: UncheckedAccount,
    pub oracle_config: Account<oracle::Config>,
    pub collateral_mint: Account<Mint>,
    #[account(constraint = treasury_vault.mint() == collateral_mint.address() @ MarketError::WrongAccount)]
    pub treasury_vault: Account<TokenAccount>,
    #[account(init, payer = payer, seeds = [b"exchange", creator.address().as_ref()], bump)]
    pub exchange: Account<Exchange>,
    pub system_program: Program<System>,
}

/// 1. Creates the exchange of `creator`. 2. Stores mint, treasury vault, oracle config, roles and parameters.
///
/// The pool follows by `init_pool`; until then no account of it exists.
pub fn init_exchange(ctx: &mut Context<InitExchange>, params: ExchangeParams) -> Result<()> {
    let bump = ctx.bumps.exchange;
    let a = &mut ctx.accounts;
    let exchange = &mut a.exchange;
    exchange.version = LASTING_VERSION;
    exchange.bump = bump;
    exchange.creator = *a.creator.address();
    exchange.authority = *a.authority.address();
    exchange.operator = *a.operator.address();
    exchange.collateral_mint = *a.collateral_mint.address();
    exchange.treasury_vault = *a.treasury_vault.address();
    exchange.oracle_config = *a.oracle_config.address();
    exchange.set(&params)
}
