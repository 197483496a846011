"""History: a real match into PostgreSQL and Parquet and back, computed again; sizes; what the writer on the bus takes.

The match is the kloppy package's Stats Perform one, 98 minutes with a sample for each second. The database is the
embedded one with its settings (no synchronous commit).
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from backend.db.migrate import migrate
from backend.db.pool import Database
from backend.engines.postgres import Postgres
from backend.history import replay as core
from backend.history.store import HistoryStore, Rows
from backend.history.writer import EVENTS, HistoryWriter
from bench.harness import Result, result
from ingest.feed import FeedHeader, FeedMessage
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import replay
from ingest.history.archive import Archive, ArchiveWriter
from ingest.history.model import MatchHistory
from ingest.record import encode
from oracle.core import KeeperCore

BATCH = 500
"""The bus's own."""


@dataclass(frozen=True, slots=True)
class _Sent:
    stream: str
    shard: int
    position: int
    value: bytes


def _played(seconds: int) -> MatchHistory:
    source = adapter("statsperform")
    header, messages = replay(source, source.load(default_match_paths()), 7)
    return core.build(header, messages, _due(header, messages, seconds))


def _due(header: FeedHeader, messages: list[FeedMessage], seconds: int) -> list[core.Due]:
    keeper = KeeperCore(header)
    due: list[core.Due] = []
    at = 0
    while not keeper.finished and len(due) < seconds:
        due_ms = keeper.due_ms()
        if at < len(messages) and (due_ms is None or messages[at].at_ms <= due_ms):
            keeper.receive(messages[at])
            at += 1
        elif due_ms is not None:
            keeper.sample(due_ms)
            due.append(core.Due(due_ms, at))
    return due


def _copies(played: MatchHistory, count: int) -> list[MatchHistory]:
    """The same match under other names."""
    made = []
    for number in range(count):
        name = f"match-{number}"
        rows = {
            kind: tuple(replace(item, match_id=name) for item in getattr(played, kind))
            for kind in ("fragments", "lines", "records", "corrections", "samples", "revisions")
        }
        made.append(MatchHistory(replace(played.match, match_id=name, header=b""), **rows))
    return made


async def _database(dsn: str, played: MatchHistory, copies: list[MatchHistory]) -> dict[str, list[float]]:
    runs: dict[str, list[float]] = {name: [] for name in ("write", "again", "read", "bus", "disk")}
    async with Database(dsn) as database:
        store = HistoryStore(database)
        await store.put(played)
        before = await _bytes(database)
        for copy in copies:
            began = time.perf_counter()
            await store.put(copy)
            runs["write"].append(len(Rows.of(copy)) / (time.perf_counter() - began))
            began = time.perf_counter()
            await store.put(copy)
            runs["again"].append(len(Rows.of(copy)) / (time.perf_counter() - began))
        runs["disk"].append((await _bytes(database) - before) / len(copies) / 1e6)
        for _ in copies:
            began = time.perf_counter()
            await store.read(played.match.match_id)
            runs["read"].append(time.perf_counter() - began)
        for number, copy in enumerate(copies):
            records = [replace(record, match_id=f"bus-{number}") for record in copy.records]
            sent = [_Sent(EVENTS, 0, at, encode(record)) for at, record in enumerate(records)]
            writer = HistoryWriter(store)
            began = time.perf_counter()
            for at in range(0, len(sent), BATCH):
                await writer.write(sent[at : at + BATCH])
            runs["bus"].append(len(sent) / (time.perf_counter() - began))
    return runs


async def _bytes(database: Database) -> int:
    found = await database.row(
        "SELECT sum(pg_total_relation_size(oid))::bigint AS n FROM pg_class"
        " WHERE relnamespace = 'history'::regnamespace AND relkind = 'r'"
    )
    return int(found["n"]) if found else 0


def run(quick: bool = False) -> list[Result]:
    """Five matches (quick: two with ten minutes of samples)."""
    repeats, seconds = (2, 600) if quick else (5, 100_000)
    played = _played(seconds)
    copies = _copies(played, repeats)
    with tempfile.TemporaryDirectory() as folder:
        with Postgres(Path(folder) / "db") as engine:
            migrate(engine.dsn)
            runs = asyncio.run(_database(engine.dsn, played, copies))
        exports, imports, replays = [], [], []
        for number in range(repeats):
            began = time.perf_counter()
            with ArchiveWriter(Path(folder) / f"export-{number}") as archive:
                archive.add(played)
                size = archive.keep().size
            exports.append(time.perf_counter() - began)
            began = time.perf_counter()
            back = Archive.open(Path(folder) / f"export-{number}").match(played.match.match_id)
            imports.append(time.perf_counter() - began)
            began = time.perf_counter()
            _, verdict = core.replay(back)
            replays.append(time.perf_counter() - began)
            if not verdict.ok:
                raise RuntimeError(f"the replay differs: {verdict}")
    return [
        result("match written to PostgreSQL", "rows/s", runs["write"]),
        result("match written that is known already", "rows/s", runs["again"]),
        result("records of the bus written, 500 a batch", "records/s", runs["bus"]),
        result("match read from PostgreSQL", "s", runs["read"]),
        result("match on disk, indexes included", "MB", runs["disk"]),
        result("match exported as Parquet", "s", exports),
        result("match read from Parquet, every hash checked", "s", imports),
        result("match as Parquet", "MB", [size / 1e6]),
        result(f"match replayed, {len(played.samples)} samples", "s", replays),
    ]
