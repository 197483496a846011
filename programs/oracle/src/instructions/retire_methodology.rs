use anchor_lang::prelude::*;

use crate::{
    constants::STATUS_RETIRED,
    errors::OracleError,
    state::{Config, Methodology},
};

/// Accounts of `retire_methodology`.
#[derive(Accounts)]
pub struct RetireMethodology {
    #[account(constraint = config.is_authority(authority.address()) @ OracleError::NotAuthority)]
    pub authority: Signer,
    pub config: Account<Config>,
    #[account(mut, constraint = methodology.config == *config.address() @ OracleError::WrongConfig)]
    pub methodology: Account<Methodology>,
}

/// 1. Retires the methodology, for good: no feed is listed with it any more. Feeds that exist go on.
pub fn retire_methodology(ctx: &mut Context<RetireMethodology>) -> Result<()> {
    ctx.accounts.methodology.status = STATUS_RETIRED;
    Ok(())
}
