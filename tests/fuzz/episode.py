"""A life of an exchange: founded, a real match played in coarse ticks, everybody at work, wound up to the last cent."""

from __future__ import annotations

from chain.clients import oracle
from tests.fuzz import delegates, founding, invariants, positions, powers, providers, registry, stage, traders, windows
from tests.fuzz.feeds import Feedhouse
from tests.fuzz.ledger.rules import OPEN, REQUEST_LIFE_S, WITHDRAWAL, need
from tests.fuzz.matches import RealMatch
from tests.fuzz.publishing import publish
from tests.fuzz.venue import Person, Venue
from tests.fuzz.world import World

USDC = 1_000_000
SILENCE_S = 6 * 3_600
PACES = (((1, 2), 24), ((3, 12), 14), ((40, 59), 20), ((20, 33), 36), ((40, 59), 38), ((55, 59), 52))
"""Seconds between two ticks, and how many of them: mostly a quarter of an hour, sometimes a half."""
WEIGHTS = (12, 12, 38, 28, 7, 3)

stage.line_up(delegates, traders, positions, windows, powers, providers, registry)


def live(world: World, matches: list[RealMatch], *, until: int) -> None:
    """Play one episode; ends early, without winding up, at step ``until``."""
    rng = world.rng
    count = 1 if rng.random() < 0.7 else 2
    venue = founding.found(world, [rng.choice(matches) for _ in range(count)])
    powers.set_guardian(venue)
    for who in venue.lps:
        providers.add_liquidity(venue, who, rng.randint(1_000, 6_000) * USDC + rng.randint(0, 999_999))
    for who in venue.people:
        traders.deposit(venue, who, rng.randint(300, 1_500) * USDC + rng.randint(0, 999_999))
    pace, ticks = rng.choices(PACES, WEIGHTS)[0]
    busy = rng.uniform(4.0, 9.0)
    for _ in range(ticks):
        for house in venue.feeds.values():
            publish(venue, house, pace)
        for _ in range(int(rng.expovariate(1 / busy))):
            stage.act(venue)
        if rng.random() < 0.7:
            positions.liquidate(venue)
        if rng.random() < 0.95:
            positions.margin(venue)
        if rng.random() < 0.5:
            positions.crank(venue)
        if rng.random() < 0.1:
            world.chain.clock(world.chain.unix_s + rng.randint(1, 9))
        if world.step >= until:
            return
    wind_up(venue)


def wind_up(venue: Venue) -> None:
    """End the match, let everybody leave in random order, and see that nothing is left."""
    world, ledger, rng = venue.world, venue.ledger, venue.world.rng
    powers.unpause(venue)
    for house in venue.feeds.values():
        play_out(venue, house)
        registry.record_scores(venue, house)
        if rng.random() < 0.1:
            close_feed(venue, house.address)
    world.chain.clock(world.chain.unix_s + 400)
    early = rng.random() < 0.05
    if early:  # the feeds go before the windows are final: all is void
        world.chain.clock(world.chain.unix_s + venue.retention_s)
        for house in venue.feeds.values():
            if not house.closed:
                close_feed(venue, house.address)
    for key in rng.sample(list(ledger.windows), len(ledger.windows)):
        if ledger.windows[key].state == OPEN:
            windows.finalise_window(venue, key)
    for key in rng.sample(list(ledger.orders), len(ledger.orders)):
        positions.crank_order(venue, key)
    for key in ledger.windows:
        if rng.random() < 0.75:
            powers.challenge_window(venue, key)
        if rng.random() < 0.6:
            powers.void_window(venue, key)
        if ledger.positions and rng.random() < 0.2:
            windows.settle_position(venue, rng.choice(list(ledger.positions)))  # mostly too early
    for _ in range(2):
        providers.request(venue)
    world.chain.clock(world.chain.unix_s + 180)
    for _ in range(2):
        providers.execute(venue)
    for key, window in ledger.windows.items():
        if window.challenge == 1:
            powers.resolve_challenge(venue, key)
        if window.challenge == 1:
            powers.resolve_challenge(venue, key, honest=1.0)
    for key in rng.sample(list(ledger.positions), len(ledger.positions)):
        windows.settle_position(venue, key)
    for key, window in ledger.windows.items():
        if not window.fees_done:
            windows.distribute_fees(venue, key)
            if ledger.pool.protocol_fees_e6:
                windows.collect(venue)
    windows.collect(venue)
    for _ in range(rng.randint(2, 4)):
        powers.release_insurance(venue)
    if not early:
        world.chain.clock(world.chain.unix_s + venue.retention_s)
    for house in venue.feeds.values():
        if not house.closed:
            if rng.random() < 0.5:  # the match is over, its feed still there
                windows.shut(venue)
            close_feed(venue, house.address)
    windows.shut(venue)
    for who in venue.people:
        leave(venue, who)
    if rng.random() < 0.5:
        world.chain.clock(world.chain.unix_s + ledger.params["lp_cooldown_s"] + REQUEST_LIFE_S)
    end_requests(venue)  # what waited longer than its hour cannot be carried out
    for who in rng.sample(venue.lps, len(venue.lps)):
        if held := ledger.shares[who.shares]:
            providers.ask(venue, who, WITHDRAWAL, held)
    world.chain.clock(world.chain.unix_s + rng.choice((10, *(ledger.params["lp_cooldown_s"] + 10,) * 4)))
    for key in list(ledger.requests):
        if ledger.requests[key].kind == WITHDRAWAL:
            providers.execute_request(venue, key)
    if rng.random() < 0.5:
        world.chain.clock(
            world.chain.unix_s + ledger.params["lp_cooldown_s"] + REQUEST_LIFE_S
        )  # others may end what is left
    end_requests(venue)
    registry.take_bonds_back(venue)
    if ledger.supply == 0 and ledger.pool.margin_e6 == 0:
        invariants.i9_nothing_is_left(venue)
        world.seen["exchanges wound up to nothing"] += 1


