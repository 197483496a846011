//! Accounts of the treasury: zero-copy, little-endian, `version` in the first byte after the discriminator.
mod layout;
mod limit;
mod proposal;
mod treasury;

pub use {limit::*, proposal::*, treasury::*};
