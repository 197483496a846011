"""StatsBomb: rules row by row. Its real matches: `test_statsbomb_match`."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.events import BodyPart, Delete, Event, Kind, MatchInfo, Side, Team, Upsert
from ingest.feeds import Problem, split
from ingest.feeds.statsbomb import constants as c
from ingest.feeds.statsbomb.parse import parse_event

INFO = MatchInfo("statsbomb", "1", Team("11", "Home", "HOM"), Team("22", "Away", "AWA"), 0, "")


def row(type_id: int, team: Any = 11, **more: Any) -> dict[str, Any]:
    doc = {
        "id": "e",
        "period": 2,
        "timestamp": "00:01:05.432",
        "type": {"id": type_id, "name": "-"},
        "team": None if team is None else {"id": team, "name": "-"},
        "player": {"id": 77, "name": "A Player"},
        "location": [90.0, 20.0],
        "duration": 1.5,
    }
    return {key: value for key, value in {**doc, **more}.items() if value is not None}


def read(type_id: int, **more: Any) -> list[Event]:
    changes, problems = split(parse_event(INFO, row(type_id, **more)))
    assert problems == []
    return [change.event for change in changes if isinstance(change, Upsert)]


def one(type_id: int, **more: Any) -> Event:
    (event,) = read(type_id, **more)
    return event


def test_time_place_side_and_player_are_taken_over() -> None:
    event = one(c.PASS, team=22, **{"pass": {}})
    assert (event.kind, event.period, event.play_ms, event.side) == (Kind.PASS, 2, 65_432, Side.AWAY)
    assert (event.x, event.y, event.success) == (75.0, 25.0, True)
    assert (event.player, event.player_id) == ("A Player", "77")


@pytest.mark.parametrize(
    ("kind_id", "kind"),
    [
        (None, Kind.PASS),
        (61, Kind.CORNER),
        (62, Kind.FREE_KICK),
        (63, Kind.GOAL_KICK),
        (64, Kind.PASS),
        (65, Kind.PASS),
        (66, Kind.PASS),
        (67, Kind.THROW_IN),
    ],
)
def test_restarts_are_kinds_of_their_own_and_kick_offs_are_passes(kind_id: int | None, kind: Kind) -> None:
    detail = {} if kind_id is None else {"type": {"id": kind_id}}
    assert one(c.PASS, **{"pass": detail}).kind is kind


@pytest.mark.parametrize(
    ("type_id", "kind"),
    [
        (2, Kind.TOUCH),
        (6, Kind.OTHER),
        (9, Kind.TOUCH),
        (10, Kind.TOUCH),
        (17, Kind.OTHER),
        (20, Kind.OTHER),
        (21, Kind.OTHER),
        (28, Kind.TOUCH),
        (37, Kind.OTHER),
        (38, Kind.TOUCH),
        (42, Kind.OTHER),
        (43, Kind.OTHER),
    ],
)
def test_carries_receipts_pressure_and_blocks_are_no_touches(type_id: int, kind: Kind) -> None:
    assert one(type_id).kind is kind


def test_a_failed_recovery_is_no_touch() -> None:
    assert one(c.BALL_RECOVERY, ball_recovery={"recovery_failure": True}).kind is Kind.OTHER


def test_duels_tell_who_had_the_ball() -> None:
    tackle, aerial = one(c.DUEL, duel={"type": {"id": 11}}), one(c.DUEL, duel={"type": {"id": 10}})
    assert (tackle.attacking, tackle.aerial) == (False, False)
    assert (aerial.attacking, aerial.aerial) == (None, True)
    assert [one(t).attacking for t in (c.DRIBBLE, c.DISPOSSESSED, c.DRIBBLED_PAST, 33)] == [True, True, False, None]


@pytest.mark.parametrize(("action", "kind"), [(25, Kind.TOUCH), (30, Kind.TOUCH), (33, Kind.SAVE), (32, Kind.OTHER)])
def test_a_keeper_plays_the_ball_saves_or_only_faces_a_shot(action: int, kind: Kind) -> None:
    assert one(c.GOALKEEPER, goalkeeper={"type": {"id": action}}).kind is kind


def shot(outcome: int, kind: int = 87, body: int = 40, xg: float | None = 0.1, **more: Any) -> dict[str, Any]:
    return {
        "shot": {
            "outcome": {"id": outcome},
            "type": {"id": kind},
            "body_part": {"id": body},
            "statsbomb_xg": xg,
            **more,
        }
    }


def test_shots_carry_goal_body_situation_and_the_providers_expected_goals() -> None:
    goal = one(c.SHOT, **shot(97, 88, 37, 0.78))
    assert (goal.kind, goal.goal, goal.success, goal.penalty) == (Kind.SHOT, True, True, True)
    assert (goal.body, goal.xg_e6, goal.big_chance) == (BodyPart.HEAD, 780_000, True)
    assert one(c.SHOT, **shot(96, 62)).direct_free_kick
    assert [one(c.SHOT, **shot(outcome)).success for outcome in (96, 97, 99, 100, 115, 116)] == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]
    assert one(c.SHOT, **shot(100, xg=None)).xg_e6 is None
    assert not one(c.SHOT, **shot(100, xg=0.19)).big_chance
    assert one(c.SHOT, **shot(100, body=70)).body is BodyPart.OTHER


def test_an_own_goal_is_read_once_for_the_side_that_gains() -> None:
    gained = one(c.OWN_GOAL_FOR, location=[115.7, 39.9])
    assert (gained.kind, gained.side, gained.goal, gained.own_goal) == (Kind.SHOT, Side.HOME, True, True)
    assert gained.x == pytest.approx(96.416667)
    assert one(c.OWN_GOAL_AGAINST, team=22).kind is Kind.OTHER


def test_a_pass_that_goes_out_tells_when_and_where() -> None:
    _, out = read(c.PASS, **{"pass": {"outcome": {"id": 75}, "end_location": [60.0, 80.0]}})
    assert (out.event_id, out.kind, out.side, out.play_ms) == ("e:out", Kind.OUT, Side.HOME, 66_932)
    assert (out.x, out.y) == (50.0, 100.0)


@pytest.mark.parametrize(
    ("type_id", "more", "out"),
    [
        (c.CLEARANCE, {"out": True}, True),
        (c.CLEARANCE, {}, False),
        (c.INTERCEPTION, {"interception": {"outcome": {"id": 14}}}, True),
        (c.DUEL, {"duel": {"type": {"id": 11}, "outcome": {"id": 17}}}, True),
        (c.GOALKEEPER, {"goalkeeper": {"type": {"id": 33}, "outcome": {"id": 59}}}, True),
        (c.SHOT, shot(98, end_location=[120.0, 50.0, 1.0]), True),
        (c.SHOT, shot(101, end_location=[112.0, 50.0]), False),
        (c.SHOT, shot(96, end_location=[120.0, 50.0]), False),
    ],
)
def test_the_ball_is_out_after_what_says_so(type_id: int, more: dict[str, Any], out: bool) -> None:
    assert [event.kind for event in read(type_id, **more)][1:] == [Kind.OUT] * out


def test_an_offside_pass_is_a_failed_pass_and_an_offside_of_its_side() -> None:
    failed, offside = read(c.PASS, **{"pass": {"outcome": {"id": 76}, "end_location": [108.0, 40.0]}})
    assert (failed.success, offside.kind, offside.side, offside.x) == (False, Kind.OFFSIDE, Side.HOME, 90.0)


@pytest.mark.parametrize(
    ("type_id", "name", "card", "kind"),
    [
        (c.FOUL, "foul_committed", 7, Kind.YELLOW),
        (c.FOUL, "foul_committed", 6, Kind.RED),
        (c.FOUL, "foul_committed", 5, Kind.RED),
        (c.BAD_BEHAVIOUR, "bad_behaviour", 65, Kind.YELLOW),
        (c.BAD_BEHAVIOUR, "bad_behaviour", 67, Kind.RED),
    ],
)
def test_a_card_rides_on_its_foul_or_bad_behaviour(type_id: int, name: str, card: int, kind: Kind) -> None:
    _, booked = read(type_id, **{name: {"card": {"id": card}}})
    assert (booked.event_id, booked.kind, booked.side, booked.player_id) == ("e:card", kind, Side.HOME, "77")


def test_a_foul_that_gives_a_penalty_is_the_other_sides_award_and_keeps_its_card() -> None:
    award, booked = read(c.FOUL, location=[12.0, 30.0], foul_committed={"penalty": True, "card": {"id": 7}})
    assert (award.kind, award.side, award.x, award.y) == (Kind.PENALTY_AWARDED, Side.AWAY, 90.0, 62.5)
    assert (booked.kind, booked.side, booked.player) == (Kind.YELLOW, Side.HOME, "A Player")


def test_a_corrected_row_takes_back_what_it_told_beside() -> None:
    changes, _ = split(parse_event(INFO, row(c.PASS, modified=5, **{"pass": {}})))
    assert changes[1:] == [Delete("e:out", 5), Delete("e:offside", 5)]
    gone = parse_event(INFO, {"id": "e", "deleted": True, "modified": 6})
    assert {change.event_id for change in gone if isinstance(change, Delete)} == {"e", "e:out", "e:offside", "e:card"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": None}, "bad_event"),
        ({"id": [1]}, "bad_event"),
        ({"period": 6}, "bad_event"),
        ({"period": None}, "bad_event"),
        ({"timestamp": "soon"}, "bad_event"),
        ({"timestamp": "02:00:00.000"}, "bad_event"),
        ({"location": [1]}, "bad_event"),
        ({"location": ["1", "2"]}, "bad_event"),
        ({"pass": 3}, "bad_event"),
        ({"type": {"id": "goal"}}, "bad_event"),
        ({"team": {"id": 5}}, "unknown_team"),
        ({"team": {"name": "no id"}}, "bad_event"),
    ],
)
def test_a_row_that_makes_no_sense_is_a_located_problem(change: dict[str, Any], code: str) -> None:
    doc = {**row(c.PASS, **{"pass": {}}), **change}
    (problem,) = parse_event(INFO, {key: value for key, value in doc.items() if value is not None})
    assert isinstance(problem, Problem)
    assert problem.code == code
    assert problem.where.startswith("event")


def test_expected_goals_beyond_one_are_a_problem() -> None:
    (problem,) = parse_event(INFO, row(c.SHOT, **shot(100, xg=1.5)))
    assert isinstance(problem, Problem)
    assert "not a probability" in problem.text


def test_an_unknown_type_and_an_unknown_card_are_kept_and_counted() -> None:
    (change,), (problem,) = split(parse_event(INFO, row(999)))
    assert isinstance(change, Upsert)
    assert (change.event.kind, problem.code) == (Kind.OTHER, "unknown_type")
    _, (problem,) = split(parse_event(INFO, row(c.FOUL, foul_committed={"card": {"id": 99}})))
    assert problem.code == "unknown_card"
