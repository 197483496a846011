use crate::{value_ceil, value_floor, MathResult, Pnl, Side};

/// What all positions of one side gain or lose together at `price_e6`, never less than the sum over the positions.
///
/// `qty_e6` and `entry_e6` are the sums of their quantities and entry costs. Each position's gain is floored and its
/// loss ceiled, so the loss is raised by a unit a position: whoever asks the pool for shares pays for the doubt.
pub fn mark_side(side: Side, qty_e6: u64, entry_e6: u64, price_e6: u32, positions: u64) -> MathResult<Pnl> {
    let (low, high) = (value_floor(qty_e6, price_e6)?, value_ceil(qty_e6, price_e6)?);
    let (gain_e6, loss_e6) = match side {
        Side::Long => (high.saturating_sub(entry_e6), entry_e6.saturating_sub(low)),
        Side::Short => (entry_e6.saturating_sub(low), high.saturating_sub(entry_e6)),
    };
    let doubt = if loss_e6 > 0 { positions } else { 0 };
    Ok(Pnl { gain_e6, loss_e6: loss_e6.saturating_add(doubt) })
}
