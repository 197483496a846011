//! The borrow fee: what a position pays for the liquidity that is reserved for it, while play runs.
//!
//! The window's index grows with the play of its feed that is not suspended, so never in breaks, never after the
//! window's end, and without the cluster's clock. The rate is the one at the window's last change or mark. It is a fee
//! like the others: in the window's escrow until it is distributed, and given back when the window is void.
use anchor_lang::prelude::*;
use oracle::Feed;

use super::{credit, debit, math, Exchange, Pool, Position, Window};
use crate::timing::chargeable_ms;

impl Window {
    /// Let the index grow up to the feed's newest sample. Before every change of a position, and at the window's end.
    #[inline(never)]
    pub fn accrue(&mut self, feed: &Feed) -> Result<()> {
        let now_ms = chargeable_ms(feed, self);
        let ms = now_ms.saturating_sub(self.borrow_ms);
        if ms > 0 {
            if self.borrow_rate_e12 > 0 {
                credit(&mut self.borrow_index_e12, math(model::borrow_growth(self.borrow_rate_e12, ms as u64))?)?;
            }
            self.borrow_ms = now_ms;
        }
        Ok(())
    }

    /// Take the pool's rate of now. After every change of a position, and at every mark.
    #[inline(never)]
    pub fn set_rate(&mut self, pool: &Pool, exchange: &Exchange) -> Result<()> {
        if exchange.borrow_max_e12 == 0 {
            self.borrow_rate_e12 = 0;
            return Ok(());
        }
        self.borrow_rate_e12 = math(model::borrow_rate(
            pool.reserved_e6,
            pool.cash_e6,
            exchange.borrow_kink_bps,
            exchange.borrow_kink_e12,
            exchange.borrow_max_e12,
        ))?;
        Ok(())
    }

    /// Take what `position` owes since it last paid out of its collateral, never more than there is; return it.
    ///
    /// The window has accrued. Equity and payouts are computed after it, so that they count the fee.
    #[inline(never)]
    pub fn take_borrow(&mut self, position: &mut Position, pool: &mut Pool) -> Result<u64> {
        let growth = self.borrow_index_e12.saturating_sub(position.borrow_index_e12);
        position.borrow_index_e12 = self.borrow_index_e12;
        if growth == 0 || position.reserved_e6 == 0 {
            return Ok(0);
        }
        let owed_e6 = math(model::borrow_owed(position.reserved_e6, growth))?.min(position.collateral_e6);
        debit(&mut position.collateral_e6, owed_e6)?;
        debit(&mut pool.position_collateral_e6, owed_e6)?;
        credit(&mut pool.fee_escrow_e6, owed_e6)?;
        credit(&mut pool.fees_charged_e6, owed_e6)?;
        credit(&mut position.fees_e6, owed_e6)?;
        self.charge(owed_e6)?;
        Ok(owed_e6)
    }
}
