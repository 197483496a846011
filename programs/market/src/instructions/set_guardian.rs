use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Exchange};

/// Accounts of `set_guardian`.
#[derive(Accounts)]
pub struct SetGuardian {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Replaces the guardian.
///
/// A pause of the guardian before stays in force until it expires.
pub fn set_guardian(ctx: &mut Context<SetGuardian>, guardian: Address) -> Result<()> {
    ctx.accounts.exchange.guardian = guardian;
    Ok(())
}
