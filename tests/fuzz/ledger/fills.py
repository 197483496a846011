"""How an order ends: at which sample, at which price, and what that does to its position."""

from __future__ import annotations

from solders.pubkey import Pubkey

from momentum import pricing
from momentum.pricing import Side
from tests.fuzz.ledger import borrowing
from tests.fuzz.ledger.books import Now, Order, Position, Window
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.ledger.rules import (
    ACTIVE,
    BPS,
    BREAK,
    CANCEL_GRACE_MS,
    CANCELLED,
    CAP,
    EXPIRED,
    EXPIRY_GRACE_MS,
    FILLED,
    FINAL,
    GONE,
    IS_VOID,
    LIMIT,
    LIMIT_ORDER,
    LIQUIDATED,
    MARKET_ORDER,
    NO_NEW_ORDERS,
    NO_SAMPLE,
    NOTHING,
    OPEN,
    OVER,
    REDUCE_ONLY,
    RESTARTED,
    STOP_LOSS,
    SUSPENDED,
    TRIGGER_LIFE_MS,
    need,
)
from tests.fuzz.timing import RING, Pricing


def crank(ledger: Ledger, address: Pubkey, index: int, now: Now) -> dict[str, int]:
    """End an order; return what its event must say."""
    need(address in ledger.orders, "no such order", "I4")
    need(ledger.pause <= NO_NEW_ORDERS, "halted")
    order = ledger.orders[address]
    said, fill = _judge(ledger, order, index, now)
    if fill is not None:
        said |= _fill(ledger, order, *fill)
    if said["reason"] != FILLED:
        said["refund_e6"] = order.escrow
        ledger.free(order.margin, order.escrow)
        ledger.pool.order_escrow_e6 -= order.escrow
    ledger.positions[order.position].pending_orders -= 1
    ledger.windows[order.window].pending_orders -= 1
    ledger.margins[order.margin].open_orders -= 1
    del ledger.orders[address]
    return said


def _judge(ledger: Ledger, order: Order, index: int, now: Now) -> tuple[dict[str, int], tuple[int, int, int] | None]:
    """Return the end of an order and, if it may fill, (quantity, price, data time)."""
    window, position = ledger.windows[order.window], ledger.positions[order.position]
    feed = window.feed.twin
    if window.state != OPEN:
        return {"reason": OVER if window.state == FINAL else IS_VOID}, None
    if now.restart_slot > order.commit_slot:
        return {"reason": RESTARTED}, None
    if order.generation != position.generation:
        return {"reason": LIQUIDATED}, None
    need(not window.feed.closed, "the feed has gone")
    if order.kind != MARKET_ORDER:
        return _resting(ledger, order, window, position, index, now)
    need(now.slot > order.commit_slot, "same slot", "I8")
    ripe = order.commit_ms + order.delay_ms - feed.start_unix_ms
    oldest = max(0, len(feed.samples) - 512)
    newest = feed.samples[-1] if len(feed.samples) > order.commit_samples else None
    if newest is None or newest.data_ms < ripe:
        if feed.final or feed.period != order.period or feed.in_break:
            return {"reason": BREAK}, None
        need(now.unix_s * 1000 > order.commit_ms + order.expiry_ms + EXPIRY_GRACE_MS, "not ripe", "I8")
        return {"reason": NO_SAMPLE}, None
    if oldest > order.commit_samples and feed.samples[oldest].data_ms >= ripe:
        return {"reason": GONE}, None
    first = next(
        i for i in range(max(oldest, order.commit_samples), len(feed.samples)) if feed.samples[i].data_ms >= ripe
    )
    need(index == first, "not the determined sample", "I8")
    need(first + 1 < len(feed.samples) or window.feed.last_slot > order.commit_slot, "same slot", "I8")
    reason = _missed(order, window, first)
    if reason is not None:
        return _told(window, first) | {"reason": reason}, None
    return _execute(order, window, position, first)


def _missed(order: Order, window: Window, index: int) -> int | None:
    """Return why a market order cannot fill at its sample, or None where it may."""
    feed = window.feed.twin
    sample = feed.samples[index]
    if window.feed.period_at[index] != order.period:
        return BREAK
    if feed.start_unix_ms + sample.data_ms > order.commit_ms + order.expiry_ms:
        return NO_SAMPLE
    return SUSPENDED if sample.suspend_epoch % 2 or sample.suspend_epoch != order.suspend_epoch else None


