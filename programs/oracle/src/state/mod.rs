//! Accounts of the oracle: zero-copy, little-endian, `version` in the first byte after the discriminator.
mod config;
mod feed;
mod quote;

pub use {config::*, feed::*, quote::*};
