use anchor_lang::prelude::*;

use crate::{errors::OracleError, state::Config};

/// Accounts of `propose_authority`.
#[derive(Accounts)]
pub struct ProposeAuthority {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub config: Account<Config>,
}

/// 1. Stores who may become the authority; the default key takes an earlier proposal back. Nothing changes hands
///    before `accept_authority`, so a mistyped key costs nothing.
pub fn propose_authority(ctx: &mut Context<ProposeAuthority>, new_authority: Address) -> Result<()> {
    ctx.accounts.config.pending_authority = new_authority;
    Ok(())
}
