"""What each kind of Opta row becomes, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert
from ingest.feeds.base import Problem, split
from ingest.feeds.opta import constants as c
from ingest.feeds.statsperform.parse import iso, parse_event, parse_info, unix_ms

INFO = MatchInfo("statsperform", "m", Team("H", "Home", "HOM"), Team("A", "Away", "AWA"), 0, "")


def row(type_id: int, *qualifiers: int | tuple[int, str], team: str = "H", **more: Any) -> dict[str, Any]:
    listed = [q if isinstance(q, tuple) else (q, "") for q in qualifiers]
    doc = {
        "id": 9,
        "eventId": 3,
        "typeId": type_id,
        "periodId": 2,
        "timeMin": 46,
        "timeSec": 5,
        "contestantId": team,
        "outcome": 1,
        "x": 80,
        "y": 30,
        "lastModified": "2021-09-11T18:31:00.250Z",
        "timeStamp": "2021-09-11T18:31:00.100Z",
        "qualifier": [{"qualifierId": number, "value": value} for number, value in listed],
    }
    return {key: value for key, value in {**doc, **more}.items() if value is not None}


def read(*args: Any, **more: Any) -> Event:
    (change,), problems = split(parse_event(INFO, row(*args, **more)))
    assert problems == []
    assert isinstance(change, Upsert)
    return change.event


def test_time_counts_from_the_periods_kick_off_and_the_version_is_the_time_of_the_edit() -> None:
    event = read(1)
    assert (event.period, event.play_ms) == (2, 65_000)
    assert event.version == unix_ms("2021-09-11T18:31:00.250Z")
    assert iso(event.version) == "2021-09-11T18:31:00.250Z"


@pytest.mark.parametrize(("period", "minute"), [(1, 0), (2, 45), (3, 90), (4, 105), (5, 120)])
def test_every_period_starts_at_its_own_minute(period: int, minute: int) -> None:
    assert read(1, periodId=period, timeMin=minute, timeSec=0).play_ms == 0


def test_optas_y_is_turned_because_it_runs_from_right_to_left() -> None:
    event = read(1)
    assert (event.x, event.y) == (80.0, 70.0)


def test_places_beyond_the_lines_are_brought_to_the_line() -> None:
    event = read(5, x=101.5, y=-2)
    assert (event.x, event.y) == (100.0, 100.0)


@pytest.mark.parametrize(
    ("qualifier", "kind"),
    [(6, Kind.CORNER), (5, Kind.FREE_KICK), (107, Kind.THROW_IN), (124, Kind.GOAL_KICK), (2, Kind.PASS)],
)
def test_a_pass_that_restarts_play_is_named_by_its_restart(qualifier: int, kind: Kind) -> None:
    assert read(1, qualifier).kind is kind


def test_an_offside_pass_is_a_failed_pass() -> None:
    event = read(2)
    assert (event.kind, event.success) == (Kind.PASS, False)


@pytest.mark.parametrize(
    ("type_id", "qualifiers", "goal", "on_target"),
    [(13, (), False, False), (14, (), False, False), (15, (), False, True), (15, (82,), False, False)],
)
def test_a_shot_without_a_goal(type_id: int, qualifiers: tuple[int, ...], goal: bool, on_target: bool) -> None:
    event = read(type_id, *qualifiers)
    assert (event.kind, event.goal, event.success, event.body) == (Kind.SHOT, goal, on_target, BodyPart.FOOT)


def test_a_goal_with_its_circumstances() -> None:
    event = read(16, 9, 214, 15, (321, "0.7912"))
    assert event.goal
    assert event.penalty
    assert event.big_chance
    assert (event.body, event.xg_e6, event.text) == (BodyPart.HEAD, 791_200, "penalty scored")
    assert read(16, 26).direct_free_kick
    assert read(13, 21).body is BodyPart.OTHER


def test_an_own_goal_belongs_to_the_side_that_gains_seen_from_its_end() -> None:
    event = read(16, 28, 214, x=3.0, y=40.0)
    assert (event.kind, event.side, event.goal, event.own_goal) == (Kind.SHOT, Side.AWAY, True, True)
    assert (event.x, event.y) == (97.0, 40.0)
    assert (event.big_chance, event.body, event.xg_e6) == (False, None, None)


@pytest.mark.parametrize(
    ("qualifiers", "kind", "text"),
    [
        ((31,), Kind.YELLOW, "yellow card"),
        ((32,), Kind.RED, "second yellow card"),
        ((33,), Kind.RED, "red card"),
        ((31, 283), Kind.YELLOW, "yellow card for the staff"),
        ((33, 171), Kind.OTHER, "card rescinded"),
    ],
)
def test_cards(qualifiers: tuple[int, ...], kind: Kind, text: str) -> None:
    event = read(17, *qualifiers)
    assert (event.kind, event.text, event.side, event.x) == (kind, text, Side.HOME, None)


def test_a_card_without_colour_is_kept_and_counted() -> None:
    (change,), (problem,) = split(parse_event(INFO, row(17)))
    assert isinstance(change, Upsert)
    assert change.event.kind is Kind.OTHER
    assert problem.code == "unknown_card"


def test_a_foul_is_the_row_of_the_side_that_committed_it() -> None:
    assert read(4, outcome=0).kind is Kind.FOUL
    assert read(4, outcome=1).kind is Kind.OTHER


def test_a_foul_with_a_penalty_is_the_award_to_the_other_side() -> None:
    event = read(4, 9, outcome=0, x=8.4, y=58.0)
    assert (event.kind, event.side, event.x, event.y) == (Kind.PENALTY_AWARDED, Side.AWAY, 91.6, 58.0)
    assert read(4, 9, outcome=1).kind is Kind.OTHER


def test_of_the_two_rows_of_a_corner_one_is_the_award_and_one_the_ball_out() -> None:
    assert read(6, outcome=1).kind is Kind.CORNER_AWARDED
    assert read(6, outcome=0).kind is Kind.OUT


@pytest.mark.parametrize(
    ("type_id", "attacking", "aerial"),
    [(3, True, False), (7, False, False), (44, None, True), (45, False, False), (50, True, False), (67, None, False)],
)
def test_duels(type_id: int, attacking: bool | None, aerial: bool) -> None:
    event = read(type_id, outcome=0)
    assert (event.kind, event.attacking, event.aerial, event.success) == (Kind.DUEL, attacking, aerial, False)


def test_a_ball_that_merely_hits_a_player_is_no_touch() -> None:
    assert read(61, outcome=0).kind is Kind.TOUCH
    assert read(61, outcome=1).kind is Kind.OTHER


def test_an_offside_provoked_by_the_defence_is_the_attackers_offside() -> None:
    event = read(55, x=20.0, y=30.0)
    assert (event.kind, event.side, event.x, event.y) == (Kind.OFFSIDE, Side.AWAY, 80.0, 30.0)


@pytest.mark.parametrize(
    ("type_id", "qualifiers", "kind", "text"),
    [
        (27, ((41, "Injury"),), Kind.INTERRUPTION, "start of delay"),
        (28, (), Kind.RESUME, "end of delay"),
        (27, (364,), Kind.VAR_START, "VAR"),
        (28, (364,), Kind.VAR_END, "VAR"),
        (65, (341,), Kind.VAR_START, "VAR: goal not awarded"),
        (65, (341, 336), Kind.VAR_END, "VAR: goal not awarded, decision cancelled"),
        (65, (), Kind.OTHER, "contentious referee decision"),
    ],
)
def test_delays_and_reviews(type_id: int, qualifiers: tuple[Any, ...], kind: Kind, text: str) -> None:
    event = read(type_id, *qualifiers)
    assert (event.kind, event.text) == (kind, text)


@pytest.mark.parametrize("type_id", [43, 84])
def test_a_deleted_row_withdraws_its_id_whatever_else_it_says(type_id: int) -> None:
    assert parse_event(INFO, row(type_id, (144, "1"), timeMin=None)) == (Delete("9", 1_631_385_060_250),)


def test_an_announcement_is_provisional_and_no_goal() -> None:
    event = read(38)
    assert (event.kind, event.provisional, event.goal) == (Kind.OTHER, True, False)


def test_a_review_is_provisional_until_its_verdict() -> None:
    assert [read(27, 364).provisional, read(65, 341).provisional] == [True, True]
    assert [read(28, 364).provisional, read(65, 341, 336).provisional] == [False, False]


@pytest.mark.parametrize(("minutes", "added_s"), [("4", 240), ("0", 0), ("1.5", 90), ("", None)])
def test_added_time_is_told_in_seconds(minutes: str, added_s: int | None) -> None:
    event = read(70, (277, minutes))
    assert (event.kind, event.added_s) == (Kind.ADDED_TIME, added_s)


@pytest.mark.parametrize("minutes", ["soon", "-1", "31", "1e308", "9" * 400])
def test_added_time_that_cannot_be_is_a_problem(minutes: str) -> None:
    (problem,) = parse_event(INFO, row(70, (277, minutes)))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.where) == ("bad_event", "event 9")


def test_a_whistle_belongs_to_no_side() -> None:
    for type_id, kind in ((32, Kind.PERIOD_START), (30, Kind.PERIOD_END)):
        event = read(type_id)
        assert (event.kind, event.side, event.x) == (kind, None, None)


def test_added_time_is_told() -> None:
    assert read(70, (277, "4")).text == "4 minutes added"


def test_an_unknown_type_is_kept_and_counted() -> None:
    (change,), (problem,) = split(parse_event(INFO, row(999)))
    assert isinstance(change, Upsert)
    assert (change.event.kind, change.event.text) == (Kind.OTHER, "type 999")
    assert (problem.code, problem.where) == ("unknown_type", "event 9")


@pytest.mark.parametrize("type_id", sorted(set(c.NAMES) - {43, 84}))
def test_every_documented_type_gives_one_event_with_words(type_id: int) -> None:
    (change,), problems = split(parse_event(INFO, row(type_id, 31)))
    assert isinstance(change, Upsert)
    assert change.event.text
    assert problems == []


def test_rows_outside_play_are_none_of_the_matchs_events() -> None:
    for period in (10, 14, 16):
        assert parse_event(INFO, row(34, periodId=period)) == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": None}, "bad_event"),
        ({"typeId": "x"}, "bad_event"),
        ({"lastModified": "yesterday"}, "bad_event"),
        ({"x": "NaN"}, "bad_event"),
        ({"x": [1]}, "bad_event"),
        ({"qualifier": [7]}, "bad_event"),
        ({"qualifier": {"a": 1}}, "bad_event"),
        ({"timeMin": 3}, "out_of_period"),
        ({"timeMin": 500}, "out_of_period"),
        ({"team": "somebody else"}, "unknown_team"),
    ],
)
def test_a_row_that_makes_no_sense_is_a_located_problem(change: dict[str, Any], code: str) -> None:
    (problem,) = parse_event(INFO, row(1, **change))
    assert isinstance(problem, Problem)
    assert problem.code == code
    assert problem.where.startswith("event ")


def test_expected_goals_that_are_no_probability_are_a_problem() -> None:
    (problem,) = parse_event(INFO, row(13, (321, "7.5")))
    assert isinstance(problem, Problem)


def test_a_match_header_without_teams_is_an_error() -> None:
    with pytest.raises(FeedError) as error:
        parse_info({"id": "m", "date": "2021-09-11Z"})
    assert error.value.code == "statsperform_bad_match"


def test_the_kick_off_is_midnight_where_only_the_day_is_known() -> None:
    teams = [{"id": side, "name": side, "position": side} for side in ("home", "away")]
    info = parse_info({"id": "m", "date": "2021-09-11Z", "contestant": teams})
    assert info.kickoff_unix_ms == unix_ms("2021-09-11T00:00:00")
    assert info.home.short == "HOM"
