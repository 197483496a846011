use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

use crate::{constants::*, errors::OracleError, state::PublisherQuote};

/// One aggregated tick, 32 bytes; its bytes enter the feed's hash chain.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Sample {
    /// Integral of the index over play since the feed's start, 1e-6 points x ms.
    pub area: u64,
    /// Time up to which the feed is known, milliseconds since its start.
    pub data_ms: u32,
    /// Play time, cumulative over the periods.
    pub play_ms: u32,
    pub x_e6: u32,
    pub mu_e6: u32,
    /// 1e-4 points plus 2^31.
    pub s_e4: u32,
    pub conf_e4: u16,
    /// Odd while suspended.
    pub suspend_epoch: u16,
}

/// Where a period starts and ends; `end_*` of the running period are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct PeriodMark {
    pub start_play_ms: u32,
    pub end_play_ms: u32,
    pub start_data_ms: u32,
    pub end_data_ms: u32,
    pub start_area: u64,
    pub end_area: u64,
}

/// The index of one match. PDA `["feed", config, match_id]`.
#[account]
pub struct Feed {
    pub version: u8,
    pub bump: u8,
    pub n_publishers: u8,
    pub min_publishers: u8,
    /// Running or last period; 0 before the first kick-off.
    pub period: u8,
    /// 1 before kick-off and between periods.
    pub in_break: u8,
    /// Why trading is suspended; 0 while it is not.
    pub suspend_reason: u8,
    /// 0 live, 1 final.
    pub status: u8,
    /// The provider's match id in ASCII, zero padded; SHA-256 of it when longer.
    pub match_id: [u8; 32],
    pub config: Address,
    /// Gets the rent back when the feed closes.
    pub rent_receiver: Address,
    /// Hash of the index's specification.
    pub methodology: [u8; 32],
    pub start_unix_ms: u64,
    /// Samples so far; the newest is number `samples - 1`.
    pub samples: u64,
    /// Slot in which the newest sample landed.
    pub last_slot: u64,
    /// Tick of the newest sample.
    pub tick: u32,
    pub data_ms: u32,
    /// Cumulative over the periods.
    pub play_ms: u32,
    /// Ticks aggregated after a correction had changed the past.
    pub revised: u32,
    /// Play time that no sample covers, in no area.
    pub left_out_ms: u32,
    /// Grows by one at every suspension and every resumption: odd while suspended.
    pub suspend_epoch: u16,
    /// 1 while the operator holds the feed suspended.
    pub hold: u8,
    /// Bit `i` is set once the score of publisher `i` went into its bond account.
    pub scores_recorded: u8,
    /// `h = sha256(h | sample | inputs_hash)`, from 32 zero bytes.
    pub hash_chain: [u8; 32],
    pub publishers: [Address; 8],
    pub quotes: [PublisherQuote; 8],
    pub periods: [PeriodMark; 4],
    /// Cluster time of the newest sample, of the listing before the first.
    pub last_unix_s: u64,
    /// Cluster time at which the feed became final; 0 before.
    pub finalised_unix_s: u64,
    /// Play time covered by samples that were suspended: from a suspended sample to the next one.
    pub suspended_ms: u32,
    /// `data_ms` of the sample with which the present suspension began; 0 while there is none.
    pub suspended_since_ms: u32,
    /// Number of the publisher set that the feed was listed with.
    pub set_id: u32,
    /// Play time at which a majority began to suspend, plus 1; 0 while none does.
    pub still_since_ms: u32,
    /// `data_ms` at which flags without a majority began, plus 1; 0 while there are none.
    pub lone_since_ms: u32,
    /// How long such flags have suspended the running period, with what their beginnings cost.
    pub lone_ms: u32,
    /// Of each half: bit `i` is set where a majority had suspended the 15 minutes before minute `15 + i`.
    pub still_minutes: [u32; 2],
    /// `Sample::area` at each full minute of each period.
    pub minute_area: [[u64; 46]; 4],
    /// `Feed::left_out_ms` at each full minute of each period.
    pub minute_left_out_ms: [[u32; 46]; 4],
    /// `Feed::suspended_ms` at each full minute of each half (not of extra time, which has no windows).
    pub minute_suspended_ms: [[u32; 46]; 2],
    pub ring: [Sample; 512],
}

