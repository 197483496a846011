use anchor_lang::prelude::*;

use crate::{
    constants::VERSION,
    errors::MarketError,
    events::{emit, AttestationChanged},
    state::{Attestation, Exchange},
};

/// Accounts of `attest`.
#[event_cpi]
#[derive(Accounts)]
pub struct Attest {
    #[account(address = exchange.attestor @ MarketError::NotAttestor)]
    pub attestor: Signer,
    #[account(unsafe(dup))]
    pub payer: Signer,
    /// CHECK: need not sign and may be anybody.
    #[account(unsafe(dup))]
    pub owner: UncheckedAccount,
    pub exchange: Account<Exchange>,
    #[account(
        init_if_needed, payer = payer,
        seeds = [b"attestation", exchange.address().as_ref(), owner.address().as_ref()], bump
    )]
    pub attestation: Account<Attestation>,
    pub system_program: Program<System>,
}

/// 1. Says that `owner` may open positions until `expires_unix`; replaces what was said before.
pub fn attest(ctx: &mut Context<Attest>, expires_unix: u64) -> Result<()> {
    let clock = Clock::get()?;
    let bump = ctx.bumps.attestation;
    let a = &mut ctx.accounts;
    require!(expires_unix as i64 > clock.unix_timestamp, MarketError::BadParameter);
    let attestation = &mut a.attestation;
    if attestation.version == 0 {
        attestation.version = VERSION;
        attestation.bump = bump;
        attestation.exchange = *a.exchange.address();
        attestation.owner = *a.owner.address();
        attestation.rent_payer = *a.payer.address();
    }
    attestation.attestor = a.exchange.attestor;
    attestation.expires_unix = expires_unix;
    let event = AttestationChanged {
        exchange: attestation.exchange,
        owner: attestation.owner,
        attestor: attestation.attestor,
        expires_unix,
    };
    emit!(ctx, event);
    Ok(())
}
