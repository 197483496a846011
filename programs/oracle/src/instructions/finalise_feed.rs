use anchor_lang::prelude::*;

use crate::{
    aggregate::close_period,
    constants::*,
    errors::OracleError,
    state::{now_s, Config, Feed},
};

/// Accounts of `finalise_feed`.
#[derive(Accounts)]
pub struct FinaliseFeed {
    /// The operator; anyone once the feed has been silent for 6 h.
    pub operator: Signer,
    #[account(address = feed.config @ OracleError::WrongConfig)]
    pub config: Account<Config>,
    #[account(mut)]
    pub feed: Account<Feed>,
}

/// 1. Freezes the feed: no quote is taken any more. The operator may once both halves have been played, or before the
///    first sample; anyone may after 6 h of silence, as when a match is abandoned. Who could end a feed at half-time would
///    make windows void. 2. Ends the period that silence left running. 3. Starts the retention.
pub fn finalise_feed(ctx: &mut Context<FinaliseFeed>) -> Result<()> {
    let now = now_s()?;
    let is_operator = ctx.accounts.config.is_operator(ctx.accounts.operator.address());
    let feed = &mut ctx.accounts.feed;
    require!(feed.status == STATUS_LIVE, OracleError::FeedFinal);
    let heard = feed.last_unix_s.max(feed.start_unix_ms / 1_000);
    if now < heard.saturating_add(SILENCE_S) {
        require!(is_operator, OracleError::NotOperator);
        let over = feed.ended(TRADED_PERIODS as u8) && feed.in_break == 1;
        require!(over || feed.samples == 0, OracleError::PeriodRunning);
    }
    if feed.in_break == 0 {
        let area = feed.newest().map_or(0, |sample| sample.area);
        let row = feed.period as usize - 1;
        close_period(feed, row, area);
    }
    feed.status = STATUS_FINAL;
    feed.finalised_unix_s = now;
    Ok(())
}
