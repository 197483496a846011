//! What can go wrong, each with what to do about it.
use anchor_lang::prelude::*;

/// Errors of the treasury program.
#[error_code]
pub enum TreasuryError {
    #[msg("Give 1 to 8 different members, not the executor, and 1 to n_members as threshold.")]
    BadMembers,
    #[msg("Only a member of the treasury may do this: sign with a member's key.")]
    NotMember,
    #[msg("Only the treasury's executor may do this: pass it as a proposal.")]
    NotExecutor,
    #[msg("A proposal holds at most 24 accounts and 1,024 bytes of data, known flags, and class 0 or 1.")]
    BadProposal,
    #[msg("The id is not the treasury's next_id: read the treasury and send again.")]
    WrongId,
    #[msg("Class 0 only tightens, and this does not: use class 1 and wait 48 hours.")]
    NotTightening,
    #[msg("The proposal is executed: make a new one.")]
    AlreadyExecuted,
    #[msg("The proposal has expired: make a new one.")]
    Expired,
    #[msg("This member has approved the proposal already.")]
    AlreadyApproved,
    #[msg("Durable nonces are refused here: sign a transaction with a recent blockhash.")]
    DurableNonce,
    #[msg("Too few of the current members have approved the proposal.")]
    NotEnoughApprovals,
    #[msg("The members changed after the approvals: approve again.")]
    MembersChanged,
    #[msg("The delay is not over: wait 48 hours from the activation of the proposal.")]
    TooEarly,
    #[msg("The accounts are not the expected ones: pass those of the proposal or the treasury, in their order.")]
    WrongAccounts,
    #[msg("The proposal is open: execute it, reject it or wait until it expires.")]
    StillOpen,
    #[msg("The proposal is a draft: its creator activates it first.")]
    NotActive,
    #[msg("The proposal is no draft any more: its contents are frozen.")]
    NotDraft,
    #[msg("Only the creator of the proposal may do this: sign with the creator's key.")]
    NotCreator,
    #[msg("The proposal was rejected or cancelled: make a new one.")]
    Withdrawn,
    #[msg("This member has rejected the proposal already.")]
    AlreadyRejected,
    #[msg("This member has not approved the proposal: there is nothing to revoke.")]
    NotApproved,
    #[msg("Code changes only without open windows or when Halted: settle the windows or pause the exchange.")]
    WindowsOpen,
    #[msg("Name the treasury's exchange among the accounts, so that its open windows can be checked.")]
    NoExchange,
    #[msg("This is no exchange whose authority is the treasury's executor.")]
    NotExchange,
    #[msg("Give an amount, a period of 0 or 1 hour to 366 days, and 1 to 8 different members and receivers.")]
    BadLimit,
    #[msg("More than the limit has left in this period: take less or wait for the next one.")]
    LimitExceeded,
    #[msg("The receiver is not on the spending limit's list: pay a listed one or make a proposal.")]
    NotReceiver,
    #[msg(
        "Give 1 to 8 different token accounts of the fee vault's mint, not the vault, with shares that make 10,000."
    )]
    BadReceivers,
    #[msg("The fees have no receivers yet: set them by a proposal.")]
    NoReceivers,
    #[msg("The fee vault holds too little to give every receiver something: wait for more.")]
    NothingToDistribute,
    #[msg("The treasury has its current size already.")]
    AlreadyMigrated,
}
