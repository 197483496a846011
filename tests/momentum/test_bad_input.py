"""What bad or unusual canonical events do to the index: a stated result. Real files: `test_bad_files`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from ingest.events import Event, FeedError, Kind, Side, Upsert
from ingest.timeline import Timeline
from momentum import archive
from momentum.features import MAX_SECOND, footprint, shot_xg_e6
from momentum.live import LiveMatch
from momentum.methodology import MAX_E6, METHODOLOGIES, SPEC_BOX, SPEC_DECAY
from momentum.replay import match_table
from tests.momentum.conftest import added, matches, season_match

NAN, INF = math.nan, math.inf
SHOT = Event("s", 1, 1, 60_000, Kind.SHOT, Side.HOME, x=88.0, y=50.0)
PASS = Event("p", 1, 1, 60_000, Kind.PASS, Side.HOME, x=80.0, y=50.0)


def indices(events: list[Event] | tuple[Event, ...]) -> dict[str, list[int]]:
    return {name: values.tolist() for name, values in archive.replay(events).x_e6.items()}


def mirrored(event: Event) -> Event:
    return replace(event, side=None if event.side is None else event.side.other)


def test_a_shot_without_a_place_is_taken_18_m_out_and_a_pass_without_one_is_no_field_tilt() -> None:
    for x, y in ((None, None), (None, 50.0), (88.0, None)):
        assert shot_xg_e6(replace(SHOT, x=x, y=y)) == shot_xg_e6(replace(SHOT, x=None, y=None))
    assert 30_000 < shot_xg_e6(replace(SHOT, x=None, y=None)) < 120_000
    nowhere = footprint(replace(PASS, x=None, y=None))
    assert nowhere is not None
    assert nowhere.points == ()
    assert nowhere.role == 0  # but it is possession


@pytest.mark.parametrize("number", [NAN, INF, -INF])
def test_what_is_no_number_is_no_place_and_never_reaches_the_index(number: float) -> None:
    unknown = shot_xg_e6(replace(SHOT, x=None, y=None))
    assert shot_xg_e6(replace(SHOT, x=number)) == unknown
    assert shot_xg_e6(replace(SHOT, y=number)) == unknown
    mark = footprint(replace(PASS, x=number))
    assert mark is not None
    assert mark.points == ()
    events = [replace(SHOT, x=number), replace(PASS, x=number, event_id="q"), replace(SHOT, event_id="t", y=number)]
    plain = [replace(e, x=None, y=None) for e in events]
    assert indices(events) == indices(plain)


def test_a_place_off_the_pitch_is_its_edge() -> None:
    for x, y, edge in ((140.0, 50.0, (100.0, 50.0)), (-7.0, 50.0, (0.0, 50.0)), (88.0, 300.0, (88.0, 100.0))):
        assert shot_xg_e6(replace(SHOT, x=x, y=y)) == shot_xg_e6(replace(SHOT, x=edge[0], y=edge[1]))
    assert shot_xg_e6(replace(SHOT, x=1e308, y=-1e308)) == shot_xg_e6(replace(SHOT, x=100.0, y=0.0))


@pytest.mark.parametrize(("given_e6", "used_e6"), [(-5, 0), (2_000_000, 1_000_000), (0, 0), (10**30, 1_000_000)])
def test_a_providers_xg_is_kept_inside_zero_and_one(given_e6: int, used_e6: int) -> None:
    assert shot_xg_e6(replace(SHOT, xg_e6=given_e6)) == used_e6


@pytest.mark.parametrize("number", [NAN, INF, -INF])
def test_a_providers_xg_that_is_no_number_gives_way_to_our_own(number: float) -> None:
    wild = replace(SHOT, xg_e6=number)  # type: ignore[arg-type]
    assert shot_xg_e6(wild) == shot_xg_e6(SHOT)


def test_events_of_no_team_move_no_share() -> None:
    events = [replace(SHOT, side=None), replace(PASS, side=None, event_id="q", play_ms=90_000)]
    assert set(indices(events)[SPEC_DECAY.name]) == {50_000_000}


def test_a_wild_time_counts_at_the_periods_bound_and_the_index_stays_finite() -> None:
    for play_ms in (-5_000, 10**12):
        ticks = archive.replay([PASS, replace(SHOT, play_ms=play_ms)])
        assert len(ticks.period) <= MAX_SECOND + 1
        for methodology in METHODOLOGIES:
            assert 0 <= ticks.x_e6[methodology.name].min() <= ticks.x_e6[methodology.name].max() <= MAX_E6


def test_periods_that_do_not_exist_count_nothing() -> None:
    odd = [replace(SHOT, event_id=str(p), period=p) for p in (-1, 0, 5, 6, 99)]
    assert indices([PASS, *odd]) == indices([PASS])


def test_a_clock_that_runs_back_gives_the_index_of_the_events_in_order() -> None:
    events = season_match(3, 300)
    backwards = sorted(events, key=lambda e: -e.play_ms)
    live = LiveMatch()
    live.apply(added(*backwards))
    assert indices(events) == indices(backwards)
    ticks = archive.replay(events)
    for i in range(0, len(ticks.period), 501):
        tick = live.peek(int(ticks.period[i]), int(ticks.second[i]))
        assert tick.x_e6[SPEC_DECAY.name] == ticks.x_e6[SPEC_DECAY.name][i]


def test_a_half_of_no_length_is_one_tick_and_moves_nothing() -> None:
    first = season_match(4, 200)
    first = [replace(e, period=1) for e in first]
    start = Event("start", 1, 2, 0, Kind.PERIOD_START, None)
    whole, alone = match_table("m", [*first, start]), match_table("m", first)
    assert len(whole) == len(alone) + 1
    assert (whole.period[-1], whole.second[-1]) == (2, 0)
    for name, values in whole.values.items():
        if name.startswith("spec"):
            assert values[:-1].tolist() == alone.values[name].tolist()
            assert values[-1] == alone.values[name][-1]


def test_a_match_with_no_shots_is_level_in_shots_and_xg_and_moves_with_the_rest() -> None:
    events = [e for e in season_match(6) if e.kind is not Kind.SHOT]
    ticks = archive.replay(events)
    table = match_table("m", events)
    for methodology in METHODOLOGIES:
        assert not ticks.inputs[methodology.name][:, 2:6].any()
        values = ticks.x_e6[methodology.name]
        assert 25_000_000 <= values.min() < values.max() <= 75_000_000  # half of the weights have a say
    assert 0 <= table.values["model"].min() <= table.values["model"].max() <= 1_000_000


def test_a_match_without_any_event_has_no_tick_and_no_table() -> None:
    assert len(archive.replay([]).period) == 0
    with pytest.raises(FeedError, match="no second of either half") as error:
        match_table("m", [replace(SHOT, period=5)])
    assert error.value.code == "no_play"


def test_extra_time_and_a_shoot_out_change_nothing_of_the_halves_and_the_shoot_out_nothing_at_all() -> None:
    halves = season_match(7)
    extra = [replace(e, period=e.period + 2, event_id=f"x{e.event_id}") for e in season_match(8, 300)]
    kicks = [replace(SHOT, period=5, event_id=f"k{i}", goal=True, penalty=True, play_ms=i * 60_000) for i in range(10)]
    plain, longer = match_table("m", halves), match_table("m", [*halves, *extra, *kicks])
    for name, values in plain.values.items():
        assert values.tolist() == longer.values[name].tolist(), name
    assert indices([*halves, *extra]) == indices([*halves, *extra, *kicks])
    assert set(archive.replay([*halves, *extra]).period.tolist()) == {1, 2, 3, 4}


def test_an_abandoned_match_keeps_the_values_of_the_whole_one_to_its_last_second() -> None:
    whole = season_match(9)
    cut = [e for e in whole if e.period == 1 or e.play_ms <= 1_200_000]
    before, after = archive.replay(cut), archive.replay(whole)
    count = len(before.period)
    assert before.period[-1] == 2
    assert 1_190 <= before.second[-1] <= 1_200
    for methodology in METHODOLOGIES:
        name = methodology.name
        assert np.array_equal(before.x_e6[name], after.x_e6[name][:count])
    table = match_table("m", [e for e in whole if e.period == 1])
    assert set(table.period.tolist()) == {1}


@settings(max_examples=50, deadline=None)
@given(matches())
def test_exchanging_home_and_away_mirrors_every_tick_exactly(events: list[Event]) -> None:
    here, there = archive.replay(events), archive.replay([mirrored(e) for e in events])
    for methodology in METHODOLOGIES:
        assert (here.x_e6[methodology.name] + there.x_e6[methodology.name] == MAX_E6).all()


def test_an_upsert_of_the_same_event_twice_counts_once() -> None:
    timeline, live = Timeline(), LiveMatch()
    for _ in range(3):
        live.apply(timeline.apply([Upsert(SHOT), Upsert(PASS)]))
    assert live.peek(1, 60).inputs[SPEC_BOX.name][2] >> 32 == 1
