use anchor_lang::{pinocchio::sysvars::instructions::Instructions, prelude::*};

use crate::{
    errors::TreasuryError,
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

/// 1. Refuses transactions that start with AdvanceNonceAccount: they can be signed today and sent in a year.
/// 2. Voids approvals given under other members. 3. Records the member's approval.
pub fn approve(ctx: &mut Context<Approve>) -> Result<()> {
    require!(!starts_with_advance_nonce(&ctx.accounts.instructions)?, TreasuryError::DurableNonce);
    let a = &mut ctx.accounts;
    a.proposal.check_open(now_s()?)?;
    let bit = 1u8 << a.treasury.member(a.member.address())?;
    if a.proposal.members_epoch != a.treasury.members_epoch {
        a.proposal.approvals = 0;
        a.proposal.members_epoch = a.treasury.members_epoch;
    }
    require!(a.proposal.approvals & bit == 0, TreasuryError::AlreadyApproved);
    a.proposal.approvals |= bit;
    Ok(())
}

/// Whether the transaction's first instruction is the system program's AdvanceNonceAccount (number 4).
fn starts_with_advance_nonce<T: core::ops::Deref<Target = [u8]>>(instructions: &Instructions<T>) -> Result<bool> {
    let first = instructions.load_instruction_at(0)?;
    let system = anchor_lang::address_eq(first.get_program_id(), &System::id());
    Ok(system && first.get_instruction_data().starts_with(&4u32.to_le_bytes()))
}
