"""Windows: made final, their positions paid out, their fees split; closed; asked for a price; opened."""

from __future__ import annotations

from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from momentum import pricing
from momentum.pricing import Side
from tests.fuzz import founding, invariants
from tests.fuzz.ledger import closing, settlement
from tests.fuzz.ledger.rules import FINAL, OPEN, need
from tests.fuzz.stage import USDC, action, any_window
from tests.fuzz.timing import Pricing
from tests.fuzz.venue import Venue
from tests.fuzz.world import RETURNED, Violation


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
        lp_mint=venue.lp_mint,
    )
    for name in ("distribute_fees", "distribute_fees again")[: 1 + (world.rng.random() < 0.1)]:
        world.attempt(
            name, instruction, [], lambda: settlement.distribute(ledger, key, world.now()), venue, breaks="I12"
        )


@action(0.5, "collect_protocol_fees")
def collect(venue: Venue) -> None:
    """Pay the treasury what waits for it."""
    world, ledger = venue.world, venue.ledger
    instruction = m.ix_collect_protocol_fees(
        exchange=venue.exchange, pool=venue.pool, vault=ledger.vault, treasury_vault=ledger.treasury_vault
    )
    world.attempt("collect_protocol_fees", instruction, [], lambda: settlement.collect(ledger), venue, breaks="I12")


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


@action(2, "close_window")
def close(venue: Venue) -> None:
    """Try to close any window, mostly one that nobody is in; one of an exchange stays, for others to act on."""
    rng, windows = venue.world.rng, venue.ledger.windows
    done = [key for key, book in windows.items() if book.fees_done]
    if len(windows) > 1:
        close_window(venue, rng.choice(done if done and rng.random() < 0.8 else list(windows)))


def close_window(venue: Venue, key: Pubkey, *, honest: float = 0.9) -> None:
    """Close a window, its rent to who paid it; sometimes into somebody else's pocket, sometimes twice."""
    world, ledger = venue.world, venue.ledger
    market, receiver = ledger.windows[key].market, _receiver(venue, honest)
    instruction = m.ix_close_window(market=market, window=key, rent_receiver=receiver)
    held = world.lamports(key) + world.lamports(receiver)
    for name in ("close_window", "close_window again")[: 1 + (world.rng.random() < 0.1)]:
        world.attempt(name, instruction, [], lambda: closing.close_window(ledger, key, receiver), venue, breaks="I9")
    if key not in ledger.windows:
        invariants.i9_closed(venue, key, receiver, held)


@action(0.5, "close_market")
def close_any_market(venue: Venue) -> None:
    """Try to close any market; while the match is on, it stays."""
    close_market(venue, venue.world.rng.choice(list(venue.ledger.markets)))


def close_market(venue: Venue, key: Pubkey, *, honest: float = 0.9) -> None:
    """Close a market, its rent to who paid it; sometimes into somebody else's pocket, sometimes twice."""
    world, ledger, receiver = venue.world, venue.ledger, _receiver(venue, honest)
    house = next(house for house in venue.feeds.values() if pda.market(venue.exchange, house.address) == key)
    instruction = m.ix_close_market(market=key, feed=house.address, rent_receiver=receiver)
    held = world.lamports(key) + world.lamports(receiver)

    def rule() -> None:
        closing.close_market(ledger, key, receiver, over=house.closed or house.twin.final)

    for name in ("close_market", "close_market again")[: 1 + (world.rng.random() < 0.1)]:
        world.attempt(name, instruction, [], rule, venue, breaks="I9")
    if key not in ledger.markets:
        invariants.i9_closed(venue, key, receiver, held)


def shut(venue: Venue) -> None:
    """Close in random order all that can be closed; now and then a market before its windows."""
    rng, ledger = venue.world.rng, venue.ledger
    if ledger.markets and rng.random() < 0.1:
        close_any_market(venue)
    for key in rng.sample(list(ledger.windows), len(ledger.windows)):
        if rng.random() < 0.1:
            close_window(venue, key, honest=0.0)
        close_window(venue, key, honest=1.0)
    for key in rng.sample(list(ledger.markets), len(ledger.markets)):
        close_market(venue, key, honest=1.0)


def _receiver(venue: Venue, honest: float) -> Pubkey:
    """Return who paid the rent of markets and windows, or a thief."""
    return (venue.lister if venue.world.rng.random() < honest else venue.world.thief).pubkey()
