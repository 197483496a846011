"""What a subscriber gets first: the match as of one offset of its channel, read in one moment."""

from __future__ import annotations

from typing import Any

from backend.api import queries
from backend.db.pool import Database, row
from backend.feedstore import channel_of

TICKS = 600
REVISIONS = 600
EVENTS = 100
TAPE = 200


async def snapshot(database: Database, match_id: str) -> tuple[int, dict[str, Any]]:
    """(offset, document). The document holds the newest ten minutes; older ticks are at `/v1/matches/{id}/momentum`."""
    async with database.snapshot() as connection:
        found = await row(connection, "SELECT last_offset FROM stream WHERE channel = %s", [channel_of(match_id)])
        matches = await queries.matches(connection, match_id)
        last = await row(
            connection, "SELECT coalesce(max(revision), 0) AS last FROM revisions WHERE match_id = %s", [match_id]
        )
        assert last is not None
        return int(found["last_offset"]) if found else 0, {
            "match": matches[0] if matches else None,
            "momentum": {
                "data": await queries.last_ticks(connection, match_id, TICKS),
                "events": (await queries.events(connection, match_id, limit=5_000))[-EVENTS:],
                "revisions": await queries.revisions(
                    connection, match_id, after=last["last"] - REVISIONS, limit=REVISIONS
                ),
            },
            "markets": await queries.markets(connection, match_id),
            "trades": await queries.tape(connection, match_id, TAPE),
            "pool": await queries.pool(connection),
        }
