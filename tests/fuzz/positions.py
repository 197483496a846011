"""How orders become positions, and what happens to those while they are open: liquidation, margin, a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from solders.pubkey import Pubkey

from chain.clients import market as m
from momentum import pricing
from momentum.pricing import Side
from tests.fuzz import invariants
from tests.fuzz.ledger import fills, liquidation, margins
from tests.fuzz.ledger.books import Order
from tests.fuzz.ledger.rules import FILLED, MARKET_ORDER, OPEN
from tests.fuzz.stage import USDC, action, anyone
from tests.fuzz.timing import Pricing
from tests.fuzz.venue import Venue


@action(44, "crank_order")
def crank(venue: Venue) -> None:
    """End a pending order, mostly at the right sample."""
    rng = venue.world.rng
    if venue.ledger.orders:
        crank_order(venue, rng.choice(list(venue.ledger.orders)), off=rng.choice((0,) * 12 + (-1, 1)))


def ripe_index(venue: Venue, order: Order) -> int:
    """Return the number of the order's determined sample, or of the next one that will come."""
    twin = venue.ledger.windows[order.window].feed.twin
    if order.kind != MARKET_ORDER:
        by_ms = twin.samples[-1].data_ms - order.delay_ms if twin.samples else 0
        due = sum(sample.data_ms <= by_ms for sample in twin.samples)  # the newest that can have its fill sample
        return max(order.commit_samples, due - venue.world.rng.choice((0, 1, 1, 1, 2)))
    for index in range(order.commit_samples, len(twin.samples)):
        if twin.start_unix_ms + twin.samples[index].data_ms >= order.commit_ms + order.delay_ms:
            return index
    return len(twin.samples)


def crank_order(venue: Venue, address: Pubkey, *, off: int = 0) -> None:
    """End an order at its determined sample, or ``off`` samples beside it."""
    world, ledger = venue.world, venue.ledger
    order = replace(ledger.orders[address])
    window = ledger.windows[order.window]
    index = max(0, ripe_index(venue, order) + off)
    cranker = world.rng.choice((world.chain.payer, world.rng.choice(venue.people).key))
    instruction = m.ix_crank_order(
        cranker=cranker.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        market=window.market,
        window=order.window,
        feed=window.feed.address,
        margin=order.margin,
        position=order.position,
        order=address,
        rent_payer=order.rent_payer,
        sample_index=index,
    )
    before: m.Order = venue.view[address]
    event = world.attempt(
        "crank_order",
        instruction,
        [cranker],
        lambda: fills.crank(ledger, address, index, world.now()),
        venue,
        breaks="I8",
    )
    if event is None:
        return
    world.seen[f"order ended {event.reason}"] += 1
    world.seen["fills of resting orders"] += event.reason == FILLED and order.kind != MARKET_ORDER
    if event.reason == FILLED and order.kind == MARKET_ORDER:
        invariants.i8_fill(event, before)
    if world.rng.random() < 0.05:
        again = "crank_order again"
        world.attempt(again, instruction, [cranker], lambda: fills.crank(ledger, address, index, world.now()), venue)


@action(9, "liquidate")
def liquidate(venue: Venue) -> None:
    """Liquidate whom it concerns; now and then try anybody."""
    world, ledger = venue.world, venue.ledger
    held = [key for key, position in ledger.positions.items() if position.qty_e6]
    if not held:
        return
    weak = [key for key in held if _weak(venue, key)]
    key = world.rng.choice(weak if weak and world.rng.random() < 0.9 else held)
    position = replace(ledger.positions[key])
    window, by = ledger.windows[position.window], anyone(venue)
    instruction = m.ix_liquidate(
        liquidator=by.key.pubkey(),
        liquidator_margin=by.margin,
        exchange=venue.exchange,
        pool=venue.pool,
        market=window.market,
        window=position.window,
        feed=window.feed.address,
        margin=position.margin,
        position=key,
    )
    if weak and world.rng.random() < 0.1:
        world.chain.clock(world.chain.unix_s + 8)  # the sample is stale by now
    event = world.attempt(
        "liquidate",
        instruction,
        [by.key],
        lambda: liquidation.liquidate(ledger, key, by.margin, world.now()),
        venue,
        role=by.key,
        breaks="I4",
    )
    if event is None:
        return
    world.seen["liquidated in part" if event.left_e6 else "liquidated whole"] += 1
    if not event.left_e6:
        paid = event.loss_e6 + event.fee_e6 + event.reward_e6 + event.returned_e6
        invariants.equal("I4", f"a liquidation conserves: {event}", paid, event.collateral_e6 + event.gain_e6)


def _weak(venue: Venue, key: Pubkey) -> bool:
    """Whether a position looks short of margin at its newest sample, however old."""
    position = venue.ledger.positions[key]
    window = venue.ledger.windows[position.window]
    twin = window.feed.twin
    if window.state != OPEN or window.feed.closed or twin.suspended:
        return False
    priced = Pricing.of(twin, twin.samples[-1], window.parts)
    pnl = pricing.pnl(Side(position.side), position.qty_e6, position.entry_cost_e6, priced.forward_e6)
    least = pricing.margin_required(position.qty_e6, pricing.maintenance_margin(priced.at.left_ms))
    return priced.at.left_ms > 0 and pnl.equity(position.collateral_e6) < least


@action(5, "add_margin", "remove_margin")
def margin(venue: Venue) -> None:
    """Move collateral into a position or out of it, sometimes too much."""
    world, ledger, rng = venue.world, venue.ledger, venue.world.rng
    held = [key for key, position in ledger.positions.items() if position.qty_e6 or rng.random() < 0.05]
    if not held:
        return
    key = rng.choice(held)
    position = ledger.positions[key]
    who = next(person for person in venue.people if person.margin == position.margin)
    fields: dict[str, Any] = {
        "owner": who.key.pubkey(),
        "exchange": venue.exchange,
        "pool": venue.pool,
        "window": position.window,
        "margin": position.margin,
        "position": key,
    }
    if rng.random() < 0.5:
        amount = rng.choice((rng.randint(1, 30 * USDC), ledger.margins[who.margin].free_e6 + 1))
        instruction = m.ix_add_margin(**fields, amount_e6=amount)
        world.attempt(
            "add_margin", instruction, [who.key], lambda: margins.add_margin(ledger, key, amount), venue, role=who.key
        )
        return
    least = pricing.margin_required(position.qty_e6, ledger.params["initial_margin_e6"])
    spare = max(1, position.collateral_e6 - least)
    amount = rng.choice((spare, spare + 1, rng.randint(1, spare), position.collateral_e6))
    feed = ledger.windows[position.window].feed.address
    instruction = m.ix_remove_margin(**fields, feed=feed, amount_e6=amount)

    def rule() -> dict[str, int]:
        return margins.remove_margin(ledger, key, amount, world.now())

    world.attempt("remove_margin", instruction, [who.key], rule, venue, role=who.key)


@action(0.3)
def restart(venue: Venue) -> None:
    """Let the cluster restart: what was measured before liquidates nobody."""
    venue.world.restart()
