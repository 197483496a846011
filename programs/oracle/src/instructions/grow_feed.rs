use anchor_lang::prelude::*;

use crate::{errors::OracleError, instructions::create_feed::feed_discriminator, state::Feed};

/// Accounts of `grow_feed`.
#[derive(Accounts)]
pub struct GrowFeed {
    #[account(mut)]
    pub payer: Signer,
    /// CHECK: owned by this program and without a discriminator, so `create_feed` made it.
    #[account(mut, owner = crate::ID)]
    pub feed: UncheckedAccount,
    pub system_program: Program<System>,
}

/// 1. Tops up the rent from `payer`. 2. Grows the account to `Feed::SPACE`. 3. Writes the discriminator.
pub fn grow_feed(ctx: &mut Context<GrowFeed>) -> Result<()> {
    let mut view = *ctx.accounts.feed.account();
    // Only `create_feed` leaves an account of this program without a discriminator.
    require!(view.try_borrow()?[..8] == [0; 8], OracleError::AlreadyGrown);
    anchor_lang::realloc_account(&mut view, Feed::SPACE, ctx.accounts.payer.account(), true)?;
    view.try_borrow_mut()?[..8].copy_from_slice(feed_discriminator());
    Ok(())
}
