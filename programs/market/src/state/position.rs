use anchor_lang::prelude::*;
use model::{Pnl, Side};

use super::{credit, debit, math};
use crate::errors::MarketError;

/// One trader's net position in one window. PDA `["position", margin, window]`; closed at settlement.
#[account]
pub struct Position {
    pub version: u8,
    pub bump: u8,
    /// 0 long, 1 short; of the last quantity when empty.
    pub side: u8,
    pub _reserved: [u8; 5],
    pub owner: Address,
    pub margin: Address,
    pub window: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub qty_e6: u64,
    /// Long: what it cost, ceiled. Short: what it brought, floored.
    pub entry_cost_e6: u64,
    pub collateral_e6: u64,
    /// The most it can gain.
    pub reserved_e6: u64,
    /// Counter: fees paid; given back when the window is void.
    pub fees_e6: u64,
    /// Absolute data time of the sample that opened it.
    pub opened_ms: u64,
    pub pending_orders: u32,
    /// Grows with every liquidation: orders placed before end.
    pub generation: u32,
    /// The window's borrow index up to which it has paid.
    pub borrow_index_e12: u64,
}

/// What closing a part of a position moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reduction {
    /// From pool cash to the trader.
    pub gain_e6: u64,
    /// From collateral to pool cash.
    pub loss_e6: u64,
    /// Loss that no collateral covered.
    pub bad_debt_e6: u64,
    /// From collateral to the trader.
    pub returned_e6: u64,
}

impl Position {
    /// Direction, as the model knows it.
    pub fn side(&self) -> Result<Side> {
        Side::from_u8(self.side).ok_or_else(|| MarketError::InvariantBroken.into())
    }

    /// Gain or loss of the whole position at `price_e6`.
    pub fn pnl(&self, price_e6: u32) -> Result<Pnl> {
        math(model::pnl(self.side()?, self.qty_e6, self.entry_cost_e6, price_e6))
    }

    /// Add `qty_e6` bought (or sold) at `price_e6`. The caller books the changed reservation.
    pub fn open(&mut self, side: Side, qty_e6: u64, price_e6: u32, collateral_e6: u64) -> Result<()> {
        self.side = side as u8;
        credit(&mut self.qty_e6, qty_e6)?;
        credit(&mut self.entry_cost_e6, math(model::entry_cost(side, qty_e6, price_e6))?)?;
        credit(&mut self.collateral_e6, collateral_e6)?;
        self.reserved_e6 = math(model::reservation(side, self.qty_e6, self.entry_cost_e6))?;
        Ok(())
    }

    /// Close `qty_e6` at `price_e6`. The caller books the changed reservation.
    ///
    /// The part's share of collateral comes free; a loss beyond it is taken from the rest, never more than there is.
    #[inline(never)]
    pub fn reduce(&mut self, qty_e6: u64, price_e6: u32) -> Result<Reduction> {
        let side = self.side()?;
        let whole = qty_e6 == self.qty_e6;
        let cost = match (whole, side) {
            (true, _) => self.entry_cost_e6,
            (false, Side::Long) => math(model::part_ceil(self.entry_cost_e6, qty_e6, self.qty_e6))?,
            (false, Side::Short) => math(model::part_floor(self.entry_cost_e6, qty_e6, self.qty_e6))?,
        };
        let freed = match whole {
            true => self.collateral_e6,
            false => math(model::part_floor(self.collateral_e6, qty_e6, self.qty_e6))?,
        };
        let pnl = math(model::pnl(side, qty_e6, cost, price_e6))?;
        let loss_e6 = pnl.loss_e6.min(self.collateral_e6);
        let taken = freed.max(loss_e6);
        debit(&mut self.qty_e6, qty_e6)?;
        debit(&mut self.entry_cost_e6, cost)?;
        debit(&mut self.collateral_e6, taken)?;
        self.reserved_e6 = math(model::reservation(side, self.qty_e6, self.entry_cost_e6))?;
        Ok(Reduction {
            gain_e6: pnl.gain_e6,
            loss_e6,
            bad_debt_e6: pnl.loss_e6 - loss_e6,
            returned_e6: taken - loss_e6,
        })
    }
}
