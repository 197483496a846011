"""The keeper's planner for resting orders says what the program does: checked against the program itself."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from chain import pda
from chain.clients import market as m
from oracle.resting import Samples, sample_to_crank, triggers
from tests.programs.market_base import LIMIT, STOP_LOSS, TAKE_PROFIT
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, Trader
from tests.programs.market_scene import CANCELLED, EXPIRED, FILLED, NOTHING, WINDOW_OVER, Scene
from tests.programs.svm import START_UNIX_S, Rejected


def place(scene: Scene, rng: random.Random, trader: Trader) -> int:
    """Place a random resting order near the price."""
    side, kind = rng.choice((LONG, SHORT)), rng.choice((LIMIT, LIMIT, STOP_LOSS, TAKE_PROFIT))
    price = rng.randrange(40_000_000, 60_000_000)
    expiry_ms = rng.choice((0, 0, 0, 30_000))
    if kind == LIMIT:
        return scene.venue.submit(trader, scene.window, side, 1, kind=kind, limit_e6=price, expiry_ms=expiry_ms)
    fields = {"kind": kind, "trigger_e6": price, "flags": REDUCE_ONLY, "expiry_ms": expiry_ms}
    return scene.venue.submit(trader, scene.window, side, 1, **fields)


def plan(scene: Scene, trader: Trader, client_id: int) -> int | None:
    """Return what the planner says about an order."""
    venue = scene.venue
    order = m.Order.from_account(venue.chain.data(pda.order(trader.margin, client_id)))
    position = venue.get_position(trader, scene.window)
    assert position is not None
    samples = Samples(venue.get_feed())
    return sample_to_crank(samples, order, venue.get_window(scene.window), position, venue.chain.unix_s * 1_000)


@pytest.mark.parametrize("seed", range(4))
def test_the_planner_agrees_with_the_program_on_every_order_after_every_sample(seed: int) -> None:
    rng = random.Random(seed)
    scene = Scene.make()
    venue = scene.venue
    pending: list[tuple[Trader, int]] = []
    reasons: set[int] = set()
    x, second = 50.0, 10
    while second < 915:
        second += rng.choice((1, 1, 1, 2, 4)) if second < 120 or second > 880 else 30
        x = min(65.0, max(35.0, x + rng.uniform(-6, 6)))
        venue.tick(second, x, flags=1 if rng.random() < 0.08 else 0)
        if second < 100 and rng.random() < 0.5:
            trader = rng.choice((scene.ann, scene.bob))
            pending.append((trader, place(scene, rng, trader)))
        if pending and rng.random() < 0.05 and second < 880:
            trader, client_id = rng.choice(pending)
            with suppress(Rejected):  # cancelled already
                venue.cancel(trader, client_id)
        venue.chain.clock(venue.chain.unix_s)
        for trader, client_id in list(pending):
            index = plan(scene, trader, client_id)
            newest = venue.get_feed().samples - 1
            if index is None:
                for tried in range(max(0, newest - 12), newest + 1):
                    with pytest.raises(Rejected) as caught:
                        venue.crank(trader, client_id, tried)
                    assert caught.value.code == m.ErrorCode.RESTS_ON
            else:
                reasons.add(venue.crank(trader, client_id, index).reason)
                pending.remove((trader, client_id))
        check(venue)
    assert not pending
    assert FILLED in reasons
    assert reasons <= {FILLED, NOTHING, CANCELLED, EXPIRED, WINDOW_OVER}, reasons


def test_the_earliest_trigger_is_taken_and_a_void_one_is_not() -> None:
    scene = Scene.make()
    venue = scene.venue
    client_id = venue.submit(scene.ann, scene.window, LONG, 1, kind=LIMIT, limit_e6=45_000_000)
    for second in (20, 21, 22, 25, 26):
        venue.tick(second, 40.0)
    order = m.Order.from_account(venue.chain.data(pda.order(scene.ann.margin, client_id)))
    position = venue.get_position(scene.ann, scene.window)
    assert position is not None
    window = venue.get_window(scene.window)
    assert list(triggers(Samples(venue.get_feed()), order, window, position)) == [2, 3]
    venue.tick(31, 60.0)
    assert list(triggers(Samples(venue.get_feed()), order, window, position)) == [3]
    assert plan(scene, scene.ann, client_id) == 3
    assert venue.get_feed().start_unix_ms == START_UNIX_S * 1_000
    event = venue.crank(scene.ann, client_id, 3)
    assert event.reason == FILLED
