use anchor_lang::prelude::*;

use super::credit;
use crate::errors::MarketError;

/// Lets a delegate trade with a margin account. PDA `["session", margin, delegate]`.
///
/// The delegate may place and cancel orders and nothing else: no money leaves the margin account by its signature.
#[account]
pub struct Session {
    pub version: u8,
    pub bump: u8,
    pub _reserved: [u8; 6],
    pub margin: Address,
    pub owner: Address,
    pub delegate: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub expires_unix: u64,
    /// Largest order.
    pub max_qty_e6: u64,
    /// Collateral and fees that its orders may commit in all.
    pub budget_e6: u64,
    /// Counter: committed so far; what comes back does not refill it.
    pub spent_e6: u64,
}

impl Session {
    /// Whether its time is over.
    pub fn expired(&self, clock: &Clock) -> bool {
        clock.unix_timestamp >= self.expires_unix as i64
    }

    /// Count an order against the limits.
    pub fn spend(&mut self, qty_e6: u64, escrow_e6: u64) -> Result<()> {
        credit(&mut self.spent_e6, escrow_e6)?;
        require!(qty_e6 <= self.max_qty_e6 && self.spent_e6 <= self.budget_e6, MarketError::SessionLimit);
        Ok(())
    }
}

/// Check that `signer` may trade for `margin`: None for its owner, the session for a delegate.
pub fn delegate<'a>(
    signer: &Address,
    owner: &Address,
    margin: &Address,
    session: Option<&'a mut Session>,
    clock: &Clock,
) -> Result<Option<&'a mut Session>> {
    if signer == owner {
        return Ok(None);
    }
    let session = session.ok_or(MarketError::WrongOwner)?;
    let valid = session.margin == *margin && session.delegate == *signer && !session.expired(clock);
    require!(valid, MarketError::BadSession);
    Ok(Some(session))
}
