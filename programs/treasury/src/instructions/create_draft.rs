use anchor_lang::prelude::*;

use crate::{
    constants::*,
    instructions::create_proposal::open,
    state::{now_s, Proposal, Treasury},
};

/// Accounts of `create_draft`.
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct CreateDraft {
    pub creator: Signer,
    #[account(unsafe(dup))]
    pub payer: Signer,
    #[account(mut)]
    pub treasury: Account<Treasury>,
    #[account(
        init, payer = payer,
        seeds = [b"proposal", treasury.address().as_ref(), id.to_le_bytes()], bump
    )]
    pub proposal: Account<Proposal>,
    pub system_program: Program<System>,
}

/// For an instruction larger than one transaction: `write_proposal` fills it, `activate_proposal` freezes it.
///
/// 1. Takes the next number, which `id` must be. 2. Stores the size of the instruction; nobody can approve it yet.
pub fn create_draft(
    ctx: &mut Context<CreateDraft>,
    id: u64,
    class: u8,
    program_id: Address,
    n_accounts: u8,
    data_len: u16,
) -> Result<()> {
    let now = now_s()?;
    let bump = ctx.bumps.proposal;
    let a = &mut ctx.accounts;
    let (creator, rent_payer) = (*a.creator.address(), *a.payer.address());
    open(&mut a.treasury, &mut a.proposal, id, creator, now)?;
    let proposal = &mut a.proposal;
    proposal.bump = bump;
    proposal.rent_payer = rent_payer;
    proposal.status = STATUS_DRAFT;
    proposal.class = class;
    proposal.program_id = program_id;
    proposal.n_accounts = n_accounts;
    proposal.data_len = data_len;
    proposal.invariant()
}
