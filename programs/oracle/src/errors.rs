//! What can go wrong, each with what to do about it.
use anchor_lang::prelude::*;

/// Errors of the oracle program.
#[error_code]
pub enum OracleError {
    #[msg("Only the config's authority may do this: sign with the authority.")]
    NotAuthority,
    #[msg("Only the config's operator may do this: sign with the operator.")]
    NotOperator,
    #[msg("The signer is not a publisher of this feed: check the feed address and the publisher key.")]
    NotPublisher,
    #[msg("Give 1 to 8 different publishers and 1 to n_publishers as min_publishers.")]
    BadPublishers,
    #[msg("The feed is already grown: push quotes to it.")]
    AlreadyGrown,
    #[msg("This publisher has quoted this tick or a later one: drop the quote, send the newest.")]
    TickNotNew,
    #[msg("The quote's data time is more than 10 s ahead of the cluster's clock: check the keeper's clock.")]
    AheadOfClock,
    #[msg("A field of the quote is out of range: index and mu 0..100e6, period 1..4, known flags and reason.")]
    BadQuote,
    #[msg("The index moved more than 25 points a tick: the quote is rejected as an outlier.")]
    StepTooLarge,
    #[msg("The quote's data or play time lies before the feed's: send the newest tick.")]
    TimeWentBack,
    #[msg("The quote's period is over: continue with the next period.")]
    PeriodOver,
    #[msg("The feed is final and takes no more quotes.")]
    FeedFinal,
    #[msg("The current period has not ended: push its last tick with the period_end flag first.")]
    PeriodRunning,
    #[msg("The feed is not final: finalise it before closing.")]
    FeedNotFinal,
    #[msg("The account is not the feed's rent receiver: pass the address stored in the feed.")]
    WrongRentReceiver,
}
