"""The scripted people decide from what the public API shows, and from nothing else."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from backend.demo.strategies import (
    CAST,
    LONG,
    POINT,
    SHORT,
    Courtsider,
    Fade,
    Holding,
    Intent,
    Leverage,
    Limit,
    Noise,
    Trend,
    View,
    Whale,
    WindowView,
)

QUARTER = WindowView("w0", "0-15", 0, 900, 55 * POINT)
HALF = WindowView("w6", "H1", 0, 2700, 52 * POINT)
VIEW = View(play_s=100, x_e6=50 * POINT, windows=(QUARTER, HALF))


def decide(strategy, view: View, seed: int = 1) -> list[Intent]:
    return strategy.decide(view, random.Random(seed))


def test_equal_seeds_give_equal_decisions_for_the_whole_cast() -> None:
    for strategy in CAST:
        views = [replace(VIEW, play_s=s, x_e6=(30 + s % 40) * POINT) for s in range(0, 880, 7)]
        first, second = random.Random(5), random.Random(5)
        assert [strategy.decide(v, first) for v in views] == [strategy.decide(v, second) for v in views]


def test_a_trend_follower_buys_the_side_with_momentum_and_leaves_when_it_turns() -> None:
    (entry,) = decide(Trend("t"), replace(VIEW, x_e6=70 * POINT))
    assert (entry.window, entry.side, entry.reduce_only) == ("w0", LONG, False)
    turned = replace(VIEW, x_e6=45 * POINT, holdings={"w0": Holding(LONG, 25 * POINT)})
    (leave,) = decide(Trend("t"), turned)
    assert (leave.side, leave.qty_e6, leave.reduce_only, leave.margin_e6) == (SHORT, 25 * POINT, True, 0)
    assert decide(Trend("t"), VIEW) == []


def test_a_fader_sells_extremes_in_the_quarter_and_in_the_half() -> None:
    sides = {(i.window, i.side) for i in decide(Fade("f"), replace(VIEW, x_e6=80 * POINT))}
    assert sides == {("w0", SHORT), ("w6", SHORT)}
    assert decide(Fade("f"), replace(VIEW, x_e6=55 * POINT)) == []


def test_a_limit_trader_never_pays_more_than_its_edge_below_the_mark() -> None:
    for seed in range(20):
        (order,) = decide(Limit("l"), VIEW, seed)
        edge = QUARTER.mark_e6 - order.limit_e6
        assert edge == (2 * POINT if order.side == LONG else -2 * POINT)


def test_the_courtsider_orders_only_at_a_second_it_foresees() -> None:
    assert decide(Courtsider("c"), VIEW) == []
    (order,) = decide(Courtsider("c"), replace(VIEW, foresight={100: "away"}))
    assert order.side == SHORT


def test_max_leverage_takes_the_least_margin_early_in_a_window_and_once() -> None:
    (order,) = decide(Leverage("m", LONG, 30 * POINT), VIEW)
    assert order.margin_e6 == 15 * POINT
    assert decide(Leverage("m", LONG, 30 * POINT), replace(VIEW, play_s=400)) == []
    assert decide(Leverage("m", LONG, 30 * POINT), replace(VIEW, holdings={"w0": Holding(LONG, 1)})) == []


@pytest.mark.parametrize("strategy", [*CAST], ids=lambda s: s.name)
def test_nobody_orders_twice_in_a_window_while_an_order_is_pending(strategy) -> None:
    view = replace(VIEW, x_e6=90 * POINT, pending=frozenset({"w0", "w6"}), foresight={100: "home"})
    assert all(decide(strategy, view, seed) == [] for seed in range(50))


@pytest.mark.parametrize("strategy", [*CAST], ids=lambda s: s.name)
def test_nobody_orders_in_the_last_seconds_of_a_window(strategy) -> None:
    view = replace(VIEW, play_s=870, x_e6=90 * POINT, windows=(QUARTER,), foresight={870: "home"})
    assert all(decide(strategy, view, seed) == [] for seed in range(50))


def test_noise_opens_and_closes_of_its_own_accord() -> None:
    rng = random.Random(3)
    opened = [i for _ in range(200) for i in Noise("n").decide(VIEW, rng)]
    held = replace(VIEW, holdings={"w0": Holding(SHORT, 9 * POINT)})
    closed = [i for _ in range(200) for i in Noise("n").decide(held, rng)]
    assert opened
    assert {i.side for i in opened} == {LONG, SHORT}
    assert closed
    assert all(i.reduce_only and i.side == LONG for i in closed)


def test_the_whale_asks_for_more_than_the_cap() -> None:
    (order,) = decide(Whale("w"), VIEW)
    (later,) = decide(Whale("w"), replace(VIEW, play_s=700))
    assert (order.qty_e6, later.qty_e6) == (2_000 * POINT, 1_000 * POINT)
