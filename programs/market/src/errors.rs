//! What can go wrong, each with what to do about it.
use anchor_lang::prelude::*;

/// Errors of the market program.
#[error_code]
pub enum MarketError {
    #[msg("Only the exchange's authority may do this: sign with the authority.")]
    NotAuthority,
    #[msg("Only the exchange's operator may do this: sign with the operator.")]
    NotOperator,
    #[msg(
        "Operator and guardian may only tighten the pause: choose a higher level, or ask the authority to loosen it."
    )]
    OnlyTighten,
    #[msg("The signer does not own this margin account: sign with its owner, or show a session where one is enough.")]
    WrongOwner,
    #[msg("An account does not belong to the exchange, window or order it is used with: derive it again.")]
    WrongAccount,
    #[msg("Not the window's feed, or one of another oracle config: pass the feed stored in the market.")]
    WrongFeed,
    #[msg("A parameter is out of range: see \"Limits in code\" in docs/programs.md.")]
    BadParameter,
    #[msg("The exchange is paused for this: wait until the pause is lifted.")]
    Paused,
    #[msg("Trading is suspended (goal, penalty, VAR, red card or feed loss): wait until play goes on.")]
    Suspended,
    #[msg("No play is running: wait for the next kick-off.")]
    InBreak,
    #[msg("The feed has no sample yet: wait for the first.")]
    NoSample,
    #[msg("The window is over or closed for trading: choose another one, or wait for the settlement of this one.")]
    WindowNotOpen,
    #[msg("The window ends within 20 s: choose a later one.")]
    WindowClosing,
    #[msg("The client id is not above the last one used: the order may already be there, do not send it again.")]
    ClientIdUsed,
    #[msg("The collateral is below the initial margin: add collateral or trade less.")]
    CollateralTooLow,
    #[msg("The margin account has too little free balance: deposit more.")]
    InsufficientMargin,
    #[msg("The order cannot end yet: wait for the first sample at commit + delay.")]
    NotRipe,
    #[msg("This is not the order's determined sample: pass the first with data time >= commit + delay.")]
    WrongSample,
    #[msg("The order was placed in this slot: crank it in a later one.")]
    SameSlot,
    #[msg("The feed has gone: finalise the window first.")]
    FeedGone,
    #[msg("The newest sample is too old to measure margin on: wait for the next.")]
    StaleSample,
    #[msg("The position has enough margin: nothing to liquidate.")]
    MarginSufficient,
    #[msg("The position is empty, with nothing to liquidate and no margin to move: choose one that is open.")]
    PositionEmpty,
    #[msg("The window has not ended: wait for its last sample.")]
    WindowNotEnded,
    #[msg("The window is final or void already: settle its positions.")]
    AlreadyFinal,
    #[msg("The window is not final: finalise it first.")]
    NotFinal,
    #[msg("The dispute time has not passed: try again later.")]
    InDispute,
    #[msg("Orders are still pending: crank them first.")]
    OrdersPending,
    #[msg("Positions are still open: settle them first.")]
    PositionsOpen,
    #[msg("The window's fees are already distributed.")]
    FeesDone,
    #[msg("Open positions need this liquidity: ask for less or wait for their settlement.")]
    PoolBusy,
    #[msg("The result is worse than the minimum you asked for: ask for less or try again.")]
    Slippage,
    #[msg("The amount is zero or more than there is: choose one in between.")]
    BadAmount,
    #[msg("A sum left its range: nothing was changed.")]
    Overflow,
    #[msg("A balance would fall below zero: nothing was changed.")]
    Underflow,
    #[msg("The pool's books no longer add up: nothing was changed, report this.")]
    InvariantBroken,
    #[msg("Only the guardian may do this, and the authority too where it voids a window: sign with one of them.")]
    NotGuardian,
    #[msg("The guardian has paused already: it may pause again 72 hours after that pause ended.")]
    GuardianRests,
    #[msg("An outflow limit grows by a quarter a day at most and is not lifted: ask for less or wait a day.")]
    OutflowGrowth,
    #[msg("This exchange takes no challenges: its parameter challenge_ms is 0.")]
    NoChallenges,
    #[msg("The dispute time is over: the settlement stands.")]
    DisputeOver,
    #[msg("The window was challenged already: wait for the end of the dispute.")]
    AlreadyChallenged,
    #[msg("The window has no open challenge: there is no bond to resolve.")]
    NotChallenged,
    #[msg("No position is open in this window: it needs no mark.")]
    NothingToMark,
    #[msg("The newest sample is too old to mark on: wait for the next, or finalise the window.")]
    StaleMark,
    #[msg("A window with open positions has no mark of this slot and later than the request: mark all and execute at once.")]
    MarksMissing,
    #[msg("The withdrawal waits for its cooldown: try again at the request's ready_unix.")]
    CoolingDown,
    #[msg("The last shares leave only while no position is open: leave some or wait for settlement.")]
    LastShares,
    #[msg("This hour's limit on winnings is used up: try again an hour after the pool's outflow_hour_unix.")]
    OutflowHour,
    #[msg("This day's limit on winnings is used up: try again a day after the pool's outflow_day_unix.")]
    OutflowDay,
    #[msg("This margin account placed all its orders of this minute: wait until the minute is over.")]
    RateLimited,
    #[msg("Orders that open need an attestation in force here: have the exchange's attestor attest the owner.")]
    NotEligible,
    #[msg("Only the exchange's attestor may do this: sign with the attestor.")]
    NotAttestor,
    #[msg("The session is of another margin account or delegate, or over: have the owner create one.")]
    BadSession,
    #[msg("The order exceeds the session's quantity or what is left of its budget: trade less or get a new session.")]
    SessionLimit,
    #[msg("The session still runs: only its owner or delegate may revoke it before it expires.")]
    SessionRunning,
    #[msg("The order rests on: no trigger holds at this sample and at its fill sample, and the order is not over.")]
    RestsOn,
    #[msg("A market order cannot be cancelled: it ends at its sample.")]
    NotCancellable,
    #[msg("The order is cancelled already: it ends once no earlier trigger can win.")]
    AlreadyCancelled,
    #[msg("The window of this id was closed: choose an id that was not used in this market.")]
    WindowIdUsed,
    #[msg("The fees are not distributed yet: call distribute_fees first.")]
    FeesNotDone,
    #[msg("The bond of the window's challenge is not resolved: call resolve_challenge first.")]
    ChallengeOpen,
    #[msg("The match is not over: wait until its feed is final.")]
    MatchRunning,
    #[msg("Windows of the market are left: close them first.")]
    WindowsLeft,
    #[msg("Not an exchange, pool or margin account of version 1: there is nothing to migrate.")]
    NotOldAccount,
    #[msg("The request's time is over, or it was carried out: end it with cancel_request.")]
    RequestOver,
    #[msg("Only the request's owner may end it: others eight hours after its ready_unix, if it was not carried out.")]
    RequestAlive,
    #[msg("The token account is not of the one who is to be paid: pass one of his.")]
    WrongReceiver,
    #[msg("Nobody holds shares of the pool: wait for a deposit of liquidity.")]
    NoShares,
    #[msg("No protocol fees wait: call distribute_fees for a window first.")]
    NothingToCollect,
    #[msg("The request is worth less than one unit: cancel it and ask for more.")]
    TooSmall,
    #[msg("The window is void already: there is no settlement to challenge or to undo.")]
    WindowIsVoid,
}
