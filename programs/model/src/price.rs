use crate::{mul_div, mul_div_ceil, value_ceil, MathError, MathResult};

/// Direction of a trade or of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Gains when the mean is higher.
    Long,
    /// Gains when the mean is lower.
    Short,
}

impl Side {
    /// 0 is long, 1 is short.
    pub fn from_u8(byte: u8) -> Option<Side> {
        match byte {
            0 => Some(Side::Long),
            1 => Some(Side::Short),
            _ => None,
        }
    }

    /// The other side: the one that closes this one.
    pub fn opposite(self) -> Side {
        match self {
            Side::Long => Side::Short,
            Side::Short => Side::Long,
        }
    }
}

/// Half-spread before the window opens.
pub const LEAD_HALF_SPREAD_E6: u32 = 600_000;

/// (play left in ms, half-spread in 1e-6 points); linear between the points, level beyond the last.
const HALF_SPREADS: [(u32, u32); 6] =
    [(0, 50_000), (60_000, 100_000), (120_000, 200_000), (240_000, 300_000), (360_000, 400_000), (600_000, 500_000)];

/// Half-spread with `left_ms` of play until the window ends and `lead_ms` until it starts.
pub fn half_spread(left_ms: u32, lead_ms: u32) -> u32 {
    if lead_ms > 0 {
        return LEAD_HALF_SPREAD_E6;
    }
    let (mut t0, mut s0) = HALF_SPREADS[0];
    for (t1, s1) in HALF_SPREADS {
        if left_ms < t1 {
            return s0 + ((s1 - s0) as u64 * (left_ms - t0) as u64 / (t1 - t0) as u64) as u32;
        }
        (t0, s0) = (t1, s1);
    }
    s0
}

/// No impact is larger: prices end at the envelope long before.
const MAX_IMPACT_E6: u64 = 1 << 60;

/// Price impact of a trade of `qty_e6`: (skew + dq/2)/K with skew = long - short open interest, as (magnitude, whether
/// it raises the price). `k_e6` is contracts per point. Rounded against the trader.
pub fn impact(side: Side, qty_e6: u64, oi_long_e6: u64, oi_short_e6: u64, k_e6: u64) -> MathResult<(u64, bool)> {
    let (mut up, mut down) = (oi_long_e6.checked_mul(2), oi_short_e6.checked_mul(2));
    match side {
        Side::Long => up = up.and_then(|sum| sum.checked_add(qty_e6)),
        Side::Short => down = down.and_then(|sum| sum.checked_add(qty_e6)),
    }
    let (up, down) = (up.ok_or(MathError::Impact)?, down.ok_or(MathError::Impact)?);
    let raises = up >= down;
    let twice_k = k_e6.checked_mul(2).ok_or(MathError::Impact)?;
    let against_trader = raises == (side == Side::Long);
    let divide = if against_trader { mul_div_ceil } else { mul_div };
    let size = divide(up.abs_diff(down), 1_000_000, twice_k).ok_or(MathError::Impact)?;
    Ok((size, raises))
}

/// Average price of a trade: the integral of `forward -+ (half-spread + conf) + skew/K`, kept inside `envelope` =
/// (low, high) at every point of the way, over the contracts traded. Rounded against the trader.
///
/// Because the curve is clamped point by point, and not its average, a trade costs the same whole or in pieces, and
/// whoever comes back to where he began has paid. `side` is the direction of the trade: closing a long is a short
/// trade.
#[allow(clippy::too_many_arguments)]
pub fn fill_price(
    side: Side,
    qty_e6: u64,
    forward_e6: u32,
    half_spread_e6: u32,
    conf_e4: u16,
    oi_long_e6: u64,
    oi_short_e6: u64,
    k_e6: u64,
    envelope: (u32, u32),
) -> MathResult<u32> {
    let (low, high) = (envelope.0 as i64, envelope.1 as i64);
    let edge = half_spread_e6 as i64 + conf_e4 as i64 * 100;
    let base = forward_e6 as i64 + if side == Side::Long { edge } else { -edge };
    let at = |qty_e6: u64| -> MathResult<i64> {
        let (size, raises) = impact(side, qty_e6, oi_long_e6, oi_short_e6, k_e6)?;
        let size = size.min(MAX_IMPACT_E6) as i64;
        Ok(base + if raises { size } else { -size })
    };
    let (start, end) = (at(0)?, at(qty_e6.checked_mul(2).ok_or(MathError::Impact)?)?);
    let (first, last) = (start.min(end), start.max(end));
    if first >= low && last <= high || first == last {
        return Ok(at(qty_e6)?.clamp(low, high) as u32);
    }
    // The way is uniform between the prices at its ends: a stretch below the envelope, one inside and one above.
    let length = (last - first) as u64;
    let (from, to) = (first.clamp(low, high), last.clamp(low, high));
    let up = side == Side::Long;
    let divide = if up { mul_div_ceil } else { mul_div };
    let part = |price: i64, stretch: i64| divide(price as u64, stretch.max(0) as u64, length).ok_or(MathError::Impact);
    let inside = (from + to + up as i64) as u64 / 2;
    let price =
        part(low, last.min(low) - first)? + part(high, last - first.max(high))? + part(inside as i64, to - from)?;
    Ok((price as i64).clamp(low, high) as u32)
}

/// Fee of a trade: `fee_e6` points a contract, ceiled.
pub fn fee(qty_e6: u64, fee_e6: u32) -> MathResult<u64> {
    value_ceil(qty_e6, fee_e6)
}
