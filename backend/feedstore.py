"""What the keeper's side knows and the chain does not: who plays, the events, the score, late corrections.

The process that runs a match writes here; everything it tells in one `write` becomes visible at once and reaches the
subscribers of the match in the same breath, because the deltas are part of the same transaction.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString

from psycopg.types.json import Json

from backend.db.pool import Connection, Database, publish, row
from backend.views import event_view, match_view, revision_view, tick_view
from ingest.events import Event, MatchInfo
from momentum.live import Change


def chain_id(match_id: str) -> bytes:
    """The 32 bytes by which a feed names a match: its id in ASCII, zero padded; SHA-256 of a longer one."""
    raw = match_id.encode()
    return raw.ljust(32, b"\0") if len(raw) <= 32 else hashlib.sha256(raw).digest()


def channel_of(match_id: str) -> str:
    """The stream's channel of a match."""
    return f"match:{match_id}"


@dataclass(frozen=True, slots=True)
class Revision:
    """A published tick that would have another value with what is known now. Values in 1e-6 points."""

    tick: int
    old_e6: int
    new_e6: int
    reason: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class LiveTick:
    """A tick as the keeper computed it, before the chain has it. ``play_ms`` is cumulative over the periods."""

    tick: int
    period: int
    second: int
    data_ms: int
    play_ms: int
    x_e6: int
    mu_e6: int
    s_e4: int
    conf_e4: int


@dataclass(frozen=True, slots=True)
class Score:
    """Where the match stands. ``status`` is scheduled, live or final."""

    home: int
    away: int
    period: int
    play_ms: int
    status: str = "live"


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that became known at one data time; empty parts change nothing."""

    data_ms: int = 0
    changes: Sequence[Change] = field(default=())
    revisions: Sequence[Revision] = field(default=())
    score: Score | None = None
    ticks: Sequence[LiveTick] = field(default=())


class FeedStore:
    """Writer for one database. Call `match` once per match, then `write` as often as something is known."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def match(self, info: MatchInfo, start_unix_ms: int) -> None:
        """Store or renew who plays. ``start_unix_ms`` is the feed's start, absolute."""
        kickoff = datetime.fromtimestamp(info.kickoff_unix_ms / 1000, UTC)
        values = {
            "match_id": info.match_id,
            "chain_id": chain_id(info.match_id),
            "provider": info.provider,
            "competition": info.competition,
            "home_id": info.home.team_id,
            "home_name": info.home.name,
            "home_short": info.home.short,
            "away_id": info.away.team_id,
            "away_name": info.away.name,
            "away_short": info.away.short,
            "kickoff_at": kickoff,
            "start_unix_ms": start_unix_ms,
        }
        async with self._database.transaction() as connection:
            # The mirror may have met the feed first and named the match after what the chain knows of it.
            await connection.execute(
                "UPDATE matches SET match_id = %(match_id)s WHERE chain_id = %(chain_id)s AND match_id <> %(match_id)s",
                values,
            )
            await connection.execute(_UPSERT_MATCH, values)
            await publish(
                connection, channel_of(info.match_id), [("match", await match_body(connection, info.match_id))]
            )

    async def write(self, match_id: str, batch: Batch) -> None:
        """Store a batch and tell the subscribers. Raises KeyError when `match` was never called for it."""
        async with self._database.transaction() as connection:
            deltas: list[tuple[str, Any]] = []
            if not await row(connection, "SELECT 1 AS ok FROM matches WHERE match_id = %s", [match_id]):
                raise KeyError(f"match {match_id} is unknown: store it with FeedStore.match first")
            deltas += await _write_events(connection, match_id, batch)
            deltas += await _write_revisions(connection, match_id, batch)
            if batch.score is not None:
                await _write_score(connection, match_id, batch.score)
                deltas.append(("match", await match_body(connection, match_id)))
            deltas += await _write_ticks(connection, match_id, batch.ticks)
            if deltas:
                await publish(connection, channel_of(match_id), deltas)

    async def events(self, match_id: str, changes: Sequence[Change], data_ms: int) -> None:
        """`write` of event changes alone."""
        await self.write(match_id, Batch(data_ms, changes=changes))

    async def revisions(self, match_id: str, revisions: Sequence[Revision], data_ms: int) -> None:
        """`write` of revisions alone."""
        await self.write(match_id, Batch(data_ms, revisions=revisions))

    async def score(self, match_id: str, score: Score) -> None:
        """`write` of the score alone."""
        await self.write(match_id, Batch(score=score))

    async def tick(self, match_id: str, tick: LiveTick) -> None:
        """`write` of one live tick alone."""
        await self.write(match_id, Batch(ticks=[tick]))


def event_body(event: Event) -> dict[str, Any]:
    """The canonical event as a JSON document; what is unknown is left out."""
    body = dataclasses.asdict(event)
    for name in ("event_id", "version", "period", "play_ms"):
        del body[name]
    return {name: value for name, value in body.items() if value not in (None, False, "")}


async def _write_events(connection: Connection, match_id: str, batch: Batch) -> list[tuple[str, Any]]:
    deltas: list[tuple[str, Any]] = []
    for change in batch.changes:
        event = change.new or change.old
        if event is None:
            continue
        deleted = change.new is None
        values = {
            "match_id": match_id,
            "event_id": event.event_id,
            "version": event.version,
            "deleted": deleted,
            "period": event.period,
            "play_ms": event.play_ms,
            "data_ms": batch.data_ms,
            "kind": event.kind.value,
            "side": event.side.value if event.side else None,
        }
        body = event_body(event)
        await connection.execute(_UPSERT_EVENT, {**values, "body": Json(body)})
        deltas.append(("event", event_view({**values, "body": body})))
    return deltas


