//! The treasury: an M-of-N multisig that holds every admin power and receives the protocol's fees.
//!
//! | instruction | who | what |
//! |---|---|---|
//! | `init_treasury` | anyone | a treasury, its executor and its fee vault |
//! | `create_proposal` | member | one instruction to be run in the executor's name |
//! | `create_draft`, `write_proposal`, `activate_proposal` | member; creator | the same for one larger than a transaction |
//! | `approve` | member | one approval; never on a durable nonce |
//! | `reject`, `revoke_approval` | member | one rejection; one approval taken back |
//! | `cancel_proposal` | creator | ends a draft or an open proposal |
//! | `execute` | anyone | runs an approved proposal: class 0 at once, class 1 after 48 h |
//! | `close_proposal` | anyone | closes a proposal that has ended or expired, rent back |
//! | `set_members` | executor | replaces members and threshold |
//! | `set_receivers`, `distribute` | executor; anyone | who shares the fees; pays them |
//! | `add_spending_limit`, `remove_spending_limit` | executor | what members may pay without a proposal |
//! | `use_spending_limit` | listed member | pays a listed receiver |
//! | `guard_exchange` | executor | the exchange that must be quiet when code changes |
//! | `migrate_treasury` | anyone | brings an older treasury to its current size |
//!
//! "executor" means: by a proposal. Class 0 is for what tightens only; the list is in `foreign`. Limits are in `constants`.
#[cfg(target_os = "solana")]
use solana_compiler_builtins as _;

pub mod constants;
pub mod errors;
pub mod events;
pub mod foreign;
pub mod instructions;
pub mod state;

use anchor_lang::{__alloc::vec::Vec, prelude::*};

pub use {constants::*, errors::TreasuryError, instructions::*, state::*};

include!("../../security_txt.rs");

declare_id!("31c5mHZYeqSc2DYxv7Lpc8qsMFSBP5cXHGPD5PvmBzj7");

#[program]
pub mod treasury {
    use super::*;

    /// Create the treasury of `create_key`.
    pub fn init_treasury(
        ctx: &mut Context<InitTreasury>,
        members: [Address; 8],
        n_members: u8,
        threshold: u8,
    ) -> Result<()> {
        instructions::init_treasury(ctx, members, n_members, threshold)
    }

    /// Propose one instruction.
    pub fn create_proposal(
        ctx: &mut Context<CreateProposal>,
        id: u64,
        class: u8,
        program_id: Address,
        accounts: Vec<ProposalAccount>,
        data: Vec<u8>,
    ) -> Result<()> {
        instructions::create_proposal(ctx, id, class, program_id, accounts, data)
    }

    /// Approve a proposal.
    pub fn approve(ctx: &mut Context<Approve>) -> Result<()> {
        instructions::approve(ctx)
    }

    /// Run an approved proposal.
    pub fn execute(ctx: &mut Context<Execute>) -> Result<()> {
        instructions::execute(ctx)
    }

    /// Replace members and threshold.
    pub fn set_members(
        ctx: &mut Context<SetMembers>,
        members: [Address; 8],
        n_members: u8,
        threshold: u8,
    ) -> Result<()> {
        instructions::set_members(ctx, members, n_members, threshold)
    }

    /// Close a proposal that has ended or expired.
    pub fn close_proposal(ctx: &mut Context<CloseProposal>) -> Result<()> {
        instructions::close_proposal(ctx)
    }

    /// Begin a proposal that is larger than one transaction.
    pub fn create_draft(
        ctx: &mut Context<CreateDraft>,
        id: u64,
        class: u8,
        program_id: Address,
        n_accounts: u8,
        data_len: u16,
    ) -> Result<()> {
        instructions::create_draft(ctx, id, class, program_id, n_accounts, data_len)
    }

    /// Write a part of a draft.
    pub fn write_proposal(ctx: &mut Context<WriteProposal>, offset: u16, part: Vec<u8>) -> Result<()> {
        instructions::write_proposal(ctx, offset, part)
    }

    /// Freeze a draft; from now on it can be approved.
    pub fn activate_proposal(ctx: &mut Context<ActivateProposal>) -> Result<()> {
        instructions::activate_proposal(ctx)
    }

    /// Reject a proposal.
    pub fn reject(ctx: &mut Context<Reject>) -> Result<()> {
        instructions::reject(ctx)
    }

    /// Take an approval back.
    pub fn revoke_approval(ctx: &mut Context<RevokeApproval>) -> Result<()> {
        instructions::revoke_approval(ctx)
    }

    /// End one's own proposal.
    pub fn cancel_proposal(ctx: &mut Context<CancelProposal>) -> Result<()> {
        instructions::cancel_proposal(ctx)
    }

    /// Name who shares the fees.
    pub fn set_receivers(ctx: &mut Context<SetReceivers>, shares_bps: Vec<u16>) -> Result<()> {
        instructions::set_receivers(ctx, shares_bps)
    }

    /// Pay the fees to their receivers.
    pub fn distribute(ctx: &mut Context<Distribute>) -> Result<()> {
        instructions::distribute(ctx)
    }

    /// Let members pay receivers without a proposal, up to an amount a period.
    pub fn add_spending_limit(
        ctx: &mut Context<AddSpendingLimit>,
        id: u64,
        amount: u64,
        period_s: u64,
        members: Vec<Address>,
        receivers: Vec<Address>,
    ) -> Result<()> {
        instructions::add_spending_limit(ctx, id, amount, period_s, members, receivers)
    }

    /// Pay a receiver out of a spending limit.
    pub fn use_spending_limit(ctx: &mut Context<UseSpendingLimit>, amount: u64) -> Result<()> {
        instructions::use_spending_limit(ctx, amount)
    }

    /// Close a spending limit.
    pub fn remove_spending_limit(ctx: &mut Context<RemoveSpendingLimit>) -> Result<()> {
        instructions::remove_spending_limit(ctx)
    }

    /// Name the exchange that must be quiet when code changes.
    pub fn guard_exchange(ctx: &mut Context<GuardExchange>) -> Result<()> {
        instructions::guard_exchange(ctx)
    }

    /// Bring an older treasury to its current size.
    pub fn migrate_treasury(ctx: &mut Context<MigrateTreasury>) -> Result<()> {
        instructions::migrate_treasury(ctx)
    }
}
