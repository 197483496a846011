use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::MarketError,
    events::emit,
    state::{credit, Exchange, LpRequest, Pool},
    tokens::{put_tip, take},
};

/// Accounts of `request_deposit`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct RequestDeposit {
    pub owner: Signer,
    /// Pays rent and tip; may be the owner.
    #[account(unsafe(dup))]
    pub payer: Signer,
    #[account(address = pool.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub pool: Account<Pool>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut)]
    pub source: Account<TokenAccount>,
    /// Receives the shares.
    #[account(constraint = *destination.mint() == exchange.lp_mint @ MarketError::WrongAccount)]
    pub destination: Account<TokenAccount>,
    #[account(
        init, payer = payer,
        seeds = [b"lp-request", pool.address().as_ref(), owner.address().as_ref(), &id.to_le_bytes()], bump
    )]
    pub request: Account<LpRequest>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

/// 1. Moves `amount_e6` to the vault, where it is the requester's (claimable), not the pool's.
/// 2. Writes the request: anybody may execute it, with marks of at least the order delay later when positions are open.
pub fn request_deposit(ctx: &mut Context<RequestDeposit>, id: u64, amount_e6: u64, min_shares: u64) -> Result<()> {
    let clock = Clock::get()?;
    let bump = ctx.bumps.request;
    let a = &mut ctx.accounts;
    a.exchange.allows(PAUSE_ACTIVE, &clock)?;
    require!(amount_e6 > 0, MarketError::BadAmount);
    let ready_unix = clock.unix_timestamp.max(0) as u64;

    take(&a.token_program, &mut a.source, &mut a.vault, &a.owner, amount_e6)?;
    credit(&mut a.pool.claimable_e6, amount_e6)?;
    a.pool.lp_requests += 1;
    a.pool.invariant_vault(a.vault.amount())?;

    let (pool, owner, rent_payer) = (*a.pool.address(), *a.owner.address(), *a.payer.address());
    let destination = *a.destination.address();
    a.request.bump = bump;
    a.request.kind = LP_DEPOSIT;
    a.request.pool = pool;
    a.request.owner = owner;
    a.request.destination = destination;
    a.request.rent_payer = rent_payer;
    a.request.id = id;
    a.request.amount = amount_e6;
    a.request.minimum = min_shares;
    a.request.ready_unix = ready_unix;
    let address = *a.request.address();
    let event = a.request.begin(address, &a.exchange);
    let tip_lamports = a.exchange.tip_lamports;
    put_tip(&a.system_program, a.payer.cpi_handle_mut(), a.request.cpi_handle_mut(), tip_lamports)?;
    emit!(ctx, event);
    Ok(())
}
