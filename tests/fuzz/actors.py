"""Who does what: each action is one random step of one actor, predicted by the ledger.

An action is a function of the venue, registered with its weight and the instructions it exercises. To add one, write
the function, give it a rule in the ledger, and register it; a test of `test_fuzz.py` names what is missing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from momentum import pricing
from momentum.pricing import Side
from tests.fuzz import delegates, founding, invariants
from tests.fuzz.ledger import fills, liquidation, margins, orders, settlement
from tests.fuzz.ledger.books import Order
from tests.fuzz.ledger.rules import (
    FILLED,
    FINAL,
    LIMIT_ORDER,
    MARKET_ORDER,
    OPEN,
    REDUCE_ONLY,
    STOP_LOSS,
    TAKE_PROFIT,
    need,
)
from tests.fuzz.stage import USDC, action, any_window, anyone
from tests.fuzz.timing import Pricing
from tests.fuzz.venue import Person, Venue
from tests.fuzz.world import RETURNED, Violation

# --- traders -------------------------------------------------------------------------------------------------------


@action(32, "submit_order")
def submit(venue: Venue) -> None:
    """Commit an order in the trader's style."""
    rng, ledger, world = venue.world.rng, venue.ledger, venue.world
    who, window = anyone(venue), any_window(venue)
    book = ledger.windows[window]
    twin = book.feed.twin
    x_e6 = twin.samples[-1].x_e6 if twin.samples else 50_000_000
    side = rng.randint(0, 1)
    if who.style == "follows":
        side = int(x_e6 < 50_000_000)
    elif who.style == "fades":
        side = int(x_e6 >= 50_000_000)
    qty = {"whale": rng.randint(5, 60) * USDC, "scalps": rng.randint(10_000, 900_000)}.get(
        who.style, rng.choice((10_000, 500_000, USDC, 3 * USDC, 7_123_456, 15 * USDC))
    )
    flags = REDUCE_ONLY if rng.random() < 0.15 else 0
    position = ledger.positions.get(pda.position(who.margin, window))
    if position is not None and position.qty_e6 and rng.random() < 0.35:
        side, flags = 1 - position.side, rng.choice((0, REDUCE_ONLY))
        qty = rng.choice((position.qty_e6, max(10_000, position.qty_e6 // 3), position.qty_e6 + 5))
    limit = 100_000_000 if side == Side.LONG else 0
    if rng.random() < 0.2:
        limit = min(100_000_000, max(0, x_e6 + rng.randint(-6_000_000, 6_000_000)))
    collateral = 0 if flags else -(-qty * ledger.params["initial_margin_e6"] // USDC)
    collateral += rng.choice((0, 0, 0, 1, qty))
    client_id = who.next_id
    if who.style == "careless":
        client_id += rng.choice((0, 0, -1, 7))
        collateral = rng.choice((collateral, collateral, max(0, collateral - 1)))
        qty = rng.choice((qty, qty, qty, 1, 9_999))
    kind, trigger = MARKET_ORDER, 0
    expiry = rng.choice((0, 120_000, 120_000, 9_000, 2_000))
    if rng.random() < 0.3:
        kind = LIMIT_ORDER if not flags else rng.choice((LIMIT_ORDER, STOP_LOSS, TAKE_PROFIT))
        expiry = rng.choice((0, 0, 40_000, 400_000))
        limit = min(100_000_000, max(0, x_e6 + rng.randint(-9_000_000, 9_000_000)))
        if kind != LIMIT_ORDER:
            trigger, limit = limit, 100_000_000 if side == Side.LONG else 0
    address = pda.order(who.margin, max(0, client_id))
    signer, session = delegates.trader_of(venue, who)
    attested = pda.attestation(venue.exchange, who.key.pubkey())
    shown = attested if attested in ledger.attestations and rng.random() < 0.9 else None
    payer = rng.choice((signer, world.chain.payer))
    order = Order(
        who.margin,
        window,
        pda.position(who.margin, window),
        payer.pubkey(),
        client_id,
        side,
        flags,
        0,
        0,
        qty,
        collateral,
        0,
        0,
        0,
        0,
        0,
        0,
        expiry,
        limit,
        0,
        kind,
        trigger,
    )
    instruction = m.ix_submit_order(
        owner=signer.pubkey(),
        payer=payer.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        window=window,
        feed=book.feed.address,
        margin=who.margin,
        client_id=client_id,
        side=side,
        flags=flags,
        qty_e6=qty,
        limit_e6=limit,
        collateral_e6=collateral,
        expiry_ms=expiry,
        kind=kind,
        trigger_e6=trigger,
        session=session,
        attestation=shown,
    )

    def rule() -> dict[str, int]:
        orders.submit(ledger, address, order, world.now(), signer.pubkey(), session, shown)
        return {"client_id": client_id, "fee_reserve_e6": order.fee_reserve_e6, "commit_ms": order.commit_ms}

    if world.attempt("submit_order", instruction, [signer, payer], rule, venue, role=signer):
        who.next_id = client_id + 1
        world.seen["orders that rest"] += kind != MARKET_ORDER
        world.seen["orders of delegates"] += session is not None


@action(4, "cancel_order")
def cancel(venue: Venue) -> None:
    """Ask for the end of an order; only those that rest can be cancelled."""
    world, ledger, rng = venue.world, venue.ledger, venue.world.rng
    resting = [key for key, order in ledger.orders.items() if order.kind != MARKET_ORDER]
    keys = resting if resting and rng.random() < 0.9 else list(ledger.orders)
    if not keys:
        return
    key = rng.choice(keys)
    order = ledger.orders[key]
    who = next(person for person in venue.people if person.margin == order.margin)
    signer, session = delegates.trader_of(venue, who)
    instruction = m.ix_cancel_order(
        owner=signer.pubkey(),
        margin=who.margin,
        window=order.window,
        feed=ledger.windows[order.window].feed.address,
        order=key,
        session=session,
    )

    def rule() -> dict[str, int]:
        return orders.cancel(ledger, key, signer.pubkey(), session, world.now())

    world.attempt("cancel_order", instruction, [signer], rule, venue, role=signer)


@action(4, "deposit_collateral", "withdraw_collateral")
def collateral(venue: Venue) -> None:
    """Deposit or withdraw, sometimes more than there is."""
    rng = venue.world.rng
    who = anyone(venue)
    amount = rng.choice((1, rng.randint(1, 80 * USDC), 400 * USDC, 0))
    if rng.random() < 0.6:
        deposit(venue, who, amount)
    else:
        withdraw(venue, who, rng.choice((amount, venue.ledger.margins[who.margin].free_e6 + 1)))


def deposit(venue: Venue, who: Person, amount: int) -> None:
    """Deposit collateral."""
    instruction = m.ix_deposit_collateral(
        depositor=who.key.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        margin=who.margin,
        vault=venue.ledger.vault,
        source=who.tokens,
        amount_e6=amount,
    )

    def rule() -> dict[str, int]:
        margins.deposit(venue.ledger, who.margin, who.tokens, amount)
        return {"amount_e6": amount, "free_e6": venue.ledger.margins[who.margin].free_e6}

    venue.world.attempt("deposit_collateral", instruction, [who.key], rule, venue, role=who.key)


def withdraw(venue: Venue, who: Person, amount: int) -> None:
    """Withdraw collateral."""
    instruction = m.ix_withdraw_collateral(
        owner=who.key.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        margin=who.margin,
        vault=venue.ledger.vault,
        destination=who.tokens,
        amount_e6=amount,
    )

    def rule() -> dict[str, int]:
        margins.withdraw(venue.ledger, who.margin, who.tokens, amount)
        return {"amount_e6": amount, "free_e6": venue.ledger.margins[who.margin].free_e6}

    venue.world.attempt("withdraw_collateral", instruction, [who.key], rule, venue, role=who.key)


# --- cranks --------------------------------------------------------------------------------------------------------


@action(32, "crank_order")
def crank(venue: Venue) -> None:
    """End a pending order, mostly at the right sample."""
    rng = venue.world.rng
    if venue.ledger.orders:
        crank_order(venue, rng.choice(list(venue.ledger.orders)), off=rng.choice((0,) * 12 + (-1, 1)))


def ripe_index(venue: Venue, order: Order) -> int:
    """Return the number of the order's determined sample, or of the next one that will come."""
    twin = venue.ledger.windows[order.window].feed.twin
    if order.kind != MARKET_ORDER:
        return max(order.commit_samples, len(twin.samples) - venue.world.rng.choice((1, 2, 2, 2, 3)))
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


@action(2, "finalise_window")
def finalise(venue: Venue) -> None:
    """Try to finalise any window."""
    finalise_window(venue, venue.world.rng.choice(list(venue.ledger.windows)))


def finalise_window(venue: Venue, key: Pubkey) -> None:
    """Fix the settlement of a window."""
    window = venue.ledger.windows[key]
    instruction = m.ix_finalise_window(exchange=venue.exchange, window=key, feed=window.feed.address)
    world = venue.world
    if world.attempt(
        "finalise_window", instruction, [], lambda: settlement.finalise(venue.ledger, key, world.now()), venue
    ):
        invariants.i11_payouts(venue, window)
        world.seen["windows final" if window.state == FINAL else "windows void"] += 1


@action(4, "settle_position")
def settle(venue: Venue) -> None:
    """Settle any position, mostly one that can be."""
    ledger, rng = venue.ledger, venue.world.rng
    ready = [key for key, p in ledger.positions.items() if ledger.windows[p.window].state != OPEN]
    keys = ready if ready and rng.random() < 0.9 else list(ledger.positions)
    if keys:
        settle_position(venue, rng.choice(keys))


def settle_position(venue: Venue, key: Pubkey) -> None:
    """Pay a position out; sometimes try it twice."""
    world, ledger = venue.world, venue.ledger
    position = ledger.positions[key]
    instruction = m.ix_settle_position(
        exchange=venue.exchange,
        pool=venue.pool,
        market=ledger.windows[position.window].market,
        window=position.window,
        margin=position.margin,
        position=key,
        rent_payer=position.rent_payer,
    )
    event = world.attempt(
        "settle_position", instruction, [], lambda: settlement.settle(ledger, key, world.now()), venue, breaks="I11"
    )
    if event is None:
        return
    if event.payout_e6 > event.collateral_e6 + event.reserved_e6:
        raise Violation("I5", f"paid more than collateral and reservation: {event}")
    invariants.i11_paid(venue, key, event)
    if world.rng.random() < 0.1:
        world.attempt(
            "settle_position again", instruction, [], lambda: settlement.settle(ledger, key, world.now()), venue
        )


@action(1, "distribute_fees")
def distribute(venue: Venue) -> None:
    """Try to distribute the fees of any window."""
    distribute_fees(venue, venue.world.rng.choice(list(venue.ledger.windows)))


def distribute_fees(venue: Venue, key: Pubkey) -> None:
    """Split a window's fees; sometimes try it twice."""
    world, ledger = venue.world, venue.ledger
    instruction = m.ix_distribute_fees(
        exchange=venue.exchange,
        pool=venue.pool,
        window=key,
        vault=ledger.vault,
        treasury_vault=ledger.treasury_vault,
        lp_mint=venue.lp_mint,
    )
    for name in ("distribute_fees", "distribute_fees again")[: 1 + (world.rng.random() < 0.1)]:
        world.attempt(
            name, instruction, [], lambda: settlement.distribute(ledger, key, world.now()), venue, breaks="I12"
        )


@action(3, "quote")
def quote(venue: Venue) -> None:
    """Ask for a price and compare it with the twin's."""
    world, ledger = venue.world, venue.ledger
    key = any_window(venue)
    window, side, qty = ledger.windows[key], Side(world.rng.randint(0, 1)), world.rng.randint(1, 50 * USDC)
    instruction = m.ix_quote(exchange=venue.exchange, window=key, feed=window.feed.address, side=side, qty_e6=qty)

    def rule() -> dict[str, bytes]:
        twin = window.feed.twin
        need(not window.feed.closed and bool(twin.samples), "no sample")
        priced = Pricing.of(twin, twin.samples[-1], window.parts)
        invariants.i7_price(priced.forward_e6, priced.envelope)
        sample = twin.samples[-1]
        interest = (window.oi_long_e6, window.oi_short_e6, window.k_e6)
        size, raises = pricing.impact(side, qty, *interest)
        live = window.state == OPEN and not (twin.final or twin.suspended or twin.in_break)
        view = m.QuoteView(
            sample_index=len(twin.samples) - 1,
            data_ms=twin.start_unix_ms + sample.data_ms,
            forward_e6=priced.forward_e6,
            price_e6=priced.fill(side, qty, *interest),
            half_spread_e6=priced.half_spread_e6,
            conf_e6=sample.conf_e4 * 100,
            impact_e6=size,
            impact_raises=int(raises),
            tradable=int(live and ledger.pause == 0 and priced.at.left_ms >= 20_000),
            suspend_epoch=sample.suspend_epoch,
            left_ms=priced.at.left_ms,
            lead_ms=priced.at.lead_ms,
            maintenance_margin_e6=pricing.maintenance_margin(priced.at.left_ms),
            fee_e6=pricing.fee(qty, ledger.params["fee_e6"]),
        )
        return {RETURNED: view.encode()}

    world.attempt("quote", instruction, [], rule, venue)


@action(1, "open_window")
def window(venue: Venue) -> None:
    """Open any window; refused when it exists or is over."""
    founding.open_window(venue, venue.world.rng.choice(list(venue.feeds.values())), venue.world.rng.randrange(9))


@action(2, "open_custom_window")
def custom_window(venue: Venue) -> None:
    """Open a window over minutes of its own, mostly ten or more of one half."""
    rng = venue.world.rng
    first = rng.choice((0, 45)) + rng.randint(0, 35) if rng.random() < 0.8 else rng.randint(0, 89)
    last = min(first + rng.randint(10, 45), 45 if first < 45 else 90) if rng.random() < 0.8 else rng.randint(0, 95)
    house = rng.choice(list(venue.feeds.values()))
    founding.open_custom_window(venue, house, rng.randrange(9, 16), first, last)
