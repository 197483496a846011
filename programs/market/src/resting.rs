//! When a resting order fills and when it is over: pure rules, no money moves here.
//!
//! The crank names a trigger sample; the fill is at the first sample `delay` later, as for a market order committed at
//! the trigger. Nothing is stored in between: where either does not hold the order rests on, whoever asks.
use anchor_lang::prelude::*;
use model::Side;
use oracle::{Feed, Sample};

use crate::{
    constants::*,
    errors::MarketError,
    state::{Order, Position, Window},
    timing::{clock_ms, period_of, progress, sample_ms, Pricing},
};

/// Number and sample at which `order` fills if sample `index` triggers it; None where it does not.
///
/// A trigger lies after the commit and before the order's end in data time, and play goes on undisturbed from it to
/// the fill and to now: what has been suspended since is known to everybody. One that nobody cranked for
/// `TRIGGER_LIFE_MS` is void: who could choose among old ones had a free look.
pub fn fill_sample<'a>(
    feed: &'a Feed,
    order: &Order,
    window: &Window,
    position: &Position,
    index: u64,
) -> Result<Option<(u64, &'a Sample)>> {
    let Some(trigger) = feed.sample(index).filter(|_| index >= order.commit_samples) else {
        return Ok(None);
    };
    let at_ms = sample_ms(feed, trigger);
    let ripe_ms = at_ms + order.delay_ms as u64;
    let in_time = at_ms >= order.commit_ms && (order.until_ms == 0 || at_ms < order.until_ms);
    let Some(newest) = feed.newest().filter(|newest| newest.suspend_epoch == trigger.suspend_epoch) else {
        return Ok(None);
    };
    if !in_time || trigger.suspend_epoch % 2 == 1 {
        return Ok(None);
    }
    let mut number = index + 1;
    let fill = loop {
        match feed.sample(number) {
            Some(sample) if sample_ms(feed, sample) >= ripe_ms => break sample,
            Some(_) => number += 1,
            None => return Ok(None),
        }
    };
    // From the fill sample on: where samples are rare there was nothing to choose from before it. Never once the order
    // can be ended as cancelled or expired: nobody has the choice.
    let newest_ms = sample_ms(feed, newest);
    let ended = order.until_ms != 0 && newest_ms >= order.until_ms + order.delay_ms as u64 + CANCEL_GRACE_MS;
    if ended || newest_ms > sample_ms(feed, fill) + TRIGGER_LIFE_MS {
        return Ok(None);
    }
    let undisturbed = fill.suspend_epoch == trigger.suspend_epoch && period_of(feed, fill) == period_of(feed, trigger);
    if !undisturbed || !triggers(feed, trigger, order, window, position)? {
        return Ok(None);
    }
    Ok(Some((number, fill)))
}

/// Whether the order's condition holds at `sample`.
fn triggers(feed: &Feed, sample: &Sample, order: &Order, window: &Window, position: &Position) -> Result<bool> {
    let side = Side::from_u8(order.side).ok_or(MarketError::InvariantBroken)?;
    let pricing = Pricing::of(feed, sample, window)?;
    if order.kind == KIND_LIMIT {
        let closes = position.qty_e6 > 0 && position.side != order.side;
        let qty_e6 = if closes { order.qty_e6.min(position.qty_e6) } else { order.qty_e6 };
        return Ok(order.accepts(side, pricing.fill_price(side, qty_e6, window)?));
    }
    // A sale stops a long's loss when the price has fallen, and takes its profit when it has risen; a purchase the
    // other way round.
    let falling = (order.kind == KIND_STOP_LOSS) == (side == Side::Short);
    Ok(match falling {
        true => pricing.forward_e6 <= order.trigger_e6,
        false => pricing.forward_e6 >= order.trigger_e6,
    })
}

/// Why a resting order that no trigger fills is over; None while it rests on.
pub fn over(feed: &Feed, order: &Order, window: &Window, clock: &Clock) -> Result<Option<EndReason>> {
    let newest = feed.newest();
    let ended = match newest {
        Some(newest) => progress(feed, newest, window)?.left_ms == 0,
        None => false,
    };
    if order.until_ms > 0 {
        let closed_ms = order.until_ms + order.delay_ms as u64 + CANCEL_GRACE_MS;
        // A feed that stands still, as at half-time, triggers nothing: then the cluster's clock will do.
        let passed = newest.is_some_and(|newest| sample_ms(feed, newest) >= closed_ms)
            || clock_ms(clock) > closed_ms + EXPIRY_GRACE_MS;
        if passed {
            return Ok(Some(if order.cancelled == 1 { EndReason::Cancelled } else { EndReason::Expired }));
        }
    }
    Ok((ended || feed.status == oracle::STATUS_FINAL).then_some(EndReason::WindowOver))
}
