use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::TreasuryError,
    state::{now_s, Proposal},
};

/// Accounts of `close_proposal`.
#[derive(Accounts)]
pub struct CloseProposal {
    /// CHECK: compared with the address stored in the proposal.
    #[account(mut, address = proposal.rent_payer @ TreasuryError::WrongAccounts)]
    pub rent_payer: UncheckedAccount,
    #[account(mut, close = rent_payer)]
    pub proposal: Account<Proposal>,
}

/// 1. Closes a proposal that is executed, rejected, cancelled or expired. 2. Returns its rent. Anyone may send this.
pub fn close_proposal(ctx: &mut Context<CloseProposal>) -> Result<()> {
    let proposal = &ctx.accounts.proposal;
    let ended = matches!(proposal.status, STATUS_EXECUTED | STATUS_REJECTED | STATUS_CANCELLED);
    require!(ended || now_s()? >= proposal.expires_unix, TreasuryError::StillOpen);
    Ok(())
}
