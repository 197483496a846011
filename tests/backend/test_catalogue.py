"""The catalogue: every change told once, sources in their order, people's decisions above all, nothing half done."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.catalogue import service
from backend.catalogue.reconcile import ChangeKind, View, changes, merged, view
from backend.catalogue.rows import Connection
from backend.db.migrate import version
from backend.db.pool import Database
from backend.errors import UserError
from ingest.catalogue import Entry, Status, read
from ingest.events import FeedError
from ingest.identity import review
from ingest.identity.decisions import Decision, Verdict
from ingest.identity.model import HOUR_MS, Kind
from tests.backend.calendars import NOW_MS, WEEK_MS, entries, lineup, moved, snapshot

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FIRST = entries("openfootball")[0]


def kinds(before: View | None, after: View) -> list[ChangeKind]:
    return [change.kind for change in changes("fx-1", before, after, "somebody")]


def seen(**changed: object) -> View:
    return view({"openfootball": replace(FIRST, **changed)})  # type: ignore[arg-type]


# What holds, and what changed


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, Status.LIVE, ChangeKind.STARTED),
        (None, Status.POSTPONED, ChangeKind.POSTPONED),
        (Status.POSTPONED, None, ChangeKind.RESCHEDULED),
        (Status.LIVE, Status.ABANDONED, ChangeKind.ABANDONED),
        (Status.ABANDONED, Status.LIVE, ChangeKind.RESUMED),
        (Status.LIVE, Status.FINISHED, ChangeKind.FINISHED),
        (None, Status.CANCELLED, ChangeKind.CANCELLED),
        (Status.FINISHED, Status.LIVE, ChangeKind.CORRECTED),
        (Status.LIVE, None, ChangeKind.CORRECTED),
    ],
)
def test_every_step_of_a_fixture_has_its_name(before: Status | None, after: Status | None, kind: ChangeKind) -> None:
    assert kinds(seen(status=before), seen(status=after)) == [kind]


def test_a_new_kickoff_venue_score_and_lineup_are_told_with_before_and_after() -> None:
    old = seen(venue="A", status=Status.FINISHED, score=(1, 0))
    late = view({"openfootball": replace(moved(FIRST, HOUR_MS), venue="B", status=Status.FINISHED, score=(1, 1))})
    found = changes("fx-1", old, late, "openfootball")
    assert [c.kind for c in found] == [ChangeKind.KICKOFF, ChangeKind.SCORE, ChangeKind.VENUE]
    assert found[0].after["kickoff_ms"] - found[0].before["kickoff_ms"] == HOUR_MS
    named = seen(lineups=(lineup("openfootball"),))
    assert kinds(seen(), named) == [ChangeKind.LINEUP]
    other = replace(lineup("openfootball"), starters=lineup("openfootball").starters[1:])
    assert kinds(named, seen(lineups=(other,))) == [ChangeKind.LINEUP_CHANGED]
    assert kinds(named, named) == []


def test_the_first_source_in_order_wins_and_contradictions_are_flagged() -> None:
    second = entries("wyscout")[0]
    both = view({"openfootball": moved(FIRST, WEEK_MS), "wyscout": second})
    assert both.kickoff_ms == second.fixture.kickoff_ms
    assert both.conflicts == ("kickoff",)
    states = {"openfootball": replace(FIRST, status=Status.POSTPONED), "wyscout": replace(second, status=Status.LIVE)}
    assert (view(states).status, view(states).conflicts) == (Status.LIVE, ("status",))
    assert view(states, ("openfootball",)).status is Status.POSTPONED
    scores = {
        "openfootball": replace(FIRST, status=Status.FINISHED, score=(1, 0)),
        "wyscout": replace(second, status=Status.FINISHED, score=(2, 0)),
    }
    assert (view(scores).score, view(scores).conflicts) == ((2, 0), ("score",))
    broken = {
        "openfootball": replace(FIRST, status=Status.FINISHED),
        "wyscout": replace(second, status=Status.ABANDONED),
    }
    assert view(broken).conflicts == ("status",)
    assert kinds(both, view({"openfootball": FIRST, "wyscout": second})) == [ChangeKind.AGREED]


def test_an_hour_is_taken_from_whoever_knows_it() -> None:
    day = replace(entries("wyscout")[0], fixture=replace(entries("wyscout")[0].fixture, kickoff_ms=None))
    assert view({"wyscout": day, "openfootball": FIRST}).kickoff_ms == FIRST.fixture.kickoff_ms
    assert view({"wyscout": day, "openfootball": moved(FIRST, WEEK_MS)}).kickoff_ms is None


def test_a_shorter_document_takes_no_lineup_back() -> None:
    full = replace(FIRST, lineups=(lineup("openfootball"),), venue="Ground")
    assert merged(full, FIRST) == full
    assert merged(None, FIRST) == FIRST


facts = st.builds(
    lambda status, by, score: replace(moved(FIRST, by), status=status, score=score),
    st.sampled_from([None, *Status]),
    st.sampled_from([0, 60_000, HOUR_MS, WEEK_MS]),
    st.sampled_from([None, (0, 0), (2, 1)]),
)


@given(st.dictionaries(st.sampled_from(["wyscout", "openfootball", "zz"]), facts, min_size=1), st.randoms())
def test_what_holds_depends_on_the_last_words_alone(said: dict[str, Entry], rng: random.Random) -> None:
    items = list(said.items())
    rng.shuffle(items)
    assert view(dict(items)) == view(said)
    assert changes("fx-1", view(said), view(dict(items)), "x") == []


# In the database


@pytest.fixture
def catalogue(dsn: str) -> Iterator[Connection]:
    with service.connected(dsn) as connection:
        yield connection


def take(
    connection: Connection, found: list[Entry], turn: int = 0, *, version_ms: int = 0, sha: str | None = None
) -> service.Report:
    document = snapshot(found, version_ms)
    name = f"{document.provider}.json"
    return service.refresh(connection, name, sha or f"sha-{turn}", document, NOW_MS + turn * 1000)


def one(connection: Connection, query: str) -> object:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return None if row is None else next(iter(row.values()))


def test_two_sources_fill_one_catalogue(catalogue: Connection) -> None:
    first = take(catalogue, entries("wyscout"))
    assert first.changes == {"new_fixture": 12}
    second = take(catalogue, entries("openfootball", " FC"))
    assert (second.changes, second.asked, second.held) == ({}, 0, 0)
    assert one(catalogue, "SELECT count(*) FROM fixtures") == 12
    assert one(catalogue, "SELECT count(*) FROM identity_links WHERE kind = 'fixture'") == 24


def test_the_same_document_again_does_nothing_and_its_content_changes_nothing(catalogue: Connection) -> None:
    take(catalogue, entries("wyscout"))
    assert take(catalogue, entries("wyscout")).unchanged
    assert take(catalogue, entries("wyscout"), 1).changes == {}
    assert one(catalogue, "SELECT count(*) FROM fixture_changes") == 12
    assert one(catalogue, "SELECT count(*) FROM source_runs") == 2


def test_a_postponed_and_moved_match_keeps_its_history(catalogue: Connection) -> None:
    found = entries("wyscout")
    take(catalogue, found)
    found[0] = replace(found[0], status=Status.POSTPONED)
    assert take(catalogue, found, 1).changes == {"postponed": 1}
    found[0] = replace(moved(found[0], 3 * WEEK_MS), status=Status.SCHEDULED)
    assert take(catalogue, found, 2).changes == {"kickoff_moved": 1, "rescheduled": 1}
    log = catalogue.execute("SELECT kind, source, before, after FROM fixture_changes ORDER BY change_id DESC LIMIT 2")
    last = log.fetchall()
    assert last[0]["before"] == "postponed"
    assert last[1]["after"]["kickoff_ms"] - last[1]["before"]["kickoff_ms"] == 3 * WEEK_MS
    assert one(catalogue, "SELECT count(*) FROM fixtures") == 12


def test_an_older_document_says_nothing_against_a_newer_one(catalogue: Connection) -> None:
    found = entries("wyscout")
    take(catalogue, [moved(found[0], HOUR_MS), *found[1:]], 0, version_ms=2_000)
    report = take(catalogue, found, 1, version_ms=1_000)
    assert (report.stale, report.changes) == (12, {})


def test_an_error_leaves_nothing_half_done(catalogue: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise psycopg.DataError("disk on fire")

    with monkeypatch.context() as patch:
        patch.setattr("backend.catalogue.rows.save_views", fail)
        with pytest.raises(psycopg.DataError):
            take(catalogue, entries("wyscout"))
    for table in ("fixtures", "teams", "identity_links", "source_entries", "source_runs"):
        assert one(catalogue, f"SELECT count(*) FROM {table}") == 0
    assert take(catalogue, entries("wyscout")).changes == {"new_fixture": 12}


def questioned(connection: Connection) -> list[Entry]:
    """A cup tie of two known teams whose country the other source does not tell: both are asked."""
    take(connection, entries("wyscout"))
    tie = moved(entries("openfootball", " FC")[0], 40 * WEEK_MS)
    competition = replace(tie.fixture.competition, competition_id="cup", name="Cup", country="")
    found = [replace(tie, fixture=replace(tie.fixture, competition=competition))]
    report = take(connection, found)
    assert (report.asked, report.held) == (2, 1)
    return found


def test_people_answer_and_their_answer_holds(catalogue: Connection) -> None:
    found = questioned(catalogue)
    text = review.write(service.questions(catalogue))
    lines = [("same" if "Arsenal" in line else "new") + line if line[0] == "\t" else line for line in text.splitlines()]
    count, report = service.decide(catalogue, "\n".join(lines), "ann", NOW_MS + 5)
    assert (count, report.asked, report.changes) == (2, 0, {"new_fixture": 1})
    assert one(catalogue, "SELECT count(*) FROM teams") == 5
    assert one(catalogue, "SELECT string_agg(DISTINCT who, ',') FROM identity_decisions") == "ann"
    assert take(catalogue, found, 9).changes == {}
    assert service.reapply(catalogue, NOW_MS + 6).changes == {}

    fulham = one(catalogue, "SELECT canonical_id FROM identity_links WHERE source_id = 'wyscout-Fulham'")
    key = (Kind.TEAM, "openfootball", "openfootball-Fulham")
    service.say(catalogue, Decision(key, Verdict.SAME, str(fulham), "bob", NOW_MS + 7))
    assert one(catalogue, "SELECT count(*) FROM teams WHERE merged_into IS NULL") == 4
    assert one(catalogue, "SELECT count(*) FROM fixtures WHERE merged_into IS NULL") == 13
    assert one(catalogue, "SELECT count(*) FROM fixtures WHERE merged_into IS NOT NULL") == 1
    service.say(catalogue, Decision(key, Verdict.DIFFERENT, str(fulham), "bob", NOW_MS + 8))
    linked = one(catalogue, "SELECT canonical_id FROM identity_links WHERE source_id = 'openfootball-Fulham'")
    assert linked != fulham


def test_a_source_with_swapped_sides_is_turned_once_a_person_says_it_is_the_match(catalogue: Connection) -> None:
    take(catalogue, entries("openfootball"))
    theirs = entries("wyscout")
    fixture = replace(theirs[0].fixture, home=theirs[0].fixture.away, away=theirs[0].fixture.home)
    played = replace(theirs[0], status=Status.FINISHED, score=(3, 1), lineups=(lineup("wyscout"),))
    theirs[0] = replace(played, fixture=fixture)
    assert take(catalogue, theirs).asked == 1
    text = review.write(service.questions(catalogue))
    assert "sides swapped" in text
    lines = ["same" + line if "sides swapped" in line else line for line in text.splitlines()]
    service.decide(catalogue, "\n".join(lines), "ann", NOW_MS)
    row = catalogue.execute(
        "SELECT home_score, away_score, (SELECT min(side) FROM lineups) AS side FROM fixtures WHERE status = 'finished'"
    ).fetchone()
    assert row == {"home_score": 1, "away_score": 3, "side": "away"}


def test_a_broken_review_file_changes_nothing(catalogue: Connection) -> None:
    questioned(catalogue)
    text = review.write(service.questions(catalogue))
    lines = text.splitlines()
    lines[4] = "same" + lines[4]
    lines[5] = "perhaps" + lines[5]
    with pytest.raises(FeedError, match="line 6"):
        service.decide(catalogue, "\n".join(lines), "ann", NOW_MS)
    assert one(catalogue, "SELECT count(*) FROM identity_decisions") == 0


def test_players_of_two_sources_in_one_lineup_are_one(catalogue: Connection) -> None:
    first = entries("wyscout")
    first[0] = replace(first[0], lineups=(lineup("wyscout"),))
    take(catalogue, first)
    second = entries("openfootball")
    second[0] = replace(second[0], lineups=(lineup("openfootball", offset=500, born=False),))
    report = take(catalogue, second)
    assert report.changes == {}  # the first source's line-up stands
    assert one(catalogue, "SELECT count(*) FROM players") == 14
    assert one(catalogue, "SELECT count(*) FROM identity_links WHERE kind = 'player' AND how = 'certain'") == 14


def test_without_a_database_there_is_one_sentence() -> None:
    with pytest.raises(UserError, match="does not answer"), service.connected("postgresql:///x?host=/nowhere"):
        pass


@pytest.mark.parametrize(
    "dsn", ["postgres//user:hunter2@host/db", "postgresql://u:hunter2 x@host/db", "password='hunter2 host=h"]
)
def test_a_mistyped_address_is_one_sentence_without_its_password(dsn: str) -> None:
    async def pool() -> None:
        async with Database(dsn):
            pass

    def catalogue() -> None:
        with service.connected(dsn):
            pass

    for way in (catalogue, lambda: version(dsn), lambda: asyncio.run(pool())):
        with pytest.raises(UserError) as refused:
            way()
        assert refused.value.code == "bad_database"
        assert "hunter2" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.shared
def test_real_seasons_of_two_sources_agree_but_for_real_contradictions(catalogue: Connection) -> None:
    if not SHARED.is_dir():
        pytest.skip("the development data (../shared/data) is not beside this repository")
    known = read("wyscout", SHARED / "wyscout/matches_England.json.gz")
    assert service.refresh(catalogue, "w", "1", known, NOW_MS).changes == {"new_fixture": 380, "lineup_announced": 760}
    other = read("openfootball", SHARED / "openfootball/2017-18/en.1.json.gz")
    report = service.refresh(catalogue, "o", "1", other, NOW_MS)
    assert (report.changes, report.asked, report.held) == ({"sources_conflict": 2}, 0, 0)
    row = catalogue.execute("SELECT min(kickoff_at) AS first FROM fixtures").fetchone()
    assert row is not None
    assert row["first"] == datetime(2017, 8, 11, 18, 45, tzinfo=UTC)
