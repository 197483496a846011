use anchor_lang::prelude::*;

use crate::{
    errors::TreasuryError,
    state::{now_s, Proposal, Treasury},
};

/// Accounts of `revoke_approval`.
#[derive(Accounts)]
pub struct RevokeApproval {
    pub member: Signer,
    pub treasury: Account<Treasury>,
    #[account(mut, constraint = proposal.treasury == *treasury.address() @ TreasuryError::WrongAccounts)]
    pub proposal: Account<Proposal>,
}

/// 1. Voids votes given under other members. 2. Takes the member's approval back.
pub fn revoke_approval(ctx: &mut Context<RevokeApproval>) -> Result<()> {
    let a = &mut ctx.accounts;
    a.proposal.check_open(now_s()?)?;
    let bit = a.proposal.vote_of(&a.treasury, a.member.address())?;
    require!(a.proposal.approvals & bit != 0, TreasuryError::NotApproved);
    a.proposal.approvals &= !bit;
    a.proposal.invariant()
}
