"""History's tables: write rows of any match, each once, and read a match back.

Everything of one `write` becomes visible at once, with the position up to which the bus was read. A row that comes
again changes nothing; one that comes again as something else is refused, because one of the two would be lost.
"""

# ruff: noqa: S608 - names of tables and columns are constants of `backend.history.tables`; values are always bound
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast

from backend.db.pool import Connection, Database, Row, row, rows
from backend.errors import UserError
from backend.history.tables import TABLES, Table
from ingest.feed import genesis
from ingest.history.model import Correction, Fragment, Line, Match, MatchHistory, Revision, Sample
from ingest.record import Record


@dataclass(slots=True)
class Rows:
    """Rows of one or more matches that become visible together."""

    fragments: list[Fragment] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)

    @staticmethod
    def of(history: MatchHistory) -> Rows:
        """Everything of one match."""
        return Rows(*(list(getattr(history, table.name)) for table in TABLES))

    def __len__(self) -> int:
        return sum(len(getattr(self, table.name)) for table in TABLES)


@dataclass(frozen=True, slots=True)
class Position:
    """Where on the bus ``consumer`` goes on reading ``source``."""

    consumer: str
    source: str
    next_offset: int


class HistoryStore:
    """Reader and writer of one database. Any number of them may write at the same time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._days: set[date] = set()
        self._pinned: dict[str, Match] = {}

    def knows(self, match_id: str) -> bool:
        """Whether the match was pinned by this store."""
        return match_id in self._pinned

    def day(self, match_id: str) -> date:
        """The day of a match that was pinned by this store. Raises KeyError for another."""
        return self._pinned[match_id].day

    async def pin(self, match: Match) -> Match:
        """Make the match known and return it with the day that history keeps for it: that of whoever came first.

        Raises UserError ``other_recording`` when history has the match with another header.
        """
        known = self._pinned.get(match.match_id)
        if known is None or (match.header and known.header != match.header):
            await self.ensure_days([match.day])
            known = await self._pin(match)
            await self.ensure_days([known.day])
            self._pinned[match.match_id] = known
        return known

    async def _pin(self, match: Match) -> Match:
        values = {
            "match_id": match.match_id,
            "day": match.day,
            "provider": match.provider,
            "header": match.header or None,
            "start": match.start_unix_ms,
            "digest": genesis(match.header) if match.header else None,
        }
        async with self._database.transaction() as connection:
            await connection.execute(_PIN, values)
            if match.header:
                await connection.execute(_PIN_HEADER, values)
            found = await row(connection, "SELECT * FROM history.matches WHERE match_id = %(match_id)s", values)
        assert found is not None
        known = _match(found)
        if match.header and known.header != match.header:
            raise UserError(
                "other_recording",
                f"history has another recording of match {match.match_id} ({_name(known)}, this is {_name(match)}): "
                "keep this one in another database",
            )
        return known

    async def ensure_days(self, days: Iterable[date]) -> None:
        """Make the partitions of these days where they are missing."""
        for day in days:
            if day not in self._days:
                async with self._database.transaction() as connection:
                    await connection.execute("SELECT history.ensure_day(%s)", [day])
                self._days.add(day)

    async def write(
        self, found: Rows, positions: Sequence[Position] = (), tails: Mapping[str, bytes] | None = None
    ) -> dict[str, int]:
        """Store rows of pinned matches; how many of each kind were new. ``tails`` are digests of feeds' last lines.

        Raises UserError ``other_content`` when a row is known and was something else; nothing is stored then.
        """
        async with self._database.transaction() as connection:
            new = {table.name: await self._write_table(connection, table, found) for table in TABLES}
            for match_id, digest in (tails or {}).items():
                count = max((line.number for line in found.lines if line.match_id == match_id), default=0)
                await connection.execute(_TAIL, [count, digest, match_id, count])
            for position in positions:
                await connection.execute(_POSITION, [position.consumer, position.source, position.next_offset])
        return new

    async def _write_table(self, connection: Connection, table: Table, found: Rows) -> int:
        items = getattr(found, table.name)
        if not items:
            return 0
        stage = f"stage_{table.name}"
        columns = ", ".join(table.names)
        await connection.execute(
            _sql(f"CREATE TEMP TABLE IF NOT EXISTS {stage} (LIKE history.{table.name}) ON COMMIT DELETE ROWS")
        )
        async with (
            connection.cursor() as cursor,
            cursor.copy(_sql(f"COPY {stage} ({columns}) FROM STDIN (FORMAT BINARY)")) as copy,
        ):
            copy.set_types(table.types)
            for item in items:
                await copy.write_row(table.row(self._pinned[item.match_id].day, item))
        done = await connection.execute(
            _sql(f"INSERT INTO history.{table.name} ({columns}) SELECT {columns} FROM {stage} ON CONFLICT DO NOTHING")
        )
        if done.rowcount < len(items) and table.fixed:
            await self._require_same(connection, table, stage)
        return done.rowcount

    async def _require_same(self, connection: Connection, table: Table, stage: str) -> None:
        json = {name for name, kind in table.columns if kind == "json"}
        differ = " OR ".join(
            f"s.{name}{'::text' * (name in json)} IS DISTINCT FROM t.{name}{'::text' * (name in json)}"
            for name in table.fixed
        )
        key = ", ".join(("day", "match_id", *table.key))
        query = f"SELECT s.match_id, s.{table.key[0]} AS key FROM {stage} s JOIN history.{table.name} t USING ({key})"
        other = await row(connection, _sql(f"{query} WHERE {differ} LIMIT 1"))
        if other is not None:
            raise UserError(
                "other_content",
                f"history has other {table.name} of match {other['match_id']} (first at {table.key[0]} "
                f"{other['key']}): two sources tell different things, keep this one in another database",
                1,
            )

    async def put(self, history: MatchHistory) -> dict[str, int]:
        """Store a whole match; how many rows of each kind were new. Raises UserError like `pin` and `write`."""
        await self.pin(history.match)
        tails = {history.match.match_id: history.digest()} if history.match.header else None
        return await self.write(Rows.of(history), (), tails)

    async def matches(self, first: date | None = None, last: date | None = None) -> list[Row]:
        """What is kept of each match of these days: counts per kind, newest day first."""
        return await self._database.rows(_MATCHES, {"first": first, "last": last})

    async def read(self, match_id: str) -> MatchHistory:
        """Everything of one match as of one moment. Raises UserError ``unknown_match``, ``lines_missing``."""
        async with self._database.snapshot() as connection:
            found = await row(connection, "SELECT * FROM history.matches WHERE match_id = %s", [match_id])
            if found is None:
                raise UserError("unknown_match", f"history has no match {match_id}: futstar history list names them")
            match = _match(found)
            parts = {table.name: await _read_table(connection, table, match) for table in TABLES}
        if not parts["lines"] and found["lines"]:  # retention took the raw feed and left the rest
            return MatchHistory(replace(match, header=b""), **parts)
        if len(parts["lines"]) < found["lines"]:
            raise UserError(
                "lines_missing",
                f"{len(parts['lines'])} of the {found['lines']} lines of the feed of match {match_id} are there: "
                "import an export of it",
            )
        return MatchHistory(match, **parts)

    async def records(self, match_id: str) -> list[Record]:
        """The canonical records of one match, in order; none for an unknown one."""
        match = self._pinned.get(match_id)
        if match is None:
            return []
        async with self._database.connection() as connection:
            return list(await _read_table(connection, TABLES[2], match))

    async def position(self, consumer: str, source: str) -> int | None:
        """The next offset that ``consumer`` has not stored; None before its first write."""
        found = await self._database.row(
            "SELECT next_offset FROM history.positions WHERE consumer = %s AND source = %s", [consumer, source]
        )
        return None if found is None else int(found["next_offset"])


async def _read_table(connection: Connection, table: Table, match: Match) -> tuple[Any, ...]:
    shown = ", ".join(f"{name}::text" if kind == "json" else name for name, kind in table.columns)
    order = ", ".join(("at_ms", "raw") if table.name == "fragments" else table.key)
    query = f"SELECT {shown} FROM history.{table.name} WHERE day = %s AND match_id = %s ORDER BY {order}"
    found = await rows(connection, _sql(query), [match.day, match.match_id])
    return tuple(table.unpack(match.match_id, item) for item in found)


def _match(found: Row) -> Match:
    return Match(found["match_id"], found["provider"], found["day"], found["header"] or b"")


def _name(match: Match) -> str:
    return f"{match.provider} of {match.day}, {genesis(match.header).hex()[:12]}"


def _sql(text: str) -> Any:
    """A query made of constants; psycopg's types want a literal."""
    return cast(Any, text)


