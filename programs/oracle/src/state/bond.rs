use anchor_lang::prelude::*;

use crate::{errors::OracleError, state::PublisherQuote};

/// A publisher's bond and public score. PDA `["bond", config, publisher]`. The account holds the bond on top of its
/// rent and stays when the bond is withdrawn: a score is not lost.
#[account]
pub struct PublisherBond {
    pub version: u8,
    pub bump: u8,
    pub _reserved: [u8; 2],
    /// Feeds whose score is in the totals.
    pub feeds: u32,
    pub config: Address,
    pub publisher: Address,
    /// The bond, without the account's rent.
    pub lamports: u64,
    /// When the bond may be withdrawn; 0: no release was requested.
    pub release_unix_s: u64,
    /// Taken from it so far.
    pub slashed_lamports: u64,
    /// Samples of its feeds: what it was due.
    pub due: u64,
    /// Quotes accepted; `due - used` ticks it missed or came late for.
    pub accepted: u64,
    /// Of these, late.
    pub late: u64,
    /// Samples that its quotes entered.
    pub used: u64,
    /// Ticks in `deviation_e6`.
    pub scored: u64,
    /// Sum of |index - median| over the scored ticks, 1e-6 points.
    pub deviation_e6: u64,
    /// Room for later fields; zero.
    pub _reserved_2: [u8; 32],
}

impl PublisherBond {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<PublisherBond>();

    /// Add the score of one feed of `samples` ticks.
    pub fn record(&mut self, samples: u64, own: &PublisherQuote) {
        self.feeds += 1;
        self.due += samples;
        self.accepted += own.accepted as u64;
        self.late += own.late as u64;
        self.used += own.used as u64;
        self.scored += own.scored as u64;
        self.deviation_e6 += own.deviation_e6;
    }

    /// Whether `balance` covers the account's rent and the bond.
    pub fn covered(&self, balance: u64) -> Result<bool> {
        let rent = anchor_lang::cpi::rent_exempt_lamports(Self::SPACE)?;
        Ok(rent.checked_add(self.lamports).is_some_and(|needed| balance >= needed))
    }

    /// Nothing that was posted is missing.
    pub fn invariant(&self, balance: u64) -> Result<()> {
        require!(self.covered(balance)?, OracleError::BrokenInvariant);
        Ok(())
    }
}
