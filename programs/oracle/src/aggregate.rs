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
    require!(quote.tick <= quote.data_ms / TICK_MS + TICK_SLACK, OracleError::TickAhead);
    if quote.tick <= feed.tick {
        return Ok(()); // late: it is only scored
    }
    let next = feed.period + (feed.in_break == 1) as u8;
    require!(quote.period >= next, OracleError::PeriodOver);
    require!(quote.data_ms >= feed.data_ms, OracleError::TimeWentBack);
    if feed.samples > 0 {
        // By the second of data time too: tick numbers are cheap.
        let mut limit = (quote.data_ms - feed.data_ms).saturating_mul(MAX_STEP_E6 / TICK_MS);
        if quote.period == feed.period {
            let start = feed.periods[feed.period as usize - 1].start_play_ms;
            require!(start.saturating_add(quote.play_ms) >= feed.play_ms, OracleError::TimeWentBack);
            limit = limit.min((quote.tick - feed.tick).saturating_mul(MAX_STEP_E6));
        }
        let last = &feed.ring[((feed.samples - 1) % RING as u64) as usize];
        // Both move the forward price.
        let near = quote.x_e6.abs_diff(last.x_e6) <= limit && quote.mu_e6.abs_diff(last.mu_e6) <= limit;
        require!(near, OracleError::StepTooLarge);
    }
    Ok(())
}