def _told(window: Window, index: int) -> dict[str, int]:
    """Return what an event says of the sample at which an order ends."""
    feed = window.feed.twin
    sample = feed.samples[index]
    said = {"sample_index": index, "data_ms": feed.start_unix_ms + sample.data_ms}
    return said | {"suspend_epoch": sample.suspend_epoch, "conf_e6": sample.conf_e4 * 100}


def _resting(
    ledger: Ledger, order: Order, window: Window, position: Position, index: int, now: Now
) -> tuple[dict[str, int], tuple[int, int, int] | None]:
    """Judge an order that waits for its price: a fill, its end, or it rests on."""
    feed = window.feed.twin
    number = _triggered(order, window, position, index)
    if number is not None:
        said, fill = _execute(order, window, position, number)
        if fill is not None and (_closes(order, position) or ledger.pause == ACTIVE):
            return said, fill
        if said["reason"] == NOTHING:
            return said, None
    closed = _closed_ms(order)
    if closed is not None:
        newest = feed.start_unix_ms + feed.samples[-1].data_ms if feed.samples else 0
        if newest >= closed or now.unix_s * 1000 > closed + EXPIRY_GRACE_MS:
            return {"reason": CANCELLED if order.cancelled else EXPIRED}, None
    over = bool(feed.samples) and Pricing.of(feed, feed.samples[-1], window.parts).at.left_ms == 0
    need(over or feed.final, "rests on", "I8")
    return {"reason": OVER}, None


def _triggered(order: Order, window: Window, position: Position, index: int) -> int | None:
    """Return the sample at which a trigger fills, or None where sample ``index`` is no trigger."""
    feed, count = window.feed.twin, len(window.feed.twin.samples)
    if not max(order.commit_samples, count - RING) <= index < count:
        return None
    start, trigger = feed.start_unix_ms, feed.samples[index]
    at_ms = start + trigger.data_ms
    ripe_ms = at_ms + order.delay_ms
    if at_ms < order.commit_ms or (order.until_ms and at_ms >= order.until_ms) or trigger.suspend_epoch % 2:
        return None
    newest = feed.samples[-1]
    if newest.suspend_epoch != trigger.suspend_epoch:
        return None
    number = next((i for i in range(index + 1, count) if start + feed.samples[i].data_ms >= ripe_ms), None)
    if number is None or feed.samples[number].suspend_epoch != trigger.suspend_epoch:
        return None
    closed = _closed_ms(order)
    ended = closed is not None and start + newest.data_ms >= closed
    if ended or newest.data_ms > feed.samples[number].data_ms + TRIGGER_LIFE_MS:
        return None
    periods = window.feed.period_at
    if periods[number] != periods[index]:
        return None
    priced, side = Pricing.of(feed, trigger, window.parts), Side(order.side)
    if order.kind == LIMIT_ORDER:
        price = priced.fill(side, _quantity(order, position), window.oi_long_e6, window.oi_short_e6, window.k_e6)
        return number if (price <= order.limit_e6 if side is Side.LONG else price >= order.limit_e6) else None
    falling = (order.kind == STOP_LOSS) == (side is Side.SHORT)
    forward = priced.forward_e6
    return number if (forward <= order.trigger_e6 if falling else forward >= order.trigger_e6) else None


def _execute(
    order: Order, window: Window, position: Position, index: int
) -> tuple[dict[str, int], tuple[int, int, int] | None]:
    """Return what an order does at its fill sample."""
    said, feed = _told(window, index), window.feed.twin
    priced = Pricing.of(feed, feed.samples[index], window.parts)
    if priced.at.left_ms == 0:
        return said | {"reason": OVER}, None
    if order.flags & REDUCE_ONLY and not _closes(order, position):
        return said | {"reason": NOTHING}, None
    qty = _quantity(order, position)
    price = priced.fill(Side(order.side), qty, window.oi_long_e6, window.oi_short_e6, window.k_e6)
    if price > order.limit_e6 if order.side == Side.LONG else price < order.limit_e6:
        return said | {"reason": LIMIT}, None
    said |= {"reason": FILLED, "forward_e6": priced.forward_e6, "price_e6": price}
    return said, (qty, price, said["data_ms"])


