use anchor_lang::prelude::*;

use crate::{errors::TreasuryError, foreign, state::Treasury};

/// Accounts of `guard_exchange`.
#[derive(Accounts)]
pub struct GuardExchange {
    #[account(address = treasury.executor @ TreasuryError::NotExecutor)]
    pub executor: Signer,
    #[account(mut)]
    pub treasury: Account<Treasury>,
    /// CHECK: read as an exchange of the market program in the handler.
    pub exchange: UncheckedAccount,
}

/// 1. Names the exchange that every change of code must show to be without open windows, or Halted.
///
/// Before, any exchange of the executor will do, also one made for the purpose.
pub fn guard_exchange(ctx: &mut Context<GuardExchange>) -> Result<()> {
    let a = &mut ctx.accounts;
    foreign::check_governed(a.exchange.account(), a.executor.address())?;
    a.treasury.guarded_exchange = *a.exchange.address();
    a.treasury.invariant()
}
