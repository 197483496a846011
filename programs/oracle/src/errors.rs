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
    #[msg("A field of the quote is out of range: index and mu 0..100e6, s within 25 points, period 1..4, known flags and reason.")]
    BadQuote,
    #[msg("The index or its mu moved more than 25 points a tick or second: the quote is rejected as an outlier.")]
    StepTooLarge,
    #[msg("The quote's data or play time lies before the feed's: send the newest tick.")]
    TimeWentBack,
    #[msg("The quote's period is over: continue with the next period.")]
    PeriodOver,
    #[msg("The feed is final and takes no more quotes.")]
    FeedFinal,
    #[msg("The match is not over: the second half has not ended, and the feed has not been silent for 6 h.")]
    PeriodRunning,
    #[msg("The feed is not final: finalise it before closing.")]
    FeedNotFinal,
    #[msg("The account is not the feed's rent receiver: pass the address stored in the feed.")]
    WrongRentReceiver,
    #[msg("The account belongs to another config: pass the one of the feed's config.")]
    WrongConfig,
    #[msg("The publisher set is retired: list the feed with an active one.")]
    SetRetired,
    #[msg("The methodology is retired: list the feed with an active one.")]
    MethodologyRetired,
    #[msg("The feed starts too far ahead: list it at most 366 days before, 4 days where publishers are bonded.")]
    StartTooFar,
    #[msg("A publisher's bond account is missing: pass the bonds after the accounts, in the set's order.")]
    BondMissing,
    #[msg("The bond is smaller than needed: post more, or ask for less.")]
    BondTooSmall,
    #[msg("The bond account does not hold these lamports: transfer them to it first, in the same transaction.")]
    BondNotFunded,
    #[msg("The bond is being released: post again to keep it.")]
    BondReleasing,
    #[msg("Only the bond's publisher may do this: sign with the publisher.")]
    NotBondOwner,
    #[msg("No release of the bond was requested: request it and wait 7 days.")]
    NoRelease,
    #[msg("The bond's 7 days of cooldown are not over: withdraw it later.")]
    CooldownRunning,
    #[msg("The account is not the config's bond receiver: set one, and pass it.")]
    WrongBondReceiver,
    #[msg("This publisher's score of this feed is in its bond account already.")]
    ScoreRecorded,
    #[msg("Only the proposed authority may accept: sign with it, or propose this key first.")]
    NotPendingAuthority,
    #[msg("A rule is out of range: retention is 5 to 30 days.")]
    BadParameter,
    #[msg("The feed's retention is not over: close it when disputes can no longer read it.")]
    RetentionRunning,
    #[msg("The account is no config of an earlier version: there is nothing to migrate.")]
    NotOldConfig,
    #[msg("The program's books do not add up: nothing was changed, report this.")]
    BrokenInvariant,
    #[msg("The tick's number is ahead of the data time: a tick is one second of play, and the first is number 1.")]
    TickAhead,
}
