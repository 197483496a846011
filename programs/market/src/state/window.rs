use anchor_lang::prelude::*;

use super::{credit, debit};
use crate::{constants::WINDOW_OPEN, errors::MarketError};

/// One contract: the mean of the index over a window. PDA `["window", market, window_id]`.
#[account]
pub struct Window {
    pub version: u8,
    pub bump: u8,
    /// 0..=5 quarters of an hour, 6 H1, 7 H2, 8 FT, 9..=15 custom.
    pub window_id: u8,
    /// 0 open, 1 final, 2 void.
    pub state: u8,
    /// 1 once its fees are split.
    pub fees_done: u8,
    pub _reserved: [u8; 3],
    pub exchange: Address,
    pub market: Address,
    pub feed: Address,
    /// Contracts that move the price by one point; fixed at opening.
    pub k_e6: u64,
    pub oi_long_e6: u64,
    pub oi_short_e6: u64,
    pub reserved_e6: u64,
    pub fee_escrow_e6: u64,
    /// Counter: fees charged in this window.
    pub fees_charged_e6: u64,
    /// Counter: fees given back because it is void.
    pub fees_returned_e6: u64,
    pub finalised_unix: i64,
    /// Positions with a quantity.
    pub open_positions: u32,
    pub pending_orders: u32,
    /// Nominal start, ms of match time without added time.
    pub start_ms: u32,
    pub end_ms: u32,
    pub w_ms: u32,
    pub settlement_e6: u32,
    pub left_out_ms: u32,
    /// Position accounts, empty ones included.
    pub positions: u32,
    /// Until when it can be challenged and voided; settlement begins then.
    pub dispute_until_ms: u64,
    /// Who challenged the settlement; gets the bond back when the window is voided.
    pub challenger: Address,
    pub challenge_bond_e6: u64,
    /// 0 none, 1 open, 2 resolved.
    pub challenge: u8,
    pub _reserved_2: [u8; 7],
    /// Sum of the long positions' entry costs.
    pub entry_long_e6: u64,
    pub entry_short_e6: u64,
    /// Gain of the traders at the mark, side by side, never too low.
    pub mark_gain_e6: u64,
    /// Loss of the traders at the mark, side by side, never too low.
    pub mark_loss_e6: u64,
    /// Grows by the borrow rate with every second of play that counts.
    pub borrow_index_e12: u64,
    /// Borrow fee a second of play since the last change or mark, 1e-12 of the reservation.
    pub borrow_rate_e12: u64,
    /// Play of the feed, without suspensions, up to which the index has grown.
    pub borrow_ms: u32,
    /// The pool's round in which it was last marked; 0: in none.
    pub mark_round: u32,
    /// Gets the rent when the window is closed: who paid it.
    pub rent_receiver: Address,
}

impl Window {
    /// Whether orders may still be placed and filled.
    pub fn is_open(&self) -> bool {
        self.state == WINDOW_OPEN
    }

    /// Open interest of `side`.
    pub fn oi_mut(&mut self, side: model::Side) -> &mut u64 {
        match side {
            model::Side::Long => &mut self.oi_long_e6,
            model::Side::Short => &mut self.oi_short_e6,
        }
    }

    /// Sum of entry costs of `side`.
    pub fn entry_mut(&mut self, side: model::Side) -> &mut u64 {
        match side {
            model::Side::Long => &mut self.entry_long_e6,
            model::Side::Short => &mut self.entry_short_e6,
        }
    }

    /// I9: nothing is left in it.
    pub fn invariant_empty(&self) -> Result<()> {
        let sums = [
            self.oi_long_e6,
            self.oi_short_e6,
            self.entry_long_e6,
            self.entry_short_e6,
            self.reserved_e6,
            self.fee_escrow_e6,
            self.open_positions as u64,
            self.positions as u64,
            self.pending_orders as u64,
        ];
        require!(sums.iter().all(|sum| *sum == 0), MarketError::InvariantBroken);
        Ok(())
    }

    /// Book a fee into the window's escrow.
    #[inline(never)]
    pub fn charge(&mut self, fee_e6: u64) -> Result<()> {
        credit(&mut self.fee_escrow_e6, fee_e6)?;
        credit(&mut self.fees_charged_e6, fee_e6)
    }

    /// Give a fee back out of the escrow of a void window.
    pub fn refund_fee(&mut self, fee_e6: u64) -> Result<()> {
        debit(&mut self.fee_escrow_e6, fee_e6)?;
        credit(&mut self.fees_returned_e6, fee_e6)
    }
}
