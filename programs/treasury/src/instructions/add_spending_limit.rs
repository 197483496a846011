use anchor_lang::{__alloc::vec::Vec, prelude::*};
use anchor_spl::Mint;

use crate::{
    constants::*,
    errors::TreasuryError,
    state::{now_s, SpendingLimit, Treasury},
};

/// Accounts of `add_spending_limit`.
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct AddSpendingLimit {
    #[account(address = treasury.executor @ TreasuryError::NotExecutor)]
    pub executor: Signer,
    #[account(unsafe(dup))] // may be the executor too: it has no data to alias
    pub payer: Signer,
    pub treasury: Account<Treasury>,
    pub mint: Account<Mint>,
    #[account(
        init, payer = payer,
        seeds = [b"limit", treasury.address().as_ref(), id.to_le_bytes()], bump
    )]
    pub limit: Account<SpendingLimit>,
    pub system_program: Program<System>,
}

/// 1. Creates a spending limit; only a slow proposal can call this. 2. Checks that its users are members now.
pub fn add_spending_limit(
    ctx: &mut Context<AddSpendingLimit>,
    id: u64,
    amount: u64,
    period_s: u64,
    members: Vec<Address>,
    receivers: Vec<Address>,
) -> Result<()> {
    let bump = ctx.bumps.limit;
    let a = &mut ctx.accounts;
    let (treasury, mint, rent_payer) = (*a.treasury.address(), *a.mint.address(), *a.payer.address());
    for member in &members {
        a.treasury.member(member)?;
    }
    let limit = &mut a.limit;
    limit.set_lists(&members, &receivers)?;
    limit.version = VERSION;
    limit.bump = bump;
    limit.id = id;
    limit.amount = amount;
    limit.left = amount;
    limit.period_s = period_s;
    limit.period_start_unix = now_s()?;
    limit.treasury = treasury;
    limit.mint = mint;
    limit.rent_payer = rent_payer;
    limit.invariant()
}
