/// A computation left the range of its type; the variant names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MathError {
    /// A product of quantity and price.
    Value,
    /// A part of a total.
    Part,
    /// The price impact.
    Impact,
    /// An entry cost above the most it can be.
    Reservation,
    /// Pool shares.
    Shares,
    /// The borrow fee.
    Borrow,
    /// A window without length.
    Window,
}

/// Result of a computation.
pub type MathResult<T> = Result<T, MathError>;

/// `a * b / c`, floored; None when `c` is 0 or the result does not fit.
pub fn mul_div(a: u64, b: u64, c: u64) -> Option<u64> {
    if let Some(product) = a.checked_mul(b) {
        return product.checked_div(c); // the common case: 128-bit division costs hundreds of compute units
    }
    u64::try_from((a as u128 * b as u128).checked_div(c as u128)?).ok()
}

/// `a * b / c`, ceiled; None when `c` is 0 or the result does not fit.
pub fn mul_div_ceil(a: u64, b: u64, c: u64) -> Option<u64> {
    if c == 0 {
        return None;
    }
    if let Some(sum) = a.checked_mul(b).and_then(|product| product.checked_add(c - 1)) {
        return Some(sum / c);
    }
    u64::try_from((a as u128 * b as u128).div_ceil(c as u128)).ok()
}

/// `qty * price`, floored: what a seller gets.
pub fn value_floor(qty_e6: u64, price_e6: u32) -> MathResult<u64> {
    mul_div(qty_e6, price_e6 as u64, 1_000_000).ok_or(MathError::Value)
}

/// `qty * price`, ceiled: what a buyer pays.
pub fn value_ceil(qty_e6: u64, price_e6: u32) -> MathResult<u64> {
    mul_div_ceil(qty_e6, price_e6 as u64, 1_000_000).ok_or(MathError::Value)
}

/// The part `part / whole` of `total`, floored.
pub fn part_floor(total: u64, part: u64, whole: u64) -> MathResult<u64> {
    mul_div(total, part, whole).ok_or(MathError::Part)
}

/// The part `part / whole` of `total`, ceiled.
pub fn part_ceil(total: u64, part: u64, whole: u64) -> MathResult<u64> {
    mul_div_ceil(total, part, whole).ok_or(MathError::Part)
}
