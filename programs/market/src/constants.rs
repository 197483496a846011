//! Limits and codes of the market. Times in milliseconds of match time, prices in 1e-6 points, quantities in 1e-6
//! contracts, money in 1e-6 USDC.

use anchor_lang::prelude::*;

/// `version` of the accounts that live as long as a match.
pub const VERSION: u8 = 1;
/// `version` of Exchange, Pool and Margin: 2 since they hold limits, marks and counters of rates.
pub const LASTING_VERSION: u8 = 2;
/// Bytes of an Exchange, a Pool and a Margin of version 1, discriminator included.
pub const FIRST_SIZES: [usize; 3] = [344, 224, 128];

/// Pause level: everything works.
pub const PAUSE_ACTIVE: u8 = 0;
/// Pause level: no order that opens, no liquidity deposit.
pub const PAUSE_REDUCE_ONLY: u8 = 1;
/// Pause level: no order at all; pending ones still end.
pub const PAUSE_NO_NEW_ORDERS: u8 = 2;
/// Pause level: only settlement of final windows and withdrawal of principal.
pub const PAUSE_HALTED: u8 = 3;

/// Order flag: close only, never open.
pub const FLAG_REDUCE_ONLY: u8 = 1;

/// `Order::kind`: fills at its determined sample, or ends.
pub const KIND_MARKET: u8 = 0;
/// `Order::kind`: rests until it can be filled at its limit or better.
pub const KIND_LIMIT: u8 = 1;
/// `Order::kind`: reduces once the forward price has moved against the position as far as the trigger.
pub const KIND_STOP_LOSS: u8 = 2;
/// `Order::kind`: reduces once the forward price has moved for the position as far as the trigger.
pub const KIND_TAKE_PROFIT: u8 = 3;

/// Shortest delay between commit and fill sample.
pub const MIN_DELAY_MS: u32 = 3_000;
/// Longest delay: an order that is committed as the last one, `COMMIT_CLOSE_MS` before the end, still finds its sample.
pub const MAX_DELAY_MS: u32 = 15_000;
/// Longest life of an order.
pub const MAX_EXPIRY_MS: u32 = 120_000;
/// After expiry plus this without a ripe sample anyone may end the order.
pub const EXPIRY_GRACE_MS: u64 = 60_000;
/// A trigger that nobody has cranked this long after its fill was due is void: an old one is a free look.
pub const TRIGGER_LIFE_MS: u64 = 5_000;
/// A cancelled or expired order ends this long after its last trigger's fill was due, so that a trigger can win.
pub const CANCEL_GRACE_MS: u64 = 5_000;
/// Longest session.
pub const MAX_SESSION_S: u64 = 30 * DAY_S;
/// Seconds in which `orders_per_minute` orders may be placed.
pub const RATE_WINDOW_S: u64 = 60;
/// Commits close this long before a window ends: no sample could fill them.
pub const COMMIT_CLOSE_MS: u32 = 20_000;
/// A liquidation needs a sample at most this old.
pub const LIQUIDATION_MAX_AGE_MS: u64 = 5_000;
/// A window is marked on a sample at most this old.
pub const MARK_MAX_AGE_MS: u64 = 5_000;
/// A feed that is silent this long counts as abandoned: its windows end with what was measured.
pub const ABANDONED_MS: u64 = 6 * 3_600_000;

/// Account of the sysvar that holds the slot of the cluster's last restart.
pub const LAST_RESTART_SLOT: Address = Address::from_str_const("SysvarLastRestartS1ot1111111111111111111111");

/// Smallest order.
pub const MIN_QTY_E6: u64 = 10_000;
/// Largest order.
pub const MAX_QTY_E6: u64 = 1_000_000_000_000;
/// Highest fee in points a contract.
pub const MAX_FEE_E6: u32 = 1_000_000;
/// Lowest initial margin in points a contract: above every maintenance margin.
pub const MIN_INITIAL_MARGIN_E6: u32 = 10_000_000;
/// Highest initial margin.
pub const MAX_INITIAL_MARGIN_E6: u32 = 100_000_000;
/// Highest tip.
pub const MAX_TIP_LAMPORTS: u64 = 10_000_000;
/// Highest share of the pool's cash that may be reserved.
pub const MAX_CAP_POOL_BPS: u16 = 8_000;
/// Highest borrow fee: a tenth of the reservation an hour, in 1e-12 a second.
pub const MAX_BORROW_E12: u64 = 27_777_778;
/// Longest dispute time, and longest extension of it by a challenge: two days each.
pub const MAX_DISPUTE_MS: u32 = 172_800_000;
/// Smallest bond of a challenge, where there are challenges.
pub const MIN_CHALLENGE_BOND_E6: u64 = 1_000_000;
/// `LpRequest::kind`: tokens for shares.
pub const LP_DEPOSIT: u8 = 0;
/// `LpRequest::kind`: shares for tokens.
pub const LP_WITHDRAWAL: u8 = 1;

