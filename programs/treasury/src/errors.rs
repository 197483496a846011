//! What can go wrong, each with what to do about it.
use anchor_lang::prelude::*;

/// Errors of the treasury program.
#[error_code]
pub enum TreasuryError {
    #[msg("Give 1 to 8 different members and 1 to n_members as threshold.")]
    BadMembers,
    #[msg("Only a member of the treasury may do this: sign with a member's key.")]
    NotMember,
    #[msg("Only the treasury's executor may do this: pass it as a proposal.")]
    NotExecutor,
    #[msg("A proposal holds at most 12 accounts and 512 bytes of data, known flags, and class 0 or 1.")]
    BadProposal,
    #[msg("The id is not the treasury's next_id: read the treasury and send again.")]
    WrongId,
    #[msg("Class 0 only tightens the pause of an exchange: use class 1 and wait 48 hours.")]
    NotTightening,
    #[msg("The proposal is executed: make a new one.")]
    AlreadyExecuted,
    #[msg("The proposal has expired: make a new one.")]
    Expired,
    #[msg("This member has approved the proposal already.")]
    AlreadyApproved,
    #[msg("Approvals on a durable nonce are refused: sign a transaction with a recent blockhash.")]
    DurableNonce,
    #[msg("Too few of the current members have approved the proposal.")]
    NotEnoughApprovals,
    #[msg("The members changed after the approvals: approve again.")]
    MembersChanged,
    #[msg("The delay is not over: wait 48 hours from the proposal.")]
    TooEarly,
    #[msg("The accounts are not the proposal's: pass them in its order, then the program.")]
    WrongAccounts,
    #[msg("The proposal is open: execute it or wait until it expires.")]
    StillOpen,
}
