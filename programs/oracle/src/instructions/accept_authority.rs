use anchor_lang::{address_eq, prelude::*};

use crate::{errors::OracleError, state::Config};

/// Accounts of `accept_authority`.
#[derive(Accounts)]
pub struct AcceptAuthority {
    pub pending_authority: Signer,
    #[account(mut)]
    pub config: Account<Config>,
}

/// 1. Makes the proposed key the authority, which it proves to exist by signing. 2. Clears the proposal.
pub fn accept_authority(ctx: &mut Context<AcceptAuthority>) -> Result<()> {
    let key = *ctx.accounts.pending_authority.address();
    let config = &mut ctx.accounts.config;
    let proposed = address_eq(&key, &config.pending_authority) && !address_eq(&key, &Address::default());
    require!(proposed, OracleError::NotPendingAuthority);
    config.authority = key;
    config.pending_authority = Address::default();
    Ok(())
}
