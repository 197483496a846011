use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

use crate::{constants::*, errors::TreasuryError};

/// An account of a proposal's instruction.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct ProposalAccount {
    pub address: Address,
    /// 1 signer, 2 writable.
    pub flags: u8,
}

/// One instruction that members approve. PDA `["proposal", treasury, id]`.
#[account]
pub struct Proposal {
    pub version: u8,
    pub bump: u8,
    /// 0 tightening, 1 slow.
    pub class: u8,
    /// 0 open, 1 executed.
    pub status: u8,
    /// Bit i: member i approved.
    pub approvals: u8,
    pub n_accounts: u8,
    pub data_len: u16,
    pub id: u64,
    /// `Treasury::members_epoch` to which the approvals belong.
    pub members_epoch: u64,
    pub created_unix: u64,
    pub expires_unix: u64,
    pub treasury: Address,
    pub creator: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub program_id: Address,
    pub accounts: [ProposalAccount; 12],
    pub data: [u8; 512],
    pub _reserved: [u8; 4],
}

impl Proposal {
    /// The accounts in use.
    pub fn metas(&self) -> &[ProposalAccount] {
        &self.accounts[..(self.n_accounts as usize).min(MAX_ACCOUNTS)]
    }

    /// The data in use.
    pub fn payload(&self) -> &[u8] {
        &self.data[..(self.data_len as usize).min(MAX_DATA)]
    }

    /// Refuse a proposal that is executed or expired.
    pub fn check_open(&self, now: u64) -> Result<()> {
        require!(self.status == STATUS_OPEN, TreasuryError::AlreadyExecuted);
        require!(now < self.expires_unix, TreasuryError::Expired);
        Ok(())
    }

    /// The level a `set_pause` of the market asks for; None for any other instruction.
    pub fn pause_level(&self) -> Option<u8> {
        let payload = self.payload();
        let is_pause = self.program_id == MARKET_ID && payload.len() == 9 && payload[..8] == SET_PAUSE;
        is_pause.then(|| payload[8])
    }
}

/// Seconds since 1970 by the cluster's clock.
pub fn now_s() -> Result<u64> {
    Ok(Clock::get()?.unix_timestamp.max(0) as u64)
}
