use anchor_lang::{address_eq, prelude::*};

use crate::{
    constants::*,
    errors::OracleError,
    state::{Feed, PublisherBond},
};

/// Accounts of `record_score`.
#[derive(Accounts)]
pub struct RecordScore {
    #[account(mut, constraint = feed.status == STATUS_FINAL @ OracleError::FeedNotFinal)]
    pub feed: Account<Feed>,
    #[account(mut, constraint = bond.config == feed.config @ OracleError::WrongConfig)]
    pub bond: Account<PublisherBond>,
}

/// 1. Adds what the bond's publisher did in a final feed to its totals, once. 2. Marks that in the feed. Anyone may send
///    this: a score is public.
pub fn record_score(ctx: &mut Context<RecordScore>) -> Result<()> {
    let a = &mut ctx.accounts;
    let n = (a.feed.n_publishers as usize).min(MAX_PUBLISHERS);
    let who = a.feed.publishers[..n]
        .iter()
        .position(|key| address_eq(key, &a.bond.publisher))
        .ok_or(OracleError::NotPublisher)?;
    let bit = 1u8 << who;
    require!(a.feed.scores_recorded & bit == 0, OracleError::ScoreRecorded);
    a.feed.scores_recorded |= bit;
    let own = a.feed.quotes[who];
    let samples = a.feed.samples;
    a.bond.record(samples, &own);
    Ok(())
}
