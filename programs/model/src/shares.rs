use crate::{mul_div, MathError, MathResult};

/// Money nobody owns that the share price counts: first depositors cannot be robbed by a donation.
pub const VIRTUAL_CASH_E6: u64 = 1_000_000;
/// Shares nobody owns that the share price counts.
pub const VIRTUAL_SHARES: u64 = 1_000_000;

/// Shares for a deposit into a pool of `cash_e6` and `supply` shares, floored.
pub fn shares_for_deposit(amount_e6: u64, cash_e6: u64, supply: u64) -> MathResult<u64> {
    let cash = cash_e6.checked_add(VIRTUAL_CASH_E6).ok_or(MathError::Shares)?;
    let shares = supply.checked_add(VIRTUAL_SHARES).ok_or(MathError::Shares)?;
    mul_div(amount_e6, shares, cash).ok_or(MathError::Shares)
}

/// Money for `shares` withdrawn from a pool of `cash_e6` and `supply` shares, floored, never more than `cash_e6`.
pub fn amount_for_shares(shares: u64, cash_e6: u64, supply: u64) -> MathResult<u64> {
    if shares > supply {
        return Err(MathError::Shares);
    }
    let cash = cash_e6.checked_add(VIRTUAL_CASH_E6).ok_or(MathError::Shares)?;
    let total = supply.checked_add(VIRTUAL_SHARES).ok_or(MathError::Shares)?;
    Ok(mul_div(shares, cash, total).ok_or(MathError::Shares)?.min(cash_e6))
}
