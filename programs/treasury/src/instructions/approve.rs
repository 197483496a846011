use anchor_lang::prelude::*;

use crate::{
    errors::TreasuryError,
    instructions::refuse_durable_nonce,
    state::{now_s, Proposal, Treasury},
};

/// Accounts of `approve`.
#[derive(Accounts)]
pub struct Approve {
    pub member: Signer,
    pub treasury: Account<Treasury>,
    #[account(mut, constraint = proposal.treasury == *treasury.address() @ TreasuryError::WrongAccounts)]
    pub proposal: Account<Proposal>,
    pub instructions: Sysvar<SysvarInstructions>,
}

/// 1. Refuses transactions that start with AdvanceNonceAccount. 2. Voids votes given under other members.
/// 3. Records the member's approval; it replaces the member's rejection.
pub fn approve(ctx: &mut Context<Approve>) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let a = &mut ctx.accounts;
    a.proposal.check_open(now_s()?)?;
    let bit = a.proposal.vote_of(&a.treasury, a.member.address())?;
    require!(a.proposal.approvals & bit == 0, TreasuryError::AlreadyApproved);
    a.proposal.approvals |= bit;
    a.proposal.rejections &= !bit;
    a.proposal.invariant()
}
