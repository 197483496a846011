"""History in a real PostgreSQL: every row once, on the day of its match, whatever comes again and whoever is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg
import pytest

from backend.db.pool import Database
from backend.errors import UserError
from backend.history.retention import default_rows
from backend.history.store import HistoryStore, Position, Rows
from backend.history.tables import TABLES
from backend.history.writer import CONSUMER, EVENTS, RAW, HistoryWriter
from ingest.events import Delete, Event, Kind, Side, Upsert
from ingest.history import wire
from ingest.history.model import Match
from ingest.record import Record, encode
from tests.backend.played import match

ROOT = Path(__file__).resolve().parents[2]
NOON_MS = 1_772_366_400_000  # 2026-03-01T12:00Z
MIDNIGHT_MS = NOON_MS + 12 * 3_600_000


@dataclass(frozen=True)
class Sent:
    """A message as the bus hands it out."""

    stream: str
    shard: int
    position: int
    value: bytes


def event(number: int, version: int = 1, x: float = 50.0) -> Event:
    return Event(f"e{number}", version, 1, number * 1000, Kind.PASS, Side.HOME, x, 50.0, True)


def record(seq: int, change: Upsert | Delete, match_id: str = "m1", at_ms: int = NOON_MS) -> Record:
    return Record(match_id, "statsperform", seq, at_ms + seq, f"{seq:064x}", change)


def sent(records: Sequence[Record], first: int = 0) -> list[Sent]:
    return [Sent(EVENTS, 2, first + at, encode(item)) for at, item in enumerate(records)]


async def count(database: Database, table: str) -> int:
    found = await database.row(
        psycopg.sql.SQL("SELECT count(*) AS n FROM history.{}").format(psycopg.sql.Identifier(table))
    )
    assert found is not None
    return int(found["n"])


async def test_a_real_match_comes_back_exactly(database: Database) -> None:
    store, played = HistoryStore(database), match()
    new = await store.put(played)
    assert new == {table.name: len(getattr(played, table.name)) for table in TABLES}
    assert min(new.values()) > 0, "every kind of row takes part"
    assert await HistoryStore(database).read(played.match.match_id) == played


async def test_what_comes_again_changes_nothing(database: Database) -> None:
    store, played = HistoryStore(database), match()
    await store.put(played)
    assert set((await HistoryStore(database).put(played)).values()) == {0}
    assert await store.read(played.match.match_id) == played


async def test_another_row_under_a_known_key_is_refused_and_nothing_is_stored(database: Database) -> None:
    store = HistoryStore(database)
    await store.pin(Match("m1", "statsperform", date(2026, 3, 1)))
    await store.write(Rows(records=[record(1, Upsert(event(1)))]))
    other = [record(1, Upsert(event(1, x=51.0))), record(2, Upsert(event(2)))]
    with pytest.raises(UserError, match="seq 1") as refusal:
        await store.write(Rows(records=other), [Position("c", "s", 9)])
    assert refusal.value.code == "other_content"
    assert await count(database, "records") == 1
    assert await store.position("c", "s") is None


async def test_two_different_rows_of_one_key_in_one_batch_are_refused(database: Database) -> None:
    store = HistoryStore(database)
    await store.pin(Match("m1", "statsperform", date(2026, 3, 1)))
    with pytest.raises(UserError, match="other records"):
        await store.write(Rows(records=[record(1, Upsert(event(1))), record(1, Upsert(event(2)))]))
    assert await count(database, "records") == 0


async def test_another_recording_of_a_known_match_is_refused(database: Database) -> None:
    store, played = HistoryStore(database), match()
    await store.put(played)
    other = replace(played.match, header=played.match.header.replace(b'"seed":7', b'"seed":8'))
    with pytest.raises(UserError) as refusal:
        await store.pin(other)
    assert refusal.value.code == "other_recording"


async def test_a_match_over_midnight_lies_on_the_day_it_began(database: Database) -> None:
    before = [record(seq, Upsert(event(seq)), at_ms=MIDNIGHT_MS - 4) for seq in range(1, 4)]
    after = [record(seq, Upsert(event(seq)), at_ms=MIDNIGHT_MS) for seq in range(4, 7)]
    await HistoryWriter(HistoryStore(database)).write(sent(before))
    # Another process takes over after midnight, and the last message before it comes again.
    later = HistoryWriter(HistoryStore(database))
    await later.write(sent([before[-1], *after], 2))
    assert (later.records, later.repeated) == (3, 1)
    days = await database.rows("SELECT DISTINCT day, tableoid::regclass::text AS part FROM history.records")
    assert days == [{"day": date(2026, 3, 1), "part": "history.records_20260301"}]
    assert await default_rows(database) == 0
    assert [r.seq for r in (await later._store.read("m1")).records] == list(range(1, 7))


async def test_two_writers_that_meet_a_match_at_once_agree_on_its_day(database: Database) -> None:
    stores = [HistoryStore(database) for _ in range(4)]
    days = [date(2026, 3, 1 + at % 2) for at in range(4)]
    pinned = await asyncio.gather(*(store.pin(Match("m1", "p", day)) for store, day in zip(stores, days, strict=True)))
    assert len({known.day for known in pinned}) == 1


async def test_the_bus_is_written_once_with_its_position_and_its_corrections(database: Database) -> None:
    writer = HistoryWriter(HistoryStore(database))
    records = [
        record(1, Upsert(event(1))),
        record(2, Upsert(event(2))),
        record(3, Upsert(event(1, 2, 60.0))),
        record(4, Delete("e2", 2)),
    ]
    await writer.write(sent(records[:3]))
    # Killed before it could acknowledge: another one gets the last two again.
    again = HistoryWriter(HistoryStore(database))
    await again.write(sent(records[2:], 2))
    assert (again.records, again.repeated) == (1, 1)
    assert await again._store.position(CONSUMER, f"{EVENTS}/2") == 4
    kept = await again._store.read("m1")
    assert list(kept.records) == records
    assert [(c.seq, c.old.x, c.new.x if c.new else None) for c in kept.corrections] == [
        (3, 50.0, 60.0),
        (4, 50.0, None),
    ]


async def test_a_bus_that_counts_from_zero_again_loses_nothing(database: Database) -> None:
    writer = HistoryWriter(HistoryStore(database))
    await writer.write(sent([record(1, Upsert(event(1)))], first=900))
    await writer.write(sent([record(2, Upsert(event(2)))], first=0))
    assert await count(database, "records") == 2


async def test_raw_fragments_of_the_bus_are_kept_once(database: Database) -> None:
    played = match()
    writer = HistoryWriter(HistoryStore(database))
    messages = [Sent(RAW, 0, at, wire.encode(item)) for at, item in enumerate(played.fragments[:50])]
    await writer.write(messages)
    await writer.write(messages)
    assert (writer.fragments, writer.repeated) == (50, 50)
    assert (await writer._store.read(played.match.match_id)).fragments == played.fragments[:50]


class Bus:
    """A subscription over given batches that tells what was acknowledged and what was put aside."""

    def __init__(self, *batches: list[Sent]) -> None:
        self._batches = batches
        self.acked: list[int] = []
        self.dead: list[tuple[int, str]] = []

    async def __aiter__(self) -> AsyncIterator[list[Sent]]:
        for batch in self._batches:
            yield batch

    def ack(self, message: Sent) -> bool:
        self.acked.append(message.position)
        return True

    async def fail(self, message: Sent, reason: str, *, final: bool = False) -> bool:
        assert final
        self.dead.append((message.position, reason))
        return True


async def test_poison_is_put_aside_and_the_rest_of_its_batch_is_kept(database: Database) -> None:
    good = [record(seq, Upsert(event(seq))) for seq in range(1, 5)]
    batch = sent(good)
    batch.insert(1, Sent(EVENTS, 2, 50, b'{"match_id": 1}'))
    batch.insert(3, Sent(EVENTS, 2, 51, encode(record(9, Delete("nul\0", 1)))))
    batch.append(Sent(EVENTS, 2, 52, encode(record(2, Upsert(event(7))))))
    bus = Bus(batch, sent([record(5, Upsert(event(5)))], 60))
    writer = HistoryWriter(HistoryStore(database))
    await writer.run(bus)
    assert [position for position, _ in bus.dead] == [50, 51, 52]
    assert "not a canonical record" in bus.dead[0][1]
    assert bus.acked[-1] == 60
    assert (await writer._store.read("m1")).records == (*good, record(5, Upsert(event(5))))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (f'"raw":"{1:064x}"', '"raw":"zz"'),
        (f'"raw":"{1:064x}"', '"raw":"abcd"'),
        ('"seq":1,', '"seq":-5,'),
        ('"seq":1,', f'"seq":{10**20},'),
        ('"at_ms":1772366400001', f'"at_ms":{10**18}'),
        ('"at_ms":1772366400001', '"at_ms":-1'),
        ('"version":1,', f'"version":{10**23},'),
        ('"period":1,', f'"period":{10**10},'),
    ],
)
async def test_a_number_or_hash_that_nobody_can_keep_is_poison_and_no_crash(
    database: Database, field: str, value: str
) -> None:
    whole = encode(record(1, Upsert(event(1)))).decode()
    assert whole.count(field) == 1
    bus = Bus([Sent(EVENTS, 2, 1, whole.replace(field, value).encode()), *sent([record(2, Upsert(event(2)))], 2)])
    writer = HistoryWriter(HistoryStore(database))
    await writer.run(bus)
    assert [position for position, _ in bus.dead] == [1]
    assert "not a canonical record" in bus.dead[0][1]
    assert (await writer._store.read("m1")).records == (record(2, Upsert(event(2))),)


async def test_a_write_that_fails_leaves_nothing_and_is_not_forgotten(database: Database) -> None:
    store = HistoryStore(database)
    writer = HistoryWriter(store)
    await writer.write(sent([record(1, Upsert(event(1)))]))
    with pytest.raises(psycopg.Error):
        await writer.write(sent([record(2, Upsert(event(1, 2, 70.0))), record(3, Delete("nul\0", 1))], 1))
    assert await count(database, "records") == 1
    assert await count(database, "corrections") == 0
    await writer.write(sent([record(2, Upsert(event(1, 2, 70.0)))], 1))
    assert await count(database, "corrections") == 1, "the correction was told again after the rollback"


KILLED = """
import asyncio, sys
from backend.db.pool import Database
from backend.history.store import HistoryStore
from backend.history.writer import EVENTS, HistoryWriter
from ingest.events import Event, Kind, Side, Upsert
from ingest.record import Record, encode
from types import SimpleNamespace as Sent

