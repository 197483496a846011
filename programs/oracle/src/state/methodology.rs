use anchor_lang::prelude::*;

/// A specification of the index that feeds may be listed with. PDA `["methodology", config, hash]`.
#[account]
pub struct Methodology {
    pub version: u8,
    pub bump: u8,
    /// 0 active, 1 retired.
    pub status: u8,
    pub _reserved: [u8; 5],
    pub config: Address,
    /// SHA-256 of the specification.
    pub hash: [u8; 32],
    /// For people: ASCII, zero padded.
    pub name: [u8; 32],
}
