"""The end of accounts: what must be zero in a window or a market that is closed, and who gets its rent."""

from __future__ import annotations

from solders.pubkey import Pubkey

from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.ledger.rules import need

EMPTY = (
    "oi_long_e6",
    "oi_short_e6",
    "entry_long_e6",
    "entry_short_e6",
    "reserved_e6",
    "fee_escrow_e6",
    "open_positions",
    "positions",
    "pending_orders",
)
"""What a window that is closed holds none of."""


def close_window(ledger: Ledger, address: Pubkey, receiver: Pubkey) -> None:
    """Close a window whose fees are split: its id is used up, its fees stay counted in the pool."""
    need(address in ledger.windows, "closed already", "I9")
    window = ledger.windows[address]
    need(window.fees_done == 1, "fees are not done", "I9")
    need(window.challenge != 1, "a bond is left", "I4")
    need(receiver == window.rent_receiver, "not who paid the rent", "I9")
    left = [name for name in EMPTY if getattr(window, name)]
    need(not left, f"not empty: {left}", "I9")
    ledger.markets[window.market].closed |= 1 << window.window_id
    ledger.fees_of_closed_e6 += window.fees_charged_e6
    del ledger.windows[address]


def close_market(ledger: Ledger, address: Pubkey, receiver: Pubkey, *, over: bool) -> None:
    """Close the market of a match that is over and has no window left."""
    need(address in ledger.markets, "closed already", "I9")
    market = ledger.markets[address]
    need(over, "still playing", "I9")
    need(market.windows == market.closed, "windows are left", "I9")
    need(receiver == market.rent_receiver, "not who paid the rent", "I9")
    need(market.reserved_e6 == 0, "not empty", "I9")
    del ledger.markets[address]
