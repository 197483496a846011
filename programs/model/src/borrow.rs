use crate::{mul_div, mul_div_ceil, MathError, MathResult};

/// The whole, in basis points.
const BPS: u64 = 10_000;

/// Borrow fee a second, 1e-12 of the reservation, when `reserved_e6` of `cash_e6` is reserved.
///
/// It rises straight from 0 to `kink_e12` at `kink_bps` of utilisation, and from there to `max_e12` at all of it.
pub fn borrow_rate(reserved_e6: u64, cash_e6: u64, kink_bps: u16, kink_e12: u64, max_e12: u64) -> MathResult<u64> {
    if max_e12 == 0 || reserved_e6 == 0 {
        return Ok(0);
    }
    let used = match cash_e6 {
        0 => BPS,
        cash => mul_div_ceil(reserved_e6.min(cash), BPS, cash).ok_or(MathError::Borrow)?,
    };
    let kink = kink_bps as u64;
    if used <= kink {
        return mul_div_ceil(kink_e12, used, kink).ok_or(MathError::Borrow);
    }
    let (above, width) = (used - kink, BPS.checked_sub(kink).ok_or(MathError::Borrow)?);
    let steep = max_e12.checked_sub(kink_e12).ok_or(MathError::Borrow)?;
    let more = mul_div_ceil(steep, above, width).ok_or(MathError::Borrow)?;
    kink_e12.checked_add(more).ok_or(MathError::Borrow)
}

/// By how much the borrow index grows in `ms` at `rate_e12` a second, floored.
pub fn borrow_growth(rate_e12: u64, ms: u64) -> MathResult<u64> {
    mul_div(rate_e12, ms, 1_000).ok_or(MathError::Borrow)
}

/// Borrow fee of `reserved_e6` over a growth of the index by `growth_e12`, ceiled.
pub fn borrow_owed(reserved_e6: u64, growth_e12: u64) -> MathResult<u64> {
    mul_div_ceil(reserved_e6, growth_e12, 1_000_000_000_000).ok_or(MathError::Borrow)
}
