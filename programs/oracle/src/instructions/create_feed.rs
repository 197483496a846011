use core::mem::offset_of;

use anchor_lang::{prelude::*, Discriminator};

use crate::{
    constants::*,
    errors::OracleError,
    state::{Config, Feed},
};

/// An account grows by at most this much in one instruction.
const FIRST_SPACE: usize = 10_240;

/// Accounts of `create_feed`.
#[derive(Accounts)]
#[instruction(match_id: [u8; 32])]
pub struct CreateFeed {
    #[account(address = config.operator @ OracleError::NotOperator)]
    pub operator: Signer,
    #[account(unsafe(dup))] // may be any other signer: a signer has no data to alias
    pub payer: Signer,
    /// CHECK: only its address is stored.
    pub rent_receiver: UncheckedAccount,
    pub config: Account<Config>,
    /// CHECK: created here; no `Feed` before `grow_feed`.
    #[account(mut, seeds = [b"feed", config.address().as_ref(), match_id.as_ref()], bump)]
    pub feed: UncheckedAccount,
    pub system_program: Program<System>,
}

/// `match_id` is the provider's in ASCII, zero padded, SHA-256 of it when longer. The first `n_publishers` of
/// `publishers` count; a tick needs quotes of `min_publishers` and of more than half of them.
///
/// 1. Creates the feed's account with its first 10,240 bytes; `grow_feed` of the same transaction adds the rest.
/// 2. Writes the head. The discriminator is written by `grow_feed`, so that no half-grown feed passes for one.
#[allow(clippy::too_many_arguments)]
pub fn create_feed(
    ctx: &mut Context<CreateFeed>,
    match_id: [u8; 32],
    methodology: [u8; 32],
    publishers: [Address; 8],
    n_publishers: u8,
    min_publishers: u8,
    start_unix_ms: u64,
) -> Result<()> {
    let n = n_publishers as usize;
    require!((1..=MAX_PUBLISHERS).contains(&n), OracleError::BadPublishers);
    require!((1..=n_publishers).contains(&min_publishers), OracleError::BadPublishers);
    for i in 0..n {
        let unset = publishers[i] == Address::default();
        require!(!unset && !publishers[..i].contains(&publishers[i]), OracleError::BadPublishers);
    }

    let bump = [ctx.bumps.feed];
    let config = *ctx.accounts.config.address();
    let mut view = *ctx.accounts.feed.account();
    create_account_signed(
        ctx.accounts.payer.account(),
        &view,
        FIRST_SPACE,
        &crate::ID,
        &[b"feed", config.as_ref(), &match_id, &bump],
    )?;

    let mut data = view.try_borrow_mut()?;
    let mut put = |offset: usize, bytes: &[u8]| data[8 + offset..8 + offset + bytes.len()].copy_from_slice(bytes);
    put(offset_of!(Feed, version), &[VERSION]);
    put(offset_of!(Feed, bump), &bump);
    put(offset_of!(Feed, n_publishers), &[n_publishers]);
    put(offset_of!(Feed, min_publishers), &[min_publishers]);
    put(offset_of!(Feed, in_break), &[1]);
    put(offset_of!(Feed, match_id), &match_id);
    put(offset_of!(Feed, config), config.as_ref());
    put(offset_of!(Feed, rent_receiver), ctx.accounts.rent_receiver.address().as_ref());
    put(offset_of!(Feed, methodology), &methodology);
    put(offset_of!(Feed, start_unix_ms), &start_unix_ms.to_le_bytes());
    for (i, publisher) in publishers[..n].iter().enumerate() {
        put(offset_of!(Feed, publishers) + 32 * i, publisher.as_ref());
    }
    Ok(())
}

/// The discriminator of a grown feed.
pub(crate) fn feed_discriminator() -> &'static [u8] {
    Feed::DISCRIMINATOR
}
