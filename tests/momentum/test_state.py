"""Trading stops at the causes of market.md and goes on with play."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from ingest.events import Event, Kind, Side
from ingest.timeline import Applied
from momentum.state import Reason, Suspension, suspensions
from tests.momentum.conftest import added, matches

PLAY = Event("p", 1, 1, 10_000, Kind.PASS, Side.AWAY, x=50.0, y=50.0)
GOAL = replace(PLAY, event_id="g", kind=Kind.SHOT, side=Side.HOME, goal=True)

CAUSES = [
    (GOAL, Reason.GOAL),
    (replace(GOAL, goal=False, own_goal=True), Reason.GOAL),
    (replace(PLAY, event_id="c", kind=Kind.PENALTY_AWARDED), Reason.PENALTY),
    (replace(PLAY, event_id="c", kind=Kind.VAR_START, side=None), Reason.VAR),
    (replace(PLAY, event_id="c", kind=Kind.RED), Reason.RED_CARD),
]


def play_at(second: int, event_id: str = "on", period: int = 1) -> Event:
    return replace(PLAY, event_id=event_id, play_ms=second * 1000, period=period)


@pytest.mark.parametrize(("cause", "reason"), CAUSES)
def test_a_cause_suspends_until_play_has_gone_on(cause: Event, reason: Reason) -> None:
    state = Suspension()
    assert state.tick(added(play_at(3, "before")), 1, 9) is Reason.NONE
    assert state.tick(added(cause), 1, 10) is reason
    for second in range(11, 200):  # no time-out: only play resumes
        assert state.tick([], 1, second) is reason
    assert state.tick(added(replace(PLAY, event_id="s", kind=Kind.SAVE, play_ms=200_000)), 1, 200) is reason
    assert state.tick(added(play_at(201)), 1, 201) is Reason.NONE


def test_the_first_sample_after_play_has_gone_on_is_open_and_not_an_earlier_one() -> None:
    assert list(suspensions([GOAL, play_at(13), play_at(20, "end")])) == [(1, 10), (1, 11), (1, 12)]


def test_a_cause_known_late_suspends_the_sample_that_first_knows_it() -> None:
    state = Suspension()
    state.tick(added(play_at(15)), 1, 20)
    assert state.tick(added(GOAL), 1, 21) is Reason.GOAL
    assert state.tick([], 1, 22) is Reason.NONE


def test_a_withdrawn_goal_suspends_like_a_check_until_play_goes_on() -> None:
    state = Suspension()
    state.tick(added(GOAL), 1, 10)
    state.tick(added(play_at(14)), 1, 14)
    assert state.tick([Applied(GOAL, None)], 1, 60) is Reason.VAR
    assert state.tick([], 1, 61) is Reason.VAR
    assert state.tick(added(play_at(63, "on2")), 1, 63) is Reason.NONE


def test_an_edit_of_a_goal_that_leaves_it_a_goal_changes_nothing() -> None:
    state = Suspension()
    state.tick(added(GOAL), 1, 10)
    state.tick(added(play_at(14)), 1, 14)
    assert state.tick([Applied(GOAL, replace(GOAL, version=2, x=91.0, play_ms=11_000))], 1, 70) is Reason.NONE


def test_of_two_causes_the_weightier_is_told() -> None:
    state = Suspension()
    assert state.tick(added(CAUSES[4][0], GOAL), 1, 10) is Reason.GOAL


def test_a_decision_after_a_check_waits_for_play_again() -> None:
    state = Suspension()
    state.tick(added(CAUSES[3][0]), 1, 10)
    end = replace(PLAY, event_id="e", kind=Kind.VAR_END, play_ms=40_000)
    assert state.tick(added(play_at(30), end), 1, 40) is Reason.VAR
    assert state.tick([], 1, 41) is Reason.VAR
    assert state.tick(added(play_at(44, "on2")), 1, 44) is Reason.NONE


def test_play_of_the_next_half_resumes() -> None:
    state = Suspension()
    state.tick(added(GOAL), 1, 10)
    assert state.tick(added(play_at(0, period=2)), 2, 0) is Reason.NONE


def test_a_play_that_is_withdrawn_no_longer_counts() -> None:
    state, on = Suspension(), play_at(12)
    state.tick(added(on), 1, 12)
    assert state.tick([Applied(on, None), *added(GOAL)], 1, 13) is Reason.GOAL
    assert state.tick([], 1, 14) is Reason.GOAL


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (replace(PLAY, kind=Kind.OUT, x=100.0), Reason.CORNER),
        (replace(PLAY, kind=Kind.OUT, x=0.0), Reason.CORNER),
        (replace(PLAY, kind=Kind.OUT, x=50.0), Reason.NONE),
        (replace(PLAY, kind=Kind.OUT, x=None), Reason.NONE),
        (replace(PLAY, kind=Kind.CORNER), Reason.CORNER),
        (replace(PLAY, kind=Kind.FOUL, x=9.0, y=44.0), Reason.PENALTY),
        (replace(PLAY, kind=Kind.FOUL, x=9.0, y=5.0), Reason.NONE),
        (replace(PLAY, kind=Kind.SHOT, penalty=True), Reason.PENALTY),
    ],
)
def test_without_awards_the_ball_behind_the_line_and_the_foul_in_the_box_stand_in(event: Event, reason: Reason) -> None:
    assert Suspension(awards_carried=False).tick(added(event), 1, 10) is reason
    assert Suspension(awards_carried=True).tick(added(event), 1, 10) is Reason.NONE


def test_a_shoot_out_suspends_nothing() -> None:
    assert suspensions([replace(GOAL, period=5), PLAY]) == {}


@settings(max_examples=40, deadline=None)
@given(matches())
def test_every_goal_known_on_time_suspends_its_own_second(events: list[Event]) -> None:
    suspended = suspensions(events)
    for event in events:
        if event.kind is Kind.SHOT and event.goal and event.period < 5:
            assert (event.period, -(-event.play_ms // 1000)) in suspended
