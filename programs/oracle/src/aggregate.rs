//! The rules by which quotes become samples. Pure: the clock and the signer are arguments.
use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::OracleError,
    state::{Feed, PeriodMark, PublisherQuote, Quote, Sample},
};

/// Check `quote`, write it into its publisher's slot, and aggregate its tick when the quorum is there.
pub fn push(feed: &mut Feed, publisher: &Address, quote: &Quote, unix_s: i64, slot: u64) -> Result<()> {
    require!(feed.status == STATUS_LIVE, OracleError::FeedFinal);
    let n = (feed.n_publishers as usize).min(MAX_PUBLISHERS);
    let who = feed.publishers[..n]
        .iter()
        .position(|key| anchor_lang::address_eq(key, publisher))
        .ok_or(OracleError::NotPublisher)?;
    check(feed, quote, unix_s)?;

    let late = quote.tick <= feed.tick;
    // A late quote for the newest sample is scored against it; an older one has nothing to be compared with.
    let late_by_e6 = (late && quote.tick == feed.tick)
        .then(|| feed.newest().map(|sample| quote.x_e6.abs_diff(sample.x_e6)))
        .flatten();
    let own = &mut feed.quotes[who];
    require!(quote.tick > own.tick, OracleError::TickNotNew);
    *own = PublisherQuote {
        tick: quote.tick,
        data_ms: quote.data_ms,
        play_ms: quote.play_ms,
        x_e6: quote.x_e6,
        mu_e6: quote.mu_e6,
        s_e4: quote.s_e4,
        conf_e4: quote.conf_e4,
        period: quote.period,
        flags: quote.flags,
        suspend_reason: quote.suspend_reason,
        _reserved: [0; 3],
        accepted: own.accepted.wrapping_add(1),
        late: own.late.wrapping_add(late as u32),
        inputs_hash: quote.inputs_hash,
        deviation_e6: own.deviation_e6 + late_by_e6.unwrap_or(0) as u64,
        used: own.used,
        scored: own.scored + late_by_e6.is_some() as u32,
    };
    if late {
        return Ok(());
    }

    let quorum = (feed.min_publishers as usize).max(n / 2 + 1);
    let mut chosen = [0u8; MAX_PUBLISHERS];
    let mut count = 0;
    for (i, other) in feed.quotes[..n].iter().enumerate() {
        if other.tick == quote.tick {
            chosen[count] = i as u8;
            count += 1;
        }
    }
    if count >= quorum {
        aggregate(feed, &chosen[..count], unix_s, slot)?;
    }
    Ok(())
}

/// What one quote must obey on its own and against the newest sample.
fn check(feed: &Feed, quote: &Quote, unix_s: i64) -> Result<()> {
    require!(
        quote.tick > 0
            && quote.x_e6 <= MAX_X_E6
            && quote.mu_e6 <= MAX_X_E6
            && quote.s_e4.abs_diff(S_BIAS) <= MAX_S_E4
            && quote.play_ms <= MAX_PERIOD_PLAY_MS
            && (1..=PERIODS as u8).contains(&quote.period)
            && quote.flags <= FLAGS_ALL
            && quote.suspend_reason <= MAX_SUSPEND_REASON,
        OracleError::BadQuote
    );
    let now_ms = (unix_s.max(0) as u64).saturating_mul(1_000);
    let ahead = feed.start_unix_ms.saturating_add(quote.data_ms as u64);
    require!(ahead <= now_ms.saturating_add(MAX_AHEAD_MS), OracleError::AheadOfClock);
    if quote.tick <= feed.tick {
        return Ok(()); // late: it is only scored
    }
    let next = feed.period + (feed.in_break == 1) as u8;
    require!(quote.period >= next, OracleError::PeriodOver);
    require!(quote.data_ms >= feed.data_ms, OracleError::TimeWentBack);
    if feed.samples > 0 && quote.period == feed.period {
        let start = feed.periods[feed.period as usize - 1].start_play_ms;
        require!(start.saturating_add(quote.play_ms) >= feed.play_ms, OracleError::TimeWentBack);
        let last = &feed.ring[((feed.samples - 1) % RING as u64) as usize];
        let limit = (quote.tick - feed.tick).saturating_mul(MAX_STEP_E6);
        // Both move the forward price.
        let near = quote.x_e6.abs_diff(last.x_e6) <= limit && quote.mu_e6.abs_diff(last.mu_e6) <= limit;
        require!(near, OracleError::StepTooLarge);
    }
    Ok(())
}

