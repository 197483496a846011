"""How good each feed was, one row a minute: written beside the feed, read by the API, the metrics and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, LiteralString

from psycopg.sql import SQL, Identifier, Placeholder

from backend.db.pool import Connection, Database, Row, rows
from backend.history.store import HistoryStore
from ingest.quality import Quality

MINUTE_MS = 60_000
LISTED_DAYS = 2
"""Feeds of matches that began on the newest day with a measured feed, and the day before it, are listed."""


@dataclass(frozen=True, slots=True)
class FeedQuality:
    """A feed of a match at ``at_ms`` (unix ms). Counts are since the match was first heard of.

    The fields are those of `ingest.quality.Quality` with its health as one number, 0 (useless) to 100.
    """

    match_id: str
    provider: str
    at_ms: int
    silence_ms: int | None
    quiet_ms: int | None
    gap_ms: int
    gap_recent_ms: int
    arrivals: int
    unchanged: int
    older: int
    broken: int
    lost: int
    events: int
    corrections: int
    deletions: int
    late: int
    corrections_last_minute: int
    unknown_types: int
    problems: int
    skew_ms: int | None
    difference_e4: int
    health: int


COLUMNS = tuple(field.name for field in fields(FeedQuality))


def feed_quality(match_id: str, provider: str, snapshot: Quality) -> FeedQuality:
    """A meter's snapshot as history keeps it."""
    names = (name for name in COLUMNS if name not in ("match_id", "provider", "health"))
    values: dict[str, Any] = {name: getattr(snapshot, name) for name in names}
    return FeedQuality(match_id, provider, **values, health=snapshot.health.score)


class QualityStore:
    """Writer of one database. The minute that is under way is written over, an older one stays."""

    def __init__(self, database: Database, history: HistoryStore) -> None:
        self._database = database
        self._history = history

    async def write(self, found: Sequence[FeedQuality]) -> None:
        """Store snapshots of matches that the history has pinned."""
        async with self._database.transaction() as connection, connection.cursor() as cursor:
            await cursor.executemany(_UPSERT, [self._values(item) for item in found])

    def _values(self, item: FeedQuality) -> dict[str, Any]:
        day = self._history.day(item.match_id)
        return {**asdict(item), "day": day, "minute_ms": item.at_ms // MINUTE_MS * MINUTE_MS}


async def newest(connection: Connection) -> list[Row]:
    """The newest minute of each feed, with who plays where the match is known; weakest first."""
    return await rows(connection, _NEWEST, [LISTED_DAYS - 1])


async def minutes(connection: Connection, match_id: str, after: Sequence[Any] | None, limit: int) -> list[Row]:
    """The minutes of a match's feeds, in order of time and provider."""
    minute_ms, provider = after or (-1, "")
    return await rows(
        connection, _MINUTES, {"match": match_id, "minute": minute_ms, "provider": provider, "limit": limit}
    )


_WRITTEN = ("day", "minute_ms", *COLUMNS)
_UPSERT = SQL(
    "INSERT INTO history.quality AS q ({}) VALUES ({}) ON CONFLICT (day, match_id, provider, minute_ms)"
    " DO UPDATE SET {} WHERE excluded.at_ms >= q.at_ms"
).format(
    SQL(", ").join(map(Identifier, _WRITTEN)),
    SQL(", ").join(map(Placeholder, _WRITTEN)),
    SQL(", ").join(
        SQL("{0} = excluded.{0}").format(Identifier(name)) for name in COLUMNS if name not in ("match_id", "provider")
    ),
)
_TEAMS: LiteralString = "m.home_name, m.away_name"
_NEWEST: LiteralString = f"""
SELECT q.*, {_TEAMS} FROM (
    SELECT DISTINCT ON (match_id, provider) * FROM history.quality
    WHERE day >= (SELECT max(day) FROM history.quality) - %s::int
    ORDER BY match_id, provider, minute_ms DESC
) q LEFT JOIN public.matches m USING (match_id)
ORDER BY q.health, q.match_id, q.provider
"""  # noqa: S608 - constants
_MINUTES: LiteralString = f"""
SELECT q.*, {_TEAMS} FROM history.quality q LEFT JOIN public.matches m USING (match_id)
WHERE q.day = (SELECT day FROM history.matches WHERE match_id = %(match)s) AND q.match_id = %(match)s
    AND (q.minute_ms, q.provider) > (%(minute)s, %(provider)s)
ORDER BY q.minute_ms, q.provider LIMIT %(limit)s
"""  # noqa: S608 - constants
