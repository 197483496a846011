"""Refreshing the catalogue: a source's document in, who is who, what holds now, what changed; all or nothing.

One transaction at a time works on the catalogue, in whatever process: the others wait. The same document again does
nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Json

from backend.catalogue import rows
from backend.catalogue.reconcile import ORDER, Change, changes, merged, turned, view
from backend.catalogue.rows import Connection, moment
from backend.db.address import checked
from backend.errors import UserError
from ingest.catalogue import Entry, Snapshot
from ingest.identity import review
from ingest.identity.decisions import Decision, Decisions
from ingest.identity.model import Flag, Key, Kind, Question
from ingest.identity.resolve import Resolution, resolve

_LOCK = 7_364_082
"""The advisory lock of whoever writes the catalogue."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a refresh did. ``unchanged``: the very document was read before, nothing was looked at."""

    provider: str
    name: str
    entries: int = 0
    unchanged: bool = False
    stale: int = 0  # entries older than what the source said before
    changes: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    held: int = 0
    problems: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()

    def counts(self) -> dict[str, Any]:
        """Small and JSON-able."""
        return {
            "entries": self.entries,
            "unchanged": self.unchanged,
            "stale": self.stale,
            "changes": self.changes,
            "asked": self.asked,
            "held": self.held,
            "problems": len(self.problems),
            "flags": len(self.flags),
        }


@contextmanager
def connected(dsn: str) -> Iterator[Connection]:
    """A connection. Raises UserError when the database does not answer."""
    try:
        connection = psycopg.connect(checked(dsn), autocommit=True, connect_timeout=10, row_factory=dict_row)
    except psycopg.OperationalError as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise UserError(
            "database_unreachable", f"the database does not answer ({reason}): check --database", 1
        ) from None
    with connection:
        yield connection


@contextmanager
def _writing(connection: Connection) -> Iterator[None]:
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def refresh(
    connection: Connection,
    name: str,
    sha256: str,
    snapshot: Snapshot,
    now_ms: int,
    *,
    order: Sequence[str] = ORDER,
) -> Report:
    """Take in one document; ``name`` and ``sha256`` name it. All of it is stored, or, on an error, nothing."""
    with _writing(connection):
        last = connection.execute(
            "SELECT sha256 FROM source_runs WHERE provider = %s AND name = %s ORDER BY run_id DESC LIMIT 1",
            [snapshot.provider, name],
        ).fetchone()
        if last is not None and last["sha256"] == sha256:
            return Report(snapshot.provider, name, len(snapshot.entries), unchanged=True, problems=snapshot.problems)
        entries, stale = _keep(connection, snapshot, now_ms)
        told, resolution = _settle(connection, entries, snapshot.provider, now_ms, order)
        report = _report(snapshot, name, stale, told, resolution)
        connection.execute(
            "INSERT INTO source_runs (provider, name, sha256, counts, at) VALUES (%s, %s, %s, %s, %s)",
            [snapshot.provider, name, sha256, Json(report.counts()), moment(now_ms)],
        )
        return report


def _report(snapshot: Snapshot, name: str, stale: int, told: list[Change], resolution: Resolution) -> Report:
    counts: dict[str, int] = {}
    for change in told:
        counts[change.kind.value] = counts.get(change.kind.value, 0) + 1
    return Report(
        snapshot.provider,
        name,
        len(snapshot.entries),
        False,
        stale,
        dict(sorted(counts.items())),
        len(resolution.questions),
        len(resolution.held),
        snapshot.problems,
        resolution.flags,
    )


def _keep(connection: Connection, snapshot: Snapshot, now_ms: int) -> tuple[list[Entry], int]:
    """Store the source's words; an older document says nothing against a newer one. Return the entries that count."""
    ids = [entry.fixture.fixture_id for entry in snapshot.entries]
    found = connection.execute(
        "SELECT source_id, version_ms, body FROM source_entries WHERE provider = %s AND source_id = ANY(%s)",
        [snapshot.provider, ids],
    )
    before = {row["source_id"]: row for row in found}
    kept: dict[str, Entry] = {}
    stale = 0
    for entry in snapshot.entries:
        row = before.get(entry.fixture.fixture_id)
        old = None if row is None else msgspec.json.decode(row["body"], type=Entry)
        if row is not None and snapshot.version_ms and snapshot.version_ms < row["version_ms"]:
            stale += 1
        else:
            kept[entry.fixture.fixture_id] = merged(old, entry)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO source_entries VALUES (%s, %s, %s, %s, %s) ON CONFLICT (provider, source_id) DO UPDATE"
            " SET version_ms = excluded.version_ms, body = excluded.body, seen_at = excluded.seen_at",
            [
                (snapshot.provider, key, snapshot.version_ms, rows.encode(entry), moment(now_ms))
                for key, entry in kept.items()
            ],
        )
    return list(kept.values()), stale


def reapply(connection: Connection, now_ms: int, *, order: Sequence[str] = ORDER) -> Report:
    """Identify every record again, as after a decision of a person; nothing changes that nobody decided."""
    with _writing(connection):
        return _reapply(connection, now_ms, order)


def _reapply(connection: Connection, now_ms: int, order: Sequence[str]) -> Report:
    found = connection.execute("SELECT body FROM source_entries ORDER BY provider, source_id")
    entries = [msgspec.json.decode(row["body"], type=Entry) for row in found]
    told, resolution = _settle(connection, entries, "decision", now_ms, order)
    return _report(Snapshot("decision", tuple(entries)), "", 0, told, resolution)


