"""The complete Opta match of the development data and kloppy's excerpt of oddities, checked against F7 and kloppy."""

from __future__ import annotations

import gzip
import io
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kloppy import opta as kloppy_opta
from kloppy.domain import Event as KloppyEvent
from kloppy.domain import PassEvent, ShotEvent, ShotResult

from ingest.events import Delete, Event, FeedError, Kind, Side, Upsert, score
from ingest.feeds import Recorded, adapter, default_match_paths, load_paths, split
from ingest.feeds.base import Problem
from ingest.session import Outcome, Session
from ingest.timeline import Timeline
from tests.ingest.corpus import complete

OPTA = adapter("opta")
F24, F7 = default_match_paths("opta")
PASSES = {Kind.PASS, Kind.CORNER, Kind.FREE_KICK, Kind.THROW_IN, Kind.GOAL_KICK}


@pytest.fixture(scope="module")
def athletic() -> Recorded:
    return load_paths("opta", complete("opta"))


@pytest.fixture(scope="module")
def f24() -> bytes:
    return gzip.decompress(complete("opta")[0].read_bytes())


@pytest.fixture(scope="module")
def f7() -> bytes:
    return gzip.decompress(complete("opta")[1].read_bytes())


def final(match: Recorded) -> tuple[Timeline, list[Problem]]:
    timeline, problems = Timeline(match.info), []
    for row in match.rows:
        changes, found = split(OPTA.parse(match.info, row.withdrawn or row.doc))
        timeline.apply(changes)
        problems += found
    return timeline, problems


@pytest.mark.shared
def test_no_row_is_lost(athletic: Recorded, f24: bytes) -> None:
    timeline, problems = final(athletic)
    rows = OPTA.document(f24).rows
    outside = sum(row["period_id"] not in ("1", "2") for row in rows)
    assert (problems, athletic.problems) == ([], ())
    assert (len(timeline), len(timeline.tombstones()), outside) == (1635, 23, 7)
    assert len(rows) == 1665


@pytest.mark.shared
def test_score_and_cards_are_those_of_f7(athletic: Recorded, f7: bytes) -> None:
    events = final(athletic)[0].events()
    facts = OPTA.facts(f7)
    assert score(events) == athletic.official_score == facts.score == (2, 1)
    by_id = {event.event_id: event for event in events}
    for goal in facts.goals:
        event = by_id[goal.event_id]
        assert event.goal
        assert (event.side, event.player_id, event.period, event.play_ms) == (
            *(goal.side, goal.player_id),
            *(goal.period, goal.play_ms),
        )
    for card in facts.cards:
        event = by_id[card.event_id]
        assert (event.kind, event.side, event.play_ms) == (Kind.YELLOW, card.side, card.play_ms)
    assert sum(event.kind is Kind.YELLOW for event in events) == len(facts.cards) == 9
    offs = {event.player_id: event.side for event in events if event.text == "player off"}
    assert {one.off_id: one.side for one in facts.substitutions} == offs


@pytest.mark.shared
def test_the_header_of_f7_is_the_header_of_f24(f24: bytes, f7: bytes) -> None:
    headers = [OPTA.document(body).raw_info for body in (f24, f7)]
    assert None not in headers
    assert OPTA.info(headers[0] or {}) == OPTA.info(headers[1] or {})
    assert OPTA.info(headers[0] or {}).kickoff_unix_ms == 1_534_795_200_000  # 21:00 in London is 20:00 UTC


@pytest.mark.shared
def test_line_ups_have_names_shirts_and_captains(f7: bytes) -> None:
    facts = OPTA.facts(f7)
    home, away = facts.line_ups
    assert (home.side, home.formation, home.coach) == (Side.HOME, "433", "Eduardo Berizzo")
    assert [sum(player.starts for player in side.players) for side in (home, away)] == [11, 11]
    assert [player.name for side in (home, away) for player in side.players if player.captain] == [
        "Markel Susaeta",
        "Rubén Pérez",
    ]
    assert (facts.status, facts.venue, facts.season) == ("played", "San Mamés", "Season 2018/2019")
    assert [span.end_unix_ms - span.start_unix_ms for span in facts.periods if span.end_unix_ms] == [
        45 * 60_000,
        (50 * 60 + 3) * 1000,
    ]