async def _write_revisions(connection: Connection, match_id: str, batch: Batch) -> list[tuple[str, Any]]:
    """One late edit changes hundreds of ticks: one statement stores them all."""
    told = list(batch.revisions)
    if not told:
        return []
    columns = [[getattr(item, name) for item in told] for name in ("tick", "old_e6", "new_e6", "reason", "event_id")]
    found = await row(connection, _INSERT_REVISIONS, [*columns, batch.data_ms, match_id, match_id])
    assert found is not None
    first = int(found["first"])
    rows = (
        {"revision": first + at, "data_ms": batch.data_ms, **dataclasses.asdict(item)} for at, item in enumerate(told)
    )
    return [("revision", revision_view(item)) for item in rows]


async def _write_score(connection: Connection, match_id: str, score: Score) -> None:
    await connection.execute(
        "UPDATE matches SET home_score = %s, away_score = %s, period = %s, play_ms = %s, status = %s,"
        " updated_at = clock_timestamp() WHERE match_id = %s",
        [score.home, score.away, score.period, score.play_ms, score.status, match_id],
    )


async def _write_ticks(connection: Connection, match_id: str, ticks: Sequence[LiveTick]) -> list[tuple[str, Any]]:
    deltas: list[tuple[str, Any]] = []
    for tick in ticks:
        values = dataclasses.asdict(tick)
        # The chain may have been faster: what it confirmed is never overwritten, nor announced again as live.
        found = await row(connection, _INSERT_TICK, {**values, "match_id": match_id})
        if found:
            deltas.append(("tick", tick_view({**values, "status": "live"}, found["start_unix_ms"])))
    return deltas


async def match_body(connection: Connection, match_id: str) -> dict[str, Any]:
    """The match's document, as it stands in this transaction."""
    found = await row(connection, MATCHES + " WHERE m.match_id = %s", [match_id])
    assert found is not None
    return match_view(found)


MATCHES: LiteralString = """
SELECT m.match_id, m.provider, m.competition, m.home_name, m.home_short, m.home_score, m.away_name, m.away_short,
    m.away_score, m.kickoff_at, m.start_unix_ms, m.status, m.period, m.play_ms,
    f.in_break, f.address AS feed, f.tick, f.suspend_epoch, f.suspend_reason
FROM matches m
LEFT JOIN LATERAL (SELECT * FROM feeds WHERE chain_id = m.chain_id ORDER BY samples DESC LIMIT 1) f ON true
"""
_UPSERT_MATCH = """
INSERT INTO matches (match_id, chain_id, provider, competition, home_id, home_name, home_short, away_id, away_name,
    away_short, kickoff_at, start_unix_ms)
VALUES (%(match_id)s, %(chain_id)s, %(provider)s, %(competition)s, %(home_id)s, %(home_name)s, %(home_short)s,
    %(away_id)s, %(away_name)s, %(away_short)s, %(kickoff_at)s, %(start_unix_ms)s)
ON CONFLICT (match_id) DO UPDATE SET provider = excluded.provider, competition = excluded.competition,
    home_id = excluded.home_id, home_name = excluded.home_name, home_short = excluded.home_short,
    away_id = excluded.away_id, away_name = excluded.away_name, away_short = excluded.away_short,
    kickoff_at = excluded.kickoff_at, start_unix_ms = excluded.start_unix_ms, updated_at = clock_timestamp()
"""
_UPSERT_EVENT = """
INSERT INTO match_events (match_id, event_id, version, deleted, period, play_ms, data_ms, kind, side, body)
VALUES (%(match_id)s, %(event_id)s, %(version)s, %(deleted)s, %(period)s, %(play_ms)s, %(data_ms)s, %(kind)s, %(side)s,
    %(body)s)
ON CONFLICT (match_id, event_id) DO UPDATE SET version = excluded.version, deleted = excluded.deleted,
    period = excluded.period, play_ms = excluded.play_ms, data_ms = excluded.data_ms, kind = excluded.kind,
    side = excluded.side, body = excluded.body, changed_at = clock_timestamp()
"""
_INSERT_REVISIONS = """
WITH told AS (
    SELECT * FROM unnest(%s::int[], %s::int[], %s::int[], %s::text[], %s::text[])
        WITH ORDINALITY AS t (tick, old_e6, new_e6, reason, event_id, n)
), stored AS (
    INSERT INTO revisions (match_id, revision, tick, old_e6, new_e6, reason, event_id, data_ms)
    SELECT m.match_id, m.last + t.n, t.tick, t.old_e6, t.new_e6, t.reason, t.event_id, %s
    FROM told t, (SELECT %s AS match_id, coalesce(max(revision), 0) AS last FROM revisions WHERE match_id = %s) m
    RETURNING revision
)
SELECT min(revision) AS first FROM stored
"""
_INSERT_TICK = """
INSERT INTO samples (match_id, tick, period, second, x_e6, mu_e6, s_e4, conf_e4, data_ms, play_ms, status)
VALUES (%(match_id)s, %(tick)s, %(period)s, %(second)s, %(x_e6)s, %(mu_e6)s, %(s_e4)s, %(conf_e4)s, %(data_ms)s,
    %(play_ms)s, 'live')
ON CONFLICT (match_id, tick) DO NOTHING
RETURNING (SELECT start_unix_ms FROM matches m WHERE m.match_id = samples.match_id) AS start_unix_ms
"""
