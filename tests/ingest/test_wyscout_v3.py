"""Wyscout version 3: rules row by row, and the real match of the kloppy package against kloppy's own reading."""

from __future__ import annotations

import gzip
import warnings
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from kloppy import wyscout as kloppy_wyscout
from kloppy.domain import CardType, FoulCommittedEvent, PassEvent, ShotEvent, ShotResult
from kloppy.domain import Event as KloppyEvent

from ingest.events import BodyPart, Delete, Event, Kind, MatchInfo, Side, Team, Upsert, score
from ingest.feeds import Problem, adapter, default_match_paths, load_paths, split
from ingest.feeds.wyscout import constants_v3 as c
from ingest.feeds.wyscout.parse import parse_event
from ingest.session import Outcome, Session

INFO = MatchInfo("wyscout", "m", Team("1", "Home", "HOM"), Team("2", "Away", "AWA"), 0, "")
MATCH = default_match_paths("wyscout")[0].with_name("wyscout_events_v3.json")
RESTARTS = {Kind.CORNER, Kind.FREE_KICK, Kind.THROW_IN, Kind.GOAL_KICK}


def row(primary: str, *secondary: str, team: Any = 1, **more: Any) -> dict[str, Any]:
    doc = {
        "id": 9,
        "matchPeriod": "2H",
        "matchTimestamp": "00:46:05.432",
        "type": {"primary": primary, "secondary": list(secondary)},
        "location": {"x": 80, "y": 30},
        "team": {"id": team, "name": "-"},
        "player": {"id": 77, "name": "A Player"},
    }
    return {**doc, **more}


def read(*args: str, **more: Any) -> Event:
    changes, problems = split(parse_event(INFO, row(*args, **more)))
    assert problems == []
    assert isinstance(changes[0], Upsert)
    return changes[0].event


def test_time_place_side_and_player_are_taken_over() -> None:
    event = read("pass", team=2, **{"pass": {"accurate": True}})
    assert (event.kind, event.period, event.play_ms, event.side) == (Kind.PASS, 2, 65_432, Side.AWAY)
    assert (event.x, event.y, event.success, event.player, event.player_id) == (80.0, 30.0, True, "A Player", "77")


def test_player_zero_is_nobody() -> None:
    event = read("game_interruption", "ball_out", player={"id": 0, "name": None})
    assert (event.kind, event.player, event.player_id) == (Kind.OUT, None, None)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("corner",), Kind.CORNER),
        (("free_kick",), Kind.FREE_KICK),
        (("free_kick", "free_kick_shot"), Kind.SHOT),
        (("corner", "shot"), Kind.SHOT),
        (("goal_kick",), Kind.GOAL_KICK),
        (("throw_in",), Kind.THROW_IN),
        (("penalty",), Kind.SHOT),
        (("interception",), Kind.TOUCH),
        (("touch", "carry"), Kind.TOUCH),
        (("clearance",), Kind.TOUCH),
        (("goalkeeper_exit",), Kind.TOUCH),
        (("shot_against", "save"), Kind.SAVE),
        (("infraction", "foul"), Kind.FOUL),
        (("offside",), Kind.OFFSIDE),
        (("fairplay",), Kind.OTHER),
        (("game_interruption",), Kind.INTERRUPTION),
    ],
)
def test_kinds(names: tuple[str, ...], kind: Kind) -> None:
    assert read(*names).kind is kind


def test_an_interception_that_is_played_on_at_once_is_a_pass_as_in_version_2() -> None:
    assert read("interception", "pass", **{"pass": {"accurate": False}}).kind is Kind.PASS


def test_duels_tell_who_had_the_ball() -> None:
    names = ("offensive_duel", "defensive_duel", "loose_ball_duel", "aerial_duel")
    duels = [read("duel", name) for name in names]
    assert [duel.attacking for duel in duels] == [True, False, None, None]
    assert [duel.aerial for duel in duels] == [False, False, False, True]


