"""Compute units of the market's instructions against their targets, and the size of the program."""

from __future__ import annotations

from collections.abc import Callable

from chain import pda
from chain.clients import market as m
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Venue
from tests.programs.market_scene import Scene
from tests.programs.svm import ARTIFACTS, BUDGET_UNITS

SUBMIT_P99 = 14_000
FILL = 12_000
LIQUIDATE = SETTLE = 14_000


def meter(venue: Venue, units: list[int]) -> None:
    """Record what every transaction of `venue` costs."""
    send = venue.chain.send

    def recorded(*args: object, **kwargs: object) -> object:
        meta = send(*args, **kwargs)  # type: ignore[arg-type]
        units.append(meta.compute_units_consumed())
        return meta

    venue.chain.send = recorded  # type: ignore[method-assign, assignment]


def test_every_hot_instruction_stays_below_its_target() -> None:
    spent: list[int] = []
    scene = Scene.make()
    venue = scene.venue
    meter(venue, spent)

    def cost(action: Callable[[], object], limit: int) -> int:
        spent.clear()
        with venue.chain.limited(limit):
            action()
        return spent[-1] - BUDGET_UNITS

    for qty, side in ((2, LONG), (1, SHORT), (1, LONG)):
        order = venue.submit(scene.ann, scene.window, side, qty)
        venue.tick(venue.now_s + 7)
        assert cost(lambda o=order: venue.crank(scene.ann, o), FILL) <= FILL  # type: ignore[misc]
    order = venue.submit(scene.ann, scene.window, LONG, 1, limit_e6=0)
    venue.tick(venue.now_s + 7)
    assert cost(lambda: venue.crank(scene.ann, order), FILL) <= FILL
    order = venue.submit(scene.ann, scene.window, SHORT, 1, flags=REDUCE_ONLY)
    venue.tick(venue.now_s + 7)
    assert cost(lambda: venue.crank(scene.ann, order), FILL) <= FILL
    for x in (26.0, 2.0):
        venue.tick(venue.now_s + 1, x)
    assert cost(lambda: venue.liquidate(scene.ann, scene.window, scene.bob), LIQUIDATE) <= LIQUIDATE
    assert venue.trade(scene.bob, scene.window, LONG, 1, x=2.0).reason == 0
    venue.play(60, 901, 20.0)
    assert cost(lambda: venue.finalise(scene.window), SETTLE) <= SETTLE
    venue.at(962)
    assert cost(lambda: venue.settle(scene.bob, scene.window), SETTLE) <= SETTLE


def test_submitting_costs_a_thousand_users_little_whatever_their_addresses() -> None:
    venue = Scene.make().venue
    window = venue.windows[0]
    costs = []
    for _ in range(1_000):
        trader = venue.trader(200, 100)
        venue.chain.clock(venue.chain.unix_s)
        costs.append(venue.chain.cu(venue.ix_submit(trader, window, LONG, 1), trader.key, limit=2 * SUBMIT_P99))
    costs.sort()
    assert costs[989] <= SUBMIT_P99, costs[-15:]


def test_a_quote_is_cheap_to_simulate() -> None:
    scene = Scene.make()
    venue = scene.venue
    ix = m.ix_quote(exchange=venue.exchange, window=scene.window, feed=venue.feed, side=LONG, qty_e6=USDC)
    assert venue.chain.cu(ix) <= 4_000


def test_the_program_is_small() -> None:
    assert (ARTIFACTS / "market.so").stat().st_size <= 400_000
    assert pda.MARKET == m.PROGRAM_ID
