//! Limits of the oracle. Times in milliseconds of match time, prices in 1e-6 points.

/// Most publishers a feed can name.
pub const MAX_PUBLISHERS: usize = 8;
/// Samples kept on chain: sample `i` lies at `ring[i % RING]`.
pub const RING: usize = 512;
/// Periods of a match: two halves and two of extra time.
pub const PERIODS: usize = 4;
/// Periods in which windows are traded: the halves.
pub const TRADED_PERIODS: usize = 2;
/// Minute marks of a period: minutes 0 to 45.
pub const MINUTE_MARKS: usize = 46;
/// Milliseconds in a minute.
pub const MINUTE_MS: u32 = 60_000;
/// Longest time the last index holds; what is beyond it is left out of the area.
pub const HOLD_MAX_MS: u32 = 60_000;
/// A quote's data time may be this far ahead of the cluster's clock.
pub const MAX_AHEAD_MS: u64 = 10_000;
/// A tick is a second of play.
pub const TICK_MS: u32 = 1_000;
/// A tick's number may be this far above the seconds of data time since the feed's start; the first is 1.
pub const TICK_SLACK: u32 = 900;
/// Largest honest move of the index in one tick and one second of data time, and of where it is heading.
pub const MAX_STEP_E6: u32 = 25_000_000;
/// The index lies between 0 and this.
pub const MAX_X_E6: u32 = 100_000_000;
/// A sample whose conf is higher counts as suspended, 1e-4 points: nobody should trade or be liquidated at such a price.
/// In normal play conf is 3,000 to 5,000; a gap adds 200 a second, so the first sample after 80 s is such a one.
pub const MAX_TRADED_CONF_E4: u16 = 20_000;
/// Flags that no majority seconds suspend for so long at a stretch: long enough for the others to see what one saw first.
pub const LONE_SUSPENSION_MS: u32 = 30_000;
/// And for so long in a period, all stretches together: one publisher alone cannot stop the market for good.
pub const LONE_PERIOD_MS: u32 = 120_000;
/// What the beginning of such a suspension costs of it beside its time: it ends every order that waits.
pub const LONE_START_MS: u32 = 5_000;
/// A window at whose end a majority has suspended trading for so many minutes is void.
pub const STILL_MINUTES: u32 = 15;
/// The same in milliseconds.
pub const STILL_MS: u32 = STILL_MINUTES * MINUTE_MS;
/// `s_e4` of an attack that adds nothing.
pub const S_BIAS: u32 = 1 << 31;
/// An attack adds or takes at most 25 points, 1e-4 points.
pub const MAX_S_E4: u32 = 250_000;
/// A period longer than this is a mistake of the keeper.
pub const MAX_PERIOD_PLAY_MS: u32 = 7_200_000;

/// Quote flag: trading must stop.
pub const FLAG_SUSPENDED: u8 = 1;
/// Quote flag: a correction changed the past.
pub const FLAG_REVISED: u8 = 2;
/// Quote flag: this is the last tick of its period.
pub const FLAG_PERIOD_END: u8 = 4;
/// Quote flag: some of the inputs may still change.
pub const FLAG_PROVISIONAL: u8 = 8;
/// All flags together.
pub const FLAGS_ALL: u8 = FLAG_SUSPENDED | FLAG_REVISED | FLAG_PERIOD_END | FLAG_PROVISIONAL;

/// Highest suspend reason (0 none, 1 goal, 2 penalty, 3 VAR, 4 red card, 5 corner, 6 feed loss, 7 operator).
pub const MAX_SUSPEND_REASON: u8 = 7;
/// The suspend reason of a sample whose conf is too high, when no quote gives another.
pub const REASON_FEED_LOSS: u8 = 6;
/// The suspend reason of the operator's hold.
pub const REASON_OPERATOR: u8 = 7;

/// `Feed::status`: publishers push.
pub const STATUS_LIVE: u8 = 0;
/// `Feed::status`: the match is over, nothing changes any more.
pub const STATUS_FINAL: u8 = 1;
/// `Feed::version` and `Config::version`.
pub const VERSION: u8 = 1;

/// `PublisherSet::status` and `Methodology::status`: feeds may be listed with it.
pub const STATUS_ACTIVE: u8 = 0;
/// `PublisherSet::status` and `Methodology::status`: no feed is listed with it any more.
pub const STATUS_RETIRED: u8 = 1;
/// Anyone may finalise a feed that had no sample for so long, in seconds.
pub const SILENCE_S: u64 = 6 * 3_600;
/// `Config::retention_s` of a new config: a week.
pub const DEFAULT_RETENTION_S: u32 = 7 * 86_400;
/// Shortest retention, also of a config that has none. A market's guardian can pause it for 72 h, in which no window can be
/// finalised; then 48 h are left to do it from the feed, without which the window would be void.
pub const MIN_RETENTION_S: u32 = (72 + 48) * 3_600;
/// Longest retention: rent comes back some day.
pub const MAX_RETENTION_S: u32 = 30 * 86_400;
/// A bond is withdrawn so long after the request, in seconds.
pub const BOND_COOLDOWN_S: u64 = 7 * 86_400;
/// A feed with bonded publishers starts at most so many seconds after its listing: whoever asks for the bond the moment
/// it is listed can still be slashed for the match.
pub const MAX_BONDED_LEAD_S: u64 = 4 * 86_400;
/// Any feed starts at most so many seconds after its listing.
pub const MAX_LEAD_S: u64 = 366 * 86_400;
