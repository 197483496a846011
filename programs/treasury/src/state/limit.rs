use anchor_lang::prelude::*;

use crate::{constants::*, errors::TreasuryError};

/// What listed members may pay to listed receivers without a proposal. PDA `["limit", treasury, id]`.
#[account]
pub struct SpendingLimit {
    pub version: u8,
    pub bump: u8,
    pub n_members: u8,
    pub n_receivers: u8,
    pub _reserved: [u8; 4],
    pub id: u64,
    /// Most that leaves in one period, in the mint's smallest units.
    pub amount: u64,
    /// Length of a period; 0: the amount is there once.
    pub period_s: u64,
    /// Start of the running period; periods follow each other without gap from the creation.
    pub period_start_unix: u64,
    /// Left in the running period.
    pub left: u64,
    /// Paid in all.
    pub spent: u64,
    pub treasury: Address,
    pub mint: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    /// The first `n_members` may use it, as long as they are members of the treasury.
    pub members: [Address; 8],
    /// The first `n_receivers` token accounts may be paid.
    pub receivers: [Address; 8],
}

impl SpendingLimit {
    /// Take over the lists after checking them.
    #[inline(never)]
    pub fn set_lists(&mut self, members: &[Address], receivers: &[Address]) -> Result<()> {
        for (list, n, slots) in
            [(members, &mut self.n_members, &mut self.members), (receivers, &mut self.n_receivers, &mut self.receivers)]
        {
            require!((1..=MAX_LISTED).contains(&list.len()), TreasuryError::BadLimit);
            require!(different(list), TreasuryError::BadLimit);
            slots[..list.len()].copy_from_slice(list);
            *n = list.len() as u8;
        }
        Ok(())
    }

    /// Take `amount` out of the period that runs at `now`.
    #[inline(never)]
    pub fn spend(&mut self, amount: u64, now: u64) -> Result<()> {
        let passed = now.saturating_sub(self.period_start_unix);
        if self.period_s > 0 && passed >= self.period_s {
            self.period_start_unix += passed / self.period_s * self.period_s;
            self.left = self.amount;
        }
        require!(amount > 0 && amount <= self.left, TreasuryError::LimitExceeded);
        self.left -= amount;
        self.spent = self.spent.checked_add(amount).ok_or(TreasuryError::LimitExceeded)?;
        Ok(())
    }

    /// Members that may use it.
    pub fn users(&self) -> &[Address] {
        &self.members[..(self.n_members as usize).min(MAX_LISTED)]
    }

    /// Token accounts that may be paid.
    pub fn payees(&self) -> &[Address] {
        &self.receivers[..(self.n_receivers as usize).min(MAX_LISTED)]
    }

    /// What holds after every change.
    #[inline(never)]
    pub fn invariant(&self) -> Result<()> {
        let period = self.period_s == 0 || (MIN_PERIOD_S..=MAX_PERIOD_S).contains(&self.period_s);
        let lists = !self.users().is_empty() && !self.payees().is_empty();
        require!(self.amount > 0 && self.left <= self.amount && period && lists, TreasuryError::BadLimit);
        Ok(())
    }
}

/// Whether all keys are set and none stands twice.
#[inline(never)]
pub fn different(keys: &[Address]) -> bool {
    keys.iter().enumerate().all(|(i, key)| *key != Address::default() && !keys[..i].contains(key))
}