def _closes(order: Order, position: Position) -> bool:
    return position.qty_e6 > 0 and position.side != order.side


def _quantity(order: Order, position: Position) -> int:
    """Return how much an order trades: it closes a position and turns none round."""
    return min(order.qty_e6, position.qty_e6) if _closes(order, position) else order.qty_e6


def _closed_ms(order: Order) -> int | None:
    """Return when an order that has an end takes no trigger any more; None while it has none."""
    return order.until_ms + order.delay_ms + CANCEL_GRACE_MS if order.until_ms else None


def _fill(ledger: Ledger, order: Order, qty: int, price: int, data_ms: int) -> dict[str, int]:
    position = ledger.positions[order.position]
    window, side = ledger.windows[order.window], Side(order.side)
    borrow = ledger.params["borrow_max_e12"] > 0 or window.borrow_rate_e12 > 0 or window.borrow_index_e12 > 0
    if _closes(order, position):
        taken = _borrow_first(ledger, position, borrow)
        said = _close(ledger, order, position, qty, price)
        if borrow:
            borrowing.set_rate(ledger, window)
        return said | {"borrow_e6": taken}
    cost = pricing.entry_cost(side, qty, price)
    if _capped(ledger, order, qty, price):
        return {"reason": CAP}
    taken = _borrow_first(ledger, position, borrow)
    if position.qty_e6 == 0:
        position.opened_ms = data_ms
        ledger.count(position, 1)
    position.side = order.side
    position.qty_e6 += qty
    position.entry_cost_e6 += cost
    position.collateral_e6 += order.collateral_e6
    ledger.reserve(position, pricing.reservation(side, position.qty_e6, position.entry_cost_e6))
    window.turn(order.side, qty, cost)
    ledger.pool.order_escrow_e6 -= order.escrow
    ledger.pool.position_collateral_e6 += order.collateral_e6
    ledger.charge(position, order.fee_reserve_e6)
    if borrow:
        borrowing.set_rate(ledger, window)
    said = {"filled_e6": qty, "fee_e6": order.fee_reserve_e6, "collateral_in_e6": order.collateral_e6}
    return said | {"borrow_e6": taken}


def _capped(ledger: Ledger, order: Order, qty: int, price: int) -> bool:
    """Whether a fill that opens would go beyond a cap of pool, match or user."""
    position, side = ledger.positions[order.position], Side(order.side)
    if _closes(order, position):
        return False
    added = pricing.reservation(side, qty, pricing.entry_cost(side, qty, price))
    market = ledger.markets[ledger.windows[order.window].market]
    sums = {
        "cap_pool_bps": ledger.pool.reserved_e6,
        "cap_match_bps": market.reserved_e6,
        "cap_user_bps": ledger.margins[order.margin].reserved_e6,
    }
    return any((sum_e6 + added) * BPS > ledger.pool.cash_e6 * ledger.params[cap] for cap, sum_e6 in sums.items())


def _borrow_first(ledger: Ledger, position: Position, on: bool) -> int:
    if on:
        borrowing.accrue(ledger.windows[position.window])
    # whatever is owed from before, and nothing for the time before it opened
    return borrowing.take_borrow(ledger, position)


def _close(ledger: Ledger, order: Order, position: Position, qty: int, price: int) -> dict[str, int]:
    done = ledger.reduce(position, qty, price)
    purse = order.fee_reserve_e6 + done.returned + done.gain
    fee = min(pricing.fee(qty, ledger.params["fee_e6"]), purse)
    ledger.pool.order_escrow_e6 -= order.escrow
    ledger.charge(position, fee)
    ledger.free(order.margin, purse - fee + order.collateral_e6)
    said = {"filled_e6": qty, "closed_e6": qty, "fee_e6": fee, "gain_e6": done.gain, "loss_e6": done.loss}
    said |= {"bad_debt_e6": done.bad_debt, "insured_e6": done.insured}
    return said | {"collateral_out_e6": done.returned}
