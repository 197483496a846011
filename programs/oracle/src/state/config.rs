use anchor_lang::prelude::*;

/// Who may list feeds. PDA `["config", creator]`: nobody else can take the address.
#[account]
pub struct Config {
    pub version: u8,
    pub bump: u8,
    pub _reserved: [u8; 6],
    /// Paid for the account; part of its address.
    pub creator: Address,
    /// Names the operator; the treasury's executor in production.
    pub authority: Address,
    /// Creates, finalises and closes feeds.
    pub operator: Address,
}
