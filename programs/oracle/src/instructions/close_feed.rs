use anchor_lang::prelude::*;

use crate::{
    constants::{MIN_RETENTION_S, STATUS_FINAL},
    errors::OracleError,
    state::{now_s, Config, Feed},
};

/// Accounts of `close_feed`.
#[derive(Accounts)]
pub struct CloseFeed {
    #[account(constraint = config.is_operator(operator.address()) @ OracleError::NotOperator)]
    pub operator: Signer,
    #[account(address = feed.config @ OracleError::WrongConfig)]
    pub config: Account<Config>,
    /// CHECK: compared with the address stored in the feed.
    #[account(unsafe(dup), address = feed.rent_receiver @ OracleError::WrongRentReceiver)]
    pub rent_receiver: UncheckedAccount,
    #[account(mut, close = rent_receiver, constraint = feed.status == STATUS_FINAL @ OracleError::FeedNotFinal)]
    pub feed: Account<Feed>,
}

/// 1. Closes a feed that has been final for the config's retention, 5 days at least: windows and disputes read it.
/// 2. Returns its rent to the stored receiver.
pub fn close_feed(ctx: &mut Context<CloseFeed>) -> Result<()> {
    let retention_s = ctx.accounts.config.retention_s.max(MIN_RETENTION_S);
    let until = ctx.accounts.feed.finalised_unix_s.saturating_add(retention_s as u64);
    require!(now_s()? >= until, OracleError::RetentionRunning);
    Ok(())
}