_PIN = """
INSERT INTO history.matches (match_id, day, provider, start_unix_ms, header, digest)
VALUES (%(match_id)s, %(day)s, %(provider)s, %(start)s, %(header)s, %(digest)s) ON CONFLICT (match_id) DO NOTHING
"""
_PIN_HEADER = """
UPDATE history.matches SET header = %(header)s, digest = %(digest)s, start_unix_ms = %(start)s, provider = %(provider)s
WHERE match_id = %(match_id)s AND header IS NULL
"""
_TAIL = "UPDATE history.matches SET lines = %s, digest = %s WHERE match_id = %s AND lines < %s"
_POSITION = """
INSERT INTO history.positions AS p (consumer, source, next_offset) VALUES (%s, %s, %s)
ON CONFLICT (consumer, source) DO UPDATE SET next_offset = excluded.next_offset
"""
_MATCHES = """
SELECT m.match_id, m.provider, m.day, m.lines, m.digest,
    (SELECT count(*) FROM history.records r WHERE r.day = m.day AND r.match_id = m.match_id) AS records,
    (SELECT count(*) FROM history.corrections c WHERE c.day = m.day AND c.match_id = m.match_id) AS corrections,
    (SELECT count(*) FROM history.samples s WHERE s.day = m.day AND s.match_id = m.match_id) AS samples
FROM history.matches m
WHERE (%(first)s::date IS NULL OR m.day >= %(first)s) AND (%(last)s::date IS NULL OR m.day <= %(last)s)
ORDER BY m.day DESC, m.match_id
"""
