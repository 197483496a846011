"""The borrow fee: an index for each window that grows while play is charged, and what a position owes by it."""

from __future__ import annotations

from momentum import pricing
from tests.fuzz.ledger.books import Position, Window
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.timing import chargeable_ms


def grown(window: Window) -> tuple[int, int]:
    """Return (index, play) to which the borrow index of a window grows by now."""
    now_ms = chargeable_ms(window.feed.twin, window.parts)
    passed = max(0, now_ms - window.borrow_ms)
    growth = pricing.borrow_growth(window.borrow_rate_e12, passed) if passed else 0
    return window.borrow_index_e12 + growth, max(now_ms, window.borrow_ms)


def accrue(window: Window) -> None:
    """Let the borrow index of a window grow by now."""
    window.borrow_index_e12, window.borrow_ms = grown(window)


def set_rate(ledger: Ledger, window: Window) -> None:
    """Set the rate a window pays from now on, by how much of the pool is reserved."""
    pool, params = ledger.pool, ledger.params
    kink, kink_e12, most = (params[f"borrow_{name}"] for name in ("kink_bps", "kink_e12", "max_e12"))
    window.borrow_rate_e12 = pricing.borrow_rate(pool.reserved_e6, pool.cash_e6, kink, kink_e12, most)


def owed(position: Position, index: int) -> int:
    """Return the borrow fee of a position up to an index."""
    growth = index - position.borrow_index_e12
    return min(pricing.borrow_owed(position.reserved_e6, growth), position.collateral_e6) if growth > 0 else 0


def take_borrow(ledger: Ledger, position: Position) -> int:
    """Charge a position the borrow fee it owes up to its window's index; return the fee."""
    window = ledger.windows[position.window]
    taken = owed(position, window.borrow_index_e12)
    position.borrow_index_e12 = window.borrow_index_e12
    position.collateral_e6 -= taken
    ledger.pool.position_collateral_e6 -= taken
    ledger.charge(position, taken)
    return taken
