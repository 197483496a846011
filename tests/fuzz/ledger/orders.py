"""Orders are committed and cancelled: by whom, how many, with what collateral."""

from __future__ import annotations

from solders.pubkey import Pubkey

from momentum import pricing
from tests.fuzz.ledger.books import Margin, Now, Order, Position, Session
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.ledger.rules import (
    ACTIVE,
    COMMIT_CLOSE_MS,
    MARKET_ORDER,
    MAX_EXPIRY_MS,
    MAX_QTY_E6,
    MIN_QTY_E6,
    NOBODY,
    OPEN,
    REDUCE_ONLY,
    REDUCE_ONLY_LEVEL,
    STOP_LOSS,
    TAKE_PROFIT,
    Refused,
    need,
)
from tests.fuzz.timing import Pricing


def submit(
    ledger: Ledger,
    address: Pubkey,
    order: Order,
    now: Now,
    signer: Pubkey,
    session: Pubkey | None,
    attested: Pubkey | None,
) -> None:
    """Commit an order; ``order`` carries what was asked, the rest is filled in here."""
    margin, window = ledger.margins[order.margin], ledger.windows[order.window]
    feed, reduce_only = window.feed.twin, order.flags & REDUCE_ONLY != 0
    market = order.kind == MARKET_ORDER
    need(ledger.pause <= (REDUCE_ONLY_LEVEL if reduce_only else ACTIVE), "paused")
    expiry = order.expiry_ms == 0 or ledger.params["delay_ms"] <= order.expiry_ms <= (
        MAX_EXPIRY_MS if market else (1 << 32) - 1
    )
    need(expiry and MIN_QTY_E6 <= order.qty_e6 <= MAX_QTY_E6 and order.limit_e6 <= 100_000_000, "bad order")
    stops = order.kind in (STOP_LOSS, TAKE_PROFIT)
    need(order.trigger_e6 == 0 or stops, "bad trigger")
    need(not stops or (reduce_only and order.trigger_e6 <= 100_000_000), "bad stop")
    need(order.client_id > margin.last_client_id and address not in ledger.orders, "client id used", "I4")
    need(window.state == OPEN and not feed.final and not window.feed.closed, "window not open")
    if market:
        need(not feed.suspended, "suspended", "I8")
        need(not feed.in_break, "no play")
    need(bool(feed.samples) or not market, "no sample")
    if feed.samples:
        left = Pricing.of(feed, feed.samples[-1], window.parts).at.left_ms
        need(left >= COMMIT_CLOSE_MS, "window closing")
    if not reduce_only and ledger.attestor != NOBODY:
        by, until = ledger.attestations.get(attested, (NOBODY, 0)) if attested else (NOBODY, 0)
        need(by == ledger.attestor and ledger.unix_s < until, "not attested", "attestation")
    rate = _rate(ledger, margin)
    fee = pricing.fee(order.qty_e6, ledger.params["fee_e6"])
    if reduce_only:
        fee = min(fee, max(0, margin.free_e6 - order.collateral_e6))
    else:
        least = pricing.margin_required(order.qty_e6, ledger.params["initial_margin_e6"])
        need(order.collateral_e6 >= least, "collateral too low", "I5")
    need(order.collateral_e6 + fee <= margin.free_e6, "more than is free", "I1")
    if signer != margin.owner:
        _spend(_held(ledger, session, order, signer), order, order.collateral_e6 + fee)

    margin.rate_unix, margin.rate_count = rate
    margin.free_e6 -= order.collateral_e6 + fee
    ledger.pool.margin_e6 -= order.collateral_e6 + fee
    ledger.pool.order_escrow_e6 += order.collateral_e6 + fee
    if order.position not in ledger.positions:
        ledger.positions[order.position] = Position(order.margin, order.window, order.rent_payer)
        window.positions += 1
    position = ledger.positions[order.position]
    for book in (position, window):
        book.pending_orders += 1
    margin.open_orders += 1
    margin.last_client_id = order.client_id
    order.fee_reserve_e6 = fee
    order.period, order.suspend_epoch = feed.period, feed.suspend_epoch
    order.commit_ms = max(now.unix_s * 1000 + 999, feed.start_unix_ms + feed.data_ms)
    order.commit_slot, order.commit_samples = now.slot, len(feed.samples)
    order.tip_lamports, order.delay_ms = ledger.params["tip_lamports"], ledger.params["delay_ms"]
    if market:
        order.expiry_ms = order.expiry_ms or ledger.params["order_expiry_ms"]
    else:
        order.until_ms = order.commit_ms + order.expiry_ms if order.expiry_ms else 0
    order.generation = position.generation
    ledger.orders[address] = order


def _rate(ledger: Ledger, margin: Margin) -> tuple[int, int]:
    limit = ledger.params["orders_per_minute"]
    if limit == 0:
        return margin.rate_unix, margin.rate_count
    start, count = margin.rate_unix, margin.rate_count
    if ledger.unix_s >= start + 60:
        start, count = ledger.unix_s, 0
    need(count < limit, "too many orders this minute", "rate")
    return start, count + 1


def _held(ledger: Ledger, address: Pubkey | None, order: Order, signer: Pubkey) -> Session:
    """Return the session by which ``signer`` acts for the order's owner."""
    session = ledger.sessions.get(address) if address else None
    if session is None:
        raise Refused("not the owner", "signer")
    need(session.delegate == signer and session.margin == order.margin, "another's session", "session")
    need(ledger.unix_s < session.expires_unix, "the session is over", "session")
    return session


def _spend(session: Session, order: Order, escrow: int) -> None:
    need(order.qty_e6 <= session.max_qty_e6, "larger than the session allows", "session")
    need(session.spent_e6 + escrow <= session.budget_e6, "the session's budget is spent", "session")
    session.spent_e6 += escrow


def cancel(ledger: Ledger, address: Pubkey, signer: Pubkey, session: Pubkey | None, now: Now) -> dict[str, int]:
    """Ask for the end of a resting order."""
    need(address in ledger.orders, "no such order")
    order = ledger.orders[address]
    if signer != ledger.margins[order.margin].owner:
        _held(ledger, session, order, signer)
    need(order.kind != MARKET_ORDER, "a market order cannot be cancelled", "free look")
    need(not order.cancelled, "cancelled already")
    house = ledger.windows[order.window].feed
    known = 0 if house.closed else house.twin.start_unix_ms + house.twin.data_ms
    until = max(now.unix_s * 1000 + 999, known) + order.delay_ms
    if order.until_ms == 0 or until < order.until_ms:
        order.until_ms, order.cancelled = until, 1
    return {"until_ms": order.until_ms}
