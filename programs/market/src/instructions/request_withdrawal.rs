use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::MarketError,
    events::emit,
    state::{Exchange, LpRequest, Pool},
    tokens::{put_tip, take},
};

/// Accounts of `request_withdrawal`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct RequestWithdrawal {
    pub owner: Signer,
    /// Pays rent and tip; may be the owner.
    #[account(unsafe(dup))]
    pub payer: Signer,
    #[account(address = pool.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub pool: Account<Pool>,
    /// Holds the shares of all waiting withdrawals.
    #[account(mut, seeds = [b"lp-escrow", exchange.address().as_ref()], bump = pool.lp_escrow_bump)]
    pub lp_escrow: Account<TokenAccount>,
    /// Shares of the owner.
    #[account(mut)]
    pub source: Account<TokenAccount>,
    /// Receives the tokens.
    #[account(constraint = *destination.mint() == exchange.collateral_mint @ MarketError::WrongAccount)]
    pub destination: Account<TokenAccount>,
    #[account(
        init, payer = payer,
        seeds = [b"lp-request", pool.address().as_ref(), owner.address().as_ref(), &id.to_le_bytes()], bump
    )]
    pub request: Account<LpRequest>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

/// 1. Moves `shares` into the pool's escrow; they stay in the supply and take part in gains and losses.
/// 2. Writes the request: anybody may execute it once the cooldown is over.
pub fn request_withdrawal(
    ctx: &mut Context<RequestWithdrawal>,
    id: u64,
    shares: u64,
    min_amount_e6: u64,
) -> Result<()> {
    let clock = Clock::get()?;
    let bump = ctx.bumps.request;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_NO_NEW_ORDERS, &clock)?;
    require!(shares > 0 && shares <= a.source.amount(), MarketError::BadAmount);
    let ready_unix = clock.unix_timestamp.max(0) as u64 + a.exchange.lp_cooldown_s as u64;

    take(&a.token_program, &mut a.source, &mut a.lp_escrow, &a.owner, shares)?;
    a.pool.lp_requests += 1;

    let (pool, owner, rent_payer) = (*a.pool.address(), *a.owner.address(), *a.payer.address());
    let destination = *a.destination.address();
    a.request.bump = bump;
    a.request.kind = LP_WITHDRAWAL;
    a.request.pool = pool;
    a.request.owner = owner;
    a.request.destination = destination;
    a.request.rent_payer = rent_payer;
    a.request.id = id;
    a.request.amount = shares;
    a.request.minimum = min_amount_e6;
    a.request.ready_unix = ready_unix;
    let address = *a.request.address();
    let event = a.request.begin(address, &a.exchange);
    let tip_lamports = a.exchange.tip_lamports;
    put_tip(&a.system_program, a.payer.cpi_handle_mut(), a.request.cpi_handle_mut(), tip_lamports)?;
    emit!(ctx, event);
    Ok(())
}
