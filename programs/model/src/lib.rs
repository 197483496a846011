//! The market's mathematics: pure, `no_std`, unsigned integers only. The program and its Python twin
//! (`momentum/pricing.py`) return the same bits; `tests/vectors/model.json` pins them to each other.
//!
//! Units: prices and the index in 1e-6 points (`_e6`), quantities in 1e-6 contracts, money in 1e-6 USDC (one contract
//! over one point is one USDC), areas in 1e-6 points x ms, times in ms. What a trader gains is floored, what it costs
//! is ceiled.
#![cfg_attr(not(test), no_std)]
#![deny(missing_docs)]

mod borrow;
mod curve;
mod margin;
mod mark;
mod math;
mod price;
mod shares;

pub use {borrow::*, curve::*, margin::*, mark::*, math::*, price::*, shares::*};

/// The index lies between 0 and this.
pub const MAX_X_E6: u32 = 100_000_000;
