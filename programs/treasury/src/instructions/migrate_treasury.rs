use anchor_lang::{prelude::*, Discriminator};

use crate::{errors::TreasuryError, state::Treasury};

/// Accounts of `migrate_treasury`.
#[derive(Accounts)]
pub struct MigrateTreasury {
    #[account(mut)]
    pub payer: Signer,
    /// CHECK: a treasury of an older and shorter layout; checked in the handler.
    #[account(mut, owner = crate::ID)]
    pub treasury: UncheckedAccount,
    pub system_program: Program<System>,
}

/// 1. Tops up the rent from `payer`. 2. Grows a treasury made by an older version; what is new is zero, which means
/// off. Anyone may send this.
pub fn migrate_treasury(ctx: &mut Context<MigrateTreasury>) -> Result<()> {
    let mut view = *ctx.accounts.treasury.account();
    {
        let data = view.try_borrow()?;
        let older = data.len() >= Treasury::FIRST_LEN && data[..8] == *Treasury::DISCRIMINATOR;
        require!(older, TreasuryError::WrongAccounts);
    }
    require!(view.data_len() < <Account<Treasury> as Space>::INIT_SPACE, TreasuryError::AlreadyMigrated);
    let space = <Account<Treasury> as Space>::INIT_SPACE;
    anchor_lang::realloc_account(&mut view, space, ctx.accounts.payer.account(), true)?;
    Account::<Treasury>::load(view)?.invariant()
}