/// Turn the quotes of one tick into a sample. `chosen` are their publishers, in order.
fn aggregate(feed: &mut Feed, chosen: &[u8], unix_s: i64, slot: u64) -> Result<()> {
    let last = feed.newest().copied();
    let merged = Merged::of(&feed.quotes, chosen, last.as_ref());
    let last_x = last.map_or(merged.x_e6, |sample| sample.x_e6);
    // Quotes were checked one by one, perhaps against an older sample: keep time and periods in order.
    let data_ms = merged.data_ms.max(feed.data_ms);
    let period = merged.period.max(feed.period + (feed.in_break == 1) as u8).min(PERIODS as u8);
    if period > feed.period {
        open_periods(feed, period, data_ms);
    }
    let row = period as usize - 1;
    let start = feed.periods[row].start_play_ms;
    let play_ms = start.checked_add(merged.play_ms).ok_or(OracleError::BadQuote)?.max(feed.play_ms);

    let area = hold(feed, row, play_ms, last_x)?;
    let suspended = merged.suspended || feed.hold != 0;
    if suspended != feed.suspended() {
        feed.suspend_epoch = feed.suspend_epoch.wrapping_add(1);
        feed.suspended_since_ms = if suspended { data_ms } else { 0 };
    }
    feed.suspend_reason = if feed.hold != 0 { REASON_OPERATOR } else { merged.suspend_reason };
    feed.revised = feed.revised.wrapping_add(merged.revised as u32);
    feed.tick = merged.tick;
    feed.data_ms = data_ms;
    feed.play_ms = play_ms;
    feed.last_slot = slot;
    feed.last_unix_s = unix_s.max(0) as u64;
    let sample = Sample {
        area,
        data_ms,
        play_ms,
        x_e6: merged.x_e6,
        mu_e6: merged.mu_e6,
        s_e4: merged.s_e4,
        conf_e4: merged.conf_e4,
        suspend_epoch: feed.suspend_epoch,
    };
    feed.ring[(feed.samples % RING as u64) as usize] = sample;
    feed.samples += 1;
    feed.hash_chain = chain(&feed.hash_chain, &sample, &feed.quotes[merged.witness as usize].inputs_hash);
    for who in chosen {
        let own = &mut feed.quotes[*who as usize];
        own.deviation_e6 += own.x_e6.abs_diff(merged.x_e6) as u64;
        own.used += 1;
        own.scored += 1;
    }
    if merged.period_end {
        close_period(feed, row, area);
    }
    feed.invariant()
}

/// The quotes of one tick merged field by field.
pub struct Merged {
    pub tick: u32,
    pub data_ms: u32,
    /// In the period.
    pub play_ms: u32,
    pub period: u8,
    pub x_e6: u32,
    pub mu_e6: u32,
    pub s_e4: u32,
    pub conf_e4: u16,
    pub suspended: bool,
    pub suspend_reason: u8,
    pub revised: bool,
    pub period_end: bool,
    /// Publisher whose index is the median: its inputs hash enters the chain.
    pub witness: u8,
}

impl Merged {
    /// Merge the quotes of the publishers `chosen` (1 to 8 of them). Of an even number of votes two stand in the middle,
    /// and of two publishers one may lie: index, mu and s are then what lies between them nearest to the sample before,
    /// so that a liar can hold them back but not take them away.
    pub fn of(quotes: &[PublisherQuote; MAX_PUBLISHERS], chosen: &[u8], last: Option<&Sample>) -> Merged {
        let n = chosen.len();
        let mut scratch = [0u32; MAX_PUBLISHERS];
        let mut middle = |field: fn(&PublisherQuote) -> u32| {
            for (slot, who) in scratch.iter_mut().zip(chosen) {
                *slot = field(&quotes[*who as usize]);
            }
            sort(&mut scratch[..n]);
            (scratch[(n - 1) / 2], scratch[n / 2])
        };
        let (low, high) = middle(|q| q.mu_e6);
        let mu_e6 = last.map_or(low, |sample| sample.mu_e6).clamp(low, high);
        let (low, high) = middle(|q| q.s_e4);
        let s_e4 = last.map_or(low, |sample| sample.s_e4).clamp(low, high);
        let mut median = |field: fn(&PublisherQuote) -> u32| middle(field).0;
        let plain = median(|q| q.x_e6);
        // The lower median of equal values with a strict majority is that value: period by majority.
        let (data_ms, play_ms) = (median(|q| q.data_ms), median(|q| q.play_ms));
        let period = median(|q| q.period as u32);

        let mut votes = [0u32; 3 * MAX_PUBLISHERS];
        let (mut witness, mut suspended, mut suspend_reason) = (None, false, 0);
        let (mut revised, mut ended) = (0, 0);
        for (i, who) in chosen.iter().enumerate() {
            let quote = &quotes[*who as usize];
            let conf_e6 = quote.conf_e4 as u32 * 100;
            votes[3 * i] = quote.x_e6.saturating_sub(conf_e6);
            votes[3 * i + 1] = quote.x_e6;
            votes[3 * i + 2] = (quote.x_e6 + conf_e6).min(MAX_X_E6);
            if quote.x_e6 == plain && witness.is_none() {
                witness = Some(*who);
            }
            revised += (quote.flags & FLAG_REVISED != 0) as usize;
            ended += (quote.flags & FLAG_PERIOD_END != 0) as usize;
            if quote.flags & FLAG_SUSPENDED != 0 {
                suspend_reason = if suspended { suspend_reason } else { quote.suspend_reason };
                suspended = true;
            }
        }
        sort(&mut votes[..3 * n]);
        let quarter = 3 * n / 4;
        let (low, high) = (votes[(3 * n - 1) / 2], votes[3 * n / 2]);
        let p50 = last.map_or(low, |sample| sample.x_e6).clamp(low, high);
        let (p25, p75) = (votes[quarter], votes[3 * n - 1 - quarter]);
        let conf_e6 = (p50 - p25).max(p75 - p50);
        Merged {
            tick: quotes[chosen[0] as usize].tick,
            data_ms,
            play_ms,
            period: period as u8,
            x_e6: p50,
            mu_e6,
            s_e4,
            conf_e4: conf_e6.div_ceil(100).min(u16::MAX as u32) as u16,
            suspended,
            suspend_reason,
            revised: 2 * revised > n,
            period_end: 2 * ended > n,
            witness: witness.unwrap_or(chosen[0]),
        }
    }
}

