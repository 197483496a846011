//! What the treasury knows of other programs: instructions that only tighten, and where an exchange keeps what it reads.
//! The numbers are tested against the other programs' IDL.
use anchor_lang::prelude::*;

use crate::{
    constants::FLAG_WRITABLE,
    errors::TreasuryError,
    state::{Proposal, ProposalAccount},
};

/// The market program.
pub const MARKET_ID: Address = Address::from_str_const("HsmqMHbomNoaCcqJcwJSxVMMd3pw1xF6P4tguJepRDD6");
/// The oracle program.
pub const ORACLE_ID: Address = Address::from_str_const("81WWN8VYjXbJEFwX9MUspXkdes9yZ4cHtTGzZJcnRCo6");
/// The loader of upgradeable programs.
pub const LOADER_V3_ID: Address = Address::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
/// Its successor.
pub const LOADER_V4_ID: Address = Address::from_str_const("LoaderV411111111111111111111111111111111111");

/// First bytes of the market's `Exchange` account.
pub const EXCHANGE: [u8; 8] = [30, 200, 220, 149, 3, 61, 104, 50];
/// `Exchange::pause` from the start of the account's data.
pub const EXCHANGE_PAUSE: usize = 10;
/// `Exchange::authority`.
pub const EXCHANGE_AUTHORITY: usize = 48;
/// `Exchange::guardian_until_unix`, u64.
pub const EXCHANGE_GUARDIAN_UNTIL: usize = 440;
/// `Exchange::open_windows`, u32.
pub const EXCHANGE_OPEN_WINDOWS: usize = 512;
/// `Exchange::guardian_pause`.
pub const EXCHANGE_GUARDIAN_PAUSE: usize = 520;
/// Shortest account that has all of these.
pub const EXCHANGE_LEN: usize = EXCHANGE_GUARDIAN_PAUSE + 1;
/// The market's tightest pause: Halted.
pub const PAUSE_HALTED: u8 = 3;

/// What besides program and discriminator makes an instruction tighten.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Nothing: it can only take power away.
    Always,
    /// Its level, the byte after the discriminator, is above the pause of the exchange it changes, its second account.
    RaisesPause,
}

/// Class 0: the instructions that need no delay. Whatever is not here waits.
const TIGHTENING: [(Address, [u8; 8], Condition); 7] = [
    // market: set_pause, revoke_operator, revoke_guardian
    (MARKET_ID, [63, 32, 154, 2, 56, 103, 79, 45], Condition::RaisesPause),
    (MARKET_ID, [185, 25, 87, 77, 88, 8, 30, 175], Condition::Always),
    (MARKET_ID, [164, 110, 62, 184, 175, 37, 52, 242], Condition::Always),
    // oracle: revoke_operator, retire_publisher_set, retire_methodology
    (ORACLE_ID, [185, 25, 87, 77, 88, 8, 30, 175], Condition::Always),
    (ORACLE_ID, [175, 204, 238, 99, 184, 39, 0, 222], Condition::Always),
    (ORACLE_ID, [57, 190, 245, 89, 213, 135, 233, 187], Condition::Always),
    // treasury: remove_spending_limit
    (crate::ID, [214, 173, 126, 156, 147, 4, 80, 174], Condition::Always),
];

#[inline(never)]
fn condition(proposal: &Proposal) -> Option<Condition> {
    let payload = proposal.payload();
    let row = TIGHTENING.iter().find(|(program, head, _)| {
        anchor_lang::address_eq(&proposal.program_id, program) && payload.get(..8) == Some(head.as_slice())
    })?;
    let length = if row.2 == Condition::RaisesPause { 9 } else { 8 };
    (payload.len() == length).then_some(row.2)
}

/// Whether the proposal's instruction is one that can tighten; asked when it is frozen.
pub fn may_tighten(proposal: &Proposal) -> bool {
    condition(proposal).is_some()
}

/// Whether it tightens what is there now; asked when it is executed, with its accounts.
#[inline(never)]
pub fn tightens(proposal: &Proposal, accounts: &[AccountView]) -> Result<bool> {
    Ok(match condition(proposal) {
        None => false,
        Some(Condition::Always) => true,
        Some(Condition::RaisesPause) => match accounts.get(1).filter(|view| is_exchange(view)) {
            None => false,
            Some(view) => proposal.payload()[8] > view.try_borrow()?[EXCHANGE_PAUSE],
        },
    })
}

#[inline(never)]
fn is_exchange(view: &AccountView) -> bool {
    view.owned_by(&MARKET_ID) && view.try_borrow().is_ok_and(|data| data.len() >= EXCHANGE_LEN && data[..8] == EXCHANGE)
}

/// Refuse an account that is no exchange governed by `executor`.
pub fn check_governed(view: &AccountView, executor: &Address) -> Result<()> {
    require!(is_exchange(view), TreasuryError::NotExchange);
    let data = view.try_borrow()?;
    let authority = &data[EXCHANGE_AUTHORITY..EXCHANGE_AUTHORITY + 32];
    require!(authority == executor.as_ref(), TreasuryError::NotExchange);
    Ok(())
}

/// Whether the proposal, with these accounts and its program after them, can change a program's code or who may change
/// it. A loader anywhere counts, not only as the program called, and so does an account of a loader that is lent to be
/// written: a program called on the way can reach a loader that the transaction alone names, but what the loader changes
/// has to be lent to it. Every instruction of the loaders counts, so that authority, closing and migration are no way
/// around.
pub fn changes_code(proposal: &Proposal, accounts: &[AccountView]) -> bool {
    let loader = |key: &Address| [LOADER_V3_ID, LOADER_V4_ID].iter().any(|id| anchor_lang::address_eq(key, id));
    let lent = |meta: &ProposalAccount, view: &AccountView| {
        meta.flags & FLAG_WRITABLE != 0 && (view.owned_by(&LOADER_V3_ID) || view.owned_by(&LOADER_V4_ID))
    };
    loader(&proposal.program_id)
        || proposal.metas().iter().zip(accounts).any(|(meta, view)| loader(&meta.address) || lent(meta, view))
}

/// Refuse while an exchange of `executor` among the accounts has an open window and is not Halted. At least one must be
/// there, and `guarded` if the treasury has named one: without it nobody could tell whether windows are open.
#[inline(never)]
pub fn check_quiet(accounts: &[AccountView], executor: &Address, guarded: &Address, now: u64) -> Result<()> {
    let mut found = false;
    for view in accounts.iter().filter(|view| is_exchange(view)) {
        let data = view.try_borrow()?;
        if &data[EXCHANGE_AUTHORITY..EXCHANGE_AUTHORITY + 32] != executor.as_ref() {
            continue;
        }
        let mut until = [0; 8];
        until.copy_from_slice(&data[EXCHANGE_GUARDIAN_UNTIL..EXCHANGE_GUARDIAN_UNTIL + 8]);
        let guardian = if now < u64::from_le_bytes(until) { data[EXCHANGE_GUARDIAN_PAUSE] } else { 0 };
        let halted = data[EXCHANGE_PAUSE].max(guardian) >= PAUSE_HALTED;
        let open = data[EXCHANGE_OPEN_WINDOWS..EXCHANGE_OPEN_WINDOWS + 4] != [0; 4];
        require!(halted || !open, TreasuryError::WindowsOpen);
        found |= *guarded == Address::default() || view.address() == guarded;
    }
    require!(found, TreasuryError::NoExchange);
    Ok(())
}
