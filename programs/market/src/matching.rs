//! Which sample an order belongs to and how it ends there: pure rules, no money moves here.
use anchor_lang::prelude::*;
use model::Side;
use oracle::{Feed, Sample};

use crate::{
    constants::*,
    errors::MarketError,
    state::{Order, Position, Window},
    timing::{period_of, sample_ms, Pricing},
};

/// Where an order stands.
pub enum Ripe<'a> {
    /// Its determined sample, by number.
    Sample(u64, &'a Sample),
    /// It ends without a sample.
    Ended(EndReason),
}

/// Find the determined sample of `order`: the first with data time >= commit + delay that landed after the commit.
///
/// `index` is the cranker's claim and is checked, so nobody can choose. Errors: `NotRipe`, `WrongSample`, `SameSlot`.
pub fn determine<'a>(feed: &'a Feed, order: &Order, index: u64, clock: &Clock) -> Result<Ripe<'a>> {
    require!(clock.slot > order.commit_slot, MarketError::SameSlot);
    let ripe = |sample: &Sample| sample_ms(feed, sample) >= order.ripe_ms();
    let oldest = feed.samples.saturating_sub(oracle::RING as u64);
    let newest = feed.newest().filter(|_| feed.samples > order.commit_samples);
    match newest {
        Some(newest) if ripe(newest) => {
            if oldest > order.commit_samples && feed.sample(oldest).is_some_and(ripe) {
                return Ok(Ripe::Ended(EndReason::SampleGone));
            }
            let first = index == order.commit_samples
                || index.checked_sub(1).and_then(|i| feed.sample(i)).is_some_and(|before| !ripe(before));
            let sample = feed.sample(index).filter(|sample| index >= order.commit_samples && first && ripe(sample));
            let sample = sample.ok_or(MarketError::WrongSample)?;
            // The slot of an older sample is not kept; two samples in one slot do not happen at one a second.
            let later = index + 1 < feed.samples || feed.last_slot > order.commit_slot;
            require!(later, MarketError::SameSlot);
            Ok(Ripe::Sample(index, sample))
        }
        _ => {
            // No sample of the order's period can come any more.
            if feed.status == oracle::STATUS_FINAL || feed.period != order.period || feed.in_break == 1 {
                return Ok(Ripe::Ended(EndReason::PeriodBreak));
            }
            let given_up = (clock.unix_timestamp.max(0) as u64).saturating_mul(1_000)
                > order.expires_ms().saturating_add(EXPIRY_GRACE_MS);
            require!(given_up, MarketError::NotRipe);
            Ok(Ripe::Ended(EndReason::NoSample))
        }
    }
}

/// What a filled order does.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    pub qty_e6: u64,
    pub price_e6: u32,
    pub forward_e6: u32,
    /// Closes an opposite position instead of opening.
    pub closes: bool,
}

/// Decide how `order` ends at `sample`: a fill, or the first reason against it.
pub fn decide(
    feed: &Feed,
    sample: &Sample,
    order: &Order,
    window: &Window,
    position: &Position,
) -> Result<core::result::Result<Fill, EndReason>> {
    if period_of(feed, sample) != order.period {
        return Ok(Err(EndReason::PeriodBreak));
    }
    if sample_ms(feed, sample) > order.expires_ms() {
        return Ok(Err(EndReason::NoSample));
    }
    if sample.suspend_epoch % 2 == 1 || sample.suspend_epoch != order.suspend_epoch {
        return Ok(Err(EndReason::Suspended));
    }
    execute(feed, sample, order, window, position)
}

/// What `order` does at its fill sample: a fill at that price, or the reason against it.
pub fn execute(
    feed: &Feed,
    sample: &Sample,
    order: &Order,
    window: &Window,
    position: &Position,
) -> Result<core::result::Result<Fill, EndReason>> {
    let pricing = Pricing::of(feed, sample, window)?;
    if pricing.at.left_ms == 0 {
        return Ok(Err(EndReason::WindowOver));
    }
    let side = Side::from_u8(order.side).ok_or(MarketError::InvariantBroken)?;
    let closes = position.qty_e6 > 0 && position.side != order.side;
    if order.reduce_only() && !closes {
        return Ok(Err(EndReason::NothingToReduce));
    }
    let qty_e6 = if closes { order.qty_e6.min(position.qty_e6) } else { order.qty_e6 };
    let price_e6 = pricing.fill_price(side, qty_e6, window)?;
    if !order.accepts(side, price_e6) {
        return Ok(Err(EndReason::LimitNotMet));
    }
    Ok(Ok(Fill { qty_e6, price_e6, forward_e6: pricing.forward_e6, closes }))
}
