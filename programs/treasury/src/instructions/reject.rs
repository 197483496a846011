use anchor_lang::prelude::*;

use crate::{
    constants::STATUS_REJECTED,
    errors::TreasuryError,
    state::{now_s, Proposal, Treasury},
};

/// Accounts of `reject`.
#[derive(Accounts)]
pub struct Reject {
    pub member: Signer,
    pub treasury: Account<Treasury>,
    #[account(mut, constraint = proposal.treasury == *treasury.address() @ TreasuryError::WrongAccounts)]
    pub proposal: Account<Proposal>,
}

/// 1. Voids votes given under other members. 2. Records the member's rejection; it replaces the member's approval.
/// 3. Ends the proposal when too few members are left to reach the threshold.
pub fn reject(ctx: &mut Context<Reject>) -> Result<()> {
    let a = &mut ctx.accounts;
    a.proposal.check_open(now_s()?)?;
    let bit = a.proposal.vote_of(&a.treasury, a.member.address())?;
    require!(a.proposal.rejections & bit == 0, TreasuryError::AlreadyRejected);
    a.proposal.rejections |= bit;
    a.proposal.approvals &= !bit;
    let left = a.treasury.n_members as u32 - a.proposal.rejections.count_ones();
    if left < a.treasury.threshold as u32 {
        a.proposal.status = STATUS_REJECTED;
    }
    a.proposal.invariant()
}
