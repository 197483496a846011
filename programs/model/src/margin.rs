use crate::{value_ceil, value_floor, MathError, MathResult, Side, MAX_X_E6};

/// Maintenance margin in points a contract with `left_ms` of play until the window ends: above the 99.99 % quantile of the
/// forward price's jumps across suspensions, in which nobody can close (docs/calibration.md).
pub fn maintenance_margin(left_ms: u32) -> u32 {
    match left_ms {
        600_001.. => 7_500_000,
        300_000..=600_000 => 6_000_000,
        180_000..=299_999 => 4_500_000,
        _ => 3_000_000,
    }
}

/// Money that `margin_e6` points a contract ask for `qty_e6`, ceiled.
pub fn margin_required(qty_e6: u64, margin_e6: u32) -> MathResult<u64> {
    value_ceil(qty_e6, margin_e6)
}

/// What entering costs (long, ceiled) or brings (short, floored).
pub fn entry_cost(side: Side, qty_e6: u64, price_e6: u32) -> MathResult<u64> {
    match side {
        Side::Long => value_ceil(qty_e6, price_e6),
        Side::Short => value_floor(qty_e6, price_e6),
    }
}

/// The most the pool can lose on a position: long qty x 100 - cost, short its proceeds.
pub fn reservation(side: Side, qty_e6: u64, entry_cost_e6: u64) -> MathResult<u64> {
    match side {
        Side::Long => value_ceil(qty_e6, MAX_X_E6)?.checked_sub(entry_cost_e6).ok_or(MathError::Reservation),
        Side::Short => Ok(entry_cost_e6),
    }
}

/// Gain or loss of a position; one of them is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pnl {
    /// What the trader gains, floored.
    pub gain_e6: u64,
    /// What the trader loses, ceiled; may exceed the collateral.
    pub loss_e6: u64,
}

impl Pnl {
    /// Collateral plus gain minus loss, at least 0.
    pub fn equity(self, collateral_e6: u64) -> u64 {
        collateral_e6.saturating_add(self.gain_e6).saturating_sub(self.loss_e6)
    }
}

/// Gain or loss of `qty_e6` that cost `entry_cost_e6`, at `price_e6`.
pub fn pnl(side: Side, qty_e6: u64, entry_cost_e6: u64, price_e6: u32) -> MathResult<Pnl> {
    let (gets, pays) = match side {
        Side::Long => (value_floor(qty_e6, price_e6)?, entry_cost_e6),
        Side::Short => (entry_cost_e6, value_ceil(qty_e6, price_e6)?),
    };
    Ok(Pnl { gain_e6: gets.saturating_sub(pays), loss_e6: pays.saturating_sub(gets) })
}

/// How much of `qty_e6` one liquidation closes: half of it, all when it is at most `dust_e6` (0: always all) or when
/// `equity_e6` is below half of the maintenance margin `least_e6`.
pub fn liquidation_qty(qty_e6: u64, dust_e6: u64, equity_e6: u64, least_e6: u64) -> u64 {
    if dust_e6 == 0 || qty_e6 <= dust_e6 || equity_e6 < least_e6 / 2 {
        return qty_e6;
    }
    qty_e6.div_ceil(2).max(dust_e6)
}
