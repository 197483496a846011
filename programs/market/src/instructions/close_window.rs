use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::MarketError,
    state::{Market, Window},
};

/// Accounts of `close_window`.
#[derive(Accounts)]
pub struct CloseWindow {
    #[account(mut, address = window.market @ MarketError::WrongAccount)]
    pub market: Account<Market>,
    #[account(mut, close = rent_receiver)]
    pub window: Account<Window>,
    /// CHECK: compared with the address stored in the window.
    #[account(unsafe(dup), address = window.rent_receiver @ MarketError::WrongAccount)]
    pub rent_receiver: UncheckedAccount,
}

/// 1. Marks the window's id as used up. 2. Closes the window, rent to who paid it.
///
/// Anybody may call it, under every pause, once the fees are distributed and no bond of a challenge is left: by then
/// everything in the window is zero (I9).
pub fn close_window(ctx: &mut Context<CloseWindow>) -> Result<()> {
    let a = &mut ctx.accounts;
    require!(a.window.fees_done == 1, MarketError::FeesNotDone);
    require!(a.window.challenge != CHALLENGE_OPEN, MarketError::ChallengeOpen);
    a.window.invariant_empty()?;
    a.market.closed |= 1 << a.window.window_id;
    Ok(())
}
