//! Limits of the treasury; times in seconds.

/// Most members a treasury can have.
pub const MAX_MEMBERS: usize = 8;
/// Most accounts a proposal's instruction can name; all of them fit the transaction that executes it.
pub const MAX_ACCOUNTS: usize = 24;
/// Most bytes of data a proposal's instruction can carry.
pub const MAX_DATA: usize = 1_024;
/// Shortest delay of the slow class, counted on chain from the activation of the proposal: 48 h.
pub const MIN_DELAY_S: u64 = 172_800;
/// A proposal lives this long after its activation, a draft after its creation: 7 d.
pub const LIFETIME_S: u64 = 604_800;

/// `Proposal::class`: only what tightens; no delay.
pub const CLASS_TIGHTEN: u8 = 0;
/// `Proposal::class`: everything else; waits `Treasury::min_delay_s`.
pub const CLASS_SLOW: u8 = 1;

/// `Proposal::status`: contents frozen, collects approvals.
pub const STATUS_OPEN: u8 = 0;
/// `Proposal::status`: done.
pub const STATUS_EXECUTED: u8 = 1;
/// `Proposal::status`: its creator still writes it; nobody can approve it.
pub const STATUS_DRAFT: u8 = 2;
/// `Proposal::status`: so many members rejected it that the threshold is out of reach.
pub const STATUS_REJECTED: u8 = 3;
/// `Proposal::status`: taken back by its creator.
pub const STATUS_CANCELLED: u8 = 4;

/// `ProposalAccount::flags`: signs (the executor signs by itself).
pub const FLAG_SIGNER: u8 = 1;
/// `ProposalAccount::flags`: writable.
pub const FLAG_WRITABLE: u8 = 2;

/// Most token accounts that share the fees.
pub const MAX_RECEIVERS: usize = 8;
/// The whole, in basis points.
pub const BPS: u64 = 10_000;
/// Most members, and most receivers, of a spending limit.
pub const MAX_LISTED: usize = 8;
/// Shortest period of a spending limit that refills: an hour.
pub const MIN_PERIOD_S: u64 = 3_600;
/// Longest period of a spending limit: 366 d.
pub const MAX_PERIOD_S: u64 = 31_622_400;

/// `version` of every account.
pub const VERSION: u8 = 1;
