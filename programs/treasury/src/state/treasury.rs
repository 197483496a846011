use anchor_lang::prelude::*;

use crate::{constants::*, errors::TreasuryError, state::different};

/// Members, threshold and the fee vault. PDA `["treasury", create_key]`; it acts through its executor, the PDA
/// `["executor", treasury]`, and receives fees in the token account `["fees", treasury]`.
#[account]
pub struct Treasury {
    pub version: u8,
    pub bump: u8,
    pub executor_bump: u8,
    pub fees_bump: u8,
    pub n_members: u8,
    /// Approvals a proposal needs.
    pub threshold: u8,
    pub _reserved: [u8; 2],
    /// Grows when the members change: older approvals do not count any more.
    pub members_epoch: u64,
    /// Number of the next proposal.
    pub next_id: u64,
    /// Delay of the slow class in seconds.
    pub min_delay_s: u64,
    /// Part of the treasury's address.
    pub create_key: Address,
    /// Signs what the treasury does.
    pub executor: Address,
    /// Token account that receives fees; owned by the executor.
    pub fees: Address,
    /// The first `n_members` count.
    pub members: [Address; 8],
    /// Exchange that every change of code must show to be quiet; default key: any one of the executor.
    pub guarded_exchange: Address,
    /// The first `n_receivers` token accounts share the fees.
    pub receivers: [Address; 8],
    /// Their shares; they make 10,000.
    pub shares_bps: [u16; 8],
    pub n_receivers: u8,
    pub _reserved_2: [u8; 63],
}

impl Treasury {
    /// Length of the account before receivers were added; `migrate_treasury` makes it longer.
    pub const FIRST_LEN: usize = 392;

    /// Take over `members` after checking them; earlier approvals lapse.
    #[inline(never)]
    pub fn set_members(&mut self, members: [Address; 8], n_members: u8, threshold: u8) -> Result<()> {
        let n = n_members as usize;
        require!((1..=MAX_MEMBERS).contains(&n), TreasuryError::BadMembers);
        // The executor must not approve what it executes.
        require!(different(&members[..n]) && !members[..n].contains(&self.executor), TreasuryError::BadMembers);
        self.members = members;
        self.members[n..].fill(Address::default());
        self.n_members = n_members;
        self.threshold = threshold;
        self.members_epoch += 1;
        self.invariant()
    }

    /// Position of a member.
    #[inline(never)]
    pub fn member(&self, key: &Address) -> Result<usize> {
        let members = &self.members[..(self.n_members as usize).min(MAX_MEMBERS)];
        let found = members.iter().position(|member| anchor_lang::address_eq(member, key));
        Ok(found.ok_or(TreasuryError::NotMember)?)
    }

    /// The token accounts that share the fees, each with its share.
    pub fn shares(&self) -> impl Iterator<Item = (&Address, u64)> {
        let n = (self.n_receivers as usize).min(MAX_RECEIVERS);
        self.receivers[..n].iter().zip(self.shares_bps.iter().map(|bps| *bps as u64))
    }

    /// What holds after every change.
    #[inline(never)]
    pub fn invariant(&self) -> Result<()> {
        let members = (1..=MAX_MEMBERS as u8).contains(&self.n_members);
        require!(members && (1..=self.n_members).contains(&self.threshold), TreasuryError::BadMembers);
        let whole: u64 = self.shares().map(|(_, bps)| bps).sum();
        require!(self.n_receivers == 0 || whole == BPS, TreasuryError::BadReceivers);
        Ok(())
    }
}
