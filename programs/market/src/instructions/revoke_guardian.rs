use anchor_lang::prelude::*;

use crate::{errors::MarketError, state::Exchange};

/// Accounts of `revoke_guardian`.
#[derive(Accounts)]
pub struct RevokeGuardian {
    #[account(address = exchange.authority @ MarketError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub exchange: Account<Exchange>,
}

/// 1. Leaves the exchange without a guardian; a pause of it stays until it expires. Only tightens.
pub fn revoke_guardian(ctx: &mut Context<RevokeGuardian>) -> Result<()> {
    ctx.accounts.exchange.guardian = Address::default();
    Ok(())
}
