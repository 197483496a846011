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

/// `forward -+ (half-spread + conf) + impact`, kept inside `envelope` = (low, high).
///
/// `side` is the direction of the trade: closing a long is a short trade.
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
    let edge = half_spread_e6 as u64 + conf_e4 as u64 * 100;
    let (size, raises) = impact(side, qty_e6, oi_long_e6, oi_short_e6, k_e6)?;
    let (mut plus, mut minus) = (forward_e6 as u64, 0u64);
    *(if side == Side::Long { &mut plus } else { &mut minus }) += edge;
    let moved = if raises { &mut plus } else { &mut minus };
    *moved = moved.saturating_add(size);
    let price = plus.saturating_sub(minus).min(u32::MAX as u64) as u32;
    Ok(price.clamp(envelope.0, envelope.1))
}

/// Fee of a trade: `fee_e6` points a contract, ceiled.
pub fn fee(qty_e6: u64, fee_e6: u32) -> MathResult<u64> {
    value_ceil(qty_e6, fee_e6)
}
