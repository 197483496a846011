//! Token transfers into and out of the pool's accounts: one copy of each, because every copy costs 2 kB of program.
use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::{token::TokenCpiExt, TokenAccount};

use crate::state::Pool;

/// Put the tip, paid by a signer, into the account of an order or a request.
#[inline(never)]
pub fn put_tip(system: &Program<System>, from: CpiHandleMut, to: CpiHandleMut, lamports: u64) -> Result<()> {
    if lamports > 0 {
        let accounts = system_program::Transfer { from, to };
        system_program::transfer(CpiContext::new(system.address(), accounts), lamports)?;
    }
    Ok(())
}

/// Move tokens that `owner`, a signer, holds.
#[inline(never)]
pub fn take(
    program: &Program<Token>,
    from: &mut Account<TokenAccount>,
    to: &mut Account<TokenAccount>,
    owner: &Signer,
    amount: u64,
) -> Result<()> {
    program.transfer(from, to, owner, &[], amount)?;
    Ok(())
}

/// Move tokens that the pool holds: out of the vault or out of the shares' escrow.
#[inline(never)]
pub fn pay(
    program: &Program<Token>,
    from: &mut Account<TokenAccount>,
    to: &mut Account<TokenAccount>,
    pool: &Account<Pool>,
    amount: u64,
) -> Result<()> {
    let (exchange, bump) = (pool.exchange, [pool.bump]);
    let signer: &[&[u8]] = &[b"pool", exchange.as_ref(), &bump];
    program.transfer(from, to, pool, &[signer], amount)?;
    Ok(())
}
