"""The keeper's writer: everything of one moment at once, nothing twice."""

from __future__ import annotations

import pytest

from backend.db.pool import Database
from backend.feedstore import Batch, FeedStore, Score, chain_id
from ingest.timeline import Applied
from tests.backend.football import INFO, KICKOFF_MS, filled, live, shot


async def kinds(database: Database) -> list[str]:
    return [row["kind"] for row in await database.rows('SELECT kind FROM stream_log ORDER BY "offset"')]


async def test_a_batch_is_stored_and_told_in_order(database: Database) -> None:
    await filled(database, ticks=2)
    assert await kinds(database) == ["match", *["event"] * 5, *["revision"] * 3, "match", "tick", "tick"]
    stream = await database.row("SELECT last_offset FROM stream WHERE channel = 'match:m1'")
    assert stream == {"last_offset": 12}


async def test_a_correction_replaces_and_a_withdrawal_leaves_a_tombstone(database: Database) -> None:
    store = await filled(database)
    await store.events("m1", [Applied(shot(1), shot(1, 2, goal=True))], 10_000)
    await store.events("m1", [Applied(shot(2), None)], 11_000)
    rows = await database.rows("SELECT event_id, version, deleted, body FROM match_events ORDER BY event_id")
    assert (rows[0]["version"], rows[0]["body"]["goal"], rows[0]["deleted"]) == (2, True, False)
    assert rows[1]["deleted"]


async def test_what_the_chain_confirmed_is_never_overwritten_by_a_live_tick(database: Database) -> None:
    store = await filled(database, ticks=1)
    async with database.connection() as connection:
        await connection.execute("UPDATE samples SET status = 'confirmed', x_e6 = 7")
    told = len(await kinds(database))
    await store.tick("m1", live(1))
    assert await database.row("SELECT x_e6, status FROM samples") == {"x_e6": 7, "status": "confirmed"}
    assert len(await kinds(database)) == told


async def test_revisions_are_numbered_through(database: Database) -> None:
    store = await filled(database)
    from backend.feedstore import Revision

    await store.revisions("m1", [Revision(9, 1, 2, "late edit")], 12_000)
    rows = await database.rows("SELECT revision FROM revisions ORDER BY revision")
    assert [row["revision"] for row in rows] == [1, 2, 3, 4]


async def test_an_unknown_match_is_refused_and_nothing_is_told(database: Database) -> None:
    with pytest.raises(KeyError, match="FeedStore.match first"):
        await FeedStore(database).score("nobody", Score(0, 0, 0, 0))
    assert await kinds(database) == []


async def test_an_empty_batch_tells_nothing(database: Database) -> None:
    store = await filled(database)
    told = len(await kinds(database))
    await store.write("m1", Batch())
    assert len(await kinds(database)) == told


async def test_a_match_the_mirror_met_first_gets_its_name(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO matches (match_id, chain_id) VALUES ('from-the-chain', %s)", [chain_id("m1")]
        )
    await FeedStore(database).match(INFO, KICKOFF_MS)
    assert [row["match_id"] for row in await database.rows("SELECT match_id FROM matches")] == ["m1"]


def test_long_ids_are_hashed_on_chain() -> None:
    assert chain_id("abc") == b"abc" + bytes(29)
    assert len(chain_id("x" * 40)) == 32
