"""DataFactory: rules row by row, the real match of the kloppy package, and its deleted incidences."""

from __future__ import annotations

import copy
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from kloppy import datafactory as kloppy_datafactory
from kloppy.domain import Event as KloppyEvent
from kloppy.domain import PassEvent, ShotEvent, ShotResult
from kloppy.infra.serializers.event.datafactory import deserializer as kloppy_numbers

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert, score
from ingest.feeds import Problem, adapter, default_match_paths, load_paths, split
from ingest.feeds.datafactory import constants as c
from ingest.feeds.datafactory.parse import parse_event, parse_info
from ingest.session import Outcome, Session

INFO = MatchInfo("datafactory", "1", Team("11", "Home", "HOM"), Team("22", "Away", "AWA"), 0, "")
(MATCH,) = default_match_paths("datafactory")
DELETED = {"22094476", "22094664", "22094716", "22095107", "22095116"}


def row(type_id: int, team: Any = 11, **more: Any) -> dict[str, Any]:
    doc = {
        "id": "9",
        "type": type_id,
        "t": {"half": 2, "m": 46, "s": 5},
        "team": team,
        "plyrId": 77,
        "name": "A Player",
        "coord": {"1": {"x": 0.5, "y": -0.5, "z": -1}},
        "right": "home",
    }
    return {key: value for key, value in {**doc, **more}.items() if value is not None}


def read(type_id: int, **more: Any) -> Event:
    changes, problems = split(parse_event(INFO, row(type_id, **more)))
    assert problems == []
    assert isinstance(changes[0], Upsert)
    return changes[0].event


def test_time_side_and_player_are_taken_over_and_places_turned_to_the_teams_view() -> None:
    home, away = read(180), read(180, team=22)
    assert (home.kind, home.period, home.play_ms, home.side) == (Kind.PASS, 2, 65_000, Side.HOME)
    assert (home.x, home.y) == (75.0, 25.0)
    assert (away.x, away.y) == (25.0, 75.0)
    assert (home.success, read(181).success, home.player, home.player_id) == (True, False, "A Player", "77")


@pytest.mark.parametrize(
    ("type_id", "kind"),
    [
        (3, Kind.YELLOW),
        (4, Kind.RED),
        (5, Kind.RED),
        (7, Kind.SUBSTITUTION),
        (28, Kind.CORNER),
        (29, Kind.TOUCH),
        (36, Kind.FOUL),
        (37, Kind.FOUL),
        (46, Kind.THROW_IN),
        (47, Kind.OFFSIDE),
        (48, Kind.GOAL_KICK),
        (182, Kind.TOUCH),
        (507, Kind.OTHER),
        (18, Kind.PERIOD_START),
        (2, Kind.PERIOD_END),
    ],
)
def test_kinds(type_id: int, kind: Kind) -> None:
    assert read(type_id).kind is kind


def test_shots_by_their_outcome() -> None:
    assert [read(t).goal for t in (9, 11, 12, 13, 33, 34, 35, 43)] == [True] * 4 + [False] * 4
    assert [read(t).success for t in (33, 34, 35, 43)] == [False, False, True, True]
    assert (read(11).body, read(12).direct_free_kick, read(13).penalty) == (BodyPart.HEAD, True, True)
    assert read(13).big_chance


def test_own_goals_and_penalties_belong_to_the_side_they_are_about() -> None:
    own = read(10)
    assert (own.side, own.goal, own.own_goal, own.x, own.y) == (Side.AWAY, True, True, 25.0, 75.0)
    award = read(31, coord={"1": {"x": -0.9, "y": 0.1}})
    assert (award.kind, award.side, award.x, award.player_id) == (Kind.PENALTY_AWARDED, Side.AWAY, 95.0, None)


def test_a_clearance_to_a_corner_awards_it_and_a_corrected_one_takes_the_award_back() -> None:
    changes, _ = split(parse_event(INFO, row(30)))
    award = changes[1]
    assert isinstance(award, Upsert)
    assert (award.event.kind, award.event.side) == (Kind.CORNER_AWARDED, Side.AWAY)
    corrected, _ = split(parse_event(INFO, row(29, modified=4)))
    assert corrected[1] == Delete("9:award", 4)


def test_the_shoot_out_is_period_five() -> None:
    shot = read(55, t={"half": 5, "m": 120, "s": 0})
    assert (shot.period, shot.play_ms, shot.goal, shot.penalty) == (5, 0, True, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": True}, "bad_event"),
        ({"type": "goal"}, "bad_event"),
        ({"t": None}, "bad_event"),
        ({"t": {"half": 6, "m": 3, "s": 1}}, "bad_event"),
        ({"t": {"half": 2, "m": 3, "s": 1}}, "bad_event"),
        ({"coord": {"1": {"x": 0}}}, "bad_event"),
        ({"coord": {"1": {"x": "0", "y": 0}}}, "bad_event"),
        ({"right": "left"}, "bad_event"),
        ({"team": 5}, "unknown_team"),
    ],
)
def test_a_row_that_makes_no_sense_is_a_located_problem(change: dict[str, Any], code: str) -> None:
    (problem,) = parse_event(INFO, row(180, **change) if change != {"t": None} else {**row(180), "t": None})
    assert isinstance(problem, Problem)
    assert problem.code == code
    assert problem.where.startswith("event")


