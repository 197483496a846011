use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, WindowChallenged},
    state::{credit, Exchange, Pool, Window},
    timing::clock_ms,
    tokens::take,
};

/// Accounts of `challenge_window`.
#[event_cpi]
#[derive(Accounts)]
pub struct ChallengeWindow {
    /// Pays the bond and gets it back when the window is voided.
    pub challenger: Signer,
    #[account(address = window.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = exchange.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub window: Account<Window>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut)]
    pub source: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

/// 1. Takes the bond into the vault, where it is nobody's. 2. Extends the window's dispute time, once.
///
/// Works under every pause: a wrong settlement must not slip through while the exchange stands still.
pub fn challenge_window(ctx: &mut Context<ChallengeWindow>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    require!(a.exchange.challenge_ms > 0, MarketError::NoChallenges);
    require!(a.window.state != WINDOW_VOID, MarketError::WindowIsVoid);
    require!(a.window.state == WINDOW_FINAL, MarketError::NotFinal);
    require!(clock_ms(&clock) < a.window.dispute_until_ms, MarketError::DisputeOver);
    require!(a.window.challenge == CHALLENGE_NONE, MarketError::AlreadyChallenged);

    let bond_e6 = a.exchange.challenge_bond_e6;
    if bond_e6 > 0 {
        take(&a.token_program, &mut a.source, &mut a.vault, &a.challenger, bond_e6)?;
    }
    credit(&mut a.pool.claimable_e6, bond_e6)?;
    a.window.challenge = CHALLENGE_OPEN;
    a.window.challenger = *a.challenger.address();
    a.window.challenge_bond_e6 = bond_e6;
    credit(&mut a.window.dispute_until_ms, a.exchange.challenge_ms as u64)?;
    a.pool.invariant_vault(a.vault.amount())?;

    let event = WindowChallenged {
        window: *a.window.address(),
        challenger: a.window.challenger,
        bond_e6,
        dispute_until_ms: a.window.dispute_until_ms,
    };
    emit!(ctx, event);
    Ok(())
}