/// A request is carried out within this time of its `ready_unix` or never: half-time fits in, a choice of days does not.
pub const LP_REQUEST_LIFE_S: u64 = 8 * 3_600;
/// Shortest wait of a withdrawal of liquidity, a day, where it waits at all.
pub const MIN_LP_COOLDOWN_S: u32 = 86_400;
/// Longest wait of a withdrawal of liquidity: a week.
pub const MAX_LP_COOLDOWN_S: u32 = 604_800;
/// The whole, in basis points.
pub const BPS: u64 = 10_000;
/// Part of a liquidated position's remaining collateral that the liquidator gets.
pub const LIQUIDATION_REWARD_BPS: u64 = 100;

/// `Window::state`: trading or waiting for its end.
pub const WINDOW_OPEN: u8 = 0;
/// `Window::state`: settlement known.
pub const WINDOW_FINAL: u8 = 1;
/// `Window::state`: too little was measured; collateral and fees go back.
pub const WINDOW_VOID: u8 = 2;

/// `Window::challenge`: nobody challenged the settlement.
pub const CHALLENGE_NONE: u8 = 0;
/// `Window::challenge`: a bond is posted.
pub const CHALLENGE_OPEN: u8 = 1;
/// `Window::challenge`: the bond went back or to the insurance.
pub const CHALLENGE_RESOLVED: u8 = 2;

/// Longest pause of a guardian, and how long it then has to rest.
pub const GUARDIAN_PAUSE_MAX_S: u32 = 259_200;
/// Seconds in an hour.
pub const HOUR_S: u64 = 3_600;
/// Seconds in a day.
pub const DAY_S: u64 = 86_400;

/// A window's K, 1e-6 contracts a point, is at least one contract: less would let a crumb move its price.
pub const MIN_K_E6: u64 = 1_000_000;
/// Minutes of a half that windows cover.
pub const HALF_MINUTES: u8 = 45;
/// Milliseconds in a minute.
pub const MINUTE_MS: u32 = 60_000;
/// Milliseconds of a half that windows cover.
pub const HALF_MS: u32 = HALF_MINUTES as u32 * MINUTE_MS;
/// Minutes of the standard windows by id, counted over both halves: quarters of an hour, H1, H2, FT.
pub const SPANS: [(u8, u8); 9] =
    [(0, 15), (15, 30), (30, 45), (45, 60), (60, 75), (75, 90), (0, 45), (45, 90), (0, 90)];
/// Highest window id; those above the standard ones are custom.
pub const MAX_WINDOW_ID: u8 = 15;
/// Shortest custom window.
pub const MIN_CUSTOM_MINUTES: u8 = 10;

/// Why an order ended. All but `Filled` refund everything except the tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    /// Filled at its determined sample; an opposite order perhaps in part, the rest refunded.
    Filled = 0,
    /// The price at its sample was worse than the limit.
    LimitNotMet = 1,
    /// The sample's suspend epoch is not the one at commit.
    Suspended = 2,
    /// The first ripe sample came after the expiry, or none came.
    NoSample = 3,
    /// The window was over at its sample.
    WindowOver = 4,
    /// The period ended before a ripe sample.
    PeriodBreak = 5,
    /// The window is void.
    WindowVoid = 6,
    /// The determined sample may have left the ring.
    SampleGone = 7,
    /// A resting order was cancelled and no trigger before won.
    Cancelled = 8,
    /// The position was liquidated after the order was placed.
    Liquidated = 9,
    /// A reservation cap of pool, match or user.
    Cap = 10,
    /// A reduce-only order found nothing to reduce.
    NothingToReduce = 11,
    /// The cluster restarted after the commit.
    ClusterRestarted = 12,
    /// A resting order's time was over before it was filled.
    Expired = 13,
}
