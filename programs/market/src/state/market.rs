use anchor_lang::prelude::*;

/// One match on one exchange. PDA `["market", exchange, feed]`.
#[account]
pub struct Market {
    pub version: u8,
    pub bump: u8,
    /// Bit `i`: window `i` was opened.
    pub windows: u16,
    /// Bit `i`: window `i` was closed; its id does not return.
    pub closed: u16,
    pub _reserved: [u8; 2],
    pub exchange: Address,
    pub feed: Address,
    /// Sum of the reservations of its windows.
    pub reserved_e6: u64,
    /// Gets the rent when the market is closed: who paid it.
    pub rent_receiver: Address,
}
