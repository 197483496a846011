use anchor_lang::prelude::*;

use crate::{
    constants::STATUS_FINAL,
    errors::OracleError,
    state::{Config, Feed},
};

/// Accounts of `close_feed`.
#[derive(Accounts)]
pub struct CloseFeed {
    #[account(address = config.operator @ OracleError::NotOperator)]
    pub operator: Signer,
    #[account(address = feed.config)]
    pub config: Account<Config>,
    /// CHECK: compared with the address stored in the feed.
    #[account(unsafe(dup), address = feed.rent_receiver @ OracleError::WrongRentReceiver)]
    pub rent_receiver: UncheckedAccount,
    #[account(mut, close = rent_receiver, constraint = feed.status == STATUS_FINAL @ OracleError::FeedNotFinal)]
    pub feed: Account<Feed>,
}

/// 1. Closes a final feed. 2. Returns its rent to the stored receiver.
pub fn close_feed(_ctx: &mut Context<CloseFeed>) -> Result<()> {
    Ok(())
}
