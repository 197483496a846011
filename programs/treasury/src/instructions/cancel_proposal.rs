use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::TreasuryError,
    state::{now_s, Proposal},
};

/// Accounts of `cancel_proposal`.
#[derive(Accounts)]
pub struct CancelProposal {
    #[account(address = proposal.creator @ TreasuryError::NotCreator)]
    pub creator: Signer,
    #[account(mut)]
    pub proposal: Account<Proposal>,
}

/// 1. Ends a draft or an open proposal, whatever its approvals. Its creator may, also when no longer a member.
pub fn cancel_proposal(ctx: &mut Context<CancelProposal>) -> Result<()> {
    let proposal = &mut ctx.accounts.proposal;
    if proposal.status != STATUS_DRAFT {
        proposal.check_open(now_s()?)?;
    }
    proposal.status = STATUS_CANCELLED;
    Ok(())
}
