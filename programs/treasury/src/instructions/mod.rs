//! One file per instruction.
mod activate_proposal;
mod add_spending_limit;
mod approve;
mod cancel_proposal;
mod close_proposal;
mod create_draft;
mod create_proposal;
mod distribute;
mod execute;
mod guard_exchange;
mod init_treasury;
mod migrate_treasury;
mod reject;
mod remove_spending_limit;
mod revoke_approval;
mod set_members;
mod set_receivers;
mod use_spending_limit;
mod write_proposal;

pub use {
    activate_proposal::*, add_spending_limit::*, approve::*, cancel_proposal::*, close_proposal::*, create_draft::*,
    create_proposal::*, distribute::*, execute::*, guard_exchange::*, init_treasury::*, migrate_treasury::*, reject::*,
    remove_spending_limit::*, revoke_approval::*, set_members::*, set_receivers::*, use_spending_limit::*,
    write_proposal::*,
};

use anchor_lang::{
    cpi::{CpiSeed, CpiSigner, InstructionAccount, InstructionView},
    pinocchio::sysvars::instructions::Instructions,
    prelude::*,
    programs::Token,
};

use crate::{errors::TreasuryError, state::Treasury};

/// Refuse a transaction that starts with the system program's AdvanceNonceAccount (number 4): it can be signed today
/// and sent in a year.
#[inline(never)]
fn refuse_durable_nonce<T: core::ops::Deref<Target = [u8]>>(instructions: &Instructions<T>) -> Result<()> {
    let first = instructions.load_instruction_at(0)?;
    let system = anchor_lang::address_eq(first.get_program_id(), &System::id());
    let advances = system && first.get_instruction_data().starts_with(&4u32.to_le_bytes());
    require!(!advances, TreasuryError::DurableNonce);
    Ok(())
}

/// Move tokens of the executor. Written out because the general wrapper costs 5,000 units more for each transfer.
#[inline(never)]
fn pay(
    treasury: &Account<Treasury>,
    executor: &AccountView,
    source: &AccountView,
    receiver: &AccountView,
    amount: u64,
) -> Result<()> {
    let mut data = [3; 9]; // the token program's Transfer
    data[1..].copy_from_slice(&amount.to_le_bytes());
    let accounts = [
        InstructionAccount::new(source.address(), true, false),
        InstructionAccount::new(receiver.address(), true, false),
        InstructionAccount::new(executor.address(), false, true),
    ];
    let instruction = InstructionView { program_id: &Token::id(), accounts: &accounts, data: &data };
    let bump = [treasury.executor_bump];
    let seeds: [CpiSeed; 3] =
        [CpiSeed::from(b"executor"), CpiSeed::from(treasury.address().as_ref()), CpiSeed::from(&bump)];
    anchor_lang::pinocchio::cpi::invoke_signed(&instruction, &[source, receiver, executor], &[CpiSigner::from(&seeds)])
}
