use anchor_lang::prelude::*;

use crate::{
    errors::MarketError,
    events::{emit, AttestationChanged},
    state::{Attestation, Exchange},
};

/// Accounts of `revoke_attestation`.
#[event_cpi]
#[derive(Accounts)]
pub struct RevokeAttestation {
    #[account(unsafe(dup), address = exchange.attestor @ MarketError::NotAttestor)]
    pub attestor: Signer,
    #[account(address = attestation.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut)]
    pub attestation: Account<Attestation>,
    /// CHECK: compared with the address stored in the attestation.
    #[account(unsafe(dup), address = attestation.rent_payer @ MarketError::WrongAccount)]
    pub rent_payer: UncheckedAccount,
}

/// 1. Takes the attestation back. 2. Closes its account, rent to its payer.
///
/// Orders and positions live on; whoever has none may still reduce.
pub fn revoke_attestation(ctx: &mut Context<RevokeAttestation>) -> Result<()> {
    let a = &mut ctx.accounts;
    let event = AttestationChanged {
        exchange: a.attestation.exchange,
        owner: a.attestation.owner,
        attestor: a.exchange.attestor,
        expires_unix: 0,
    };
    a.attestation.close(*a.rent_payer.account())?;
    emit!(ctx, event);
    Ok(())
}
