use anchor_lang::{hash::sha256, prelude::*};
use bytemuck::{Pod, Zeroable};

use crate::{constants::*, errors::TreasuryError, foreign, state::Treasury};

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
    /// 0 open, 1 executed, 2 draft, 3 rejected, 4 cancelled.
    pub status: u8,
    /// Bit i: member i approved.
    pub approvals: u8,
    pub n_accounts: u8,
    pub data_len: u16,
    pub id: u64,
    /// `Treasury::members_epoch` to which approvals and rejections belong.
    pub members_epoch: u64,
    pub created_unix: u64,
    pub expires_unix: u64,
    pub treasury: Address,
    pub creator: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub program_id: Address,
    /// `sha256(class | program_id | n_accounts | accounts | data)` of the frozen contents; zero for a draft.
    pub content_hash: [u8; 32],
    /// The delay counts from here; 0 for a draft.
    pub activated_unix: u64,
    /// Bit i: member i rejected.
    pub rejections: u8,
    pub _reserved: [u8; 7],
    pub accounts: [ProposalAccount; 24],
    pub data: [u8; 1024],
}

/// Bytes of the accounts, after which the data stands.
const ACCOUNTS_LEN: usize = MAX_ACCOUNTS * core::mem::size_of::<ProposalAccount>();
/// Bytes that `write_proposal` can write: accounts, then data.
pub const CONTENT_LEN: usize = ACCOUNTS_LEN + MAX_DATA;

impl Proposal {
    /// The accounts in use.
    pub fn metas(&self) -> &[ProposalAccount] {
        &self.accounts[..(self.n_accounts as usize).min(MAX_ACCOUNTS)]
    }

    /// The data in use.
    pub fn payload(&self) -> &[u8] {
        &self.data[..(self.data_len as usize).min(MAX_DATA)]
    }

    /// Write part of a draft: `offset` counts from the first account, the data begins at `ACCOUNTS_LEN`.
    #[inline(never)]
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        let end = offset + bytes.len();
        require!(end <= CONTENT_LEN, TreasuryError::BadProposal);
        let split = ACCOUNTS_LEN.clamp(offset, end);
        let (accounts, data) = bytes.split_at(split - offset);
        if !accounts.is_empty() {
            bytemuck::bytes_of_mut(&mut self.accounts)[offset..split].copy_from_slice(accounts);
        }
        if !data.is_empty() {
            self.data[split - ACCOUNTS_LEN..end - ACCOUNTS_LEN].copy_from_slice(data);
        }
        Ok(())
    }

    /// Freeze the contents: from `now` on they can be approved and the delay counts.
    #[inline(never)]
    pub fn activate(&mut self, now: u64) -> Result<()> {
        self.status = STATUS_OPEN;
        self.activated_unix = now;
        self.expires_unix = now + LIFETIME_S;
        self.content_hash = self.hash();
        self.invariant()?;
        require!(self.class == CLASS_SLOW || foreign::may_tighten(self), TreasuryError::NotTightening);
        Ok(())
    }

    fn hash(&self) -> [u8; 32] {
        let mut bytes = [0; 34 + CONTENT_LEN];
        bytes[0] = self.class;
        bytes[1..33].copy_from_slice(self.program_id.as_ref());
        bytes[33] = self.n_accounts;
        let metas: &[u8] = bytemuck::cast_slice(self.metas());
        let end = 34 + metas.len();
        bytes[34..end].copy_from_slice(metas);
        let payload = self.payload();
        bytes[end..end + payload.len()].copy_from_slice(payload);
        sha256(&bytes[..end + payload.len()])
    }

    /// Refuse a proposal on which nobody can vote: draft, executed, rejected, cancelled or expired.
    #[inline(never)]
    pub fn check_open(&self, now: u64) -> Result<()> {
        match self.status {
            STATUS_OPEN => {}
            STATUS_EXECUTED => return Err(TreasuryError::AlreadyExecuted.into()),
            STATUS_DRAFT => return Err(TreasuryError::NotActive.into()),
            _ => return Err(TreasuryError::Withdrawn.into()),
        }
        require!(now < self.expires_unix, TreasuryError::Expired);
        Ok(())
    }

    /// Refuse a proposal that `creator` cannot write at `now`.
    #[inline(never)]
    pub fn check_draft(&self, creator: &Address, now: u64) -> Result<()> {
        require!(self.creator == *creator, TreasuryError::NotCreator);
        require!(self.status == STATUS_DRAFT, TreasuryError::NotDraft);
        require!(now < self.expires_unix, TreasuryError::Expired);
        Ok(())
    }

    /// Void approvals and rejections given under other members, and return the bit of `member`.
    #[inline(never)]
    pub fn vote_of(&mut self, treasury: &Treasury, member: &Address) -> Result<u8> {
        let bit = 1u8 << treasury.member(member)?;
        if self.members_epoch != treasury.members_epoch {
            self.approvals = 0;
            self.rejections = 0;
            self.members_epoch = treasury.members_epoch;
        }
        Ok(bit)
    }

    /// What holds after every change.
    #[inline(never)]
    pub fn invariant(&self) -> Result<()> {
        let fits = self.n_accounts as usize <= MAX_ACCOUNTS && self.data_len as usize <= MAX_DATA;
        let known = self.class <= CLASS_SLOW && self.approvals & self.rejections == 0;
        let flags = self.metas().iter().all(|meta| meta.flags <= FLAG_SIGNER | FLAG_WRITABLE);
        require!(fits && known && (flags || self.status == STATUS_DRAFT), TreasuryError::BadProposal);
        Ok(())
    }
}

/// Seconds since 1970 by the cluster's clock.
pub fn now_s() -> Result<u64> {
    Ok(Clock::get()?.unix_timestamp.max(0) as u64)
}