/// Turn the quotes of one tick into a sample. `chosen` are their publishers, in order.
fn aggregate(feed: &mut Feed, chosen: &[u8], unix_s: i64, slot: u64) -> Result<()> {
    let last = feed.newest().copied();
    // A tick is a second of play, and of data while play runs.
    let due = (feed.samples > 0 && feed.in_break == 0).then(|| {
        let tick = feed.quotes[chosen[0] as usize].tick;
        let passed = (tick - feed.tick).saturating_mul(TICK_MS);
        let play = feed.play_ms - feed.periods[feed.period as usize - 1].start_play_ms;
        Due { period: feed.period, data_ms: feed.data_ms.saturating_add(passed), play_ms: play.saturating_add(passed) }
    });
    let merged = Merged::of(&feed.quotes, chosen, last.as_ref(), due);
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
    let suspended = suspends(feed, &merged, data_ms, play_ms);
    if suspended != feed.suspended() {
        feed.suspend_epoch = feed.suspend_epoch.wrapping_add(1);
        feed.suspended_since_ms = if suspended { data_ms } else { 0 };
    }
    feed.suspend_reason = match (suspended, feed.hold != 0, merged.flagged) {
        (false, _, _) => 0,
        (_, true, _) => REASON_OPERATOR,
        (_, _, true) => merged.suspend_reason,
        _ => REASON_FEED_LOSS,
    };
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

/// Whether the next sample is suspended: by a majority, by the operator's hold, or by a minority of flags for as long as
/// such may suspend. Keeps count of how long a majority has done so, and minorities.
fn suspends(feed: &mut Feed, merged: &Merged, data_ms: u32, play_ms: u32) -> bool {
    let seconded = merged.conf_e4 > MAX_TRADED_CONF_E4 || merged.most_flag || most_flag(feed);
    if feed.lone_suspends(feed.data_ms) {
        feed.lone_ms = feed.lone_ms.saturating_add(data_ms - feed.data_ms);
    }
    if seconded || !merged.flagged {
        feed.lone_since_ms = 0;
    } else if feed.lone_since_ms == 0 {
        feed.lone_since_ms = data_ms + 1;
        if !feed.suspended() {
            // Every beginning ends the orders that wait: it costs more than its time.
            feed.lone_ms = feed.lone_ms.saturating_add(LONE_START_MS);
        }
    }
    if !seconded {
        feed.still_since_ms = 0;
    } else if feed.still_since_ms == 0 {
        feed.still_since_ms = play_ms + 1;
    }
    seconded || feed.hold != 0 || feed.lone_suspends(data_ms)
}

/// Whether more than half of the publishers who quoted this tick or the one before flag a suspension. Of two quotes that
/// make a quorum one may be a liar's: then the flag of the third, who is late, seconds that of the other.
fn most_flag(feed: &Feed) -> bool {
    let (mut flags, mut voters) = (0u32, 0u32);
    for quote in &feed.quotes[..(feed.n_publishers as usize).min(MAX_PUBLISHERS)] {
        if quote.tick >= feed.tick && quote.tick > 0 {
            voters += 1;
            flags += (quote.flags & FLAG_SUSPENDED) as u32;
        }
    }
    2 * flags > voters
}

/// Where time should stand at a tick of the running period, from the sample before.
#[derive(Clone, Copy)]
pub struct Due {
    pub period: u8,
    pub data_ms: u32,
    /// In the period.
    pub play_ms: u32,
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
    /// Whether any quote asks for a suspension.
    pub flagged: bool,
    /// Whether more than half of them do.
    pub most_flag: bool,
    pub suspend_reason: u8,
    pub revised: bool,
    pub period_end: bool,
    /// Publisher whose index is the median: its inputs hash enters the chain.
    pub witness: u8,
}

impl Merged {
    /// Merge the quotes of the publishers `chosen` (1 to 8 of them). Each votes three times for the index: for its own, and
    /// for its own less and plus its conf, so that the unsure pull less; the votes of f liars among 2f + 1 quotes never
    /// reach beyond those of the honest, whatever conf they claim. Of an even number of votes two stand in the middle,
    /// and of two publishers one may lie: index, mu and s are then what lies between them nearest to the sample before,
    /// so that a liar can hold them back but not take them away, and the times what lies nearest to `due`, so that he
    /// can neither stop the clock of a running period nor put it forward. Where a period begins, the lower time counts.
    pub fn of(
        quotes: &[PublisherQuote; MAX_PUBLISHERS],
        chosen: &[u8],
        last: Option<&Sample>,
        due: Option<Due>,
    ) -> Merged {
        let n = chosen.len();
        let mut picked = [&quotes[0]; MAX_PUBLISHERS];
        for (slot, who) in picked.iter_mut().zip(chosen) {
            *slot = &quotes[*who as usize];
        }
        let picked = &picked[..n];
        let mut scratch = [u32::MAX; MAX_PUBLISHERS + 1];
        let mut middle = |field: fn(&PublisherQuote) -> u32| {
            for (slot, quote) in scratch.iter_mut().zip(picked) {
                *slot = field(quote);
            }
            sort(&mut scratch[..n]);
            (scratch[(n - 1) / 2], scratch[n / 2])
        };
        let (low, high) = middle(|q| q.mu_e6);
        let mu_e6 = last.map_or(low, |sample| sample.mu_e6).clamp(low, high);
        let (low, high) = middle(|q| q.s_e4);
        let s_e4 = last.map_or(low, |sample| sample.s_e4).clamp(low, high);
        // The lower median of equal values with a strict majority is that value: period by majority.
        let period = middle(|q| q.period as u32).0;
        let due = due.filter(|due| due.period as u32 == period);
        let (low, high) = middle(|q| q.data_ms);
        let data_ms = due.map_or(low, |due| due.data_ms).clamp(low, high);
        let (low, high) = middle(|q| q.play_ms);
        let play_ms = due.map_or(low, |due| due.play_ms).clamp(low, high);
        let mut median = |field: fn(&PublisherQuote) -> u32| middle(field).0;
        // Of what the quotes say, not of how far their indices lie apart: a liar's index must not widen it.
        let conf_e4 = median(|q| q.conf_e4 as u32);
        let plain = median(|q| q.x_e6);

        // Sorted one by one and merged: far cheaper than to sort all 3n votes. One slot more ends each row.
        let mut votes = [[u32::MAX; MAX_PUBLISHERS + 1], scratch, [u32::MAX; MAX_PUBLISHERS + 1]];
        let (mut witness, mut flags, mut suspend_reason) = (None, 0, 0);
        let (mut revised, mut ended) = (0, 0);
        for (i, quote) in picked.iter().enumerate() {
            let conf_e6 = quote.conf_e4 as u32 * 100;
            votes[0][i] = quote.x_e6.saturating_sub(conf_e6);
            votes[2][i] = (quote.x_e6 + conf_e6).min(MAX_X_E6);
            if quote.x_e6 == plain && witness.is_none() {
                witness = Some(chosen[i]);
            }
            revised += (quote.flags & FLAG_REVISED != 0) as usize;
            ended += (quote.flags & FLAG_PERIOD_END != 0) as usize;
            if quote.flags & FLAG_SUSPENDED != 0 {
                suspend_reason = if flags > 0 { suspend_reason } else { quote.suspend_reason };
                flags += 1;
            }
        }
        sort(&mut votes[0][..n]);
        sort(&mut votes[2][..n]);
        let (low, high) = middle_of(&votes, 3 * n);
        let x_e6 = last.map_or(low, |sample| sample.x_e6).clamp(low, high);
        Merged {
            tick: picked[0].tick,
            data_ms,
            play_ms,
            period: period as u8,
            x_e6,
            mu_e6,
            s_e4,
            conf_e4: conf_e4 as u16,
            flagged: flags > 0,
            most_flag: 2 * flags > n,
            suspend_reason,
            revised: 2 * revised > n,
            period_end: 2 * ended > n,
            witness: witness.unwrap_or(chosen[0]),
        }
    }
}

/// The two in the middle of the `total` votes in three sorted rows; the same one twice where `total` is odd.
#[inline(never)]
fn middle_of(rows: &[[u32; MAX_PUBLISHERS + 1]; 3], total: usize) -> (u32, u32) {
    let mut at = [0usize; 3];
    let (mut before, mut value) = (0, 0);
    for _ in 0..=total / 2 {
        let heads = [rows[0][at[0]], rows[1][at[1]], rows[2][at[2]]];
        let mut least = if heads[1] < heads[0] { 1 } else { 0 };
        if heads[2] < heads[least] {
            least = 2;
        }
        before = value;
        value = heads[least];
        at[least] += 1;
    }
    (if total % 2 == 0 { before } else { value }, value)
}

/// Insertion sort: the fastest for so few values.
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
            let since = feed.still_since_ms;
            if minute >= STILL_MINUTES && since != 0 && start + minute * MINUTE_MS + 1 - since >= STILL_MS {
                feed.still_minutes[row] |= 1 << (minute - STILL_MINUTES);
            }
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
    feed.lone_ms = 0;
    feed.lone_since_ms = 0;
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
