use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::OracleError,
    state::{Config, PublisherSet},
};

/// Accounts of `register_publisher_set`.
#[derive(Accounts)]
#[instruction(set_id: u32)]
pub struct RegisterPublisherSet {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    #[account(unsafe(dup))] // may be the authority too: a signer has no data to alias
    pub payer: Signer,
    pub config: Account<Config>,
    #[account(
        init, payer = payer,
        seeds = [b"publisher-set", config.address().as_ref(), &set_id.to_le_bytes()], bump
    )]
    pub publisher_set: Account<PublisherSet>,
    pub system_program: Program<System>,
}

/// The first `n_publishers` of `publishers` count; a tick needs quotes of `min_publishers` and of more than half.
///
/// 1. Creates the set. 2. Stores its publishers; they must be different keys. In production the authority is the
///    treasury's executor, whose slow proposals wait 48 h: everyone sees a set before a feed is listed with it.
pub fn register_publisher_set(
    ctx: &mut Context<RegisterPublisherSet>,
    set_id: u32,
    publishers: [Address; 8],
    n_publishers: u8,
    min_publishers: u8,
) -> Result<()> {
    let bump = ctx.bumps.publisher_set;
    let config = *ctx.accounts.config.address();
    let set = &mut ctx.accounts.publisher_set;
    set.version = VERSION;
    set.bump = bump;
    set.n_publishers = n_publishers;
    set.min_publishers = min_publishers;
    set.set_id = set_id;
    set.config = config;
    set.publishers = publishers;
    set.invariant()?;
    set.publishers[n_publishers as usize..].fill(Address::default());
    Ok(())
}
