use anchor_lang::prelude::*;

use crate::{constants::*, errors::OracleError};

/// Publishers that feeds may be listed with. PDA `["publisher-set", config, set_id]` (u32, little-endian).
/// It never changes except that it retires: who looked at a set knows what feeds are listed with it.
#[account]
pub struct PublisherSet {
    pub version: u8,
    pub bump: u8,
    /// 0 active, 1 retired.
    pub status: u8,
    pub n_publishers: u8,
    pub min_publishers: u8,
    pub _reserved: [u8; 3],
    pub set_id: u32,
    pub _reserved_2: [u8; 4],
    pub config: Address,
    /// The first `n_publishers` count.
    pub publishers: [Address; 8],
}

impl PublisherSet {
    /// Publishers are distinct and set, and the minimum can be reached.
    pub fn invariant(&self) -> Result<()> {
        let n = self.n_publishers as usize;
        require!((1..=MAX_PUBLISHERS).contains(&n), OracleError::BadPublishers);
        require!((1..=self.n_publishers).contains(&self.min_publishers), OracleError::BadPublishers);
        for i in 0..n {
            let unset = self.publishers[i] == Address::default();
            require!(!unset && !self.publishers[..i].contains(&self.publishers[i]), OracleError::BadPublishers);
        }
        Ok(())
    }
}
