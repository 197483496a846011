use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::TokenAccount;

use crate::{constants::BPS, errors::TreasuryError, events::VaultDistributed, instructions::pay, state::Treasury};

/// Accounts of `distribute`; the receivers follow in the treasury's order.
#[event_cpi]
#[derive(Accounts)]
pub struct Distribute {
    pub treasury: Account<Treasury>,
    /// CHECK: signs the transfers; compared with the address stored in the treasury.
    #[account(address = treasury.executor @ TreasuryError::WrongAccounts)]
    pub executor: UncheckedAccount,
    /// CHECK: compared with the address stored in the treasury.
    #[account(mut, address = treasury.fees @ TreasuryError::WrongAccounts)]
    pub fees: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// 1. Splits the fee vault's balance among the receivers by their shares, each floored; the remainder stays.
/// 2. Emits `VaultDistributed`. Anyone may send this.
///
/// A receiver that cannot be paid (closed, frozen) stops all: nobody gets another's share, the money stays in the
/// vault until the members name other receivers.
pub fn distribute(ctx: &mut Context<Distribute>) -> Result<()> {
    let views = ctx.remaining_accounts()?;
    let a = &mut ctx.accounts;
    require!(a.treasury.n_receivers > 0, TreasuryError::NoReceivers);
    let named = views.len() == a.treasury.n_receivers as usize
        && a.treasury.shares().zip(&views).all(|((key, _), view)| key == view.address());
    require!(named, TreasuryError::WrongAccounts);

    let (executor, fees) = (a.executor.account(), a.fees.account());
    let balance = Account::<TokenAccount>::load(*fees)?.amount();
    let mut paid = 0;
    for ((_, bps), receiver) in a.treasury.shares().zip(&views) {
        let part = (balance as u128 * bps as u128 / BPS as u128) as u64;
        require!(part > 0, TreasuryError::NothingToDistribute);
        pay(&a.treasury, executor, fees, receiver, part)?;
        paid += part;
    }
    let (treasury, rest) = (*a.treasury.address(), balance - paid);
    emit_cpi!(VaultDistributed { treasury, paid, rest });
    Ok(())
}
