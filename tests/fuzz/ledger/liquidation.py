"""Positions short of margin, at prices fresh enough to measure it."""

from __future__ import annotations

from solders.pubkey import Pubkey

from momentum import pricing
from momentum.pricing import Side
from tests.fuzz.ledger import borrowing
from tests.fuzz.ledger.books import Now, Position, Window
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.ledger.rules import BPS, LIQUIDATION_MAX_AGE_MS, NO_NEW_ORDERS, OPEN, need
from tests.fuzz.timing import Pricing


def liquidate(ledger: Ledger, address: Pubkey, liquidator: Pubkey, now: Now) -> dict[str, int]:
    """Close a position for lack of margin."""
    need(address in ledger.positions, "no such position", "I4")
    need(ledger.pause <= NO_NEW_ORDERS, "halted")
    position = ledger.positions[address]
    window = ledger.windows[position.window]
    need(position.qty_e6 > 0 and window.state == OPEN, "nothing to liquidate")
    priced = fresh(window, now)
    need(priced.at.left_ms > 0, "window over")
    side = Side(position.side)
    owed = borrowing.owed(position, borrowing.grown(window)[0])
    equity = equity_of(position, priced, position.collateral_e6 - owed)
    least = pricing.margin_required(position.qty_e6, pricing.maintenance_margin(priced.at.left_ms))
    need(equity < least, "enough margin")
    borrowing.accrue(window)
    borrowing.take_borrow(ledger, position)
    collateral, dust, qty = position.collateral_e6, ledger.params["liquidation_dust_e6"], position.qty_e6
    if dust and qty > dust and equity >= least // 2:
        qty = max(-(-qty // 2), dust)
    price = priced.fill(side.opposite, qty, window.oi_long_e6, window.oi_short_e6, window.k_e6)
    done = ledger.reduce(position, qty, price)
    borrowing.set_rate(ledger, window)
    position.generation += 1
    rest = done.returned + done.gain
    fee = min(pricing.fee(qty, ledger.params["fee_e6"]), rest)
    ledger.charge(position, fee)
    reward = (rest - fee) * 100 // BPS
    ledger.free(liquidator, reward)
    rest -= fee + reward
    kept = rest if position.qty_e6 else 0
    position.collateral_e6 += kept
    ledger.pool.position_collateral_e6 += kept
    ledger.free(position.margin, rest - kept)
    said = {"qty_e6": qty, "price_e6": price, "mark_e6": priced.forward_e6, "collateral_e6": collateral}
    said |= {"gain_e6": done.gain, "loss_e6": done.loss, "bad_debt_e6": done.bad_debt, "fee_e6": fee}
    said |= {"left_e6": position.qty_e6, "kept_e6": kept, "borrow_e6": owed, "insured_e6": done.insured}
    return said | {"reward_e6": reward, "returned_e6": rest - kept}


def fresh(window: Window, now: Now) -> Pricing:
    """Price a window at the newest sample, if margin may be measured on it."""
    feed = window.feed.twin
    need(not window.feed.closed and bool(feed.samples), "no feed")
    sample = feed.samples[-1]
    age = now.unix_s * 1000 - feed.start_unix_ms - sample.data_ms
    need(age <= LIQUIDATION_MAX_AGE_MS, f"the newest sample is {age} ms old", "stale price")
    need(window.feed.last_slot > now.restart_slot, "the cluster was restarted since", "stale price")
    need(sample.suspend_epoch % 2 == 0, "suspended", "I8")
    return Pricing.of(feed, sample, window.parts)


def equity_of(position: Position, priced: Pricing, collateral: int) -> int:
    """Return what a position is worth at the forward price with so much collateral."""
    side = Side(position.side)
    pnl = pricing.pnl(side, position.qty_e6, position.entry_cost_e6, priced.forward_e6)
    return pnl.equity(collateral)