def end_requests(venue: Venue) -> None:
    """Let everybody take back what his requests hold."""
    for key in list(venue.ledger.requests):
        while key in venue.ledger.requests:
            providers.cancel_request(venue, key)


def play_out(venue: Venue, house: Feedhouse) -> None:
    """End both halves, or abandon the match and wait until silence has ended its feed; finalise it."""
    world, twin = venue.world, house.twin
    publish(venue, house, (20, 59), ends=True)
    if world.rng.random() < 0.8:
        for _ in range(4):
            if not (twin.period == 2 and twin.in_break):
                publish(venue, house, (20, 59), ends=True)
    finalise_feed(venue, house.address)
    if not twin.final:
        world.chain.clock(world.chain.unix_s + SILENCE_S)
        finalise_feed(venue, house.address)


def leave(venue: Venue, who: Person) -> None:
    """Withdraw everything, a day at a time where winnings are limited."""
    ledger = venue.ledger
    book = ledger.margins[who.margin]
    for _ in range(20):
        if not book.free_e6:
            return
        principal = max(0, book.deposits_e6 - book.withdrawals_e6)
        limit = min((v for name in ("hour", "day") if (v := ledger.params[f"outflow_{name}_e6"])), default=10**18)
        traders.withdraw(venue, who, min(book.free_e6, principal + limit))
        if book.free_e6:
            venue.world.chain.clock(venue.world.chain.unix_s + 86_400)


def finalise_feed(venue: Venue, address: object) -> None:
    """Freeze a feed after its last period."""
    house = venue.feeds[address]  # type: ignore[index]

    def silent() -> bool:
        heard_s = max(house.heard_unix_s, house.start_unix_s)
        return venue.world.chain.unix_s >= heard_s + SILENCE_S

    def rule() -> None:
        twin = house.twin
        over = not twin.samples or (twin.in_break and twin.period >= 2)
        need(not twin.final and (over or silent()), "still playing")
        if not twin.in_break:
            twin._close_period(twin.period - 1)  # silence ends the period that ran
        house.twin.final = True
        house.finalised_unix_s = venue.world.chain.unix_s

    instruction = oracle.ix_finalise_feed(operator=venue.operator.pubkey(), config=venue.config, feed=house.address)
    role = None if silent() else venue.operator  # a silent feed may be finalised by anyone
    venue.world.attempt("finalise_feed", instruction, [venue.operator], rule, venue, role=role)


def close_feed(venue: Venue, address: object) -> None:
    """Close a final feed."""
    house = venue.feeds[address]  # type: ignore[index]

    def rule() -> None:
        need(house.twin.final, "not final")
        need(venue.world.chain.unix_s >= house.finalised_unix_s + venue.retention_s, "kept for a while")
        house.closed = True

    instruction = oracle.ix_close_feed(
        operator=venue.operator.pubkey(),
        config=venue.config,
        rent_receiver=venue.creator.pubkey(),
        feed=house.address,
    )
    venue.world.attempt("close_feed", instruction, [venue.operator], rule, venue, role=venue.operator)
