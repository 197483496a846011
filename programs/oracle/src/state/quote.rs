use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

/// One publisher's view of one tick: the argument of `push_quote`.
#[derive(Clone, Copy, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Quote {
    /// Running number of the tick; starts at 1 and grows with every second of play.
    pub tick: u32,
    /// Time up to which the feed is known, milliseconds since its start.
    pub data_ms: u32,
    /// Milliseconds since the period's kick-off.
    pub play_ms: u32,
    /// 1, 2: the halves; 3, 4: extra time.
    pub period: u8,
    /// 1 suspended, 2 revised, 4 last tick of the period, 8 provisional.
    pub flags: u8,
    /// 0 none, 1 goal, 2 penalty, 3 VAR, 4 red card, 5 corner, 6 feed loss, 7 operator.
    pub suspend_reason: u8,
    pub _pad: u8,
    /// The index, 0..100e6.
    pub x_e6: u32,
    /// Where the index is heading, 0..100e6.
    pub mu_e6: u32,
    /// What the present attack is about to add, 1e-4 points plus 2^31.
    pub s_e4: u32,
    /// Standard error of the forward price's mean, 1e-4 points.
    pub conf_e4: u16,
    /// SHA-256 of the tick's ten input integers.
    pub inputs_hash: [u8; 32],
}

/// A publisher's last quote and its score, as kept in the feed.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable, IdlType)]
pub struct PublisherQuote {
    pub tick: u32,
    pub data_ms: u32,
    /// Milliseconds since the period's kick-off.
    pub play_ms: u32,
    pub x_e6: u32,
    pub mu_e6: u32,
    pub s_e4: u32,
    pub conf_e4: u16,
    pub period: u8,
    pub flags: u8,
    pub suspend_reason: u8,
    pub _reserved: [u8; 3],
    /// Quotes accepted from this publisher.
    pub accepted: u32,
    /// Of these, quotes that came after their tick was aggregated.
    pub late: u32,
    pub inputs_hash: [u8; 32],
    /// Sum of |index - median| over the `scored` ticks, 1e-6 points.
    pub deviation_e6: u64,
    /// Ticks whose sample this publisher's quote entered.
    pub used: u32,
    /// Ticks in `deviation_e6`: those it entered, and late ones that came before the next sample.
    pub scored: u32,
}
