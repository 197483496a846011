use anchor_lang::prelude::*;

use crate::{constants::RATE_WINDOW_S, errors::MarketError};

/// A trader's collateral on one exchange. PDA `["margin", exchange, owner]`.
///
/// Never closed, so that no client id returns.
#[account]
pub struct Margin {
    pub version: u8,
    pub bump: u8,
    pub _reserved: [u8; 6],
    pub exchange: Address,
    pub owner: Address,
    /// Withdrawable; collateral of orders and positions is not in it.
    pub free_e6: u64,
    /// Counter: deposited in all.
    pub deposits_e6: u64,
    /// Counter: withdrawn in all.
    pub withdrawals_e6: u64,
    /// Reservations of its positions.
    pub reserved_e6: u64,
    pub last_client_id: u64,
    pub open_orders: u32,
    /// Positions with a quantity.
    pub open_positions: u32,
    /// Start of the running minute in which orders are counted.
    pub rate_unix: u64,
    /// Orders placed in it.
    pub rate_count: u32,
    pub _reserved_2: [u8; 4],
}

impl Margin {
    /// Count an order against at most `limit` a minute; 0: any number.
    pub fn count_order(&mut self, limit: u16, clock: &Clock) -> Result<()> {
        if limit == 0 {
            return Ok(());
        }
        let now = clock.unix_timestamp.max(0) as u64;
        if now >= self.rate_unix + RATE_WINDOW_S {
            self.rate_unix = now;
            self.rate_count = 0;
        }
        require!(self.rate_count < limit as u32, MarketError::RateLimited);
        self.rate_count += 1;
        Ok(())
    }
}
