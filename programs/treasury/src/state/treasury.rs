use anchor_lang::prelude::*;

use crate::{constants::*, errors::TreasuryError};

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
}

impl Treasury {
    /// Take over `members` after checking them; earlier approvals lapse.
    pub fn set_members(&mut self, members: [Address; 8], n_members: u8, threshold: u8) -> Result<()> {
        let n = n_members as usize;
        require!((1..=MAX_MEMBERS).contains(&n), TreasuryError::BadMembers);
        require!((1..=n_members).contains(&threshold), TreasuryError::BadMembers);
        for i in 0..n {
            let unset = members[i] == Address::default();
            require!(!unset && !members[..i].contains(&members[i]), TreasuryError::BadMembers);
        }
        self.members = members;
        self.members[n..].fill(Address::default());
        self.n_members = n_members;
        self.threshold = threshold;
        self.members_epoch += 1;
        Ok(())
    }

    /// Position of a member.
    pub fn member(&self, key: &Address) -> Result<usize> {
        let members = &self.members[..(self.n_members as usize).min(MAX_MEMBERS)];
        let found = members.iter().position(|member| anchor_lang::address_eq(member, key));
        Ok(found.ok_or(TreasuryError::NotMember)?)
    }
}
