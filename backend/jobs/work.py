"""What the jobs do, without Celery: find what is due, and read one source. Both may be done twice without harm."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from backend.catalogue import service
from backend.catalogue.rows import Connection, moment, unix_ms
from backend.jobs.calendar import DAY_MS, SOON_MS, Job, Upcoming, due
from backend.jobs.settings import Source
from ingest.catalogue import read_paths

KEEP_SLOTS_MS = 14 * DAY_MS


class BusyError(Exception):
    """Another worker reads this source right now."""


def upcoming(connection: Connection, sources: Sequence[Source], now_ms: int) -> dict[str, list[Upcoming]]:
    """The fixtures near now that each source tells of."""
    found: dict[str, list[Upcoming]] = {}
    for source in sources:
        rows = connection.execute(
            "SELECT f.kickoff_at,"
            " (SELECT count(DISTINCT side) FROM lineups l WHERE l.fixture_id = f.fixture_id) = 2 AS lineups"
            " FROM fixtures f WHERE f.merged_into IS NULL AND f.kickoff_at BETWEEN %(low)s AND %(high)s"
            " AND f.status IN ('scheduled', 'live', 'abandoned')"
            " AND EXISTS (SELECT 1 FROM identity_links x WHERE x.canonical_id = f.fixture_id"
            " AND x.kind = 'fixture' AND x.provider = %(provider)s)"
            " AND (%(competition)s = '' OR EXISTS (SELECT 1 FROM identity_links c WHERE c.kind = 'competition'"
            " AND c.canonical_id = f.competition_id AND c.provider = %(provider)s AND c.source_id = %(competition)s))",
            {
                "low": moment(now_ms - SOON_MS),
                "high": moment(now_ms + SOON_MS),
                "provider": source.provider,
                "competition": source.competition,
            },
        )
        found[source.name] = [Upcoming(unix_ms(row["kickoff_at"]) or 0, row["lineups"]) for row in rows]
    return found


def claim(connection: Connection, sources: Sequence[Source], now_ms: int) -> list[Job]:
    """The jobs that are due and that nobody claimed before; call inside a transaction that also hands them out."""
    claimed = []
    for job in due(upcoming(connection, sources, now_ms), now_ms):
        row = connection.execute(
            "INSERT INTO job_slots VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING job",
            [job.source, moment(job.slot_ms), moment(now_ms)],
        ).fetchone()
        if row is not None:
            claimed.append(job)
    connection.execute("DELETE FROM job_slots WHERE slot_at < %s", [moment(now_ms - KEEP_SLOTS_MS)])
    return claimed


@contextmanager
def alone(connection: Connection, name: str) -> Iterator[None]:
    """Nobody else works under this name meanwhile; a killed worker lets go with its connection. Raises BusyError."""
    key = int.from_bytes(hashlib.sha256(f"futstar job {name}".encode()).digest()[:8], signed=True)
    row = connection.execute("SELECT pg_try_advisory_lock(%s) AS mine", [key]).fetchone()
    if row is None or not row["mine"]:
        raise BusyError(name)
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [key])


def read_source(connection: Connection, source: Source, now_ms: int) -> dict[str, Any]:
    """Read every file of a source into the catalogue; counts by file. Raises FeedError, BusyError."""
    told: dict[str, Any] = {}
    with alone(connection, source.name):
        for path, snapshot in read_paths(source.provider, source.paths):
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            told[path.name] = service.refresh(connection, str(path.name), sha256, snapshot, now_ms).counts()
    return told
