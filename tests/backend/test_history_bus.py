"""The real bus in memory, from publisher to PostgreSQL: every record once, poison in the dead letters."""

from __future__ import annotations

import asyncio

import pytest

from backend.db.pool import Database
from backend.history.store import HistoryStore
from backend.history.writer import CONSUMER, EVENTS, RAW, HistoryWriter
from ingest.history import wire
from ingest.record import encode
from tests.backend.played import match

bus = pytest.importorskip("ingest.bus", reason="the bus is not part of this tree yet")


async def test_a_match_goes_over_the_bus_into_history(database: Database) -> None:
    played = match()
    streams = [bus.Stream(name, groups=(CONSUMER,)) for name in (EVENTS, RAW)]
    async with bus.open_bus("memory://", streams) as opened:
        for record in played.records:
            await opened.publish(EVENTS, record.match_id, encode(record))
        await opened.publish(EVENTS, "m2", b"no record")
        for fragment in played.fragments:
            await opened.publish(RAW, fragment.match_id, wire.encode(fragment))
        writer = HistoryWriter(HistoryStore(database))

        async def consume(stream: str) -> None:
            async with opened.consume(stream, CONSUMER, "writer-1") as subscription:
                await writer.run(subscription)

        tasks = [asyncio.create_task(consume(stream)) for stream in (EVENTS, RAW)]
        async with asyncio.timeout(20):
            while writer.records < len(played.records) or writer.fragments < len(played.fragments) or not writer.dead:
                await asyncio.sleep(0.02)
                for task in tasks:
                    assert not task.done(), task.exception()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    kept = await HistoryStore(database).read(played.match.match_id)
    assert (kept.records, kept.fragments, kept.corrections) == (played.records, played.fragments, played.corrections)
