//! The treasury: an M-of-N multisig that holds every admin power and receives the protocol's fees.
//!
//! | instruction | who | what |
//! |---|---|---|
//! | `init_treasury` | anyone | a treasury, its executor and its fee vault |
//! | `create_proposal` | member | one instruction to be run in the executor's name |
//! | `approve` | member | one approval; never on a durable nonce |
//! | `execute` | anyone | runs an approved proposal: class 0 at once, class 1 after 48 h |
//! | `set_members` | executor | replaces members and threshold, by a slow proposal |
//! | `close_proposal` | anyone | closes an executed or expired proposal, rent back |
//!
//! Class 0 is for what tightens only: raising an exchange's pause. Limits are in `constants`.
#[cfg(target_os = "solana")]
use solana_compiler_builtins as _;

pub mod constants;
pub mod errors;
pub mod instructions;
pub mod state;

use anchor_lang::{__alloc::vec::Vec, prelude::*};

pub use {constants::*, errors::TreasuryError, instructions::*, state::*};

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

    /// Close an executed or expired proposal.
    pub fn close_proposal(ctx: &mut Context<CloseProposal>) -> Result<()> {
        instructions::close_proposal(ctx)
    }
}
