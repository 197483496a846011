use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Exchange};

/// Accounts of `set_attestor`.
#[derive(Accounts)]
pub struct SetAttestor {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Replaces the attestor; the default key: orders need no attestation.
///
/// What another attestor signed before no longer counts.
pub fn set_attestor(ctx: &mut Context<SetAttestor>, attestor: Address) -> Result<()> {
    ctx.accounts.exchange.attestor = attestor;
    Ok(())
}