def test_shots_carry_goal_body_situation_and_the_providers_expected_goals() -> None:
    shot = {"isGoal": True, "onTarget": True, "bodyPart": "head_or_other", "xg": 0.4}
    goal = read("shot", "goal", shot=shot)
    assert (goal.goal, goal.success, goal.body, goal.xg_e6, goal.big_chance) == (
        True,
        True,
        BodyPart.HEAD,
        400_000,
        True,
    )
    missed = read("free_kick", "free_kick_shot", shot={**shot, "isGoal": False, "onTarget": False, "xg": 0.05})
    assert (missed.direct_free_kick, missed.goal, missed.success, missed.big_chance) == (True, False, False, False)
    assert read("penalty", shot=shot).penalty


def test_an_own_goal_belongs_to_the_side_that_gains_seen_from_its_end() -> None:
    event = read("own_goal", location={"x": 3, "y": 40})
    assert (event.kind, event.side, event.goal, event.own_goal) == (Kind.SHOT, Side.AWAY, True, True)
    assert (event.x, event.y) == (97.0, 60.0)


@pytest.mark.parametrize(
    ("secondary", "told", "kind"),
    [
        (("foul", "yellow_card"), {}, Kind.YELLOW),
        (("foul",), {"redCard": True}, Kind.RED),
        (("foul", "yellow_card", "red_card"), {}, Kind.RED),
    ],
)
def test_a_card_rides_on_its_infraction(secondary: tuple[str, ...], told: dict[str, bool], kind: Kind) -> None:
    (foul, card), _ = split(parse_event(INFO, row("infraction", *secondary, infraction=told)))
    assert isinstance(foul, Upsert)
    assert isinstance(card, Upsert)
    assert (foul.event.kind, card.event.kind, card.event.event_id) == (Kind.FOUL, kind, "9:card")
    corrected, _ = split(parse_event(INFO, row("infraction", "foul", modified=4)))
    assert corrected[1] == Delete("9:card", 4)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"matchPeriod": "3H"}, "bad_event"),
        ({"matchTimestamp": "soon"}, "bad_event"),
        ({"matchTimestamp": "00:10:00.000"}, "out_of_period"),
        ({"location": {"x": None, "y": 3}}, "bad_event"),
        ({"location": [1, 2]}, "bad_event"),
        ({"shot": {"xg": 7}}, "bad_event"),
        ({"type": {}}, "bad_event"),
        ({"player": [1]}, "bad_event"),
        ({"team": {"id": 5}}, "unknown_team"),
        ({"team": None}, "unknown_team"),
    ],
)
def test_a_row_that_makes_no_sense_is_a_located_problem(change: dict[str, Any], code: str) -> None:
    (problem,) = parse_event(INFO, {**row("shot", shot={}), **change})
    assert isinstance(problem, Problem)
    assert (problem.code, problem.where) == (code, "event 9")


def test_an_unknown_type_is_kept_and_counted() -> None:
    (change,), (problem,) = split(parse_event(INFO, row("rabona")))
    assert isinstance(change, Upsert)
    assert (change.event.kind, problem.code) == (Kind.OTHER, "unknown_type")


# The real match.


@cache
def ours() -> dict[str, Event]:
    match = load_paths("wyscout", [MATCH])
    found: dict[str, Event] = {}
    for recorded in match.rows:
        changes, problems = split(adapter("wyscout").parse(match.info, recorded.doc))
        assert problems == []
        found |= {change.event.event_id: change.event for change in changes if isinstance(change, Upsert)}
    return found


