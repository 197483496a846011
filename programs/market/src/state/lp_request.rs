use anchor_lang::prelude::*;

/// A liquidity provider's wish, until it is executed or cancelled. PDA `["lp-request", pool, owner, id]`.
#[account]
pub struct LpRequest {
    pub version: u8,
    pub bump: u8,
    /// 0 deposit of tokens, 1 withdrawal of shares.
    pub kind: u8,
    pub _reserved: [u8; 5],
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
    /// Not executed before.
    pub ready_unix: u64,
    /// Every mark used must be of this data time or later.
    pub marks_from_ms: u64,
    pub tip_lamports: u64,
}
