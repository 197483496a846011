use anchor_lang::prelude::*;

use crate::{
    constants::LASTING_VERSION,
    state::{Exchange, Margin},
};

/// Accounts of `create_margin`.
#[derive(Accounts)]
pub struct CreateMargin {
    /// CHECK: need not sign: the account is empty and only its owner can use it.
    pub owner: UncheckedAccount,
    #[account(unsafe(dup))]
    pub payer: Signer,
    pub exchange: Account<Exchange>,
    #[account(
        init, payer = payer, seeds = [b"margin", exchange.address().as_ref(), owner.address().as_ref()], bump
    )]
    pub margin: Account<Margin>,
    pub system_program: Program<System>,
}

/// 1. Creates the empty margin account of `owner`.
pub fn create_margin(ctx: &mut Context<CreateMargin>) -> Result<()> {
    let bump = ctx.bumps.margin;
    let a = &mut ctx.accounts;
    a.margin.version = LASTING_VERSION;
    a.margin.bump = bump;
    a.margin.exchange = *a.exchange.address();
    a.margin.owner = *a.owner.address();
    Ok(())
}
