use anchor_lang::{__alloc::vec::Vec, prelude::*};
use anchor_spl::TokenAccount;

use crate::{
    constants::*,
    errors::TreasuryError,
    state::{different, Treasury},
};

/// Accounts of `set_receivers`; the receivers' token accounts follow, one for each share.
#[derive(Accounts)]
pub struct SetReceivers {
    #[account(address = treasury.executor @ TreasuryError::NotExecutor)]
    pub executor: Signer,
    #[account(mut)]
    pub treasury: Account<Treasury>,
    #[account(address = treasury.fees @ TreasuryError::WrongAccounts)]
    pub fees: Account<TokenAccount>,
}

/// 1. Checks that every receiver is a token account of the fee vault's mint and that the shares make 10,000.
/// 2. Replaces the receivers; only a slow proposal can call this.
pub fn set_receivers(ctx: &mut Context<SetReceivers>, shares_bps: Vec<u16>) -> Result<()> {
    let views = ctx.remaining_accounts()?;
    let a = &mut ctx.accounts;
    let n = shares_bps.len();
    require!((1..=MAX_RECEIVERS).contains(&n) && n == views.len(), TreasuryError::BadReceivers);
    require!(shares_bps.iter().all(|bps| *bps > 0), TreasuryError::BadReceivers);
    for view in &views {
        let receiver = Account::<TokenAccount>::load(*view)?;
        let paid = receiver.mint() == a.fees.mint() && receiver.address() != a.fees.address();
        require!(paid, TreasuryError::BadReceivers);
    }
    let treasury = &mut a.treasury;
    treasury.receivers = Default::default();
    treasury.shares_bps = [0; MAX_RECEIVERS];
    treasury.n_receivers = n as u8;
    for (i, view) in views.iter().enumerate() {
        treasury.receivers[i] = *view.address();
        treasury.shares_bps[i] = shares_bps[i];
    }
    require!(different(&treasury.receivers[..n]), TreasuryError::BadReceivers);
    treasury.invariant()
}
