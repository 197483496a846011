//! Accounts of the market: zero-copy, little-endian, `version` in the first byte after the discriminator.
mod attestation;
mod borrow;
mod exchange;
mod lp_request;
mod margin;
mod mark;
mod market;
mod order;
mod pool;
mod position;
mod session;
mod stake;
mod window;

pub use {
    attestation::*, exchange::*, lp_request::*, margin::*, market::*, order::*, pool::*, position::*, session::*,
    stake::*, window::*,
};

use anchor_lang::prelude::*;

use crate::errors::MarketError;

/// Add to a balance or counter.
pub fn credit(balance: &mut u64, amount: u64) -> Result<()> {
    *balance = balance.checked_add(amount).ok_or(MarketError::Overflow)?;
    Ok(())
}

/// Take from a balance or counter; it never falls below zero.
pub fn debit(balance: &mut u64, amount: u64) -> Result<()> {
    *balance = balance.checked_sub(amount).ok_or(MarketError::Underflow)?;
    Ok(())
}

/// Replace the part `old` of a sum by `new`.
pub fn replace(sum: &mut u64, old: u64, new: u64) -> Result<()> {
    debit(sum, old)?;
    credit(sum, new)
}

/// A result of the model as a result of the program.
pub fn math<T>(result: model::MathResult<T>) -> Result<T> {
    result.map_err(|_| MarketError::Overflow.into())
}
