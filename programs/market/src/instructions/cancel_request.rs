use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, LiquidityCancelled},
    state::{debit, Exchange, LpRequest, Pool},
    tokens::pay,
};

/// Accounts of `cancel_request`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelRequest {
    /// The request's owner; anybody once its time is over.
    #[account(unsafe(dup))]
    pub signer: Signer,
    #[account(address = pool.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = request.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut, seeds = [b"lp-escrow", exchange.address().as_ref()], bump = pool.lp_escrow_bump)]
    pub lp_escrow: Account<TokenAccount>,
    /// Receives the tokens of a deposit, the shares of a withdrawal. Of the owner, unless he signs.
    #[account(mut)]
    pub destination: Account<TokenAccount>,
    #[account(mut)]
    pub request: Account<LpRequest>,
    /// CHECK: compared with the address stored in the request.
    #[account(unsafe(dup), address = request.rent_payer @ MarketError::WrongAccount)]
    pub rent_payer: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// 1. Gives its owner what the request holds: its tokens or shares, or the result that could not be paid.
/// 2. Closes the request: rent and tip to its payer; the tip to whoever else ends one whose time is over.
///
/// Under every pause: what waits is its owner's. It is no free look, because a request has no price before it is executed.
pub fn cancel_request(ctx: &mut Context<CancelRequest>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    if *a.signer.address() != a.request.owner {
        require!(a.request.held == 0 && a.request.over(&clock), MarketError::RequestAlive);
        require!(*a.destination.owner() == a.request.owner, MarketError::WrongReceiver);
        let tip = a.request.tip_lamports;
        a.request.sub_lamports(tip)?;
        a.signer.add_lamports(tip)?;
    }
    let amount = a.request.amount;
    if a.request.kind == LP_DEPOSIT {
        debit(&mut a.pool.claimable_e6, amount)?;
        pay(&a.token_program, &mut a.vault, &mut a.destination, &a.pool, amount)?;
    } else {
        pay(&a.token_program, &mut a.lp_escrow, &mut a.destination, &a.pool, amount)?;
    }
    a.pool.lp_requests -= 1;
    a.pool.invariant_vault(a.vault.amount())?;

    let event =
        LiquidityCancelled { request: *a.request.address(), owner: a.request.owner, kind: a.request.kind, amount };
    a.request.close(*a.rent_payer.account())?;
    emit!(ctx, event);
    Ok(())
}
