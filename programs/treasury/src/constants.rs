//! Limits of the treasury; times in seconds.
use anchor_lang::prelude::*;

/// Most members a treasury can have.
pub const MAX_MEMBERS: usize = 8;
/// Most accounts a proposal's instruction can name.
pub const MAX_ACCOUNTS: usize = 12;
/// Most bytes of data a proposal's instruction can carry.
pub const MAX_DATA: usize = 512;
/// Shortest delay of the slow class, counted on chain from the proposal: 48 h.
pub const MIN_DELAY_S: u64 = 172_800;
/// A proposal lives this long: 7 d.
pub const LIFETIME_S: u64 = 604_800;

/// `Proposal::class`: only what tightens; no delay.
pub const CLASS_TIGHTEN: u8 = 0;
/// `Proposal::class`: everything else; waits `Treasury::min_delay_s`.
pub const CLASS_SLOW: u8 = 1;

/// `Proposal::status`: collects approvals.
pub const STATUS_OPEN: u8 = 0;
/// `Proposal::status`: done.
pub const STATUS_EXECUTED: u8 = 1;

/// `ProposalAccount::flags`: signs (the executor signs by itself).
pub const FLAG_SIGNER: u8 = 1;
/// `ProposalAccount::flags`: writable.
pub const FLAG_WRITABLE: u8 = 2;

/// `version` of every account.
pub const VERSION: u8 = 1;

/// The market program, whose pause may be tightened without delay.
pub const MARKET_ID: Address = Address::from_str_const("HsmqMHbomNoaCcqJcwJSxVMMd3pw1xF6P4tguJepRDD6");
/// First bytes of the market's `set_pause`; one byte with the level follows.
pub const SET_PAUSE: [u8; 8] = [63, 32, 154, 2, 56, 103, 79, 45];
/// First bytes of the market's `Exchange` account.
pub const EXCHANGE: [u8; 8] = [30, 200, 220, 149, 3, 61, 104, 50];
/// Where the pause level stands in the `Exchange` account.
pub const EXCHANGE_PAUSE_OFFSET: usize = 10;
