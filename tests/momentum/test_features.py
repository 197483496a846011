"""What single events contribute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.events import BodyPart, Event, Kind, Side
from momentum.features import MAX_SECOND, Role, footprint, is_goal, is_on_ball, shot_xg_e6

PLAIN = Event("a", 1, 1, 1_500, Kind.PASS, Side.HOME, x=50.0, y=50.0)


def points(event: Event) -> dict[int, int]:
    mark = footprint(event)
    assert mark is not None
    return dict(mark.points)


def role(event: Event) -> Role:
    mark = footprint(event)
    assert mark is not None
    return mark.role


@pytest.mark.parametrize(("play_ms", "second"), [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (-5, 0)])
def test_an_event_counts_from_the_ceiling_of_its_time(play_ms: int, second: int) -> None:
    mark = footprint(replace(PLAIN, play_ms=play_ms))
    assert mark is not None
    assert mark.second == second


def test_a_wild_time_is_held_at_the_longest_period() -> None:
    mark = footprint(replace(PLAIN, play_ms=10**12))
    assert mark is not None
    assert mark.second == MAX_SECOND


def test_shoot_outs_and_unknown_periods_mean_nothing() -> None:
    assert footprint(replace(PLAIN, period=5)) is None
    assert footprint(replace(PLAIN, period=0)) is None
    assert footprint(None) is None


@pytest.mark.parametrize(("x", "counts"), [(66.6, False), (66.7, True), (100.0, True), (None, False)])
def test_field_tilt_is_passes_that_start_in_the_last_third_with_any_outcome(x: float | None, counts: bool) -> None:
    for success in (True, False, None):
        assert points(replace(PLAIN, x=x, success=success)) == ({6: 1} if counts else {})


def test_only_passes_tilt_the_field() -> None:
    assert points(replace(PLAIN, kind=Kind.TOUCH, x=90.0)) == {}


def test_a_shot_counts_itself_and_its_expected_goals() -> None:
    shot = replace(PLAIN, kind=Kind.SHOT, side=Side.AWAY, xg_e6=70_000)
    assert points(shot) == {3: 1, 5: 70_000, 11: 70_000}
    assert points(replace(shot, big_chance=True)) == {3: 1, 5: 70_000, 11: 70_000, 9: 3}
    assert points(replace(shot, goal=True)) == {3: 1, 5: 70_000, 11: 70_000, 9: 6}
    assert points(replace(shot, goal=True, big_chance=True)) == {3: 1, 5: 70_000, 11: 70_000, 9: 9}


def test_an_own_goal_counts_for_the_side_that_gains_and_is_no_shot() -> None:
    own_goal = replace(PLAIN, kind=Kind.SHOT, side=Side.HOME, goal=True, own_goal=True)
    assert points(own_goal) == {8: 6}
    assert is_goal(own_goal)


def test_the_keepers_row_is_no_goal() -> None:
    assert not is_goal(replace(PLAIN, kind=Kind.SAVE, goal=True))
    assert points(replace(PLAIN, kind=Kind.SAVE, goal=True)) == {}


def test_cards_count_for_the_opponent_and_corners_for_the_taker() -> None:
    assert points(replace(PLAIN, kind=Kind.YELLOW)) == {9: 1}
    assert points(replace(PLAIN, kind=Kind.RED, side=Side.AWAY)) == {8: 4}
    assert points(replace(PLAIN, kind=Kind.CORNER)) == {8: 2}
    assert points(replace(PLAIN, kind=Kind.CORNER_AWARDED)) == {}
    assert points(replace(PLAIN, kind=Kind.RED, side=None)) == {}


def test_only_who_plays_the_ball_gets_possession() -> None:
    duel = replace(PLAIN, kind=Kind.DUEL)
    assert is_on_ball(replace(duel, attacking=True))
    assert not is_on_ball(replace(duel, attacking=True, aerial=True))
    assert not is_on_ball(replace(duel, attacking=False))
    assert not is_on_ball(duel)
    assert not is_on_ball(replace(PLAIN, side=None))
    assert role(replace(PLAIN, kind=Kind.THROW_IN, side=Side.AWAY)) is Role.AWAY
    assert role(replace(PLAIN, kind=Kind.SAVE)) is Role.NONE


@pytest.mark.parametrize("kind", [Kind.OUT, Kind.FOUL, Kind.OFFSIDE, Kind.INTERRUPTION, Kind.CORNER_AWARDED])
def test_the_whistle_and_the_lines_kill_the_ball(kind: Kind) -> None:
    assert role(replace(PLAIN, kind=kind)) is Role.DEAD


def test_a_goal_kills_the_ball_and_another_shot_does_not() -> None:
    assert role(replace(PLAIN, kind=Kind.SHOT)) is Role.HOME
    assert role(replace(PLAIN, kind=Kind.SHOT, goal=True)) is Role.DEAD


def test_the_providers_expected_goals_win_and_are_held_in_range() -> None:
    shot = replace(PLAIN, kind=Kind.SHOT, x=90.0)
    assert shot_xg_e6(replace(shot, xg_e6=5)) == 5
    assert shot_xg_e6(replace(shot, xg_e6=2_000_000)) == 1_000_000
    assert shot_xg_e6(shot) > shot_xg_e6(replace(shot, body=BodyPart.HEAD)) > 0
