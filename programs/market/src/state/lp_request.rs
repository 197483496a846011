use anchor_lang::prelude::*;

use super::Exchange;
use crate::{
    constants::{LP_REQUEST_LIFE_S, VERSION},
    events::LiquidityRequested,
};

/// A liquidity provider's wish, until it is executed or cancelled. PDA `["lp-request", pool, owner, id]`.
#[account]
pub struct LpRequest {
    pub version: u8,
    pub bump: u8,
    /// 0 deposit of tokens, 1 withdrawal of shares.
    pub kind: u8,
    /// 1 once it was carried out but could not be paid to `destination`: `amount` and `kind` are what its owner takes.
    pub held: u8,
    pub _reserved: [u8; 4],
    pub pool: Address,
    pub owner: Address,
    /// Token account that gets the shares of a deposit, the tokens of a withdrawal.
    pub destination: Address,
    /// Gets rent and, when it is cancelled, the tip back.
    pub rent_payer: Address,
    pub id: u64,
    /// Tokens of a deposit, shares of a withdrawal.
    pub amount: u64,
    /// Fewest shares, least tokens.
    pub minimum: u64,
    /// Not executed before, nor `LP_REQUEST_LIFE_S` after.
    pub ready_unix: u64,
    /// Every mark used must be of this data time or later.
    pub marks_from_ms: u64,
    pub tip_lamports: u64,
}

impl LpRequest {
    /// Fill in what follows from the rest and from the exchange, whose later changes do not touch it.
    #[inline(never)]
    pub fn begin(&mut self, address: Address, exchange: &Exchange) -> LiquidityRequested {
        self.version = VERSION;
        self.marks_from_ms = self.ready_unix * 1_000 + 999 + exchange.delay_ms as u64;
        self.tip_lamports = exchange.tip_lamports;
        LiquidityRequested {
            request: address,
            owner: self.owner,
            kind: self.kind,
            id: self.id,
            amount: self.amount,
            minimum: self.minimum,
            ready_unix: self.ready_unix,
        }
    }

    /// Whether its time is over: whoever could still choose when to carry it out would wait for what he likes.
    pub fn over(&self, clock: &Clock) -> bool {
        clock.unix_timestamp >= (self.ready_unix + LP_REQUEST_LIFE_S) as i64
    }
}
