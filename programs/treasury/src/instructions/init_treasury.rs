use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::{token, Mint, TokenAccount};

use crate::{constants::*, state::Treasury};

/// Accounts of `init_treasury`.
#[derive(Accounts)]
pub struct InitTreasury {
    pub create_key: Signer,
    #[account(unsafe(dup))] // may be create_key too: a signer has no data to alias
    pub payer: Signer,
    pub mint: Account<Mint>,
    #[account(init, payer = payer, seeds = [b"treasury", create_key.address().as_ref()], bump)]
    pub treasury: Account<Treasury>,
    /// CHECK: holds nothing; signs what the treasury does.
    #[account(seeds = [b"executor", treasury.address().as_ref()], bump)]
    pub executor: UncheckedAccount,
    #[account(
        init, payer = payer, seeds = [b"fees", treasury.address().as_ref()], bump,
        token::mint = mint, token::authority = executor
    )]
    pub fees: Account<TokenAccount>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

/// 1. Creates the treasury of `create_key`. 2. Creates its fee vault, owned by its executor. 3. Stores the members.
pub fn init_treasury(
    ctx: &mut Context<InitTreasury>,
    members: [Address; 8],
    n_members: u8,
    threshold: u8,
) -> Result<()> {
    let (bump, executor_bump, fees_bump) = (ctx.bumps.treasury, ctx.bumps.executor, ctx.bumps.fees);
    let a = &mut ctx.accounts;
    let (create_key, executor, fees) = (*a.create_key.address(), *a.executor.address(), *a.fees.address());
    a.treasury.version = VERSION;
    a.treasury.bump = bump;
    a.treasury.executor_bump = executor_bump;
    a.treasury.fees_bump = fees_bump;
    a.treasury.min_delay_s = MIN_DELAY_S;
    a.treasury.create_key = create_key;
    a.treasury.executor = executor;
    a.treasury.fees = fees;
    a.treasury.set_members(members, n_members, threshold)
}
