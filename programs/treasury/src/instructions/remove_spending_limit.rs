use anchor_lang::prelude::*;

use crate::{
    errors::TreasuryError,
    state::{SpendingLimit, Treasury},
};

/// Accounts of `remove_spending_limit`.
#[derive(Accounts)]
pub struct RemoveSpendingLimit {
    #[account(address = treasury.executor @ TreasuryError::NotExecutor)]
    pub executor: Signer,
    pub treasury: Account<Treasury>,
    /// CHECK: compared with the address stored in the limit; may be the executor, which has no data to alias.
    #[account(mut, unsafe(dup), address = limit.rent_payer @ TreasuryError::WrongAccounts)]
    pub rent_payer: UncheckedAccount,
    #[account(mut, close = rent_payer, constraint = limit.treasury == *treasury.address() @ TreasuryError::WrongAccounts)]
    pub limit: Account<SpendingLimit>,
}

/// 1. Closes a spending limit. 2. Returns its rent. It only takes power away: class 0.
pub fn remove_spending_limit(_ctx: &mut Context<RemoveSpendingLimit>) -> Result<()> {
    Ok(())
}
