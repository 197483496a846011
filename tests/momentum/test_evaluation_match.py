"""What one match contributes: by hand where it can be, and for matches that are odd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingest.events import Event, FeedError, Kind, Side
from ingest.feeds import adapter, default_match_paths
from momentum import archive
from momentum.evaluation.match import Quote, build
from momentum.evaluation.sample import (
    INDICES,
    LEARNED,
    LEARNED_PRIOR,
    QUOTES,
    SPOT,
    STEP_S,
    STEPPING,
    TWO,
    Measured,
    measure,
)
from momentum.evaluation.targets import Ahead
from momentum.forecast import Prior, forecast, forecast_both
from momentum.methodology import SPEC_BOX, SPEC_DECAY
from momentum.replay import final_events
from tests.momentum.conftest import season_match

PRIOR = Prior(0.5, 0.3, 0.2)


def measured(events: list[Event], prior: Prior | None = PRIOR, number: int = 3) -> Measured:
    return measure(number, "made up", events, prior, awards_carried=True)


@pytest.fixture(scope="module")
def real() -> tuple[tuple[Event, ...], Measured]:
    _, events = final_events(adapter("wyscout"), default_match_paths("wyscout"))
    return events, measure(3, "kloppy", events, PRIOR, awards_carried=False)


def shot(second: int, side: Side, period: int = 1, **more: object) -> Event:
    event = Event(f"{period} {second}", 1, period, second * 1000, Kind.SHOT, side, x=88.0, y=50.0)
    return replace(event, **more)  # type: ignore[arg-type]


def test_what_comes_by_hand() -> None:
    end = Event("end", 1, 1, 1_000_000, Kind.PERIOD_END, None)
    events = [
        shot(100, Side.HOME),
        shot(350, Side.AWAY),
        shot(400, Side.AWAY),
        shot(600, Side.HOME, own_goal=True),
        end,
    ]
    ahead = Ahead.of(events, archive.replay(events))
    signs = np.sign(ahead.xg)
    # At 49 only home's shot is ahead, at 50 also the first of the visitors', which is worth as much.
    assert [signs[second] for second in (0, 49, 50, 99, 100, 349, 350, 399, 400, 700)] == [
        *(1, 1, 0),
        *(0 if ahead.xg[99] == 0 else -1, -1, -1, -1, -1, 0, 0),
    ]
    assert [ahead.next_shot[second] for second in (0, 99, 100, 399)] == [1, 1, 0, 0]
    assert [ahead.next_shot_s[second] for second in (0, 99, 100, 399, 400)] == [100, 1, 250, 1, np.inf]
    assert np.isnan(ahead.next_shot[400:]).all()
    # The five minutes must be played.
    late = Ahead.of([shot(999, Side.HOME), end], archive.replay([shot(999, Side.HOME), end]))
    assert late.xg[699:701].tolist() == [pytest.approx(late.xg[700]), late.xg[700]]
    assert late.xg[701] == 0


def test_moments_come_every_fifteen_seconds_shifted_by_the_matchs_number(
    real: tuple[tuple[Event, ...], Measured],
) -> None:
    events, found = real
    ticks = archive.replay(events)
    rows = np.concatenate([np.flatnonzero(ticks.period == p)[3::STEP_S] for p in (1, 2)])
    m = found.moments
    assert m.score[:, INDICES.index(SPEC_BOX.name)].tolist() == (ticks.x_e6[SPEC_BOX.name][rows] / 1e6).tolist()
    both = forecast(events, ticks, PRIOR, awards_carried=False)
    assert both.model_prior_e6 is not None
    assert m.score[:, -1].tolist() == (both.model_prior_e6[rows] / 1e6).tolist()
    assert m.conf[:, 1].tolist() == (both.conf_e4[rows] / 1e4).tolist()


def test_the_programs_price_and_ours_have_the_same_error_and_hold_is_what_it_says(
    real: tuple[tuple[Event, ...], Measured],
) -> None:
    events, found = real
    ticks = archive.replay(events)
    x, told = ticks.x_e6[SPEC_DECAY.name] / 1e6, forecast(events, ticks, PRIOR, awards_carried=False)
    rows = np.concatenate([np.flatnonzero(ticks.period == p)[3::STEP_S] for p in (1, 2)])
    for number, row in enumerate(rows.tolist()):
        left = int(found.moments.left_s[number])
        second, first = int(ticks.second[row]), int(np.flatnonzero(ticks.period == ticks.period[row])[0])
        assert left == (900 - second % 900 if second < 2_700 else 0)
        if not left:
            assert np.isnan(found.moments.error[number]).all()
            continue
        start = first + second - second % 900
        settled = x[start : start + 900].mean()
        spot = (x[start:row].sum() + left * x[row]) / 900 - settled
        assert found.moments.error[number, QUOTES.index(SPOT)] == pytest.approx(spot)
        price = told.forward_e6[row] / 1e6 - settled
        assert found.moments.error[number, QUOTES.index(LEARNED_PRIOR)] == pytest.approx(price, abs=2e-4)
        inside = told.band_lo_e6[row] / 1e6 <= settled <= told.band_hi_e6[row] / 1e6
        assert found.moments.inside[number, 1] == inside
        follows = second < 1_800
        if follows:
            after = x[start + 900 : start + 1_800].mean()
            assert found.moments.next_error[number, QUOTES.index(SPOT)] == pytest.approx(x[row] - after)
        assert np.isnan(found.moments.next_error[number]).all() != follows


def test_steps_are_counted_where_nothing_is_known_to_happen(real: tuple[tuple[Event, ...], Measured]) -> None:
    events, found = real
    ticks = archive.replay(events)
    for name in (SPEC_BOX.name, SPEC_DECAY.name):
        moves = np.abs(np.diff(ticks.x_e6[name] / 1e6))[np.diff(ticks.period) == 0]
        column = STEPPING.index(name)
        assert found.steps.big[column] == (moves > 5).sum()
        assert found.steps.largest[column] == pytest.approx(moves.max())
        assert found.steps.silent[column] <= found.steps.unmoved[column] <= found.steps.big[column]
    assert found.steps.silent[STEPPING.index(SPEC_BOX.name)] > 0  # the window forgets
    assert found.steps.silent[STEPPING.index(SPEC_DECAY.name)] == 0


def test_one_look_gives_the_forecast_with_and_without_a_prior() -> None:
    events = season_match(2)
    ticks = archive.replay(events)
    alone, told = forecast_both(events, ticks, PRIOR, awards_carried=True)
    assert told is not None
    for one, other in (
        (alone, forecast(events, ticks, awards_carried=True)),
        (told, forecast(events, ticks, PRIOR, awards_carried=True)),
    ):
        for name in ("model_e6", "mu_e6", "s_e4", "conf_e4", "forward_e6", "band_lo_e6", "band_hi_e6"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert forecast_both(events, ticks, awards_carried=True)[1] is None


def test_a_match_without_a_prior_leaves_its_columns_empty() -> None:
    found = measured(season_match(5), None)
    assert not found.with_prior
    assert np.isnan(found.moments.score[:, -1]).all()
    assert np.isnan(found.moments.score[:, INDICES.index("prior alone")]).all()
    assert np.isnan(found.moments.error[:, QUOTES.index(LEARNED_PRIOR)]).all()
    assert set(found.fills) == {TWO, LEARNED}
    assert np.isnan(found.steps.largest[-1])


def test_a_match_without_shots_asks_nothing_and_has_prices_all_the_same() -> None:
    found = measured([e for e in season_match(6) if e.kind is not Kind.SHOT])
    assert found.shots == 0
    assert np.isnan(found.moments.next_shot).all()
    assert not found.moments.xg_ahead.any()
    assert np.isfinite(found.moments.error[found.moments.left_s > 0]).all()


def test_an_abandoned_match_settles_the_windows_that_were_played() -> None:
    whole = season_match(9)
    cut = [e for e in whole if e.period == 1 or e.play_ms <= 1_000_000]
    found = measured(cut)
    second_half = found.seconds - 2_821
    assert 990 <= second_half <= 1_001
    assert found.void_windows == 2  # 60-75 after 100 s, 75-90 never
    assert (found.moments.left_s > 0).sum() == 4 * 60
    for fills in found.fills.values():
        assert np.isfinite(fills.edge).all()
    match = build("cut", cut, None, Quote.TWO_PARAMETERS, awards_carried=True)
    assert [match.is_void(window) for window in range(6)] == [False, False, False, False, True, True]
    assert [match.played_s(window) for window in (0, 3, 5)] == [900, 900, 0]


@pytest.mark.parametrize("half", [1, 2])
def test_one_half_alone_has_its_three_windows(half: int) -> None:
    found = measured([e for e in season_match(9) if e.period == half])
    assert found.void_windows == 3
    assert (found.moments.left_s > 0).sum() == 3 * 60


def test_a_few_seconds_of_play_are_moments_without_a_settlement() -> None:
    found = measured([shot(1, Side.HOME), shot(40, Side.AWAY)], number=0)
    assert found.void_windows == 6
    assert not found.moments.left_s.any()
    assert all(len(fills.edge) == 0 for fills in found.fills.values())


def test_no_second_of_either_half_is_an_error() -> None:
    with pytest.raises(FeedError, match="no second of either half") as error:
        measured([shot(5, Side.HOME, period=5)])
    assert error.value.code == "no_play"
