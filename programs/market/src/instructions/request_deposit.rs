use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, LiquidityRequested},
    state::{credit, Exchange, LpRequest, Pool},
    tokens::take,
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

    let tip_lamports = a.exchange.tip_lamports;
    let (pool, owner, rent_payer) = (*a.pool.address(), *a.owner.address(), *a.payer.address());
    let destination = *a.destination.address();
    let request = &mut a.request;
    request.version = VERSION;
    request.bump = bump;
    request.kind = LP_DEPOSIT;
    request.pool = pool;
    request.owner = owner;
    request.destination = destination;
    request.rent_payer = rent_payer;
    request.id = id;
    request.amount = amount_e6;
    request.minimum = min_shares;
    request.ready_unix = ready_unix;
    request.marks_from_ms = ready_unix * 1_000 + 999 + a.exchange.delay_ms as u64;
    request.tip_lamports = tip_lamports;
    let event = LiquidityRequested {
        request: *request.address(),
        owner,
        kind: LP_DEPOSIT,
        id,
        amount: amount_e6,
        minimum: min_shares,
        ready_unix,
    };
    if tip_lamports > 0 {
        let accounts = system_program::Transfer { from: a.payer.cpi_handle_mut(), to: a.request.cpi_handle_mut() };
        system_program::transfer(CpiContext::new(a.system_program.address(), accounts), tip_lamports)?;
    }
    emit!(ctx, event);
    Ok(())
}
