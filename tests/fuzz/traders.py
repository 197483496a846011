"""What traders do: commit orders and cancel them, deposit and withdraw."""

from __future__ import annotations

from chain import pda
from chain.clients import market as m
from momentum.pricing import Side
from tests.fuzz import delegates
from tests.fuzz.ledger import margins, orders
from tests.fuzz.ledger.books import Order
from tests.fuzz.ledger.rules import LIMIT_ORDER, MARKET_ORDER, REDUCE_ONLY, STOP_LOSS, TAKE_PROFIT
from tests.fuzz.stage import USDC, action, any_window, anyone
from tests.fuzz.venue import Person, Venue


@action(44, "submit_order")
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