async def main():
    async with Database(sys.argv[1]) as database:
        writer = HistoryWriter(HistoryStore(database))
        for batch in range(10_000):
            records = [Record("m1", "p", seq, 1_772_366_400_000 + seq, f"{seq:064x}",
                       Upsert(Event(f"e{seq % 7}", seq, 1, seq, Kind.PASS, Side.HOME, 1.0)))
                       for seq in range(batch * 20 + 1, batch * 20 + 21)]
            await writer.write([Sent(stream=EVENTS, shard=0, position=r.seq - 1, value=encode(r)) for r in records])
            print(batch, flush=True)

asyncio.run(main())
"""


async def test_a_writer_that_is_killed_loses_and_doubles_nothing(dsn: str, database: Database) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, dsn],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    told = -1
    while told < 12:
        told = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait()
    child.stdout.close()
    told = int(rest[-1]) if rest else told
    store = HistoryStore(database)
    kept = await store.read("m1")
    position = await store.position(CONSUMER, f"{EVENTS}/0")
    seqs = [item.seq for item in kept.records]
    assert seqs == list(range(1, len(seqs) + 1)), "no record is missing or there twice"
    assert len(seqs) % 20 == 0, "no batch is there in part"
    assert position == len(seqs) >= (told + 1) * 20
    # What was not acknowledged comes again, from before the position.
    events = [Upsert(Event(f"e{seq % 7}", seq, 1, seq, Kind.PASS, Side.HOME, 1.0)) for seq in range(1, position + 21)]
    again = [Record("m1", "p", seq, NOON_MS + seq, f"{seq:064x}", change) for seq, change in enumerate(events, 1)]
    writer = HistoryWriter(store)
    await writer.write(sent(again[-60:], position - 40))
    assert (writer.records, writer.repeated) == (20, 40)
    kept = await store.read("m1")
    assert list(kept.records) == again
    assert [c.seq for c in kept.corrections] == list(range(8, position + 21)), "each event's second version onwards"


async def test_an_unknown_match_is_told(database: Database) -> None:
    with pytest.raises(UserError, match="history list"):
        await HistoryStore(database).read("nobody")
