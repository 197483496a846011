//! The market program (skeleton: proves that oracle and model can be used from here).
#[cfg(target_os = "solana")]
use solana_compiler_builtins as _;

use anchor_lang::prelude::*;
use oracle::Feed;

declare_id!("HsmqMHbomNoaCcqJcwJSxVMMd3pw1xF6P4tguJepRDD6");

#[derive(Accounts)]
pub struct ViewQuote {
    pub feed: Account<Feed>,
}

#[program]
pub mod market {
    use super::*;

    pub fn view_quote(ctx: &mut Context<ViewQuote>, r_ms: u32) -> Result<()> {
        let sample = ctx.accounts.feed.newest().ok_or(ProgramError::InvalidAccountData)?;
        let f = model::forward(0, r_ms, 0, sample.x_e6, sample.mu_e6, sample.s_e4, 900_000)
            .map_err(|_| ProgramError::ArithmeticOverflow)?;
        anchor_lang::solana_program::program::set_return_data(&f.to_le_bytes());
        Ok(())
    }
}
