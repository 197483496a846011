//! Golden vectors of the aggregation: `UPDATE_VECTORS=1 cargo test -p oracle --test vectors` rewrites the file.
//! Each case is a feed, the quotes pushed to it with their results (a step of one number is the operator's hold going
//! on or off), and the feed's state at the end.
use std::{fs, path::Path};

use ::oracle::{aggregate::push, Feed, Quote, FLAG_SUSPENDED, MAX_S_E4, MAX_TRADED_CONF_E4, MAX_X_E6, S_BIAS};
use anchor_lang::{prelude::Address, Error};
use bytemuck::Zeroable;
use serde_json::{json, Value};

/// SplitMix64: the same cases on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as u32
    }

    fn near(&mut self, x: u32, spread: u32) -> u32 {
        (x + self.below(2 * spread + 1)).saturating_sub(spread).min(MAX_X_E6)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn code(result: Result<(), Error>) -> u64 {
    match result {
        Ok(()) => 0,
        Err(Error::Custom(code)) => code as u64,
        Err(other) => u64::from(other),
    }
}

const START_UNIX_S: i64 = 1_750_000_000;

/// A match of two periods with lost ticks, outages, suspensions, outliers and stale quotes.
fn play(seed: u64, n: u8, minimum: u8, ticks: u32) -> Value {
    let mut d = Dice(seed);
    let mut feed = Feed::zeroed();
    (feed.n_publishers, feed.min_publishers, feed.in_break) = (n, minimum, 1);
    feed.start_unix_ms = START_UNIX_S as u64 * 1_000;
    for i in 0..n as usize {
        feed.publishers[i] = Address::new_from_array([i as u8 + 1; 32]);
    }
    let mut steps: Vec<Value> = Vec::new();
    let (mut tick, mut play_ms, mut data_ms, mut period) = (0, 0, 0, 1u8);
    let (mut x, mut suspended) = (50_000_000, false);
    for i in 0..ticks {
        let skip = match d.below(40) {
            0 => 2 + d.below(6),
            1 => 50 + d.below(90),
            _ => 1,
        };
        tick += skip;
        (play_ms, data_ms) = (play_ms + skip * 1_000, data_ms + skip * 1_000 + d.below(50));
        x = d.near(x, 3_000_000);
        suspended ^= d.below(25) == 0;
        let ends = i == ticks / 2 || i == ticks - 1;
        let first = d.below(n as u32);
        for turn in 0..n as u32 {
            let who = (first + turn) % n as u32;
            if d.below(12) == 0 {
                continue;
            }
            let mut quote = Quote {
                tick,
                data_ms: data_ms + d.below(3),
                play_ms: play_ms + d.below(2),
                period,
                flags: suspended as u8 | (ends as u8) << 2 | ((d.below(9) == 0) as u8) << 1,
                suspend_reason: suspended as u8 * (1 + d.below(7) as u8),
                _pad: 0,
                x_e6: d.near(x, 50_000),
                mu_e6: d.near(50_000_000, 5_000_000),
                s_e4: (1 << 31) - 5_000 + d.below(10_000),
                conf_e4: d.below(5_000) as u16,
                inputs_hash: [d.below(256) as u8; 32],
            };
            match d.below(60) {
                0 => quote.tick = tick.saturating_sub(1 + d.below(3)),
                1 => quote.x_e6 = if x < 50_000_000 { x + 40_000_000 } else { x - 40_000_000 },
                2 => quote.period = period + 1,
                3 => quote.x_e6 = MAX_X_E6 + 1,
                4 => quote.data_ms += 60_000,
                5 => quote.play_ms = quote.play_ms.saturating_sub(90_000),
                6 => quote.flags ^= FLAG_SUSPENDED,
                7 => quote.mu_e6 = if d.below(2) == 0 { 0 } else { MAX_X_E6 },
                8 => quote.s_e4 = S_BIAS - MAX_S_E4 - d.below(2),
                10 => quote.tick += 5_000,
                9 => quote.conf_e4 = MAX_TRADED_CONF_E4 + d.below(2) as u16,
                _ => {}
            }
            let unix_s = START_UNIX_S + data_ms as i64 / 1_000;
            let publisher = feed.publishers[who as usize];
            let result = code(push(&mut feed, &publisher, &quote, unix_s, i as u64));
            steps.push(json!([
                who,
                unix_s,
                result,
                quote.tick,
                quote.data_ms,
                quote.play_ms,
                quote.period,
                quote.flags,
                quote.suspend_reason,
                quote.x_e6,
                quote.mu_e6,
                quote.s_e4,
                quote.conf_e4,
                quote.inputs_hash[0],
            ]));
        }
        // The operator holds the feed now and then.
        let hold = (d.below(30) < if feed.hold != 0 { 6 } else { 1 }) as u8 ^ feed.hold;
        if hold != feed.hold {
            feed.hold = hold;
            steps.push(json!([hold]));
        }
        if ends {
            (period, play_ms) = (period + 1, 0);
            data_ms += 900_000;
        }
    }
    let marks: Vec<Value> = feed
        .periods
        .iter()
        .map(|p| {
            let ends = [p.start_play_ms, p.end_play_ms, p.start_data_ms, p.end_data_ms];
            json!([ends[0], ends[1], ends[2], ends[3], p.start_area, p.end_area])
        })
        .collect();
    let area: Vec<Vec<u64>> = feed.minute_area.iter().map(|row| row.to_vec()).collect();
    let left_out: Vec<Vec<u32>> = feed.minute_left_out_ms.iter().map(|row| row.to_vec()).collect();
    let suspended: Vec<Vec<u32>> = feed.minute_suspended_ms.iter().map(|row| row.to_vec()).collect();
    let scores: Vec<Value> = feed.quotes[..n as usize]
        .iter()
        .map(|own| json!([own.accepted, own.late, own.used, own.scored, own.deviation_e6]))
        .collect();
    json!({
        "n": n, "min": minimum, "steps": steps, "samples": feed.samples, "tick": feed.tick, "data_ms": feed.data_ms,
        "play_ms": feed.play_ms, "revised": feed.revised, "left_out_ms": feed.left_out_ms,
        "suspend_epoch": feed.suspend_epoch, "suspend_reason": feed.suspend_reason, "period": feed.period,
        "in_break": feed.in_break, "hash_chain": hex(&feed.hash_chain), "periods": marks, "minute_area": area,
        "minute_left_out_ms": left_out, "minute_suspended_ms": suspended, "suspended_ms": feed.suspended_ms,
        "still_since_ms": feed.still_since_ms, "lone_since_ms": feed.lone_since_ms, "lone_ms": feed.lone_ms,
        "still_minutes": feed.still_minutes, "suspended_since_ms": feed.suspended_since_ms, "scores": scores, "newest": feed.newest().map(|s| hex(bytemuck::bytes_of(s))),
    })
}

#[test]
fn vectors_are_up_to_date() {
    let feeds = [(1, 1), (2, 1), (3, 2), (3, 3), (4, 2), (5, 3), (7, 4), (8, 8)];
    let cases: Vec<String> =
        feeds.iter().enumerate().map(|(i, (n, m))| play(i as u64, *n, *m, 160).to_string()).collect();
    let text = format!("[\n{}\n]\n", cases.join(",\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/oracle.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == text, "stale vectors: run again with UPDATE_VECTORS=1");
}
