use anchor_lang::{
    __alloc::vec::Vec,
    address_eq,
    cpi::{CpiSeed, CpiSigner, InstructionAccount, InstructionView},
    prelude::*,
};

use crate::{
    constants::*,
    errors::TreasuryError,
    foreign,
    state::{now_s, Proposal, Treasury},
};

/// Accounts of `execute`; the proposal's accounts in their order and its program follow.
#[derive(Accounts)]
pub struct Execute {
    /// CHECK: loaded in the handler, for a short time: the proposal's instruction may change it.
    pub treasury: UncheckedAccount,
    #[account(mut, constraint = proposal.treasury == *treasury.address() @ TreasuryError::WrongAccounts)]
    pub proposal: Account<Proposal>,
}

/// 1. Checks that the proposal is open, that enough current members approved it and that its delay is over.
/// 2. Class 0: checks that it tightens what is there now. A change of code: checks that no window is open.
/// 3. Marks it executed. 4. Invokes its instruction, signed by the executor. Anyone may send this.
pub fn execute(ctx: &mut Context<Execute>) -> Result<()> {
    let now = now_s()?;
    let treasury_key = *ctx.accounts.treasury.address();
    let remaining = ctx.remaining_accounts()?;
    let proposal = &mut ctx.accounts.proposal;
    proposal.check_open(now)?;
    let (executor, executor_bump, guarded) = {
        let treasury = Account::<Treasury>::load(*ctx.accounts.treasury.account())?;
        require!(proposal.members_epoch == treasury.members_epoch, TreasuryError::MembersChanged);
        let approved = proposal.approvals.count_ones();
        require!(approved >= treasury.threshold as u32, TreasuryError::NotEnoughApprovals);
        let delay = if proposal.class == CLASS_SLOW { treasury.min_delay_s.max(MIN_DELAY_S) } else { 0 };
        require!(now >= proposal.activated_unix + delay, TreasuryError::TooEarly);
        (treasury.executor, [treasury.executor_bump], treasury.guarded_exchange)
    };
    let metas = proposal.metas();
    let same = remaining.len() == metas.len() + 1
        && address_eq(remaining[metas.len()].address(), &proposal.program_id)
        && metas.iter().zip(&remaining).all(|(meta, view)| address_eq(&meta.address, view.address()));
    require!(same, TreasuryError::WrongAccounts);
    if proposal.class == CLASS_TIGHTEN {
        require!(foreign::tightens(proposal, &remaining)?, TreasuryError::NotTightening);
    }
    if foreign::changes_code(proposal, &remaining) {
        foreign::check_quiet(&remaining, &executor, &guarded, now)?;
    }
    // Before the call: an instruction that comes back here finds the proposal executed.
    proposal.status = STATUS_EXECUTED;

    let proposal = &ctx.accounts.proposal;
    let accounts: Vec<InstructionAccount> = proposal
        .metas()
        .iter()
        .zip(&remaining)
        .map(|(meta, view)| {
            let signs = meta.flags & FLAG_SIGNER != 0 || address_eq(view.address(), &executor);
            InstructionAccount::new(view.address(), meta.flags & FLAG_WRITABLE != 0, signs)
        })
        .collect();
    let instruction =
        InstructionView { program_id: &proposal.program_id, accounts: &accounts, data: proposal.payload() };
    let seeds: [CpiSeed; 3] =
        [CpiSeed::from(b"executor"), CpiSeed::from(treasury_key.as_ref()), CpiSeed::from(&executor_bump)];
    anchor_lang::pinocchio::cpi::invoke_signed_with_bounds::<MAX_ACCOUNTS, AccountView>(
        &instruction,
        &remaining[..accounts.len()],
        &[CpiSigner::from(&seeds)],
    )
}
