use anchor_lang::prelude::*;

use crate::{errors::TreasuryError, state::Treasury};

/// Accounts of `set_members`.
#[derive(Accounts)]
pub struct SetMembers {
    #[account(address = treasury.executor @ TreasuryError::NotExecutor)]
    pub executor: Signer,
    #[account(mut)]
    pub treasury: Account<Treasury>,
}

/// 1. Replaces members and threshold; only a slow proposal can call this. 2. Earlier approvals lapse.
pub fn set_members(ctx: &mut Context<SetMembers>, members: [Address; 8], n_members: u8, threshold: u8) -> Result<()> {
    ctx.accounts.treasury.set_members(members, n_members, threshold)
}
