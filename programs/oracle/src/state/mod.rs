//! Accounts of the oracle: zero-copy, little-endian, `version` in the first byte after the discriminator.
mod bond;
mod config;
mod feed;
mod methodology;
mod publisher_set;
mod quote;

use anchor_lang::prelude::*;

pub use {bond::*, config::*, feed::*, methodology::*, publisher_set::*, quote::*};

/// The cluster's clock in whole seconds.
pub(crate) fn now_s() -> Result<u64> {
    Ok(Clock::get()?.unix_timestamp.max(0) as u64)
}
