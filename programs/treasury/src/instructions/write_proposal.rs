use anchor_lang::{__alloc::vec::Vec, prelude::*};

use crate::state::{now_s, Proposal};

/// Accounts of `write_proposal`.
#[derive(Accounts)]
pub struct WriteProposal {
    pub creator: Signer,
    #[account(mut)]
    pub proposal: Account<Proposal>,
}

/// 1. Writes `part` into a draft, from `offset` on: 24 accounts of 33 bytes (address, flags), then the data at 792.
pub fn write_proposal(ctx: &mut Context<WriteProposal>, offset: u16, part: Vec<u8>) -> Result<()> {
    let a = &mut ctx.accounts;
    a.proposal.check_draft(a.creator.address(), now_s()?)?;
    a.proposal.write(offset as usize, &part)
}
