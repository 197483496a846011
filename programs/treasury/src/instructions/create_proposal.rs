use anchor_lang::{__alloc::vec::Vec, prelude::*};

use crate::{
    constants::*,
    errors::TreasuryError,
    state::{now_s, Proposal, ProposalAccount, Treasury},
};

/// Accounts of `create_proposal`.
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

/// 1. Takes the next number, which `id` must be. 2. Stores the instruction, its class and its times. Nobody has approved it yet.
pub fn create_proposal(
    ctx: &mut Context<CreateProposal>,
    id: u64,
    class: u8,
    program_id: Address,
    accounts: Vec<ProposalAccount>,
    data: Vec<u8>,
) -> Result<()> {
    let bump = ctx.bumps.proposal;
    let a = &mut ctx.accounts;
    let creator = *a.creator.address();
    a.treasury.member(&creator)?;
    let fits = accounts.len() <= MAX_ACCOUNTS && data.len() <= MAX_DATA;
    let known = accounts.iter().all(|meta| meta.flags <= FLAG_SIGNER | FLAG_WRITABLE);
    require!(fits && known && class <= CLASS_SLOW, TreasuryError::BadProposal);
    require!(id == a.treasury.next_id, TreasuryError::WrongId);

    let now = now_s()?;
    let (rent_payer, treasury) = (*a.payer.address(), *a.treasury.address());
    let members_epoch = a.treasury.members_epoch;
    a.treasury.next_id += 1;
    let proposal = &mut a.proposal;
    proposal.version = VERSION;
    proposal.bump = bump;
    proposal.class = class;
    proposal.n_accounts = accounts.len() as u8;
    proposal.data_len = data.len() as u16;
    proposal.id = id;
    proposal.members_epoch = members_epoch;
    proposal.created_unix = now;
    proposal.expires_unix = now + LIFETIME_S;
    proposal.treasury = treasury;
    proposal.creator = creator;
    proposal.rent_payer = rent_payer;
    proposal.program_id = program_id;
    proposal.accounts[..accounts.len()].copy_from_slice(&accounts);
    proposal.data[..data.len()].copy_from_slice(&data);
    require!(class == CLASS_SLOW || proposal.pause_level().is_some(), TreasuryError::NotTightening);
    Ok(())
}
