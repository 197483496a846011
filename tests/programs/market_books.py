"""The market's invariants as readable checks over the accounts of a venue. Every message carries the figures."""

from __future__ import annotations

from collections.abc import Iterable

from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.programs.market_kit import Venue


def positions(venue: Venue) -> list[m.Position]:
    """Return every position account."""
    found = (venue.get_position(trader, window) for trader in venue.traders for window in venue.windows.values())
    return [position for position in found if position is not None]


def orders(venue: Venue) -> list[m.Order]:
    """Return every pending order."""
    return [m.Order.from_account(venue.chain.data(address)) for address in venue.orders]


def equal(name: str, left: int, right: int) -> None:
    """Fail with the figures when two sides of an invariant differ."""
    assert left == right, f"{name}: {left} is not {right}"


def check(venue: Venue) -> None:
    """Assert I1, I2, I3 and I12, and that counters agree with the accounts they count."""
    pool = venue.get_pool()
    margins = [venue.get_margin(trader) for trader in venue.traders]
    windows = [venue.get_window(window) for window in venue.windows.values()]
    market = m.Market.from_account(venue.chain.data(venue.market))
    held, pending = positions(venue), orders(venue)
    live = [position for position in held if position.qty_e6]

    total = pool.cash_e6 + pool.margin_e6 + pool.position_collateral_e6 + pool.order_escrow_e6
    total += pool.fee_escrow_e6 + pool.protocol_fees_e6 + pool.insurance_e6 + pool.claimable_e6
    equal("I1 vault", venue.tokens(venue.vault), total)
    equal("I1 free margin", pool.margin_e6, sum(margin.free_e6 for margin in margins))
    equal("I1 collateral", pool.position_collateral_e6, sum(position.collateral_e6 for position in held))
    escrow = sum(order.collateral_e6 + order.fee_reserve_e6 for order in pending)
    equal("I1 order escrow", pool.order_escrow_e6, escrow)
    equal("I1 fee escrow", pool.fee_escrow_e6, sum(window.fee_escrow_e6 for window in windows))

    reserved = sum(position.reserved_e6 for position in held)
    equal("I2 pool reserved", pool.reserved_e6, reserved)
    equal("I2 market reserved", market.reserved_e6, reserved)
    equal("I2 window reserved", sum(window.reserved_e6 for window in windows), reserved)
    equal("I2 margin reserved", sum(margin.reserved_e6 for margin in margins), reserved)
    for window_id, address in venue.windows.items():
        window = venue.get_window(address)
        mine = [position for position in held if position.window == address]
        equal(f"I2 long of {window_id}", window.oi_long_e6, quantity(mine, 0))
        equal(f"I2 short of {window_id}", window.oi_short_e6, quantity(mine, 1))
        equal(f"positions of {window_id}", window.positions, len(mine))
        equal(f"open positions of {window_id}", window.open_positions, sum(p.qty_e6 > 0 for p in mine))
        equal(f"orders of {window_id}", window.pending_orders, sum(o.window == address for o in pending))
        equal(f"I12 of {window_id}", window.fees_charged_e6, window_fees(window))
        equal(f"long entries of {window_id}", window.entry_long_e6, entries(mine, 0))
        equal(f"short entries of {window_id}", window.entry_short_e6, entries(mine, 1))
    equal("live windows", pool.live_windows, sum(window.open_positions > 0 for window in windows))
    marked = [window for window in windows if window.mark_round and window.mark_round == pool.mark_round]
    equal("marked windows", pool.marked_windows, len(marked))
    equal("marked gains", pool.mark_gain_e6, sum(window.mark_gain_e6 for window in marked))
    equal("marked losses", pool.mark_loss_e6, sum(window.mark_loss_e6 for window in marked))
    wishes = [m.LpRequest.from_account(venue.chain.data(address)) for address in venue.requests]
    equal("requests", pool.lp_requests, len(wishes))
    bonds = sum(window.challenge_bond_e6 for window in windows if window.challenge == 1)
    waiting = sum(wish.amount for wish in wishes if wish.kind == 0)
    equal("I1 claimable", pool.claimable_e6, waiting + bonds)
    shares = sum(wish.amount for wish in wishes if wish.kind == 1)
    equal("escrowed shares", venue.tokens(pda.lp_escrow(venue.exchange)), shares)
    equal("open positions", pool.open_positions, len(live))
    equal("margin positions", sum(margin.open_positions for margin in margins), len(live))
    equal("margin orders", sum(margin.open_orders for margin in margins), len(pending))
    for position in held:
        bound = position.qty_e6 * 100 - position.entry_cost_e6 if position.side == 0 else position.entry_cost_e6
        equal("reservation", position.reserved_e6, bound if position.qty_e6 else 0)

    assert pool.cash_e6 >= pool.reserved_e6, f"I3: cash {pool.cash_e6} below reserved {pool.reserved_e6}"
    equal("I12 charged", pool.fees_charged_e6, sum(window.fees_charged_e6 for window in windows))
    booked = pool.fee_escrow_e6 + pool.fees_distributed_e6 + pool.fees_returned_e6
    equal("I12 booked", pool.fees_charged_e6, booked)


def quantity(held: Iterable[m.Position], side: int) -> int:
    """Return the open interest of one side."""
    return sum(position.qty_e6 for position in held if position.side == side)


def entries(held: Iterable[m.Position], side: int) -> int:
    """Return the sum of entry costs of one side."""
    return sum(position.entry_cost_e6 for position in held if position.side == side and position.qty_e6)


def window_fees(window: m.Window) -> int:
    """Return what became of a window's fees; a distributed window has no escrow left."""
    if window.fees_done:
        return window.fees_charged_e6
    return window.fee_escrow_e6 + window.fees_returned_e6


def tokens_everywhere(venue: Venue) -> int:
    """Return all tokens of the collateral mint: no instruction may change the sum (I4)."""
    wallets = sum(venue.tokens(trader.tokens) for trader in venue.traders)
    return venue.tokens(venue.vault) + venue.tokens(venue.treasury) + wallets


def assert_empty(venue: Venue) -> None:
    """Assert I9: after everyone has left, nothing is booked anywhere but the insurance."""
    pool = venue.get_pool()
    left = {name: getattr(pool, name) for name in BALANCES if getattr(pool, name)}
    assert not left, f"I9: {left}"
    equal("I9 vault", venue.tokens(venue.vault), pool.insurance_e6)
    equal("I9 shares", venue.supply(), 0)
    for address in venue.windows.values():
        assert_window_empty(venue, address)


def assert_window_empty(venue: Venue, address: Pubkey) -> None:
    """Assert that a settled window holds nothing."""
    window = venue.get_window(address)
    names = ("oi_long_e6", "oi_short_e6", "reserved_e6", "fee_escrow_e6", "positions", "pending_orders")
    left = {name: getattr(window, name) for name in names if getattr(window, name)}
    assert not left, f"I9 window {window.window_id}: {left}"


BALANCES = (
    "cash_e6",
    "reserved_e6",
    "margin_e6",
    "position_collateral_e6",
    "order_escrow_e6",
    "fee_escrow_e6",
    "protocol_fees_e6",
    "claimable_e6",
    "open_positions",
)