def test_an_unknown_type_is_kept_and_counted() -> None:
    (change,), (problem,) = split(parse_event(INFO, row(999)))
    assert isinstance(change, Upsert)
    assert (change.event.kind, problem.code) == (Kind.OTHER, "unknown_type")


def test_kloppy_knows_every_type_number_we_use_by_the_same_meaning() -> None:
    theirs = {
        value: name
        for name, value in vars(kloppy_numbers).items()
        if name.startswith("DF_EVENT_TYPE_") and isinstance(value, int)
    }
    assert theirs.keys() == c.NAMES.keys() - {7}  # a substitution is known there by its class
    assert {n for n, name in theirs.items() if "PENALTY_" in name and "SHOT" in name} <= c.PENALTIES
    assert c.GOALS - {55} == kloppy_numbers.GOAL_EVENTS


# The real match.


@cache
def ours() -> dict[str, Event]:
    match = load_paths("datafactory", [MATCH])
    found: dict[str, Event] = {}
    for recorded in match.rows:
        changes, problems = split(adapter("datafactory").parse(match.info, recorded.doc))
        assert problems == []
        found |= {change.event.event_id: change.event for change in changes if isinstance(change, Upsert)}
    return found


@cache
def kloppys() -> dict[str, KloppyEvent]:
    return {str(e.event_id): e for e in kloppy_datafactory.load(str(MATCH), coordinates="datafactory").events}


@pytest.fixture
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(MATCH.read_bytes())
    return loaded


def test_no_incidence_is_lost_and_the_score_is_the_official_one(document: dict[str, Any]) -> None:
    match = load_paths("datafactory", [MATCH])
    keys = {key for rows in document["incidences"].values() for key in rows}
    assert {recorded.doc["id"] for recorded in match.rows} == keys | DELETED
    assert (len(keys), len(match.rows), match.problems) == (960, 965, ())
    assert score(ours().values()) == match.official_score == (4, 2)


def test_cards_corners_offsides_and_fouls_are_as_the_summary_counts_them(document: dict[str, Any]) -> None:
    counted = {
        Kind.YELLOW: "yellowCards",
        Kind.CORNER: "cornerKicks",
        Kind.OFFSIDE: "offsides",
        Kind.FOUL: "fouls",
        Kind.GOAL_KICK: "goalkick",
        Kind.THROW_IN: "throwIn",
    }
    found = Counter((e.kind, e.side) for e in ours().values())
    for kind, name in counted.items():
        rows = document["incidences"][name].values()
        for side, team in ((Side.HOME, 282), (Side.AWAY, 279)):
            penalties = sum(r["type"] in (c.FOUL_PENALTY, c.HAND_PENALTY) for r in rows if r["team"] == team)
            assert found[kind, side] == sum(r["team"] == team for r in rows) - penalties, kind
    summary = document["summary"]["yellowCards"]
    assert (found[Kind.YELLOW, Side.HOME], found[Kind.YELLOW, Side.AWAY]) == (summary["homeQty"], summary["awayQty"])


def test_kloppy_reads_the_same_passes_shots_goals_teams_and_times() -> None:
    theirs = kloppys()
    restarts = (Kind.PASS, Kind.CORNER, Kind.THROW_IN, Kind.FREE_KICK)
    passes = {key for key, e in ours().items() if e.kind in restarts}
    assert passes == {key for key, e in theirs.items() if isinstance(e, PassEvent)}
    shots = {key: e for key, e in theirs.items() if isinstance(e, ShotEvent)}
    assert {key for key, e in ours().items() if e.kind is Kind.SHOT} == shots.keys()
    assert {key for key, e in ours().items() if e.goal} == {
        key for key, e in shots.items() if e.result is ShotResult.GOAL
    }
    for key, other in theirs.items():
        event = ours()[key]
        assert (event.period, event.play_ms) == (other.period.id, other.timestamp.total_seconds() * 1000)
        about_the_other = event.own_goal or event.kind is Kind.PENALTY_AWARDED
        if other.team is not None and event.side is not None:
            assert (other.team.ground.value == event.side.value) is not about_the_other


def test_both_sides_shoot_at_the_far_end_and_their_keepers_stay_at_home(document: dict[str, Any]) -> None:
    shots = [e for e in ours().values() if e.kind is Kind.SHOT and not e.own_goal and e.x is not None]
    assert len(shots) == 20
    assert min(e.x for e in shots if e.x is not None) > 65
    keepers = {key for key, player in document["players"].items() if player["posnId"] == 1}
    places = [e.x for e in ours().values() if e.player_id in keepers and e.x is not None]
    assert len(places) > 10
    assert sum(x < 40 for x in places) >= len(places) - 2
    corners = [e for e in ours().values() if e.kind is Kind.CORNER]
    assert all(e.x is not None and e.x > 95 and e.y is not None and abs(e.y - 50) > 45 for e in corners)


