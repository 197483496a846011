use anchor_lang::prelude::*;

use crate::{
    instructions::create_proposal::activated,
    state::{now_s, Proposal},
};

/// Accounts of `activate_proposal`.
#[event_cpi]
#[derive(Accounts)]
pub struct ActivateProposal {
    pub creator: Signer,
    #[account(mut)]
    pub proposal: Account<Proposal>,
}

/// 1. Checks and freezes the contents of a draft and stores their hash. 2. Starts the delay and the seven days.
pub fn activate_proposal(ctx: &mut Context<ActivateProposal>) -> Result<()> {
    let now = now_s()?;
    let a = &mut ctx.accounts;
    a.proposal.check_draft(a.creator.address(), now)?;
    a.proposal.activate(now)?;
    let event = activated(&a.proposal);
    emit_cpi!(event);
    Ok(())
}
