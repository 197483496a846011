use anchor_lang::prelude::*;

/// Says that `owner` may open positions on an exchange. PDA `["attestation", exchange, owner]`.
#[account]
pub struct Attestation {
    pub version: u8,
    pub bump: u8,
    pub _reserved: [u8; 6],
    pub exchange: Address,
    pub owner: Address,
    /// Whoever was the exchange's attestor when it was last signed.
    pub attestor: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub expires_unix: u64,
}

impl Attestation {
    /// Whether it is `attestor`'s for `owner` and in force.
    pub fn covers(&self, exchange: &Address, owner: &Address, attestor: &Address, clock: &Clock) -> bool {
        self.exchange == *exchange
            && self.owner == *owner
            && self.attestor == *attestor
            && clock.unix_timestamp < self.expires_unix as i64
    }
}
