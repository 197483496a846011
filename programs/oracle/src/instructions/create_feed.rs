use core::mem::offset_of;

use anchor_lang::{prelude::*, Discriminator};

use crate::{
    constants::*,
    errors::OracleError,
    state::{now_s, Config, Feed, Methodology, PublisherBond, PublisherSet},
};

/// An account grows by at most this much in one instruction.
const FIRST_SPACE: usize = 10_240;

/// Accounts of `create_feed`. Where the config asks for bonds, the bond accounts of the set's publishers follow.
#[derive(Accounts)]
#[instruction(match_id: [u8; 32])]
pub struct CreateFeed {
    #[account(constraint = config.is_operator(operator.address()) @ OracleError::NotOperator)]
    pub operator: Signer,
    #[account(unsafe(dup))] // may be any other signer: a signer has no data to alias
    pub payer: Signer,
    /// CHECK: only its address is stored.
    pub rent_receiver: UncheckedAccount,
    pub config: Account<Config>,
    #[account(constraint = publisher_set.config == *config.address() @ OracleError::WrongConfig)]
    pub publisher_set: Account<PublisherSet>,
    #[account(constraint = methodology.config == *config.address() @ OracleError::WrongConfig)]
    pub methodology: Account<Methodology>,
    /// CHECK: created here; no `Feed` before `grow_feed`.
    #[account(mut, seeds = [b"feed", config.address().as_ref(), match_id.as_ref()], bump)]
    pub feed: UncheckedAccount,
    pub system_program: Program<System>,
}

/// `match_id` is the provider's in ASCII, zero padded, SHA-256 of it when longer.
///
/// 1. Refuses retired sets and methodologies, and publishers without the bond that the config asks for.
/// 2. Creates the feed's account with its first 10,240 bytes; `grow_feed` of the same transaction adds the rest.
/// 3. Writes the head. The discriminator is written by `grow_feed`, so that no half-grown feed passes for one.
pub fn create_feed(ctx: &mut Context<CreateFeed>, match_id: [u8; 32], start_unix_ms: u64) -> Result<()> {
    let now = now_s()?;
    let bonded = ctx.accounts.config.min_bond_lamports > 0;
    let lead_s = if bonded { MAX_BONDED_LEAD_S } else { MAX_LEAD_S };
    require!(start_unix_ms / 1_000 <= now.saturating_add(lead_s), OracleError::StartTooFar);
    require!(ctx.accounts.publisher_set.status == STATUS_ACTIVE, OracleError::SetRetired);
    require!(ctx.accounts.methodology.status == STATUS_ACTIVE, OracleError::MethodologyRetired);
    if bonded {
        let bonds = ctx.remaining_accounts()?;
        check_bonds(&ctx.accounts.config, &ctx.accounts.publisher_set, &bonds)?;
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

    let set = &ctx.accounts.publisher_set;
    let mut data = view.try_borrow_mut()?;
    let mut put = |offset: usize, bytes: &[u8]| data[8 + offset..8 + offset + bytes.len()].copy_from_slice(bytes);
    put(offset_of!(Feed, version), &[VERSION]);
    put(offset_of!(Feed, bump), &bump);
    put(offset_of!(Feed, n_publishers), &[set.n_publishers]);
    put(offset_of!(Feed, min_publishers), &[set.min_publishers]);
    put(offset_of!(Feed, in_break), &[1]);
    put(offset_of!(Feed, match_id), &match_id);
    put(offset_of!(Feed, config), config.as_ref());
    put(offset_of!(Feed, rent_receiver), ctx.accounts.rent_receiver.address().as_ref());
    put(offset_of!(Feed, methodology), &ctx.accounts.methodology.hash);
    put(offset_of!(Feed, start_unix_ms), &start_unix_ms.to_le_bytes());
    put(offset_of!(Feed, last_unix_s), &now.to_le_bytes());
    put(offset_of!(Feed, set_id), &set.set_id.to_le_bytes());
    for (i, publisher) in set.publishers.iter().enumerate() {
        put(offset_of!(Feed, publishers) + 32 * i, publisher.as_ref());
    }
    Ok(())
}

/// Each publisher of the set, in its order, has a bond of the config's size that is not being released.
fn check_bonds(config: &Account<Config>, set: &PublisherSet, bonds: &[AccountView]) -> Result<()> {
    for (i, publisher) in set.publishers[..set.n_publishers as usize].iter().enumerate() {
        let view = bonds.get(i).ok_or(OracleError::BondMissing)?;
        require!(view.owned_by(&crate::ID), OracleError::BondMissing);
        let bond = Account::<PublisherBond>::load(*view).map_err(|_| OracleError::BondMissing)?;
        let its = bond.config == *config.address() && bond.publisher == *publisher;
        require!(its, OracleError::BondMissing);
        require!(bond.release_unix_s == 0, OracleError::BondReleasing);
        require!(bond.lamports >= config.min_bond_lamports, OracleError::BondTooSmall);
    }
    Ok(())
}

/// The discriminator of a grown feed.
pub(crate) fn feed_discriminator() -> &'static [u8] {
    Feed::DISCRIMINATOR
}
