//! What one position adds to the sums of pool, market, window and margin account.
use anchor_lang::prelude::*;
use model::Side;

use super::{credit, debit, replace, Margin, Market, Pool, Position, Window};

/// A position's part of the sums; taken before a change and booked after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stake {
    side: Side,
    qty_e6: u64,
    entry_cost_e6: u64,
    reserved_e6: u64,
}

impl Stake {
    /// What `position` adds now.
    pub fn of(position: &Position) -> Result<Stake> {
        Ok(Stake {
            side: position.side()?,
            qty_e6: position.qty_e6,
            entry_cost_e6: position.entry_cost_e6,
            reserved_e6: position.reserved_e6,
        })
    }

    /// The same position without a quantity.
    pub fn none(self) -> Stake {
        Stake { qty_e6: 0, entry_cost_e6: 0, reserved_e6: 0, ..self }
    }

    /// Replace this part by `after` in every sum, and count positions and live windows (I2).
    #[inline(never)]
    pub fn book(
        self,
        after: Stake,
        pool: &mut Pool,
        market: &mut Market,
        window: &mut Window,
        margin: &mut Margin,
    ) -> Result<()> {
        for sum in [&mut pool.reserved_e6, &mut market.reserved_e6, &mut window.reserved_e6, &mut margin.reserved_e6] {
            replace(sum, self.reserved_e6, after.reserved_e6)?;
        }
        debit(window.oi_mut(self.side), self.qty_e6)?;
        credit(window.oi_mut(after.side), after.qty_e6)?;
        debit(window.entry_mut(self.side), self.entry_cost_e6)?;
        credit(window.entry_mut(after.side), after.entry_cost_e6)?;
        match (self.qty_e6 > 0, after.qty_e6 > 0) {
            (false, true) => {
                pool.open_positions += 1;
                margin.open_positions += 1;
                window.open_positions += 1;
                if window.open_positions == 1 {
                    pool.live_windows += 1; // without a mark: no liquidity moves until it has one
                }
            }
            (true, false) => {
                pool.open_positions -= 1;
                margin.open_positions -= 1;
                window.open_positions -= 1;
                if window.open_positions == 0 {
                    pool.live_windows -= 1;
                }
            }
            _ => {}
        }
        // What the window's mark counted is partly in cash now: it needs another one before liquidity moves.
        pool.unmark(window)
    }
}
