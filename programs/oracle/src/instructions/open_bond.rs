use anchor_lang::prelude::*;

use crate::{
    constants::VERSION,
    state::{Config, PublisherBond},
};

/// Accounts of `open_bond`.
#[derive(Accounts)]
pub struct OpenBond {
    #[account(unsafe(dup))] // may be the publisher too: a signer has no data to alias
    pub payer: Signer,
    /// CHECK: only its address is stored.
    pub publisher: UncheckedAccount,
    pub config: Account<Config>,
    #[account(init, payer = payer, seeds = [b"bond", config.address().as_ref(), publisher.address().as_ref()], bump)]
    pub bond: Account<PublisherBond>,
    pub system_program: Program<System>,
}

/// 1. Creates the account that holds a publisher's bond and its public score, both empty. Anyone may pay for it.
pub fn open_bond(ctx: &mut Context<OpenBond>) -> Result<()> {
    let bump = ctx.bumps.bond;
    let a = &mut ctx.accounts;
    let (config, publisher) = (*a.config.address(), *a.publisher.address());
    a.bond.version = VERSION;
    a.bond.bump = bump;
    a.bond.config = config;
    a.bond.publisher = publisher;
    Ok(())
}
