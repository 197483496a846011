//! Golden vectors that pin the Python twin: `UPDATE_VECTORS=1 cargo test -p model --test vectors` rewrites the file.
use std::{fs, path::Path};

use model::*;
use serde_json::{json, Value};

/// SplitMix64: the same cases on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0..=most, with the ends and small values over-represented.
    fn upto(&mut self, most: u64) -> u64 {
        let value = if most == u64::MAX { self.next() } else { self.next() % (most + 1) };
        match self.next() % 8 {
            0 => 0,
            1 => most,
            2 => value & 0xFF.min(most),
            _ => value,
        }
    }

    fn u32(&mut self, most: u32) -> u32 {
        self.upto(most as u64) as u32
    }

    fn side(&mut self) -> Side {
        if self.next() % 2 == 0 {
            Side::Long
        } else {
            Side::Short
        }
    }
}

fn int<T: Into<u64>>(result: MathResult<T>) -> Value {
    result.map_or(Value::Null, |value| json!(value.into()))
}

#[test]
fn vectors_are_up_to_date() {
    let (mut d, mut added) = (Dice(1), Dice(2));
    let mut cases: Vec<Value> = Vec::new();
    let mut put = |name: &str, args: Value, want: Value| cases.push(json!([name, args, want]));
    for _ in 0..150 {
        let w = [900_000, 2_700_000, 5_400_000, 1, 0][d.u32(4) as usize];
        let r = d.u32(w);
        let lead = d.u32(1) * d.u32(5_400_000);
        let played = (w - r) as u64;
        let area = d.upto(MAX_X_E6 as u64 * played.max(1));
        let (x, mu) = (d.u32(MAX_X_E6), d.u32(MAX_X_E6));
        let s = match d.u32(3) {
            0 => d.u32(u32::MAX),
            1 => S_BIAS - d.u32(100_000),
            _ => S_BIAS + d.u32(100_000),
        };
        put("forward", json!([area, r, lead, x, mu, s, w]), int(forward(area, r, lead, x, mu, s, w)));
        put("envelope", json!([area, r, w]), envelope(area, r, w).map_or(Value::Null, |pair| json!([pair.0, pair.1])));
        let left_out = d.u32(w / 5 + 1).min(w);
        let mean = settlement(area, w, left_out);
        put("settlement", json!([area, w, left_out]), mean.map_or(Value::Null, |mean| json!([mean])));

        let most = [1_000_000, u32::MAX][d.u32(1) as usize];
        let t = d.u32(most);
        let tau = [TAU_MS, TAU2_MS][d.u32(1) as usize];
        put("decay_q32", json!([t, tau]), json!(decay_q32(t, tau)));
        put("decay_integral_q16", json!([lead, t, tau]), json!(decay_integral_q16(lead, t, tau)));
        put("half_spread", json!([r, lead]), json!(half_spread(r, lead)));
        put("maintenance_margin", json!([r]), json!(maintenance_margin(r)));

        let side = d.side();
        let wide = if d.u32(5) == 0 { u64::MAX } else { 1_000_000_000_000 };
        let (qty, long, short, k) = (d.upto(wide), d.upto(wide / 4), d.upto(wide / 4), d.upto(1_000_000_000));
        let moved = impact(side, qty, long, short, k).map_or(Value::Null, |(size, raises)| json!([size, raises]));
        put("impact", json!([side as u8, qty, long, short, k]), moved);
        let (f, hs, conf) = (d.u32(MAX_X_E6), d.u32(600_000), d.u32(u16::MAX as u32) as u16);
        let (a, b) = (d.u32(MAX_X_E6), d.u32(MAX_X_E6));
        let limits = (a.min(b), a.max(b));
        let price = fill_price(side, qty, f, hs, conf, long, short, k, limits);
        put("fill_price", json!([side as u8, qty, f, hs, conf, long, short, k, [limits.0, limits.1]]), int(price));

        let p = d.u32(MAX_X_E6);
        let margin = d.u32(20_000_000);
        put("fee", json!([qty, margin]), int(fee(qty, margin)));
        put("margin_required", json!([qty, margin]), int(margin_required(qty, margin)));
        put("value_floor", json!([qty, p]), int(value_floor(qty, p)));
        put("value_ceil", json!([qty, p]), int(value_ceil(qty, p)));
        let cost = entry_cost(side, qty, p);
        put("entry_cost", json!([side as u8, qty, p]), int(cost));
        let cost = cost.unwrap_or_else(|_| d.upto(u64::MAX));
        put("reservation", json!([side as u8, qty, cost]), int(reservation(side, qty, cost)));
        let gained = pnl(side, qty, cost, f);
        put("pnl", json!([side as u8, qty, cost, f]), gained.map_or(Value::Null, |p| json!([p.gain_e6, p.loss_e6])));
        let (total, whole) = (d.upto(wide), d.upto(wide));
        let part = d.upto(whole);
        put("part_floor", json!([total, part, whole]), int(part_floor(total, part, whole)));
        put("part_ceil", json!([total, part, whole]), int(part_ceil(total, part, whole)));
        let (amount, cash, supply) = (d.upto(wide), d.upto(wide), d.upto(wide));
        put("shares_for_deposit", json!([amount, cash, supply]), int(shares_for_deposit(amount, cash, supply)));
        put("amount_for_shares", json!([part, cash, supply]), int(amount_for_shares(part, cash, supply)));
        let d = &mut added; // its own dice, so that the cases above stay what they were
        let held = d.upto(1_000);
        let marked = mark_side(side, qty, cost, f, held);
        let args = json!([side as u8, qty, cost, f, held]);
        put("mark_side", args, marked.map_or(Value::Null, |p| json!([p.gain_e6, p.loss_e6])));
        let (kink, low, most) = (d.u32(10_000) as u16, d.upto(27_777_778), d.upto(27_777_778));
        put("borrow_rate", json!([total, cash, kink, low, most]), int(borrow_rate(total, cash, kink, low, most)));
        put("borrow_growth", json!([most, total]), int(borrow_growth(most, total)));
        put("borrow_owed", json!([total, cash]), int(borrow_owed(total, cash)));
    }
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/model.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == text, "stale vectors: run again with UPDATE_VECTORS=1");
}
