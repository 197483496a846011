use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::OracleError,
    state::{Config, Feed},
};

/// Accounts of `finalise_feed`.
#[derive(Accounts)]
pub struct FinaliseFeed {
    #[account(address = config.operator @ OracleError::NotOperator)]
    pub operator: Signer,
    #[account(address = feed.config)]
    pub config: Account<Config>,
    #[account(mut)]
    pub feed: Account<Feed>,
}

/// 1. Freezes the feed after the end of its last period: no quote is taken any more.
pub fn finalise_feed(ctx: &mut Context<FinaliseFeed>) -> Result<()> {
    let feed = &mut ctx.accounts.feed;
    require!(feed.status == STATUS_LIVE, OracleError::FeedFinal);
    require!(feed.in_break == 1, OracleError::PeriodRunning);
    feed.status = STATUS_FINAL;
    Ok(())
}
