use anchor_lang::prelude::*;

use crate::{
    constants::STATUS_RETIRED,
    errors::OracleError,
    state::{Config, PublisherSet},
};

/// Accounts of `retire_publisher_set`.
#[derive(Accounts)]
pub struct RetirePublisherSet {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    pub config: Account<Config>,
    #[account(mut, constraint = publisher_set.config == *config.address() @ OracleError::WrongConfig)]
    pub publisher_set: Account<PublisherSet>,
}

/// 1. Retires the publisher set, for good: no feed is listed with it any more. Feeds that exist go on.
pub fn retire_publisher_set(ctx: &mut Context<RetirePublisherSet>) -> Result<()> {
    ctx.accounts.publisher_set.status = STATUS_RETIRED;
    Ok(())
}
