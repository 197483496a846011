use anchor_lang::{prelude::*, Discriminator};

use crate::{
    constants::*,
    errors::MarketError,
    state::{Exchange, Margin, Pool},
};

/// Accounts of `migrate_account`.
#[derive(Accounts)]
pub struct MigrateAccount {
    #[account(unsafe(dup))]
    pub payer: Signer,
    /// CHECK: owned by this program; discriminator, length and version are checked in the handler.
    #[account(mut, owner = crate::ID)]
    pub account: UncheckedAccount,
    pub system_program: Program<System>,
}

/// An exchange, pool or margin account of version 1 is shorter than it is now, and no other instruction takes it.
///
/// 1. Grows it to today's size, the rent from `payer`; new fields are zero: off, as before. 2. Raises its version.
///
/// Anybody may send it. A pool migrates only while nothing is at stake: windows, positions and orders of version 1 are
/// not read any more, so they end before the program is upgraded.
pub fn migrate_account(ctx: &mut Context<MigrateAccount>) -> Result<()> {
    let payer = *ctx.accounts.payer.account();
    let mut view = *ctx.accounts.account.account();
    let kinds: [(&[u8], usize); 3] = [
        (Exchange::DISCRIMINATOR, core::mem::size_of::<Exchange>()),
        (Pool::DISCRIMINATOR, core::mem::size_of::<Pool>()),
        (Margin::DISCRIMINATOR, core::mem::size_of::<Margin>()),
    ];
    let (len, version) = (view.data_len(), DISCRIMINATOR_BYTES);
    let kind = {
        let data = view.try_borrow()?;
        let is = |i: usize| len == FIRST_SIZES[i] && data.starts_with(kinds[i].0) && data[version] == 1;
        (0..kinds.len()).find(|&i| is(i)).ok_or(MarketError::NotOldAccount)?
    };
    anchor_lang::realloc_account(&mut view, DISCRIMINATOR_BYTES + kinds[kind].1, &payer, true)?;
    view.try_borrow_mut()?[version] = LASTING_VERSION;
    if kind == POOL {
        let pool = Account::<Pool>::load(view)?;
        require!(pool.open_positions == 0, MarketError::PositionsOpen);
        require!(pool.order_escrow_e6 == 0, MarketError::OrdersPending);
        require!(pool.fee_escrow_e6 == 0, MarketError::FeesNotDone);
    }
    Ok(())
}

/// Index of the pool in `FIRST_SIZES`.
const POOL: usize = 1;
/// Bytes before an account's first field.
const DISCRIMINATOR_BYTES: usize = 8;
