use anchor_lang::prelude::*;

use crate::{
    errors::MarketError,
    events::{emit, SessionChanged},
    state::Session,
};

/// Accounts of `revoke_session`.
#[event_cpi]
#[derive(Accounts)]
pub struct RevokeSession {
    /// Owner or delegate; anybody once the session has expired.
    #[account(unsafe(dup))]
    pub signer: Signer,
    #[account(mut)]
    pub session: Account<Session>,
    /// CHECK: compared with the address stored in the session.
    #[account(unsafe(dup), address = session.rent_payer @ MarketError::WrongAccount)]
    pub rent_payer: UncheckedAccount,
}

/// 1. Ends the session. 2. Closes its account, rent to its payer. Orders already placed live on.
pub fn revoke_session(ctx: &mut Context<RevokeSession>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    let signer = a.signer.address();
    let entitled = *signer == a.session.owner || *signer == a.session.delegate || a.session.expired(&clock);
    require!(entitled, MarketError::SessionRunning);
    let event = SessionChanged {
        session: *a.session.address(),
        margin: a.session.margin,
        delegate: a.session.delegate,
        active: 0,
        expires_unix: a.session.expires_unix,
        max_qty_e6: a.session.max_qty_e6,
        budget_e6: a.session.budget_e6,
    };
    a.session.close(*a.rent_payer.account())?;
    emit!(ctx, event);
    Ok(())
}
