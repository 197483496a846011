//! Marks: what the traders of each window with open positions gain and lose, so that liquidity moves at a fair price.
//!
//! The marks of one **round** are added up in the pool. A round is one slot of the cluster; it is complete when every
//! live window is in it. So a request needs none of their accounts, any number of transactions of the slot can mark
//! them, and no liquidity moves at a mark that the feeds have already overtaken: a suspended feed gives no mark.
use anchor_lang::prelude::*;

use super::{credit, debit, Exchange, Pool, Window};
use crate::{constants::BPS, errors::MarketError, state::math};

impl Pool {
    /// Write the mark of `window`, measured at `data_ms`, into the round; begin a new round in a new slot.
    pub fn mark(&mut self, window: &mut Window, gain_e6: u64, loss_e6: u64, data_ms: u64, slot: u64) -> Result<()> {
        if self.mark_round == 0 || self.mark_slot != slot {
            self.mark_round = self.mark_round.checked_add(1).ok_or(MarketError::Overflow)?;
            self.mark_gain_e6 = 0;
            self.mark_loss_e6 = 0;
            self.marked_windows = 0;
            self.mark_slot = slot;
        }
        self.unmark(window)?;
        if self.marked_windows == 0 {
            self.mark_data_ms = u64::MAX;
        }
        credit(&mut self.mark_gain_e6, gain_e6)?;
        credit(&mut self.mark_loss_e6, loss_e6)?;
        self.marked_windows += 1;
        self.mark_data_ms = self.mark_data_ms.min(data_ms);
        window.mark_round = self.mark_round;
        window.mark_gain_e6 = gain_e6;
        window.mark_loss_e6 = loss_e6;
        Ok(())
    }

    /// Take a window's mark out of the round, if it is in it.
    #[inline(never)]
    pub fn unmark(&mut self, window: &mut Window) -> Result<()> {
        if window.mark_round != 0 && window.mark_round == self.mark_round {
            debit(&mut self.mark_gain_e6, window.mark_gain_e6)?;
            debit(&mut self.mark_loss_e6, window.mark_loss_e6)?;
            self.marked_windows -= 1;
        }
        window.mark_round = 0;
        Ok(())
    }

    /// Require that nothing is at stake, or that every live window has a mark of this slot, of `from_ms` or later.
    pub fn require_marks(&self, from_ms: u64, slot: u64) -> Result<()> {
        if self.live_windows == 0 {
            return Ok(());
        }
        let complete = self.marked_windows == self.live_windows && self.mark_slot == slot;
        require!(complete && self.mark_data_ms >= from_ms, MarketError::MarksMissing);
        Ok(())
    }

    /// What a depositor buys into: cash, what traders lose, and the fees that may still come.
    pub fn deposit_value_e6(&self, exchange: &Exchange) -> Result<u64> {
        let mut value = self.cash_e6;
        if self.live_windows > 0 {
            credit(&mut value, self.mark_loss_e6)?;
        }
        credit(&mut value, math(model::part_ceil(self.fee_escrow_e6, exchange.lp_bps as u64, BPS))?)?;
        Ok(value)
    }

    /// What a shareholder can take a part of: cash without what traders gain.
    pub fn withdrawal_value_e6(&self) -> u64 {
        match self.live_windows {
            0 => self.cash_e6,
            _ => self.cash_e6.saturating_sub(self.mark_gain_e6),
        }
    }

    /// Whether the reservations stay within the pool's cap when `cash_e6` is left.
    pub fn reservations_fit(&self, exchange: &Exchange, cash_e6: u64) -> bool {
        self.reserved_e6 as u128 * BPS as u128 <= cash_e6 as u128 * exchange.cap_pool_bps as u128
    }
}