def test_what_the_other_side_does_next_after_a_foul_is_a_free_kick() -> None:
    taken = [e for e in ours().values() if e.kind is Kind.FREE_KICK]
    fouls = [e for e in ours().values() if e.kind in (Kind.FOUL, Kind.OFFSIDE)]
    assert 20 <= len(taken) <= len(fouls) == 29
    for kick in taken:
        before = [e for e in fouls if (e.period, e.play_ms) <= (kick.period, kick.play_ms)]
        assert max(before, key=lambda e: (e.period, e.play_ms)).side is not kick.side


@pytest.mark.parametrize("half", [1, 2])
def test_ends_changed_throughout_a_half_are_found_from_its_places(half: int, document: dict[str, Any]) -> None:
    for rows in document["incidences"].values():
        for incidence in rows.values():
            if incidence["t"]["half"] == half and "coord" in incidence:
                for point in incidence["coord"].values():
                    point["x"], point["y"] = -point["x"], -point["y"]
    rows = adapter("datafactory").document(orjson.dumps(document)).rows
    info = parse_info({"match": document["match"], "teams": document["teams"]})
    found = {
        change.event.event_id: change.event
        for doc in rows
        for change in split(parse_event(info, doc))[0]
        if isinstance(change, Upsert)
    }
    for key, event in found.items():
        assert event.x == pytest.approx(ours()[key].x)
        assert event.y == pytest.approx(ours()[key].y)


def test_the_deleted_incidences_are_tombstones_in_document_and_recording() -> None:
    polled = adapter("datafactory").document(MATCH.read_bytes())
    assert {doc["id"] for doc in polled.rows if doc.get("deleted")} == DELETED
    session = Session(adapter("datafactory"), polled.match_id)
    assert session.document(MATCH.read_bytes(), 1).outcome is Outcome.CHANGED
    assert {key for key in session.timeline.tombstones() if ":" not in key} == DELETED
    assert score(session.timeline.events()) == (4, 2)


def test_an_incidence_that_is_deleted_in_a_later_document_is_withdrawn(document: dict[str, Any]) -> None:
    session = Session(adapter("datafactory"), "1111111")
    before = copy.deepcopy(document)
    extra = {"type": 9, "t": {"half": 2, "m": 94, "s": 50}, "team": 282, "plyrId": 61509}
    before["incidences"]["shots"]["22094476"] = extra
    before["deletedIncidences"].remove("22094476")
    assert session.document(orjson.dumps(before), 1).outcome is Outcome.CHANGED
    assert score(session.timeline.events()) == (5, 2)
    assert session.document(orjson.dumps(document), 2).outcome is Outcome.CHANGED
    assert score(session.timeline.events()) == (4, 2)
    assert "22094476" in session.timeline.tombstones()


def test_a_score_that_the_incidences_do_not_make_is_told(document: dict[str, Any], tmp_path: Path) -> None:
    document["scoreStatus"]["282"]["score"] = 5
    path = tmp_path / "match.json"
    path.write_bytes(orjson.dumps(document))
    (problem,) = load_paths("datafactory", [path]).problems
    assert (problem.code, problem.text) == ("score_differs", "the events make it 4-2, the score says 5-2")


def test_an_unknown_class_is_read_by_its_types_and_told(document: dict[str, Any], tmp_path: Path) -> None:
    document["incidences"]["rabonas"] = document["incidences"].pop("stealings")
    path = tmp_path / "match.json"
    path.write_bytes(orjson.dumps(document))
    match = load_paths("datafactory", [path])
    assert [problem.code for problem in match.problems] == ["unknown_class"]
    assert len(match.rows) == 965


@pytest.mark.parametrize("wrong", [b"[]", b"{}", b'{"match": {}, "incidences": []}', b"no"])
def test_what_is_no_match_is_a_feed_error(wrong: bytes) -> None:
    with pytest.raises(FeedError):
        adapter("datafactory").document(wrong)


def test_a_match_without_two_teams_is_a_feed_error(document: dict[str, Any]) -> None:
    document["match"]["awayTeamId"] = 282
    with pytest.raises(FeedError) as error:
        adapter("datafactory").document(orjson.dumps(document))
    assert error.value.code == "datafactory_bad_match"


def test_a_folder_of_matches_needs_one_named(document: dict[str, Any], tmp_path: Path) -> None:
    for number in (1, 2):
        document["match"]["matchId"] = number
        (tmp_path / f"{number}.json").write_bytes(orjson.dumps(document))
    (tmp_path / "cut.json").write_bytes(b"{")
    assert sorted(adapter("datafactory").sources([tmp_path])) == ["1", "2", "cut.json"]
    (tmp_path / "cut.json").unlink()
    with pytest.raises(FeedError) as error:
        load_paths("datafactory", [tmp_path])
    assert error.value.code == "datafactory_which_match"
    assert load_paths("datafactory", [tmp_path], "2").info.match_id == "2"
    assert adapter("datafactory").matches([tmp_path]) == ["1", "2"]