@pytest.mark.shared
def test_kloppy_reads_the_same_passes_and_shots(athletic: Recorded) -> None:
    paths = complete("opta")
    theirs: tuple[KloppyEvent, ...] = tuple(
        kloppy_opta.load(
            f24_data=io.BytesIO(gzip.decompress(paths[0].read_bytes())),
            f7_data=io.BytesIO(gzip.decompress(paths[1].read_bytes())),
            coordinates="opta",
        ).events
    )
    ours = {event.event_id: event for event in final(athletic)[0].events()}

    def of(kinds: set[Kind]) -> set[str]:
        return {key for key, event in ours.items() if event.kind in kinds}

    passes = {str(e.event_id) for e in theirs if isinstance(e, PassEvent)}
    shots: dict[str, Any] = {str(e.event_id): e for e in theirs if isinstance(e, ShotEvent)}
    assert of(PASSES) == passes
    assert of({Kind.SHOT}) == set(shots)
    assert {key for key in shots if ours[key].goal} == {k for k, e in shots.items() if e.result is ShotResult.GOAL}
    compared = 0
    for event in theirs:
        mine = ours[str(event.event_id)]
        if event.coordinates is None or mine.x is None or mine.y is None or mine.kind is Kind.OFFSIDE:
            continue
        # Theirs may lie beyond the lines; ours are brought to the line.
        place = [min(100.0, max(0.0, value)) for value in (event.coordinates.x, 100 - event.coordinates.y)]
        assert [mine.x, mine.y] == pytest.approx(place)
        assert event.team is not None
        if mine.side is not None:
            assert (event.team.team_id == athletic.info.home.team_id) == (mine.side is Side.HOME)
        compared += 1
    assert compared > 1400


@pytest.mark.shared
def test_a_deletion_is_newer_than_its_event_although_its_version_is_not(athletic: Recorded) -> None:
    """All 23 deletions of the real match carry the version of the edit before them."""
    deleted = [row for row in athletic.rows if row.withdrawn is not None]
    assert len(deleted) == 23
    newer = 0
    for row in deleted:
        doc = row.withdrawn or {}
        (gone,) = OPTA.parse(athletic.info, doc)
        assert isinstance(gone, Delete)
        assert gone.version >= int(doc["version"])
        newer += gone.version > int(doc["version"])
        before = {**row.doc, "last_modified": doc["timestamp"]}  # as it was before it was deleted
        timeline = Timeline(athletic.info)
        timeline.apply([gone, *split(OPTA.parse(athletic.info, before))[0]])
        assert (len(timeline), len(timeline.tombstones())) == (0, 1)
    assert newer == 17


@pytest.mark.shared
@pytest.mark.parametrize("first", ["f24", "f7"])
def test_a_session_takes_both_documents_in_any_order(first: str, f24: bytes, f7: bytes) -> None:
    session = Session(OPTA, "1009316")
    # F7 was made a second after F24: that does not make the events old.
    bodies = [f24, f7] if first == "f24" else [f7, f24]
    outcomes = [session.document(body, number).outcome for number, body in enumerate(bodies)]
    assert not {Outcome.BROKEN, Outcome.OLDER} & set(outcomes)
    assert (len(session.timeline), session.counts["bad_event"]) == (1635, 0)


@pytest.mark.shared
def test_a_folder_a_packed_file_and_an_f24_alone(athletic: Recorded, tmp_path: Path) -> None:
    for path in complete("opta"):
        shutil.copy(path, tmp_path)
    assert load_paths("opta", [tmp_path]).rows == athletic.rows
    assert OPTA.matches([tmp_path]) == ["1009316"]
    assert len(OPTA.sources([tmp_path])["1009316"]) == 2
    alone = load_paths("opta", [complete("opta")[0]])
    assert (alone.info, alone.official_score) == (athletic.info, (2, 1))


def test_kloppys_excerpt_is_read_with_every_oddity_told() -> None:
    match = load_paths("opta", (F24, F7))
    timeline, problems = final(match)
    assert (match.info.home.name, match.info.home.team_id, match.info.match_id) == ("FC København", "569", "unnamed")
    # One row has the id of another with a newer version, one is five years late, six have times of another period.
    codes = Counter(problem.code for problem in (*match.problems, *problems))
    assert codes == {"no_match_id": 1, "bad_event": 1, "score_differs": 1, "out_of_period": 6}
    assert len(timeline) == 52
    assert len(OPTA.document(F24.read_bytes()).rows) == 67


