//! Where a window stands at a sample: pure functions over the oracle's feed.
//!
//! Windows are nominal minutes of a half; added time belongs to none. How long added time will be is not known ahead,
//! so the way to a later half counts its nominal rest only, and FT's halves count as joined.
use anchor_lang::{pinocchio::sysvars::get_sysvar, prelude::*};
use oracle::{Feed, Sample};

use crate::{
    constants::*,
    errors::MarketError,
    state::{math, Window},
};

/// Minutes `from..to` of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub period: u8,
    pub from: u8,
    pub to: u8,
}

impl Part {
    /// Length in milliseconds.
    pub fn length_ms(&self) -> u32 {
        (self.to - self.from) as u32 * MINUTE_MS
    }
}

/// The parts of a window between two nominal times: of the first half, of the second; one of them may be empty.
#[inline(never)]
fn halves(window: &Window) -> [Part; 2] {
    let part = |period: u8, kick_off_ms: u32| {
        let minute = |at_ms: u32| (at_ms.clamp(kick_off_ms, kick_off_ms + HALF_MS) - kick_off_ms) / MINUTE_MS;
        Part { period, from: minute(window.start_ms) as u8, to: minute(window.end_ms) as u8 }
    };
    [part(1, 0), part(2, HALF_MS)]
}

/// The parts of a window that are not empty, in the order of play.
fn parts(window: &Window) -> impl Iterator<Item = Part> {
    halves(window).into_iter().filter(|part| part.to > part.from)
}

/// The last part of a window.
fn last_part(window: &Window) -> Part {
    let [first, second] = halves(window);
    if second.to > second.from {
        second
    } else {
        first
    }
}

/// A window as of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Measured so far, 1e-6 points x ms.
    pub area: u64,
    /// Play left in it.
    pub left_ms: u32,
    /// Play until it starts; 0 once it has.
    pub lead_ms: u32,
    /// Of its past, not measured or not played.
    pub left_out_ms: u32,
}

/// Period (1..=4) in which `sample` was taken.
pub fn period_of(feed: &Feed, sample: &Sample) -> u8 {
    let started = |period: u8| {
        let mark = &feed.periods[period as usize - 1];
        sample.data_ms >= mark.start_data_ms && sample.play_ms >= mark.start_play_ms
    };
    let mut period = feed.period.min(oracle::PERIODS as u8);
    while period > 1 && !started(period) {
        period -= 1;
    }
    period
}

/// A part that play has passed, or whose period is over: (area, left out).
fn past(feed: &Feed, part: &Part) -> (u64, u32) {
    let Some((area_from, out_from)) = feed.minute_mark(part.period, part.from) else {
        return (0, part.length_ms()); // the period ended before the part began
    };
    if let Some((area_to, out_to)) = feed.minute_mark(part.period, part.to) {
        return (area_to - area_from, out_to - out_from);
    }
    let row = &feed.periods[part.period as usize - 1];
    let area = if feed.ended(part.period) { row.end_area } else { feed.newest().map_or(area_from, |s| s.area) };
    let played = feed.period_play_ms(part.period).unwrap_or(0) - part.from as u32 * MINUTE_MS;
    let out = feed.left_out_ms.saturating_sub(out_from).min(played);
    (area.saturating_sub(area_from), part.length_ms() - played + out)
}

/// Where `window` stands at `sample`.
#[inline(never)]
pub fn progress(feed: &Feed, sample: &Sample, window: &Window) -> Result<Progress> {
    let period = period_of(feed, sample);
    require!(period > 0, MarketError::NoSample);
    let play = sample.play_ms.saturating_sub(feed.periods[period as usize - 1].start_play_ms);
    let mut at = Progress::default();
    let mut begun = false;
    for part in parts(window) {
        let (from, to) = (part.from as u32 * MINUTE_MS, part.to as u32 * MINUTE_MS);
        if period > part.period || (period == part.period && play >= to) {
            let (area, out) = past(feed, &part);
            at.area += area;
            at.left_out_ms += out;
            begun = true;
        } else if period == part.period && play >= from {
            let (area_from, out_from) = feed.minute_mark(part.period, part.from).ok_or(MarketError::InvariantBroken)?;
            at.area += sample.area.saturating_sub(area_from);
            // Exact for the newest sample; of an older one a gap since is counted too.
            let out = feed.left_out_ms.saturating_sub(out_from).min(play - from);
            at.left_out_ms += out;
            at.left_ms += to - play;
            begun = true;
        } else {
            if !begun {
                let halves = (part.period - period) as u32;
                let rest = if halves > 0 { HALF_MS.saturating_sub(play) + (halves - 1) * HALF_MS } else { 0 };
                at.lead_ms = if halves > 0 { rest + from } else { from - play };
            }
            at.left_ms += part.length_ms();
            begun = true;
        }
    }
    Ok(at)
}

