"""The complete Stats Perform match of the kloppy package, checked against its MA1 and against kloppy's own reading."""

from __future__ import annotations

import copy
import gzip
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from kloppy import statsperform
from kloppy.domain import Event as KloppyEvent
from kloppy.domain import PassEvent, ShotEvent, ShotResult
from kloppy.infra.serializers.event.statsperform import deserializer as kloppy_opta

from ingest.events import Event, Kind, Side, score
from ingest.feeds import Recorded, adapter, default_match_paths, load_paths, split
from ingest.feeds.base import Problem
from ingest.feeds.opta import constants as c
from ingest.feeds.opta.rows import qualifiers_of
from ingest.feeds.statsperform.constants import MA3
from ingest.timeline import Timeline
from tests.ingest.corpus import complete

PASSES = {Kind.PASS, Kind.CORNER, Kind.FREE_KICK, Kind.THROW_IN, Kind.GOAL_KICK}


def final(match: Recorded) -> tuple[Timeline, list[Problem]]:
    """What the file ends with."""
    timeline, problems = Timeline(match.info), []
    for row in match.rows:
        changes, found = split(adapter("statsperform").parse(match.info, row.withdrawn or row.doc))
        timeline.apply(changes)
        problems += found
    return timeline, problems


@cache
def kloppys() -> tuple[KloppyEvent, ...]:
    ma1, ma3 = default_match_paths()
    return tuple(statsperform.load_event(ma1_data=str(ma1), ma3_data=str(ma3), coordinates="opta").events)


def events_by_id(match: Recorded) -> dict[str, Event]:
    return {event.event_id: event for event in final(match)[0].events()}


def test_no_row_is_lost(hsv: Recorded, ma3: dict[str, Any]) -> None:
    timeline, problems = final(hsv)
    outside = sum(row["periodId"] not in c.PERIOD_BASE_MIN for row in ma3["liveData"]["event"])
    assert problems == []
    assert hsv.problems == ()
    assert (len(timeline), len(timeline.tombstones()), outside) == (1660, 71, 6)
    assert len(ma3["liveData"]["event"]) == 1660 + 71 + 6


def test_the_header_names_both_sides(hsv: Recorded) -> None:
    assert (hsv.info.home.name, hsv.info.away.name) == ("Hamburger SV", "Sandhausen")
    assert hsv.info.match_id == "71pif9hi2vwzp6q0xzilyxst0"


def test_the_goals_are_the_official_ones(hsv: Recorded) -> None:
    goals = [(e.period, e.play_ms, e.side, e.penalty) for e in final(hsv)[0].events() if e.goal]
    assert goals == [
        (2, (28 * 60 + 39) * 1000, Side.HOME, True),
        (2, (41 * 60 + 57) * 1000, Side.AWAY, False),
        (2, (50 * 60 + 22) * 1000, Side.HOME, False),
    ]
    assert score(final(hsv)[0].events()) == hsv.official_score == (2, 1)


def test_the_cards_are_the_official_ones_with_the_second_yellow_as_red(hsv: Recorded) -> None:
    cards = [(e.kind, e.side, e.player) for e in final(hsv)[0].events() if e.kind in (Kind.YELLOW, Kind.RED)]
    assert cards == [
        (Kind.YELLOW, Side.AWAY, "M. Ritzmaier"),
        (Kind.YELLOW, Side.AWAY, "A. Esswein"),
        (Kind.YELLOW, Side.AWAY, "E. Zenga"),
        (Kind.RED, Side.AWAY, "M. Ritzmaier"),
        (Kind.YELLOW, Side.AWAY, None),
    ]


def test_the_penalty_is_awarded_to_hamburg_before_it_is_scored(hsv: Recorded) -> None:
    events = final(hsv)[0].events()
    (award,) = (e for e in events if e.kind is Kind.PENALTY_AWARDED)
    (kick,) = (e for e in events if e.penalty)
    assert award.side is kick.side is Side.HOME
    assert award.play_ms < kick.play_ms


def test_every_corner_taken_has_its_award(hsv: Recorded) -> None:
    kinds = Counter((e.kind, e.side) for e in final(hsv)[0].events())
    for side in Side:
        assert kinds[Kind.CORNER, side] == kinds[Kind.CORNER_AWARDED, side] > 0


def test_kloppy_reads_the_same_passes_with_the_same_outcome(hsv: Recorded) -> None:
    ours = {key: e for key, e in events_by_id(hsv).items() if e.kind in PASSES}
    theirs = {str(e.event_id): e for e in kloppys() if isinstance(e, PassEvent)}
    assert ours.keys() == theirs.keys()
    raw = {key: bool(e.raw_event.outcome) and e.raw_event.type_id == 1 for key, e in theirs.items()}
    assert {key: e.success for key, e in ours.items()} == raw


def test_kloppy_reads_the_same_shots_and_goals(hsv: Recorded) -> None:
    ours = {key: e for key, e in events_by_id(hsv).items() if e.kind is Kind.SHOT}
    theirs = {str(e.event_id): e for e in kloppys() if isinstance(e, ShotEvent)}
    assert ours.keys() == theirs.keys()
    assert {k for k, e in ours.items() if e.goal} == {k for k, e in theirs.items() if e.result is ShotResult.GOAL}
    on_target = (ShotResult.GOAL, ShotResult.SAVED)
    assert {k for k, e in ours.items() if e.success} == {k for k, e in theirs.items() if e.result in on_target}


