use anchor_lang::prelude::*;

use crate::state::{Feed, Quote};

/// Accounts of `push_quote`.
#[derive(Accounts)]
pub struct PushQuote {
    pub publisher: Signer,
    #[account(mut)]
    pub feed: Account<Feed>,
}

/// 1. Checks the quote. 2. Writes the publisher's slot. 3. Aggregates the tick when its quorum is there.
pub fn push_quote(ctx: &mut Context<PushQuote>, quote: Quote) -> Result<()> {
    let clock = Clock::get()?;
    let publisher = *ctx.accounts.publisher.address();
    crate::aggregate::push(&mut ctx.accounts.feed, &publisher, &quote, clock.unix_timestamp, clock.slot)
}