/// How a window ended: (area, milliseconds left out). None while it can still go on.
///
/// `over`: the feed is final or abandoned, so what was not played will not be.
pub fn outcome(feed: &Feed, window: &Window, over: bool) -> Option<(u64, u32)> {
    let (mut area, mut left_out) = (0u64, 0u32);
    for part in parts(window) {
        let complete = feed.minute_mark(part.period, part.to).is_some() || feed.ended(part.period);
        if !complete && !over {
            return None;
        }
        let (a, out) = past(feed, &part);
        area += a;
        left_out += out;
    }
    Some((area, left_out))
}

/// Whether a majority of the publishers had suspended trading for all of the last 15 minutes of `window`: nobody could act
/// on what it measured, and neither one publisher nor the operator's hold did it.
pub fn stood_still(feed: &Feed, window: &Window) -> bool {
    let last = last_part(window);
    feed.stood_still(last.period, last.to)
}

/// What a trade is priced with.
#[derive(Clone, Copy, Debug)]
pub struct Pricing {
    pub at: Progress,
    pub period: u8,
    pub forward_e6: u32,
    pub half_spread_e6: u32,
    pub conf_e4: u16,
    envelope: (u32, u32),
}

impl Pricing {
    /// Forward price, spread and envelope of `window` at `sample`.
    #[inline(never)]
    pub fn of(feed: &Feed, sample: &Sample, window: &Window) -> Result<Pricing> {
        let at = progress(feed, sample, window)?;
        let w_ms = window.w_ms - at.left_out_ms.min(window.w_ms - 1);
        let forward_e6 =
            math(model::forward(at.area, at.left_ms, at.lead_ms, sample.x_e6, sample.mu_e6, sample.s_e4, w_ms))?;
        Ok(Pricing {
            at,
            period: period_of(feed, sample),
            forward_e6,
            half_spread_e6: model::half_spread(at.left_ms, at.lead_ms),
            conf_e4: sample.conf_e4,
            envelope: math(model::envelope(at.area, at.left_ms, w_ms))?,
        })
    }

    /// Price of a trade of `qty_e6` in direction `side`.
    #[inline(never)]
    pub fn fill_price(&self, side: model::Side, qty_e6: u64, window: &Window) -> Result<u32> {
        math(model::fill_price(
            side,
            qty_e6,
            self.forward_e6,
            self.half_spread_e6,
            self.conf_e4,
            window.oi_long_e6,
            window.oi_short_e6,
            window.k_e6,
            self.envelope,
        ))
    }
}

/// Absolute data time of a sample.
pub fn sample_ms(feed: &Feed, sample: &Sample) -> u64 {
    feed.start_unix_ms + sample.data_ms as u64
}

/// The cluster's clock in milliseconds; it has whole seconds only and never prices anything.
pub fn clock_ms(clock: &Clock) -> u64 {
    (clock.unix_timestamp.max(0) as u64).saturating_mul(1_000)
}

/// The newest sample, if margin may be measured on it: at most `max_age_ms` old, not suspended, and landed since the
/// cluster's last restart, before which nobody could act on it.
pub fn fresh_sample<'a>(feed: &'a Feed, max_age_ms: u64, clock: &Clock) -> Result<&'a Sample> {
    let sample = feed.newest().ok_or(MarketError::NoSample)?;
    let age_ms = clock_ms(clock).saturating_sub(sample_ms(feed, sample));
    require!(age_ms <= max_age_ms && feed.last_slot > last_restart_slot()?, MarketError::StaleSample);
    require!(sample.suspend_epoch % 2 == 0, MarketError::Suspended);
    Ok(sample)
}

/// Slot in which the cluster was last restarted by hand; 0 when it never was.
pub fn last_restart_slot() -> Result<u64> {
    let mut slot = [0u8; 8];
    get_sysvar(&mut slot, &LAST_RESTART_SLOT, 0)?;
    Ok(u64::from_le_bytes(slot))
}

/// When a commit made now counts as made: the end of the cluster's second, or the feed's data time if that is later.
pub fn commit_ms(clock: &Clock, feed: Option<&Feed>) -> u64 {
    let known = feed.map_or(0, |feed| feed.start_unix_ms + feed.data_ms as u64);
    (clock_ms(clock) + 999).max(known)
}

/// The feed behind `view`; None when it was closed.
pub fn live_feed(view: &AccountView) -> Result<Option<Account<Feed>>> {
    if view.owned_by(&oracle::ID) {
        return Ok(Some(Account::<Feed>::load(*view)?));
    }
    require!(view.data_len() == 0 && view.owned_by(&System::id()), MarketError::WrongFeed);
    Ok(None)
}

/// Play of the feed for which `window` pays the borrow fee: not suspended, and not after the window's end.
pub fn chargeable_ms(feed: &Feed, window: &Window) -> u32 {
    let now = feed.play_ms.saturating_sub(feed.suspended_ms);
    let last = last_part(window);
    let Some(mark) = feed.periods.get(last.period as usize - 1).filter(|_| feed.started(last.period)) else {
        return now;
    };
    if let Some(suspended) = feed.suspended_mark(last.period, last.to) {
        return mark.start_play_ms + last.to as u32 * MINUTE_MS - suspended;
    }
    if feed.ended(last.period) {
        // Cut short: what was suspended after it lowers the fee, never raises it.
        return mark.end_play_ms.saturating_sub(feed.suspended_ms);
    }
    now
}
