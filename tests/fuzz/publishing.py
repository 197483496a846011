"""Three publishers who watch a real match; now and then one lies, is late, or cries suspension."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chain.clients import oracle
from oracle.aggregate import QuoteRejected
from tests.fuzz.feeds import Feedhouse
from tests.fuzz.ledger.rules import Refused
from tests.fuzz.venue import Venue
from tests.fuzz.world import Violation

BIAS = 1 << 31
SUSPENDED, REVISED, PERIOD_END = 1, 2, 4
ROWDY = 0.12
"""How often the index is thrown about by a majority: real matches alone liquidate few."""


def publish(venue: Venue, house: Feedhouse, pace: tuple[int, int], *, ends: bool = False) -> None:
    """Let play go on by one tick and its publishers quote it."""
    if house.closed or house.twin.final:
        return
    rng, world = venue.world.rng, venue.world
    length = house.match.length_s(house.period)
    ends = ends or house.second >= length
    if house.over:
        return
    house.tick += 1
    now_s = house.start_unix_s + house.data_ms // 1000
    world.chain.clock(max(world.chain.unix_s, now_s + rng.randint(-2, 2)))
    truth = true_quote(venue, house, PERIOD_END if ends else 0)
    order = rng.sample(range(3), 3)
    for place, who in enumerate(order):
        if place == 2 and rng.random() < 0.75:
            continue
        quote = lie(venue, house, truth) if rng.random() < 0.08 else truth
        push(venue, house, who, quote)
    if house.twin.tick < house.tick:  # the liar was refused: an honest quote makes the quorum
        for who in order:
            push(venue, house, who, truth)
            if house.twin.tick == house.tick:
                break
    if rng.random() < 0.02:
        push(venue, house, rng.choice(order), truth)  # a replayed quote
    advance(venue, house, pace, ends)


def true_quote(venue: Venue, house: Feedhouse, flags: int) -> oracle.Quote:
    """Return what an honest publisher sends; now and then all of them throw the index about."""
    rng = venue.world.rng
    x_e6, twin = house.truth_e6(), house.twin
    if house.drives_ticks == 0 and rng.random() < ROWDY:
        house.drives_to_e6, house.drives_ticks = rng.choice((0, 100_000_000)), rng.randint(1, 6)
    driven = house.drives_ticks > 0
    if driven:
        x_e6, house.drives_ticks = house.drives_to_e6, house.drives_ticks - 1
    if twin.samples and twin.period == house.period:
        ticks = max(0, house.tick - twin.tick)  # a liar's tick from the future may have been taken
        step = min(25_000_000 * ticks, 25_000 * max(0, house.data_ms - twin.data_ms))
        last = twin.samples[-1].x_e6
        x_e6 = min(max(x_e6, last - step, 0), last + step, 100_000_000)
    mu_e6 = x_e6 if driven else rng.choice((x_e6, 50_000_000, (x_e6 + 50_000_000) // 2))
    if twin.samples and twin.period == house.period:
        last = twin.samples[-1].mu_e6
        mu_e6 = min(max(mu_e6, last - step, 0), last + step, 100_000_000)
    if house.stood_still or house.match.stopped(house.period, house.second) or rng.random() < 0.03:
        flags |= SUSPENDED
    return oracle.Quote(
        tick=house.tick,
        data_ms=house.data_ms,
        play_ms=house.second * 1000,
        period=house.period,
        flags=flags,
        suspend_reason=flags & SUSPENDED,
        x_e6=x_e6,
        mu_e6=mu_e6,
        s_e4=BIAS + rng.randint(-90_000, 90_000),
        conf_e4=rng.choice((0, rng.randint(0, 5_000))),
        inputs_hash=rng.randbytes(32),
    )


def lie(venue: Venue, house: Feedhouse, truth: oracle.Quote) -> oracle.Quote:
    """Return what a liar sends instead."""
    rng = venue.world.rng
    last = house.twin.samples[-1] if house.twin.samples else None
    changes: list[dict[str, Any]] = [
        {"x_e6": rng.randint(0, 100_000_000)},
        {"x_e6": 100_000_001},
        {"mu_e6": rng.randint(0, 100_000_000)},
        {"flags": truth.flags | SUSPENDED, "suspend_reason": 6},
        {"flags": truth.flags | REVISED},
        {"data_ms": truth.data_ms + 20_000},
        {"data_ms": max(0, truth.data_ms - 3_000)},
        {"tick": max(1, truth.tick - 1)},
        {"tick": truth.tick + rng.choice((9, 5_000, 2**31))},
        {"conf_e4": 60_000},
        {"s_e4": BIAS + 250_001},
        {"play_ms": max(0, truth.play_ms - 500)},
        {"period": 3},
        {"data_ms": last.data_ms - 1 if last and last.data_ms else 0},
    ]
    return replace(truth, **rng.choice(changes))


def push(venue: Venue, house: Feedhouse, who: int, quote: oracle.Quote) -> None:
    """Send one quote, predicted by the twin."""
    world, key = venue.world, house.publishers[who]

    def rule() -> None:
        before, tick = len(house.twin.samples), house.twin.tick
        try:
            house.twin.push(who, quote, world.chain.unix_s)
        except QuoteRejected as error:
            raise Refused(error.name, "I7") from error
        if len(house.twin.samples) > before:
            house.last_slot = world.chain.slot
            house.heard_unix_s = world.chain.unix_s
            house.period_at.append(house.twin.period)
            if house.twin.tick <= tick or not 0 <= house.twin.samples[-1].x_e6 <= 100_000_000:
                raise Violation("I7", f"tick {tick} -> {house.twin.tick}, {house.twin.samples[-1]}")

    instruction = oracle.ix_push_quote(publisher=key.pubkey(), feed=house.address, quote=quote)
    world.attempt("push_quote", instruction, [key], rule, venue, role=key)


def advance(venue: Venue, house: Feedhouse, pace: tuple[int, int], ends: bool) -> None:
    """Move play on: by a tick, over the break, or by a gap in the feed."""
    rng = venue.world.rng
    if not ends:
        by = rng.randint(*pace) if rng.random() < 0.96 else rng.randint(61, 150)
        by = min(by, house.match.length_s(house.period) - house.second)
        house.second += by
        house.data_ms += by * 1000
        return
    house.data_ms += 120_000
    if house.twin.period == 2 or house.twin.tick < house.tick:
        house.over = True
    elif house.twin.in_break:
        house.period, house.second = 2, 0
