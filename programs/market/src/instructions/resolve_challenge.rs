use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, ChallengeResolved},
    instructions::settle_position::ended,
    state::{credit, debit, Exchange, Pool, Window},
    tokens::pay,
};

/// Accounts of `resolve_challenge`.
#[event_cpi]
#[derive(Accounts)]
pub struct ResolveChallenge {
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub window: Account<Window>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    /// Gets the bond of a challenge that was right.
    #[account(mut, constraint = *destination.owner() == window.challenger @ MarketError::WrongReceiver)]
    pub destination: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

/// 1. Returns the bond when the window was voided; else it goes to the insurance. Anybody may call it, after the dispute.
pub fn resolve_challenge(ctx: &mut Context<ResolveChallenge>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    ended(&a.window, &clock)?;
    require!(a.window.challenge == CHALLENGE_OPEN, MarketError::NotChallenged);
    let bond_e6 = a.window.challenge_bond_e6;
    let upheld = a.window.state == WINDOW_VOID;
    a.window.challenge = CHALLENGE_RESOLVED;
    debit(&mut a.pool.claimable_e6, bond_e6)?;
    if !upheld {
        credit(&mut a.pool.insurance_e6, bond_e6)?;
    } else if bond_e6 > 0 {
        pay(&a.token_program, &mut a.vault, &mut a.destination, &a.pool, bond_e6)?;
    }
    a.pool.invariant_vault(a.vault.amount())?;

    let (window, challenger) = (*a.window.address(), a.window.challenger);
    emit!(ctx, ChallengeResolved { window, challenger, bond_e6, upheld: upheld as u8 });
    Ok(())
}