def test_kloppy_reads_the_same_places_times_and_teams(hsv: Recorded) -> None:
    ours = events_by_id(hsv)
    compared = 0
    for theirs in kloppys():
        event = ours[str(theirs.event_id)]
        # An offside is turned to the side it is about, a penalty to the side that gets it.
        if event.kind in (Kind.OFFSIDE, Kind.PENALTY_AWARDED) or event.x is None or event.y is None:
            continue
        point = theirs.coordinates
        assert event.x == pytest.approx(min(100, max(0, point.x)))
        assert event.y == pytest.approx(100 - min(100, max(0, point.y)))
        assert event.period == theirs.period.id
        assert abs(theirs.timestamp.total_seconds() * 1000 - event.play_ms) < 2000
        if event.side is not None:
            team = hsv.info.home if event.side is Side.HOME else hsv.info.away
            assert theirs.team.team_id == team.team_id
        compared += 1
    assert compared > 1550


def test_kloppy_drops_what_we_keep_as_tombstones(hsv: Recorded) -> None:
    assert not {str(e.event_id) for e in kloppys()} & final(hsv)[0].tombstones()


def test_kloppy_knows_every_type_number_we_use_by_the_same_meaning() -> None:
    theirs = {
        value: name
        for name, value in vars(kloppy_opta).items()
        if name.startswith("EVENT_TYPE_") and isinstance(value, int)
    }
    assert theirs.keys() <= c.NAMES.keys()
    assert kloppy_opta.EVENT_TYPE_SHOT_GOAL == c.GOAL
    assert kloppy_opta.EVENT_TYPE_DELETED_EVENT == c.DELETED
    assert kloppy_opta.EVENT_TYPE_CORNER_AWARDED == c.CORNER_AWARDED
    assert kloppy_opta.EVENT_QUALIFIER_PENALTY == c.Q_PENALTY
    assert kloppy_opta.EVENT_QUALIFIER_SECOND_YELLOW_CARD == c.Q_SECOND_YELLOW
    assert kloppy_opta.EVENT_QUALIFIER_XG == c.Q_XG


def test_the_ma3_document_alone_is_a_match_without_an_official_score() -> None:
    match = load_paths("statsperform", default_match_paths()[1:])
    assert match.official_score is None
    assert match.info.away.name == "Sandhausen"


@pytest.mark.shared
def test_what_is_called_unverified_occurs_in_no_complete_match_and_nothing_else_does(ma3: dict[str, Any]) -> None:
    f24 = adapter("opta").document(gzip.decompress(complete("opta")[0].read_bytes())).rows
    rows = [(row, MA3) for row in ma3["liveData"]["event"]] + [(row, c.F24) for row in f24]
    seen = {int(row[shape.type_id]) for row, shape in rows}
    seen |= {int(former) for row, shape in rows if (former := qualifiers_of(row, shape).get(c.Q_FORMER_TYPE))}
    assert frozenset(c.NAMES) - seen == c.UNVERIFIED


def test_the_table_in_the_documentation_has_every_type_and_marks_the_unverified_ones() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
    for type_id, name in c.NAMES.items():
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {type_id} | {name} |"))
        assert line.endswith("| **unverified** |" if type_id in c.UNVERIFIED else "| yes |")


def test_of_two_versions_of_a_row_the_replay_sends_the_newer(tmp_path: Path, ma3: dict[str, Any]) -> None:
    document = copy.deepcopy(ma3)
    rows = document["liveData"]["event"]
    rows.insert(3, {**rows[20], "lastModified": "2031-01-01T00:00:00Z", "x": 12.5})
    path = tmp_path / "ma3.json"
    path.write_bytes(orjson.dumps(document))
    match = load_paths("statsperform", [path])
    assert len(match.rows) == 1731
    assert events_by_id(match)[str(rows[21]["id"])].x == 12.5


@pytest.mark.parametrize("how", ["deleted after review", "turned into a miss", "withdrawn"])
def test_a_goal_that_a_review_cancels_leaves_the_score(hsv: Recorded, how: str) -> None:
    row = next(r.doc for r in hsv.rows if r.doc["typeId"] == c.GOAL and r.withdrawn is None)
    later = {**row, "lastModified": "2031-01-01T00:00:00Z"}
    cancelled = {
        "deleted after review": {**later, "typeId": 84, "qualifier": [{"qualifierId": 436, "value": "16"}]},
        "turned into a miss": {**later, "typeId": 13},
        "withdrawn": {**later, "typeId": 43, "qualifier": [{"qualifierId": 144, "value": "16"}]},
    }[how]
    timeline, _ = final(hsv)
    (applied,) = timeline.apply(split(adapter("statsperform").parse(hsv.info, cancelled))[0])
    assert applied.old is not None
    assert applied.old.goal
    assert score(timeline.events()) == (1, 1)
