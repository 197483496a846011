use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, SessionChanged},
    state::{Margin, Session},
};

/// Accounts of `create_session`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateSession {
    #[account(address = margin.owner @ MarketError::WrongOwner)]
    pub owner: Signer,
    #[account(unsafe(dup))]
    pub payer: Signer,
    /// CHECK: any key that can sign; it need not sign now.
    #[account(unsafe(dup))]
    pub delegate: UncheckedAccount,
    pub margin: Account<Margin>,
    #[account(
        init, payer = payer,
        seeds = [b"session", margin.address().as_ref(), delegate.address().as_ref()], bump
    )]
    pub session: Account<Session>,
    pub system_program: Program<System>,
}

/// 1. Lets `delegate` place and cancel orders until `expires_unix`, each of at most `max_qty_e6`, committing at most
///    `budget_e6` of collateral and fees in all. To change a session, revoke it and create it again.
pub fn create_session(
    ctx: &mut Context<CreateSession>,
    expires_unix: u64,
    max_qty_e6: u64,
    budget_e6: u64,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp.max(0) as u64;
    let bump = ctx.bumps.session;
    let a = &mut ctx.accounts;
    let lasts = now < expires_unix && expires_unix <= now + MAX_SESSION_S;
    require!(lasts && max_qty_e6 >= MIN_QTY_E6 && budget_e6 > 0, MarketError::BadParameter);
    let session = &mut a.session;
    session.version = VERSION;
    session.bump = bump;
    session.margin = *a.margin.address();
    session.owner = a.margin.owner;
    session.delegate = *a.delegate.address();
    session.rent_payer = *a.payer.address();
    session.expires_unix = expires_unix;
    session.max_qty_e6 = max_qty_e6;
    session.budget_e6 = budget_e6;
    let event = SessionChanged {
        session: *session.address(),
        margin: session.margin,
        delegate: session.delegate,
        active: 1,
        expires_unix,
        max_qty_e6,
        budget_e6,
    };
    emit!(ctx, event);
    Ok(())
}