/// Insertion sort: the fastest for two dozen values at most.
#[inline(never)]
fn sort(values: &mut [u32]) {
    for i in 1..values.len() {
        let value = values[i];
        let mut j = i;
        while j > 0 && values[j - 1] > value {
            values[j] = values[j - 1];
            j -= 1;
        }
        values[j] = value;
    }
}

/// Extend the area to `play_ms` with the last index held for 60 s at most, and write the minute marks passed.
fn hold(feed: &mut Feed, row: usize, play_ms: u32, last_x: u32) -> Result<u64> {
    let area = feed.newest().map_or(0, |sample| sample.area);
    let start = feed.periods[row].start_play_ms;
    let from = feed.play_ms;
    // What follows a suspended sample is suspended, up to the next one.
    let (suspended_ms, rate) = (feed.suspended_ms, feed.suspended() as u32);
    let at = |play: u32| {
        let gap = play - from;
        let held = gap.min(HOLD_MAX_MS);
        (area + last_x as u64 * held as u64, gap - held)
    };
    let mut minute = (from - start) / MINUTE_MS + 1;
    while minute < MINUTE_MARKS as u32 && start + minute * MINUTE_MS <= play_ms {
        let (mark, left_out) = at(start + minute * MINUTE_MS);
        feed.minute_area[row][minute as usize] = mark;
        feed.minute_left_out_ms[row][minute as usize] = feed.left_out_ms + left_out;
        if row < TRADED_PERIODS {
            let suspended = rate * (start + minute * MINUTE_MS - from);
            feed.minute_suspended_ms[row][minute as usize] = suspended_ms + suspended;
        }
        minute += 1;
    }
    let (area, left_out) = at(play_ms);
    feed.left_out_ms += left_out;
    feed.suspended_ms += rate * (play_ms - from);
    Ok(area)
}

/// Start `period`; an earlier one whose end was never quoted ends here.
fn open_periods(feed: &mut Feed, period: u8, data_ms: u32) {
    let area = feed.newest().map_or(0, |sample| sample.area);
    if feed.in_break == 0 {
        close_period(feed, feed.period as usize - 1, area);
    }
    for row in feed.period as usize..period as usize {
        let skipped = row + 1 < period as usize;
        feed.periods[row] = PeriodMark {
            start_play_ms: feed.play_ms,
            end_play_ms: if skipped { feed.play_ms } else { 0 },
            start_data_ms: data_ms,
            end_data_ms: if skipped { data_ms } else { 0 },
            start_area: area,
            end_area: if skipped { area } else { 0 },
        };
        feed.minute_area[row][0] = area;
        feed.minute_left_out_ms[row][0] = feed.left_out_ms;
        if row < TRADED_PERIODS {
            feed.minute_suspended_ms[row][0] = feed.suspended_ms;
        }
    }
    feed.period = period;
    feed.in_break = 0;
}

/// End the running period at the newest sample.
pub(crate) fn close_period(feed: &mut Feed, row: usize, area: u64) {
    let mark = &mut feed.periods[row];
    mark.end_play_ms = feed.play_ms;
    mark.end_data_ms = feed.data_ms;
    mark.end_area = area;
    feed.in_break = 1;
}

/// `sha256(previous | sample | inputs_hash)`.
pub fn chain(previous: &[u8; 32], sample: &Sample, inputs_hash: &[u8; 32]) -> [u8; 32] {
    let mut bytes = [0u8; 96];
    bytes[..32].copy_from_slice(previous);
    bytes[32..64].copy_from_slice(bytemuck::bytes_of(sample));
    bytes[64..].copy_from_slice(inputs_hash);
    sha256(&bytes)
}