impl Feed {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Feed>();

    /// Whether trading is suspended.
    pub fn suspended(&self) -> bool {
        self.suspend_epoch % 2 == 1
    }

    /// Whether flags without a majority suspend a sample of `data_ms`.
    pub fn lone_suspends(&self, data_ms: u32) -> bool {
        let since = self.lone_since_ms;
        since != 0 && data_ms + 1 - since < LONE_SUSPENSION_MS && self.lone_ms < LONE_PERIOD_MS
    }

    /// Sample `index`, unless it does not exist yet or has left the ring.
    pub fn sample(&self, index: u64) -> Option<&Sample> {
        let held = index < self.samples && self.samples - index <= RING as u64;
        held.then(|| &self.ring[(index % RING as u64) as usize])
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<&Sample> {
        self.sample(self.samples.checked_sub(1)?)
    }

    /// Whether `period` (1..=4) has started.
    pub fn started(&self, period: u8) -> bool {
        period >= 1 && period <= self.period
    }

    /// Whether `period` (1..=4) has ended.
    pub fn ended(&self, period: u8) -> bool {
        self.started(period) && (period < self.period || self.in_break == 1)
    }

    /// Cumulative play time at which `period` (1..=4) starts; None before it does.
    pub fn period_start_ms(&self, period: u8) -> Option<u32> {
        self.started(period).then(|| self.periods[period as usize - 1].start_play_ms)
    }

    /// Milliseconds of play of `period` so far; None before it starts.
    pub fn period_play_ms(&self, period: u8) -> Option<u32> {
        let start = self.period_start_ms(period)?;
        let end = if self.ended(period) { self.periods[period as usize - 1].end_play_ms } else { self.play_ms };
        Some(end - start)
    }

    /// (area, left-out ms) at `minute` (0..=45) of `period` (1..=4); None before it is reached.
    pub fn minute_mark(&self, period: u8, minute: u8) -> Option<(u64, u32)> {
        let (row, column) = self.reached(period, minute)?;
        Some((self.minute_area[row][column], self.minute_left_out_ms[row][column]))
    }

    /// Suspended ms at `minute` (0..=45) of `period` (1 or 2); None before it is reached.
    pub fn suspended_mark(&self, period: u8, minute: u8) -> Option<u32> {
        let (row, column) = self.reached(period, minute)?;
        self.minute_suspended_ms.get(row).map(|marks| marks[column])
    }

    /// Whether a majority of the publishers had suspended trading for all of the 15 minutes before `minute` (15..=45) of
    /// `period` (1 or 2). The operator's hold is no reason, nor are flags that no majority seconded.
    pub fn stood_still(&self, period: u8, minute: u8) -> bool {
        let bit = (minute as u32).checked_sub(STILL_MINUTES).filter(|bit| *bit < 32);
        let bits = (period as usize).checked_sub(1).and_then(|row| self.still_minutes.get(row));
        matches!((bits, bit), (Some(bits), Some(bit)) if bits >> bit & 1 == 1)
    }

    /// Play is what samples cover and what is left out; the area is that of an index between 0 and 100 (I7).
    pub fn invariant(&self) -> Result<()> {
        let covered = self.play_ms.checked_sub(self.left_out_ms).ok_or(OracleError::BrokenInvariant)?;
        let area = self.newest().map_or(0, |sample| sample.area);
        let bounded = area <= MAX_X_E6 as u64 * covered as u64 && self.suspended_ms <= self.play_ms;
        require!(bounded, OracleError::BrokenInvariant);
        Ok(())
    }

    /// Row and column of a minute mark that is written.
    fn reached(&self, period: u8, minute: u8) -> Option<(usize, usize)> {
        let column = minute as usize;
        if column >= MINUTE_MARKS || self.period_play_ms(period)? < minute as u32 * MINUTE_MS {
            return None;
        }
        Some((period as usize - 1, column))
    }
}
