"""Traders' collateral: tokens to free margin and back, free margin into positions and back."""

from __future__ import annotations

from solders.pubkey import Pubkey

from momentum import pricing
from tests.fuzz.ledger import borrowing, liquidation
from tests.fuzz.ledger.books import Now, Position
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.ledger.rules import HALTED, NO_NEW_ORDERS, OPEN, REDUCE_ONLY_LEVEL, need


def deposit(ledger: Ledger, margin: Pubkey, source: Pubkey, amount: int) -> None:
    """Tokens become free margin."""
    need(ledger.pause <= NO_NEW_ORDERS, "halted")
    need(0 < amount <= ledger.tokens[source], "no such amount")
    ledger.move(source, ledger.vault, amount)
    book = ledger.margins[margin]
    book.free_e6 += amount
    book.deposits_e6 += amount
    ledger.pool.margin_e6 += amount


def withdraw(ledger: Ledger, margin: Pubkey, target: Pubkey, amount: int) -> None:
    """Free margin becomes tokens."""
    book = ledger.margins[margin]
    need(0 < amount <= book.free_e6, "more than is free", "I1")
    winnings = max(0, amount - max(0, book.deposits_e6 - book.withdrawals_e6))
    if winnings:
        need(ledger.pause < HALTED, "winnings stay while halted")
        _count_outflow(ledger, winnings)
    ledger.move(ledger.vault, target, amount)
    book.free_e6 -= amount
    book.withdrawals_e6 += amount
    ledger.pool.margin_e6 -= amount


def _count_outflow(ledger: Ledger, winnings: int) -> None:
    pool = ledger.pool
    left: dict[str, int] = {}
    for name, seconds in (("hour", 3_600), ("day", 86_400)):
        start, sum_e6 = getattr(pool, f"outflow_{name}_unix"), getattr(pool, f"outflow_{name}_e6")
        if ledger.unix_s >= start + seconds:
            start, sum_e6 = ledger.unix_s, 0
        limit = ledger.params[f"outflow_{name}_e6"]
        need(limit == 0 or sum_e6 + winnings <= limit, f"over the limit of the {name}", "outflow")
        left |= {f"outflow_{name}_unix": start, f"outflow_{name}_e6": sum_e6 + winnings}
    for field_name, value in left.items():
        setattr(pool, field_name, value)


def add_margin(ledger: Ledger, address: Pubkey, amount: int) -> dict[str, int]:
    """Move free margin into a position."""
    need(address in ledger.positions, "no such position")
    position = ledger.positions[address]
    need(ledger.windows[position.window].state == OPEN, "window not open")
    need(position.qty_e6 > 0, "empty position")
    need(0 < amount <= ledger.margins[position.margin].free_e6, "more than is free", "I1")
    return _shift(ledger, position, amount)


def remove_margin(ledger: Ledger, address: Pubkey, amount: int, now: Now) -> dict[str, int]:
    """Move collateral beyond the initial margin to free margin."""
    need(address in ledger.positions, "no such position")
    position = ledger.positions[address]
    window = ledger.windows[position.window]
    need(ledger.pause <= REDUCE_ONLY_LEVEL, "paused")
    need(window.state == OPEN and position.qty_e6 > 0, "nothing there")
    priced = liquidation.fresh(window, now)
    left = position.collateral_e6 - borrowing.owed(position, borrowing.grown(window)[0]) - amount
    need(amount > 0 and left >= 0, "more than there is", "I5")
    least = pricing.margin_required(position.qty_e6, ledger.params["initial_margin_e6"])
    need(left >= least and liquidation.equity_of(position, priced, left) >= least, "below initial margin", "I5")
    borrowing.accrue(window)
    taken = borrowing.take_borrow(ledger, position)
    return _shift(ledger, position, -amount) | {"borrow_e6": taken}


def _shift(ledger: Ledger, position: Position, amount: int) -> dict[str, int]:
    position.collateral_e6 += amount
    ledger.pool.position_collateral_e6 += amount
    ledger.free(position.margin, -amount)
    free = ledger.margins[position.margin].free_e6
    return {"amount_e6": abs(amount), "collateral_e6": position.collateral_e6, "free_e6": free}
