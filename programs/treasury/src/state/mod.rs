//! Accounts of the treasury: zero-copy, little-endian, `version` in the first byte after the discriminator.
mod proposal;
mod treasury;

pub use {proposal::*, treasury::*};
