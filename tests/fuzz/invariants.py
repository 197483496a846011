"""I1 to I12 of the market, each a function over the accounts as they lie on chain. Messages carry the figures.

I4 (conservation) and I5 (payout bounds) are also part of the ledger's rules; I8 (determined samples), I10 (a failed
step changes nothing) and the signatures are asserted where steps are sent, in `world.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from solders.pubkey import Pubkey

from chain.clients import market as m
from momentum import pricing
from tests.fuzz.ledger import borrowing
from tests.fuzz.ledger.books import Window
from tests.fuzz.ledger.rules import FINAL, VOID
from tests.fuzz.world import Violation

if TYPE_CHECKING:
    from tests.fuzz.venue import Venue

LIQUIDITY = ("execute_request",)


def equal(invariant: str, what: str, left: Any, right: Any) -> None:
    """Fail with the figures when two sides differ."""
    if left != right:
        raise Violation(invariant, f"{what}: {left} is not {right}")


def accounts(venue: Venue, kind: type[Any]) -> list[Any]:
    """Return the accounts of a type as last read."""
    return [account for account in venue.view.values() if type(account) is kind]


def check(venue: Venue, name: str) -> None:
    """Assert everything that can be asserted between two steps; `name` is the step just done."""
    pool = venue.view.get(venue.pool)
    if pool is None:
        return
    margins, positions = accounts(venue, m.Margin), accounts(venue, m.Position)
    orders, windows = accounts(venue, m.Order), accounts(venue, m.Window)
    i1_vault(venue, pool, margins, positions, orders, windows)
    i2_reservations(venue, pool, margins, positions, windows)
    i3_cash_covers_reservations(pool)
    i4_tokens_are_conserved(venue)
    if name in LIQUIDITY:
        i6_share_price_never_falls(venue)
    i9_counts(pool, margins, positions, orders, windows)
    i12_fees(pool, windows, venue.ledger.fees_of_closed_e6)


def i1_vault(
    venue: Venue,
    pool: m.Pool,
    margins: list[m.Margin],
    positions: list[m.Position],
    orders: list[m.Order],
    windows: list[m.Window],
) -> None:
    """The vault holds what the balances say, and each balance is the sum of what it is made of."""
    total = pool.cash_e6 + pool.margin_e6 + pool.position_collateral_e6 + pool.order_escrow_e6
    total += pool.fee_escrow_e6 + pool.protocol_fees_e6 + pool.insurance_e6 + pool.claimable_e6
    equal("I1", "vault", token_amount(venue, venue.ledger.vault), total)
    equal("I1", "free margin", pool.margin_e6, sum(margin.free_e6 for margin in margins))
    equal("I1", "position collateral", pool.position_collateral_e6, sum(p.collateral_e6 for p in positions))
    equal("I1", "order escrow", pool.order_escrow_e6, sum(o.collateral_e6 + o.fee_reserve_e6 for o in orders))
    waiting = sum(request.amount for request in accounts(venue, m.LpRequest) if request.kind == 0)
    bonds = sum(window.challenge_bond_e6 for window in windows if window.challenge == 1)
    equal("I1", "claimable", pool.claimable_e6, waiting + bonds)
    equal("I1", "fee escrow", pool.fee_escrow_e6, sum(window.fee_escrow_e6 for window in windows))


def i2_reservations(
    venue: Venue, pool: m.Pool, margins: list[m.Margin], positions: list[m.Position], windows: list[m.Window]
) -> None:
    """Reservations and open interest are the sums over positions; a position reserves the most it can gain."""
    reserved = sum(position.reserved_e6 for position in positions)
    equal("I2", "pool reserved", pool.reserved_e6, reserved)
    equal("I2", "markets reserved", sum(market.reserved_e6 for market in accounts(venue, m.Market)), reserved)
    equal("I2", "windows reserved", sum(window.reserved_e6 for window in windows), reserved)
    equal("I2", "margins reserved", sum(margin.reserved_e6 for margin in margins), reserved)
    equal("I2", "long interest", sum(w.oi_long_e6 for w in windows), quantity(positions, 0))
    equal("I2", "short interest", sum(w.oi_short_e6 for w in windows), quantity(positions, 1))
    equal("I2", "long entries", sum(w.entry_long_e6 for w in windows), entries(positions, 0))
    equal("I2", "short entries", sum(w.entry_short_e6 for w in windows), entries(positions, 1))
    for position in positions:
        bound = position.qty_e6 * 100 - position.entry_cost_e6 if position.side == 0 else position.entry_cost_e6
        equal("I2", f"reservation of {position}", position.reserved_e6, bound if position.qty_e6 else 0)


def i3_cash_covers_reservations(pool: m.Pool) -> None:
    """The pool can pay every position whatever happens."""
    if pool.cash_e6 < pool.reserved_e6:
        raise Violation("I3", f"cash {pool.cash_e6} is below reserved {pool.reserved_e6}")


def i4_tokens_are_conserved(venue: Venue) -> None:
    """All token accounts of the collateral mint hold what was minted."""
    equal("I4", "tokens everywhere", sum(venue.ledger.tokens.values()), venue.minted_e6)


def i6_share_price_never_falls(venue: Venue) -> None:
    """A deposit or withdrawal alone never lowers the share price."""
    cash, supply = (venue.share_price[0] + pricing.VIRTUAL_CASH_E6, venue.share_price[1] + pricing.VIRTUAL_SHARES)
    after = (venue.ledger.pool.cash_e6 + pricing.VIRTUAL_CASH_E6, venue.ledger.supply + pricing.VIRTUAL_SHARES)
    if venue.ledger.supply and after[0] * supply < cash * after[1]:
        raise Violation("I6", f"cash and shares {venue.share_price} -> {after}: a share is worth less")


def i7_price(forward_e6: int, envelope: tuple[int, int]) -> None:
    """A forward price lies in the envelope and between 0 and 100 points."""
    if not 0 <= envelope[0] <= forward_e6 <= envelope[1] <= pricing.MAX_X_E6:
        raise Violation("I7", f"forward {forward_e6} outside of {envelope}")


def i8_fill(event: m.OrderEnded, order: m.Order) -> None:
    """No fill earlier than commit + delay, none across a suspension, none beyond the limit."""
    figures = f"{event}; {order}"
    if event.data_ms < order.commit_ms + order.delay_ms or event.sample_index < order.commit_samples:
        raise Violation("I8", f"filled too early: {figures}")
    if event.suspend_epoch % 2 or event.suspend_epoch != order.suspend_epoch:
        raise Violation("I8", f"filled across a suspension: {figures}")
    if event.price_e6 > order.limit_e6 if order.side == 0 else event.price_e6 < order.limit_e6:
        raise Violation("I8", f"filled beyond its limit: {figures}")


def i9_counts(
    pool: m.Pool, margins: list[m.Margin], positions: list[m.Position], orders: list[m.Order], windows: list[m.Window]
) -> None:
    """Counters agree with the accounts they count."""
    live = sum(position.qty_e6 > 0 for position in positions)
    equal("I9", "open positions of the pool", pool.open_positions, live)
    equal("I9", "open positions of windows", sum(window.open_positions for window in windows), live)
    equal("I9", "open positions of margins", sum(margin.open_positions for margin in margins), live)
    equal("I9", "live windows", pool.live_windows, sum(window.open_positions > 0 for window in windows))
    equal("I9", "position accounts", sum(window.positions for window in windows), len(positions))
    equal("I9", "orders of windows", sum(window.pending_orders for window in windows), len(orders))
    equal("I9", "orders of margins", sum(margin.open_orders for margin in margins), len(orders))
    equal("I9", "orders of positions", sum(position.pending_orders for position in positions), len(orders))


def i9_nothing_is_left(venue: Venue) -> None:
    """After everyone has left nothing is booked anywhere but the insurance."""
    pool = venue.view[venue.pool]
    names = (
        "cash_e6",
        "reserved_e6",
        "margin_e6",
        "position_collateral_e6",
        "order_escrow_e6",
        "fee_escrow_e6",
        "protocol_fees_e6",
        "claimable_e6",
        "open_positions",
        "lp_requests",
        "live_windows",
    )
    for name in names:
        equal("I9", f"pool {name} at the end", getattr(pool, name), 0)
    equal("I9", "vault at the end", token_amount(venue, venue.ledger.vault), pool.insurance_e6)
    for kind in (m.Position, m.Order, m.Window):
        equal("I9", f"{kind.__name__} accounts at the end", len(accounts(venue, kind)), 0)
    houses = (venue.feeds[market.feed] for market in accounts(venue, m.Market))
    equal("I9", "markets of matches that are over", sum(house.closed or house.twin.final for house in houses), 0)


def i9_closed(venue: Venue, key: Pubkey, receiver: Pubkey, lamports: int) -> None:
    """An account that was closed is gone, and who paid its rent has it again; ``lamports`` is what both had."""
    if venue.world.exists(key) or venue.world.lamports(key):
        raise Violation("I9", f"account {key} should be closed and is not")
    equal("I9", f"lamports of who paid the rent of {key}", venue.world.lamports(receiver), lamports)


def i11_payouts(venue: Venue, window: Window) -> None:
    """Note what every position of a window just finalised must be paid, whatever the order of settlement."""
    for key, position in venue.ledger.positions.items():
        if venue.ledger.windows[position.window] is not window:
            continue
        paid = position.collateral_e6
        if window.state == FINAL:
            paid -= borrowing.owed(position, window.borrow_index_e12)
        if window.state == FINAL and position.qty_e6:
            pnl = pricing.pnl(
                pricing.Side(position.side), position.qty_e6, position.entry_cost_e6, window.settlement_e6
            )
            paid = pnl.equity(paid)
        venue.payouts[key] = paid + (position.fees_e6 if window.state == VOID else 0)


def i11_paid(venue: Venue, key: Any, event: m.PositionSettled) -> None:
    """A position was paid what was known when its window became final."""
    if key in venue.payouts:
        equal("I11", f"payout of {key}", event.payout_e6 + event.fees_returned_e6, venue.payouts.pop(key))


def i12_fees(pool: m.Pool, windows: list[m.Window], closed_e6: int) -> None:
    """Fees booked are fees charged, by windows that are there and by those that are closed."""
    charged = closed_e6 + sum(window.fees_charged_e6 for window in windows)
    equal("I12", "fees charged", pool.fees_charged_e6, charged)
    booked = pool.fee_escrow_e6 + pool.fees_distributed_e6 + pool.fees_returned_e6
    equal("I12", "fees booked", pool.fees_charged_e6, booked)
    for window in windows:
        if not window.fees_done:
            held = window.fee_escrow_e6 + window.fees_returned_e6
            equal("I12", f"fees of window {window.window_id}", window.fees_charged_e6, held)


def quantity(positions: Iterable[m.Position], side: int) -> int:
    """Return the open interest of one side."""
    return sum(position.qty_e6 for position in positions if position.side == side)


def entries(positions: Iterable[m.Position], side: int) -> int:
    """Return the entry costs of one side."""
    return sum(position.entry_cost_e6 for position in positions if position.side == side)


def token_amount(venue: Venue, key: Any) -> int:
    """Return the amount of a token account on chain."""
    return int.from_bytes(venue.world.chain.data(key)[64:72], "little")
