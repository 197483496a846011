use anchor_lang::{address_eq, prelude::*};

/// Who may list feeds, and by which rules. PDA `["config", creator]`: nobody else can take the address.
#[account]
pub struct Config {
    pub version: u8,
    pub bump: u8,
    pub _reserved: [u8; 6],
    /// Paid for the account; part of its address.
    pub creator: Address,
    /// Names the operator, keeps the registries, slashes bonds; the treasury's executor in production.
    pub authority: Address,
    /// Creates, holds, finalises and closes feeds; default key: nobody.
    pub operator: Address,
    /// Becomes the authority when it accepts; default key: nobody.
    pub pending_authority: Address,
    /// Gets what is slashed; default key: nothing can be slashed.
    pub bond_receiver: Address,
    /// Bond that each publisher of a new feed needs; 0: none.
    pub min_bond_lamports: u64,
    /// A final feed stays this long before it may be closed.
    pub retention_s: u32,
    /// Room for later fields; zero.
    pub _reserved_2: [u8; 60],
}

impl Config {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Config>();

    /// Whether `key` is the authority. The default key is nobody, whatever signature passes for it.
    pub fn is_authority(&self, key: &Address) -> bool {
        address_eq(key, &self.authority) && !address_eq(key, &Address::default())
    }

    /// Whether `key` is the operator. The default key is nobody: a revoked operator has no successor by chance.
    pub fn is_operator(&self, key: &Address) -> bool {
        address_eq(key, &self.operator) && !address_eq(key, &Address::default())
    }
}
