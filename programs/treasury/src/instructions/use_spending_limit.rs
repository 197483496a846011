use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{
    errors::TreasuryError,
    events::LimitUsed,
    instructions::{pay, refuse_durable_nonce},
    state::{now_s, SpendingLimit, Treasury},
};

/// Accounts of `use_spending_limit`.
#[event_cpi]
#[derive(Accounts)]
pub struct UseSpendingLimit {
    pub member: Signer,
    pub treasury: Account<Treasury>,
    /// CHECK: signs the transfer; compared with the address stored in the treasury.
    #[account(address = treasury.executor @ TreasuryError::WrongAccounts)]
    pub executor: UncheckedAccount,
    #[account(mut, constraint = limit.treasury == *treasury.address() @ TreasuryError::WrongAccounts)]
    pub limit: Account<SpendingLimit>,
    /// CHECK: a token account of the executor and of the limit's mint, checked in the handler.
    #[account(mut)]
    pub source: UncheckedAccount,
    /// CHECK: compared with the limit's list; the token program checks the rest.
    #[account(mut)]
    pub receiver: UncheckedAccount,
    pub instructions: Sysvar<SysvarInstructions>,
    pub token_program: Program<Token>,
}

/// 1. Refuses durable nonces, and members who left the treasury or are not on the list. 2. Takes the amount out of the
/// running period. 3. Pays a listed receiver from a token account of the executor. 4. Emits `LimitUsed`.
pub fn use_spending_limit(ctx: &mut Context<UseSpendingLimit>, amount: u64) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let a = &mut ctx.accounts;
    let (member, receiver) = (*a.member.address(), *a.receiver.address());
    a.treasury.member(&member)?;
    require!(a.limit.users().contains(&member), TreasuryError::NotMember);
    require!(a.limit.payees().contains(&receiver), TreasuryError::NotReceiver);
    {
        let source = Account::<TokenAccount>::load(*a.source.account())?;
        let own = source.owner() == a.executor.address(); // not one that merely lets the executor spend
        require!(own && *source.mint() == a.limit.mint, TreasuryError::WrongAccounts);
    }
    a.limit.spend(amount, now_s()?)?;
    a.limit.invariant()?;

    pay(&a.treasury, a.executor.account(), a.source.account(), a.receiver.account(), amount)?;
    let (treasury, limit, left) = (*a.treasury.address(), *a.limit.address(), a.limit.left);
    emit_cpi!(LimitUsed { limit, treasury, member, receiver, amount, left });
    Ok(())
}