@cache
def kloppys() -> tuple[KloppyEvent, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(kloppy_wyscout.load(str(MATCH), coordinates="wyscout", data_version="V3").events)


def test_juventus_sampdoria_has_sides_date_and_score_from_its_own_header() -> None:
    match = load_paths("wyscout", [MATCH])
    assert (match.info.home.name, match.info.away.name, match.info.match_id) == ("Juventus", "Sampdoria", "5154199")
    assert (match.info.kickoff_unix_ms, match.official_score, match.problems) == (1_600_627_500_000, (3, 0), ())
    assert len(match.rows) == 1_894 + 4
    assert score(ours().values()) == (3, 0)


def test_the_cards_are_those_of_the_line_ups() -> None:
    document = orjson.loads(MATCH.read_bytes())
    official = Counter(
        str(player["playerId"])
        for team in document["match"]["teamsData"].values()
        for part in ("lineup", "bench")
        for player in team["formation"][part]
        if player["yellowCards"] not in ("0", "null")
    )
    assert Counter(e.player_id for e in ours().values() if e.kind is Kind.YELLOW) == official
    assert not any(e.kind is Kind.RED for e in ours().values())


def test_kloppy_reads_the_same_passes_shots_goals_cards_and_places() -> None:
    theirs = {str(e.event_id): e for e in kloppys()}
    passes = {key for key, e in theirs.items() if isinstance(e, PassEvent)}
    played_on = {key for key, e in ours().items() if e.kind is Kind.PASS and e.text == "interception"}
    # kloppy calls an interception that is a pass an interception.
    assert {key for key, e in ours().items() if e.kind in {Kind.PASS, *RESTARTS}} - played_on == passes
    assert len(played_on) == 34
    shots = {key: e for key, e in theirs.items() if isinstance(e, ShotEvent)}
    assert {key for key, e in ours().items() if e.kind is Kind.SHOT} == shots.keys()
    assert {key for key, e in ours().items() if e.goal} == {
        key for key, e in shots.items() if e.result is ShotResult.GOAL
    }
    fouls = [e for e in kloppys() if isinstance(e, FoulCommittedEvent)]
    assert sum(e.kind is Kind.FOUL for e in ours().values()) == len(fouls)
    booked = {
        f"{e.event_id}:card"
        for e in kloppys()
        if getattr(e, "card_type", None) in (CardType.FIRST_YELLOW, CardType.SECOND_YELLOW)
    }
    assert booked <= {key for key, e in ours().items() if e.kind is Kind.YELLOW}
    compared = 0
    for key, other in theirs.items():
        event = ours().get(key)
        if event is None or other.coordinates is None:
            continue
        assert (event.x, event.y) == (other.coordinates.x, other.coordinates.y)
        assert event.period == other.period.id
        assert 0 <= event.play_ms - other.timestamp.total_seconds() * 1000 < 1000  # kloppy takes whole seconds
        compared += 1
    assert compared > 1_800


def test_a_polled_document_with_its_match_needs_nothing_else() -> None:
    session = Session(adapter("wyscout"), "5154199")
    assert session.document(MATCH.read_bytes(), 1).outcome is Outcome.CHANGED
    assert session.info is not None
    assert session.info.home.name == "Juventus"
    assert score(session.timeline.events()) == (3, 0)
    assert not session.counts["bad_event"]


def test_without_a_match_the_sides_are_those_of_the_first_event_and_that_is_told(tmp_path: Path) -> None:
    document = orjson.loads(MATCH.read_bytes())
    path = tmp_path / "5154199.json"
    path.write_bytes(orjson.dumps({"meta": [], "events": document["events"]}))
    match = load_paths("wyscout", [path])
    assert [problem.code for problem in match.problems] == ["home_side_unknown"]
    assert {match.info.home.name, match.info.away.name} == {"Juventus", "Sampdoria"}


def test_a_match_whose_header_lacks_a_side_is_an_error_not_a_guess() -> None:
    document = orjson.loads(MATCH.read_bytes())
    for team in document["match"]["teamsData"].values():
        team["side"] = "home"
    delivery = Session(adapter("wyscout"), "5154199").document(orjson.dumps(document), 1)
    assert [problem.code for problem in delivery.problems] == ["wyscout_bad_match"]


def test_every_primary_name_of_the_real_file_is_known() -> None:
    names = {doc["type"]["primary"] for doc in orjson.loads(MATCH.read_bytes())["events"]}
    assert names == c.KINDS.keys() - c.UNVERIFIED


@pytest.mark.shared
def test_the_current_interface_gives_version_2_with_its_match_too(shared: Path) -> None:
    path = shared / "provider_formats" / "wyscout_api" / "events_2852835.json.gz"
    document = adapter("wyscout").document(gzip.decompress(path.read_bytes()))
    assert (document.match_id, len(document.rows)) == ("2852835", 5)
    assert document.raw_info is not None
    assert adapter("wyscout").info(document.raw_info).home.name == "Bologna"
