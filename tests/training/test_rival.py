"""The rival of the learned quote: what it may know, when it trades, what is left."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.events import Event, FeedError, Kind, Side
from momentum.evaluation.match import Match, build
from momentum.forecast import Prior
from training.rival import FOREST, Seen, forecasts, missed_so_far, odds_details, past_of, ridges
from training.rival_market import (
    FILL_S,
    HISTORY,
    RESULTS,
    Fixture,
    Market,
    fixtures,
    history,
    market_of,
    missed,
    results_of,
)
from training.rival_trades import (
    FEE,
    RULES,
    Trades,
    by_time_left,
    by_time_played,
    mean_by_match,
    row_of,
    spaced,
    spreads,
    table,
    trade,
)

LEAGUE = [
    Fixture("1", "2017-08-01 18:00:00", "ajax", "brest", "A"),
    Fixture("2", "2017-08-04 18:00:00", "crewe", "ajax", "A"),
    Fixture("3", "2017-08-09 18:00:00", "brest", "crewe", "A"),
    Fixture("4", "2017-08-09 20:00:00", "ajax", "dinamo", "B"),
]
RESULTS_OF = {"1": [4.0, 1.0, 2.0, 1.5, 0.3], "2": [6.0, 0.5, 0.0, 0.0, -0.2], "3": [1.0] * 5, "4": [-2.0] * 5}


def feature(name: str) -> int:
    return HISTORY.index(name)


# Team history


def test_a_team_is_known_by_its_earlier_matches_alone() -> None:
    found = history(LEAGUE, RESULTS_OF)
    for at, game in enumerate(LEAGUE):
        known = {g.match: RESULTS_OF[g.match] for g in LEAGUE[:at]}
        assert np.array_equal(history(LEAGUE, known)[game.match], found[game.match])
        changed = {name: [9.0] * 5 if name not in known else RESULTS_OF[name] for name in RESULTS_OF}
        assert np.array_equal(history(LEAGUE, changed)[game.match], found[game.match])


def test_matches_that_run_at_the_same_time_do_not_know_of_each_other() -> None:
    together = [replace(game, when=f"2017-08-01 {18 + at // 2}:00:00") for at, game in enumerate(LEAGUE)]
    assert all(not values.any() for values in history(together, RESULTS_OF).values())


def test_history_is_seen_from_the_team_and_fades() -> None:
    found = history(LEAGUE, RESULTS_OF)
    assert found["1"].any() == np.False_
    decay = 0.5 ** (1 / 3)
    # Match 2, Crewe at home to Ajax, whose match 1 is their only one: one of four with the pseudo-matches.
    assert found["2"][feature("index_3")] == pytest.approx(-4 / 4)
    ajax = (4 * decay - 6) / (1 + decay + 3)
    assert found["4"][feature("index_3")] == pytest.approx(ajax)
    assert found["4"][feature("rest")] == pytest.approx(5 + 2 / 24 - 10)


def test_the_order_of_the_fixtures_does_not_matter() -> None:
    found, back = history(LEAGUE, RESULTS_OF), history(LEAGUE[::-1], RESULTS_OF)
    assert all(np.array_equal(found[name], back[name]) for name in found)


def test_history_changes_its_sign_with_the_sides() -> None:
    swapped = [*LEAGUE[:3], replace(LEAGUE[3], home="dinamo", away="ajax")]
    assert np.array_equal(history(swapped, RESULTS_OF)["4"], -history(LEAGUE, RESULTS_OF)["4"])


def test_a_league_is_known_by_what_the_quote_missed_in_it() -> None:
    found = history(LEAGUE, RESULTS_OF)
    assert [found[game.match][-1] for game in LEAGUE] == pytest.approx([0, 0.3 / 21, 0.1 / 22, 0])


def test_a_match_that_is_no_fixture_has_no_past() -> None:
    past = past_of(["2", "1", "99"], LEAGUE, np.array([RESULTS_OF["2"], RESULTS_OF["1"], [0.0] * 5]))
    assert past.shape == (3, len(HISTORY))
    assert past[0].any()
    assert not past[1:].any()


def test_fixtures_are_read_from_the_archive(tmp_path: Path) -> None:
    side = {"10": {"side": "home"}, "11": {"side": "away"}}
    game = {"wyId": 7, "dateutc": "2017-08-01 18:00:00", "teamsData": side}
    path = tmp_path / "matches_Nowhere.json.gz"
    path.write_bytes(gzip.compress(json.dumps([game]).encode()))
    assert fixtures(tmp_path) == [Fixture("7", "2017-08-01 18:00:00", "10", "11", "matches_Nowhere.json.gz")]
    path.write_bytes(gzip.compress(b'[{"wyId": 7}]'))
    with pytest.raises(FeedError, match="check --data") as error:
        fixtures(tmp_path)
    assert error.value.code == "rival_no_fixtures"


def test_odds_that_are_missing_are_the_mean_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "prior.csv.gz"
    path.write_bytes(gzip.compress(b"match_id,p_draw,p_over25\n1,0.2,0.5\n2,0.3,0.7\n3,,\n"))
    assert odds_details(path, ["3", "1", "2", "4"]) == pytest.approx(
        np.array([[0.25, 0.6], [0.2, 0.5], [0.3, 0.7], [0.25, 0.6]])
    )


# The market


def event(at_s: int, period: int, side: Side, kind: Kind = Kind.PASS, **more: Any) -> Event:
    values: dict[str, Any] = {"x": 60.0, "y": 50.0, "success": True, **more}
    return Event(f"{period}-{at_s}-{side.value}", 1, period, at_s * 1000, kind, side, **values)


@pytest.fixture(scope="module")
def played() -> tuple[list[Event], Match]:
    """The home side holds the ball; it scores after 20 minutes."""
    events = [event(s, p, Side.HOME if s % 3 else Side.AWAY) for p in (1, 2) for s in range(0, 2_760, 20)]
    events.append(event(1_205, 1, Side.HOME, Kind.SHOT, goal=True, x=92.0))
    return events, build("1", events, Prior(0.5, 0.3, 0.2))


def test_an_order_is_filled_at_the_forward_six_seconds_later(played: tuple[list[Event], Match]) -> None:
    match = played[1]
    market = market_of(3, match)
    ticks = np.concatenate([np.flatnonzero(match.period == p)[3::15] for p in (1, 2)])
    assert len(market.now) == len(ticks)
    row = 40
    tick, window = int(ticks[row]), int(match.window[ticks[row]])
    assert market.now[row, 0] == match.forward[window, tick]
    assert market.fill[row, 0] == match.forward[window, tick + FILL_S]
    assert market.settled[row, 1] == match.forward[window + 1, -1]
    assert market.left_s[row] == match.left_s[tick + FILL_S]


def test_nothing_is_open_in_added_time_near_the_end_or_across_a_suspension(played: tuple[list[Event], Match]) -> None:
    match = played[1]
    market = market_of(0, match)
    ticks = np.concatenate([np.flatnonzero(match.period == p)[::15] for p in (1, 2)])
    left, window = match.left_s[ticks], match.window[ticks]
    assert not market.open[(window < 0) | (left < 20)].any()
    assert not market.open[window % 3 == 2, 1].any()
    assert market.open[window >= 0, 0].mean() > 0.9
    stopped = np.flatnonzero(match.suspended)
    assert len(stopped)
    crossing = [any(abs(tick + 3 - s) <= 3 for s in stopped) for tick in ticks]
    assert not market.open[np.array(crossing)].any()


def test_what_is_remembered_of_a_match(played: tuple[list[Event], Match]) -> None:
    events, match = played
    found = dict(zip(RESULTS, results_of(events, match), strict=True))
    assert found["index"] == pytest.approx(match.x_e6.mean() / 1e6 - 50)
    assert found["goals"] == 1
    assert found["points"] == 1.5
    assert 0 < found["xg"] < 1
    assert found["missed"] == missed(match)


def market_with(fill: list[float], settled: list[float], left: int = 600) -> Market:
    """Moments whose running window is open and whose next one is not."""
    rows = len(fill)
    pair = np.stack([np.array(fill), np.array(fill)], axis=1)
    open_ = np.tile([True, False], (rows, 1))
    ended = np.stack([np.array(settled)] * 2, axis=1)
    return Market(pair, pair, ended, open_, np.full(rows, left), np.full(rows, 0.3))


# The trades


def test_orders_keep_their_distance_within_a_match() -> None:
    wanted = np.array([True, True, False, True, True, True])
    match, second = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 15, 30, 120, 135, 5])
    assert spaced(wanted, match, second).tolist() == [0, 3, 5]
    assert spaced(np.zeros(6, dtype=bool), match, second).tolist() == []


def test_a_trade_needs_a_forecast_beyond_its_cost_and_earns_its_sign() -> None:
    market = market_with([50.0, 50.0, 50.0], [52.0, 47.0, 51.0])
    forecast = np.array([[0.6, 9.0], [-0.9, 9.0], [0.4, 9.0]])
    match, second = np.array([0, 1, 2]), np.zeros(3, dtype=np.int64)
    trades = trade(RULES["beyond the half-spread"], forecast, market, match, second)
    assert trades.row.tolist() == [0, 1]
    assert trades.edge.tolist() == [2.0, 3.0]
    assert trades.spread.tolist() == [0.5, 0.5]
    dear = trade(RULES["beyond half-spread, conf and fee"], forecast, market, match, second)
    assert dear.row.tolist() == [1]


def test_the_top_of_the_forecasts_is_traded_whatever_it_costs() -> None:
    market = market_with([50.0] * 200, [51.0] * 200)
    forecast = np.zeros((200, 2))
    forecast[:, 0] = np.linspace(-0.1, 0.0987, 200)
    match, second = np.arange(200), np.zeros(200, dtype=np.int64)
    trades = trade(RULES["top 5 % of its forecasts"], forecast, market, match, second)
    assert len(trades.row) == 10
    assert np.abs(forecast[trades.row, 0]).min() > 0.09


def test_spreads_follow_the_time_left_and_are_widest_ahead() -> None:
    assert spreads(market_with([50.0], [50.0], 700))[0].tolist() == [0.5, 0.6]
    assert spreads(market_with([50.0], [50.0], 60))[0].tolist() == [0.1, 0.6]


def test_the_interval_draws_whole_matches() -> None:
    values = np.array([1.0, -1.0] * 50)
    apart = mean_by_match(values, np.repeat(np.arange(50), 2))
    assert apart is not None
    assert (apart.mean, apart.low, apart.high, apart.count) == (0.0, 0.0, 0.0, 100)
    together = mean_by_match(values, np.arange(100))
    assert together is not None
    assert together.low < -0.1 < 0.1 < together.high
    assert mean_by_match(np.zeros(0), np.zeros(0, dtype=np.int64)) is None


def test_a_row_tells_what_is_left_after_each_cost() -> None:
    trades = Trades(
        np.array([0, 1]), np.array([0, 1]), np.array([1.0, 1.0]), np.array([0.5, 0.6]), np.array([0.3, 0.3])
    )
    cells = row_of(trades, np.array([4, 5])).split(" | ")
    assert cells[0] == "2"
    assert cells[3].startswith("+0.450")
    assert cells[4].startswith(f"{0.45 - 0.3 - FEE:+.3f}")
    assert row_of(trades[np.zeros(2, dtype=bool)], np.array([4, 5])) == "0 | - | - | - | -"
    assert len(table([("a", "1 | 2 | 3 | 4 | 5")], "which").splitlines()) == 3


def test_trades_are_sorted_by_the_time_left_at_the_fill() -> None:
    market = market_with([50.0] * 3, [50.0] * 3)
    market.left_s[:] = [700, 30, 700]
    rows, contract = np.array([0, 1, 2]), np.array([0, 0, 1])
    trades = Trades(rows, contract, *(np.zeros(3) for _ in range(3)))
    assert {name: part.row.tolist() for name, part in by_time_left(trades, market) if len(part.row)} == {
        "before the window": [2],
        "600 to 900 s": [0],
        "0 to 60 s": [1],
    }


def test_trades_are_sorted_by_the_time_played() -> None:
    trades = Trades(np.array([0, 1]), np.zeros(2, int), *(np.zeros(2) for _ in range(3)))
    found = {name: part.row.tolist() for name, part in by_time_played(trades, np.array([60, 5_000]))}
    assert found == {"minutes 0 to 2": [0], "minutes 2 to 5": [], "minutes 5 to 15": [], "after minute 15": [1]}


# The rivals


def test_the_mirror_turns_the_odd_columns_and_leaves_the_even_ones() -> None:
    known = Seen(np.array([[1.0, -2.0]], dtype=np.float32), np.array([[3.0]], dtype=np.float32))
    assert known.mirrored().flat().tolist() == [[-1.0, 2.0, 3.0]]
    assert known.mirrored().mirrored().flat().tolist() == known.flat().tolist()
    assert known.mirrored().crossed().tolist() == (-known.crossed()).tolist()
    assert known.rows(np.array([True])).flat().tolist() == known.flat().tolist()


def test_the_ridge_finds_what_is_there_and_ignores_empty_columns() -> None:
    chance = np.random.default_rng(1)
    x = np.hstack([chance.normal(0, 3, (4_000, 2)), np.zeros((4_000, 1)), np.ones((4_000, 1))]).astype(np.float32)
    y = x @ np.array([0.5, -1.0, 0.0, 2.0]) + chance.normal(0, 0.1, 4_000)
    assert ridges(x, y, [1e-6])[0] == pytest.approx([0.5, -1.0, 0.0, 2.0], abs=0.01)
    assert np.abs(ridges(x, y, [1e-6, 10.0])[1]).max() < 0.3


def test_the_misses_of_settled_windows_are_known_only_afterwards() -> None:
    from training.moments import Moments

    rows = 8
    zeros = {name: np.zeros(rows) for name in Moments.__dataclass_fields__}
    seconds = np.array([0, 450, 885, 900, 1_350, 0, 900, 1_800])
    match = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    left = 900 - seconds % 900
    moments = Moments(**{**zeros, "match": match, "period": np.ones(rows, int), "second": seconds, "left_s": left})
    market = market_with([50.0] * rows, [53.0, 53, 53, 56, 56, 44, 50, 50])
    assert missed_so_far(moments, market).tolist() == [0, 0, 0, 1, 1, 0, -2, -2]


def test_rivals_say_the_same_every_time_and_the_opposite_in_the_mirror() -> None:
    pytest.importorskip("lightgbm")
    chance = np.random.default_rng(1)
    odd, even = chance.normal(size=(6_000, 2)).astype(np.float32), chance.normal(size=(6_000, 1)).astype(np.float32)
    known = Seen(odd, even)
    y = odd[:, 0] * (even[:, 0] > 0) + chance.normal(0, 0.1, 6_000)
    found, again = (forecasts((known, y, known)) for _ in range(2))
    mirror = forecasts((known, y, known.mirrored()))
    assert FOREST["deterministic"]
    for name, values in found.items():
        assert np.array_equal(values, again[name])
        assert mirror[name] == pytest.approx(-values, abs=1e-5)
    assert np.corrcoef(found["trees 200"], y)[0, 1] > 0.5
