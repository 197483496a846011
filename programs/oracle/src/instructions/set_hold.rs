use anchor_lang::prelude::*;

use crate::{
    constants::STATUS_LIVE,
    errors::OracleError,
    state::{Config, Feed},
};

/// Accounts of `set_hold`.
#[derive(Accounts)]
pub struct SetHold {
    /// The operator or the authority.
    #[account(constraint = config.is_operator(signer.address()) || config.is_authority(signer.address())
        @ OracleError::NotOperator)]
    pub signer: Signer,
    #[account(address = feed.config @ OracleError::WrongConfig)]
    pub config: Account<Config>,
    #[account(mut, constraint = feed.status == STATUS_LIVE @ OracleError::FeedFinal)]
    pub feed: Account<Feed>,
}

/// 1. Holds the feed, or lifts the hold. From its next sample on a held feed is suspended with reason 7, whatever the
///    publishers say; after the hold the first sample without their flags resumes.
pub fn set_hold(ctx: &mut Context<SetHold>, on: bool) -> Result<()> {
    ctx.accounts.feed.hold = on as u8;
    Ok(())
}
