use anchor_lang::{__alloc::vec::Vec, prelude::*};

use crate::{
    constants::*,
    errors::TreasuryError,
    events::ProposalActivated,
    state::{now_s, Proposal, ProposalAccount, Treasury},
};

/// Accounts of `create_proposal`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct CreateProposal {
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

/// For an instruction that fits one transaction; a larger one is written with `create_draft`.
///
/// 1. Takes the next number, which `id` must be. 2. Stores the instruction, its class and its times, and freezes it.
/// Nobody has approved it yet.
pub fn create_proposal(
    ctx: &mut Context<CreateProposal>,
    id: u64,
    class: u8,
    program_id: Address,
    accounts: Vec<ProposalAccount>,
    data: Vec<u8>,
) -> Result<()> {
    let now = now_s()?;
    let bump = ctx.bumps.proposal;
    let a = &mut ctx.accounts;
    let (creator, rent_payer) = (*a.creator.address(), *a.payer.address());
    require!(accounts.len() <= MAX_ACCOUNTS && data.len() <= MAX_DATA, TreasuryError::BadProposal);
    open(&mut a.treasury, &mut a.proposal, id, creator, now)?;
    let proposal = &mut a.proposal;
    proposal.bump = bump;
    proposal.rent_payer = rent_payer;
    proposal.class = class;
    proposal.program_id = program_id;
    proposal.n_accounts = accounts.len() as u8;
    proposal.data_len = data.len() as u16;
    proposal.accounts[..accounts.len()].copy_from_slice(&accounts);
    proposal.data[..data.len()].copy_from_slice(&data);
    proposal.activate(now)?;
    let event = activated(proposal);
    emit_cpi!(event);
    Ok(())
}

/// The part that drafts share: check the creator, take the number, write what does not depend on the contents.
#[inline(never)]
pub(super) fn open(
    treasury: &mut Account<Treasury>,
    proposal: &mut Proposal,
    id: u64,
    creator: Address,
    now: u64,
) -> Result<()> {
    treasury.member(&creator)?;
    require!(id == treasury.next_id, TreasuryError::WrongId);
    treasury.next_id += 1;
    proposal.version = VERSION;
    proposal.id = id;
    proposal.members_epoch = treasury.members_epoch;
    proposal.created_unix = now;
    proposal.expires_unix = now + LIFETIME_S;
    proposal.treasury = *treasury.address();
    proposal.creator = creator;
    Ok(())
}

/// The event of a proposal that was frozen just now.
#[inline(never)]
pub(super) fn activated(proposal: &Account<Proposal>) -> ProposalActivated {
    ProposalActivated {
        proposal: *proposal.address(),
        treasury: proposal.treasury,
        creator: proposal.creator,
        program_id: proposal.program_id,
        id: proposal.id,
        class: proposal.class,
        content_hash: proposal.content_hash,
        expires_unix: proposal.expires_unix,
    }
}