def decide(
    connection: Connection, text: str, who: str, now_ms: int, note: str = "", *, order: Sequence[str] = ORDER
) -> tuple[int, Report]:
    """Apply an edited review file. Return how many decisions it held. Raises FeedError, and then nothing is applied."""
    with _writing(connection):
        known: dict[Kind, list[str]] = {}
        for kind, query in _IDS.items():
            known[kind] = [row["id"] for row in connection.execute(query)]
        seen = connection.execute(
            "SELECT kind, provider, source_id FROM identity_links"
            " UNION SELECT kind, provider, source_id FROM identity_questions"
        )
        records: list[Key] = [(Kind(row["kind"]), row["provider"], row["source_id"]) for row in seen]
        log = review.decisions(review.read(text, known, records), who, now_ms, note)
        rows.save_decisions(connection, log)
        return len(log), _reapply(connection, now_ms, order)


def say(connection: Connection, decision: Decision, *, order: Sequence[str] = ORDER) -> Report:
    """One decision without a file: split, undo."""
    with _writing(connection):
        rows.save_decisions(connection, [decision])
        return _reapply(connection, decision.at_ms, order)


def questions(connection: Connection) -> list[Question]:
    """What waits for a person."""
    return rows.load_questions(connection)


_IDS: dict[Kind, Any] = {
    Kind.COMPETITION: "SELECT competition_id AS id FROM competitions",
    Kind.TEAM: "SELECT team_id AS id FROM teams WHERE merged_into IS NULL",
    Kind.FIXTURE: "SELECT fixture_id AS id FROM fixtures WHERE merged_into IS NULL",
    Kind.PLAYER: "SELECT player_id AS id FROM players",
}


def _settle(
    connection: Connection, entries: Sequence[Entry], source: str, now_ms: int, order: Sequence[str]
) -> tuple[list[Change], Resolution]:
    """Identify the entries' records, then see what now holds for every fixture they touch."""
    days = sorted(entry.fixture.day for entry in entries) or ["1970-01-01"]
    first, last = (date.fromisoformat(day) + timedelta(days=by) for day, by in ((days[0], -5), (days[-1], 5)))
    seasons = {entry.fixture.competition.season for entry in entries}
    known = rows.load_registry(connection, first.isoformat(), last.isoformat(), seasons)
    decisions = rows.load_decisions(connection)
    found = resolve(known, [entry.fixture for entry in entries], decisions, order)
    at = moment(now_ms)
    rows.save_registry(connection, known, found.registry, at)
    rows.save_links(connection, known.links, found.registry.links, found.links, at)
    rows.save_told(connection, known.told, found.registry.told)
    rows.save_questions(connection, _records(entries), found.questions, at)
    links = found.registry.links
    touched = {
        to
        for entry in entries
        for side in (known.links, links)
        if (to := side.get((Kind.FIXTURE, entry.fixture.provider, entry.fixture.fixture_id))) is not None
    }
    said = {key: _sided(found, key, of) for key, of in rows.load_entries(connection, touched).items()}
    _enlist(connection, found, said, decisions, now_ms)
    fresh = {key for key in touched if key not in known.fixtures}
    before = rows.load_views(connection, touched - fresh)
    after = {key: view(of, order) for key, of in said.items()}
    told = [change for key in sorted(after) for change in changes(key, before.get(key), after[key], source)]
    rows.save_views(connection, before, after, told, at)
    return told, found


def _sided(found: Resolution, fixture_id: str, said: dict[str, Entry]) -> dict[str, Entry]:
    """The sources' words on a fixture, each with the fixture's own sides."""
    fixture = found.registry.fixtures.get(fixture_id)
    if fixture is None:
        return said
    homes = {p: found.registry.links.get((Kind.TEAM, p, e.fixture.home.team_id)) for p, e in said.items()}
    return {p: turned(entry) if homes[p] == fixture.away_id else entry for p, entry in said.items()}


def _records(entries: Sequence[Entry]) -> list[Key]:
    found: dict[Key, None] = {}
    for entry in entries:
        fixture = entry.fixture
        found[Kind.COMPETITION, fixture.provider, fixture.competition.competition_id] = None
        found[Kind.FIXTURE, fixture.provider, fixture.fixture_id] = None
        for team in (fixture.home, fixture.away):
            found[Kind.TEAM, fixture.provider, team.team_id] = None
    return list(found)


def _enlist(
    connection: Connection, found: Resolution, said: dict[str, dict[str, Entry]], decisions: Decisions, now_ms: int
) -> None:
    """Identify the players in the line-ups of the fixtures that were touched."""
    with_lineups = {key: of for key, of in said.items() if any(entry.lineups for entry in of.values())}
    if not with_lineups:
        return
    fixtures = found.registry.fixtures
    squads = rows.load_squads(connection)
    for key in sorted(with_lineups):
        of = with_lineups[key]
        for provider in sorted(of):
            for lineup in of[provider].lineups:
                team = fixtures[key].home_id if lineup.home else fixtures[key].away_id
                beside = [
                    player
                    for other in sorted(of)
                    if other != provider
                    for theirs in of[other].lineups
                    if theirs.home == lineup.home
                    for player in (*theirs.starters, *theirs.bench)
                ]
                squads.enlist(team, (*lineup.starters, *lineup.bench), beside, decisions)
    rows.save_squads(connection, squads, moment(now_ms))
