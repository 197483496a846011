"""The economic replay on one real match: what it reports is what the programs booked."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bench.economics import figures
from bench.economics.season import POOL_USDC, QTY, Played, Season
from ingest.feeds import adapter, default_match_paths
from momentum.evaluation.match import Match, build
from momentum.evaluation.strategies import LEAKS, STRATEGIES, Strategy
from momentum.forecast import Prior
from momentum.replay import final_events

ALL = (*STRATEGIES, *LEAKS)
FORESEES = {"index 3 s ahead", "shots 3 s ahead", "corner won", "penalty awarded", "noise"}
"""Trades on what is to come; the noise draws its times from the whole match."""

PRIOR = Prior(0.22, 0.24, 0.54)


@pytest.fixture(scope="module")
def match() -> Match:
    """Leicester - Liverpool 2-3 from the installed kloppy package; Liverpool were the favourites."""
    _, events = final_events(adapter("wyscout"), default_match_paths("wyscout"))
    return build("leicester-liverpool", events, PRIOR)


@pytest.fixture(scope="module")
def played(match: Match) -> Played:
    return Season.found(ALL).play_match(match, ALL, seed=7)


def test_traders_and_pool_share_one_sum_to_the_last_rounding(match: Match, played: Played) -> None:
    lp = figures.lp_result([match], [played], ALL, POOL_USDC)
    assert lp.trades > 100
    assert lp.reconciliation_error < 1e-4


def test_the_forward_that_strategies_see_is_the_programs_own(match: Match, played: Played) -> None:
    seen = [match.forward[fill.window, fill.tick] - fill.forward_e6 / 1e6 for fill in played.fills]
    assert max(map(abs, seen)) < 2e-6


def test_the_settlement_is_the_mean_of_the_window(match: Match, played: Played) -> None:
    assert len(played.settlements) == 6
    for window, settled_e6 in played.settlements.items():
        assert match.forward[window, -1] == pytest.approx(settled_e6 / 1e6, abs=2e-6)


def test_every_order_is_accounted_for_and_suspension_stops_some(match: Match, played: Played) -> None:
    results = [figures.strategy_result(strategy, [played]) for strategy in ALL]
    assert sum(result.n for result in results) == sum(not fill.liquidation for fill in played.fills)
    assert sum(result.suspended for result in results) > 0
    assert all(fill.qty_e6 == QTY * 1_000_000 for fill in played.fills if not fill.liquidation)


def test_no_fill_lies_across_a_suspension(match: Match, played: Played) -> None:
    for fill in played.fills:
        waited = match.suspended[fill.tick - (0 if fill.liquidation else 6) : fill.tick + 1]
        assert not waited.any(), fill


def test_the_parts_of_a_result_are_its_whole(match: Match, played: Played) -> None:
    for strategy in ALL:
        result = figures.strategy_result(strategy, [played])
        if result.net is None or result.liquidated:
            continue
        parts = result.edge - result.spread - result.conf - result.impact - result.fee
        assert result.net.mean == pytest.approx(parts, abs=1e-4)


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s.name not in FORESEES], ids=lambda s: s.name)
def test_a_trader_who_foresees_nothing_trades_alike_when_the_future_is_cut_off(
    strategy: Strategy, match: Match
) -> None:
    _, events = final_events(adapter("wyscout"), default_match_paths("wyscout"))
    cut_ms = 1_800_000
    cut = int(np.flatnonzero((match.period == 2) & (match.second == cut_ms // 1000))[0])
    short = build("cut", [e for e in events if (e.period, e.play_ms) <= (2, cut_ms)], PRIOR)
    whole, part = ([order for order in strategy.orders(m, random.Random(1)) if order[0] < cut] for m in (match, short))
    assert whole == part


def test_a_drawdown_is_measured_from_the_highest_point_before_it() -> None:
    assert figures.drawdown(np.array([1.0, 5.0, 2.0, 4.0, 1.5])) == 3.5
    assert figures.drawdown(np.array([-2.0, 1.0])) == 2.0
    assert figures.drawdown(np.array([1.0, 2.0])) == 0.0


def test_an_interval_holds_the_mean_and_narrows_with_matches() -> None:
    chance = np.random.default_rng(3)
    few, many = (figures.ratio(chance.normal(1, 1, n), np.ones(n)) for n in (20, 2_000))
    for interval in (few, many):
        assert interval.low < interval.mean < interval.high
    assert many.high - many.low < 0.2 * (few.high - few.low)


def test_the_same_match_and_seed_give_the_same_result(match: Match, played: Played) -> None:
    again = Season.found(ALL).play_match(match, ALL, seed=7)
    assert again.fills == played.fills
    assert again.cash_change_e6 == played.cash_change_e6
