use anchor_lang::prelude::*;

use crate::{
    constants::VERSION,
    errors::OracleError,
    state::{Config, Methodology},
};

/// Accounts of `register_methodology`.
#[derive(Accounts)]
#[instruction(hash: [u8; 32])]
pub struct RegisterMethodology {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    #[account(unsafe(dup))] // may be the authority too: a signer has no data to alias
    pub payer: Signer,
    pub config: Account<Config>,
    #[account(init, payer = payer, seeds = [b"methodology", config.address().as_ref(), hash.as_ref()], bump)]
    pub methodology: Account<Methodology>,
    pub system_program: Program<System>,
}

/// 1. Creates the methodology's account. 2. Stores the hash of its specification and a name for people.
pub fn register_methodology(ctx: &mut Context<RegisterMethodology>, hash: [u8; 32], name: [u8; 32]) -> Result<()> {
    let bump = ctx.bumps.methodology;
    let config = *ctx.accounts.config.address();
    let methodology = &mut ctx.accounts.methodology;
    methodology.version = VERSION;
    methodology.bump = bump;
    methodology.config = config;
    methodology.hash = hash;
    methodology.name = name;
    Ok(())
}