def test_the_third_file_of_the_package_is_the_same_excerpt_with_expected_goals() -> None:
    match = load_paths("opta", (F24.with_name("opta_f73.xml"), F7))
    assert [e.xg_e6 for e in final(match)[0].events() if e.xg_e6 is not None] == [750_000, 978_070]


def test_an_excerpt_without_its_f7_does_not_tell_who_plays() -> None:
    with pytest.raises(FeedError) as error:
        load_paths("opta", [F24])
    assert error.value.code == "opta_bad_match"
    assert OPTA.document(F24.read_bytes()).raw_info is None


def failure(*paths: Path, match: str | None = None) -> str:
    with pytest.raises(FeedError) as error:
        load_paths("opta", paths, match)
    assert "\n" not in str(error.value)
    return error.value.code


def test_files_that_do_not_make_a_match(tmp_path: Path) -> None:
    assert failure(F7) == "opta_no_events"
    assert failure(F24, F7, match="7") == "opta_no_events"
    assert failure(tmp_path) == "no_match_files"
    (tmp_path / "x.xml").write_bytes(b"<other/>")
    assert failure(tmp_path / "x.xml") == "opta_not_a_match"
    assert failure(F24.with_name("statsperform_event_ma3.xml")) == "wrong_provider"
    (tmp_path / "x.xml").write_bytes(b"<Games><Game id='1' /><Game id='2' /></Games>")
    assert failure(tmp_path / "x.xml") == "opta_which_match"
    header = b"<Games><Game id='1' home_team_id='5' away_team_id='6' game_date='2018-08-20T21:00:00'/></Games>"
    (tmp_path / "x.xml").write_bytes(header)
    assert failure(tmp_path / "x.xml") == "opta_no_play"
    (tmp_path / "x.xml").write_bytes(header.replace(b"'6'", b"'5'"))
    assert failure(tmp_path / "x.xml") == "opta_bad_match"


@pytest.mark.shared
def test_documents_of_different_matches_are_not_paired(f24: bytes, f7: bytes, tmp_path: Path) -> None:
    one, other = tmp_path / "f24.xml", tmp_path / "f7.xml"
    one.write_bytes(f24)
    other.write_bytes(f7.replace(b"f1009316", b"f1009317"))
    assert failure(one, other) == "opta_other_match"
    other.write_bytes(f7.replace(b"t174", b"t175"))
    assert failure(one, other) == "opta_other_match"


@pytest.mark.shared
def test_a_stamp_orders_a_row_whatever_it_said_before(athletic: Recorded) -> None:
    for row in athletic.rows[:50]:
        for unix_ms in (1_700_000_000_123, 1_690_000_000_000):  # winter and summer
            (change,) = OPTA.parse(athletic.info, OPTA.stamp(row.doc, unix_ms))
            assert isinstance(change, Upsert)
            assert change.event.version == unix_ms
    (gone,) = OPTA.parse(athletic.info, OPTA.withdrawal("7", 1_690_000_000_001))
    assert gone == Delete("7", 1_690_000_000_001)


@pytest.mark.shared
def test_a_f24_document_tells_its_score_and_no_more(f24: bytes) -> None:
    facts = OPTA.facts(f24)
    assert (facts.score, facts.status, facts.line_ups) == ((2, 1), "unknown", ())


def events_of(body: bytes) -> list[Event]:
    document = OPTA.document(body)
    info = OPTA.info(document.raw_info or {})
    return [c.event for row in document.rows for c in OPTA.parse(info, row) if isinstance(c, Upsert)]


@pytest.mark.shared
def test_the_ids_of_players_are_those_of_f7(f24: bytes, f7: bytes) -> None:
    facts = OPTA.facts(f7)
    squads = {player.player_id: line_up.side for line_up in facts.line_ups for player in line_up.players}
    plain = [e for e in events_of(f24) if e.player_id and e.kind in (Kind.PASS, Kind.SHOT)]
    assert len(plain) > 850
    assert all(squads[event.player_id or ""] is event.side for event in plain)
