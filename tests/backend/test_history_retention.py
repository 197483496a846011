"""How long history stays, and the partitions that it lies in."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date

import psycopg
import pytest

from backend.db.pool import Database
from backend.errors import UserError
from backend.history.retention import Retention, default_rows, make_ahead, retire
from backend.history.store import HistoryStore, Rows
from backend.history.tables import TABLES
from backend.history.writer import HistoryWriter
from ingest.events import Upsert
from ingest.history.model import Match, MatchHistory
from tests.backend.played import match
from tests.backend.test_history_store import ROOT, count, event, record, sent


async def test_raw_goes_before_the_rest_and_both_on_their_day(database: Database) -> None:
    store = HistoryStore(database)
    played = match()
    for number, day in enumerate((1, 10, 20)):
        copy = MatchHistory(replace(played.match, match_id=f"m{number}", day=date(2026, 3, day), header=b""))
        rows = {
            t.name: tuple(replace(item, match_id=f"m{number}") for item in getattr(played, t.name)[:5]) for t in TABLES
        }
        await store.put(replace(copy, **rows))
    gone = await retire(database, Retention(5, 15), date(2026, 3, 20))
    assert gone == ["fragments_20260301", "fragments_20260310", "lines_20260301", "lines_20260310"] + [
        f"{name}_20260301" for name in ("records", "corrections", "samples", "revisions", "quality")
    ]
    assert [row["match_id"] for row in await store.matches()] == ["m2", "m1"]
    assert len((await store.read("m1")).records) == 5
    assert (await store.read("m1")).fragments == ()
    assert await retire(database, Retention(5, 15), date(2026, 3, 20)) == []


async def test_a_match_whose_raw_feed_is_gone_is_still_read_and_says_so_when_replayed(database: Database) -> None:
    played = match()
    await HistoryStore(database).put(played)
    await retire(database, Retention(1, 10_000), played.match.day.replace(year=2022))
    kept = await HistoryStore(database).read(played.match.match_id)
    assert kept.records == played.records
    assert kept.samples == played.samples
    with pytest.raises(Exception, match="not kept"):
        kept.feed()


async def test_lines_that_are_missing_are_noticed(database: Database) -> None:
    played = match()
    store = HistoryStore(database)
    await store.put(played)
    async with database.connection() as connection:
        await connection.execute("DELETE FROM history.lines WHERE number > 2000")
    with pytest.raises(UserError, match="2000 of the") as refusal:
        await store.read(played.match.match_id)
    assert refusal.value.code == "lines_missing"


async def test_detached_partitions_stay_as_tables_of_their_own(database: Database) -> None:
    store = HistoryStore(database)
    await store.pin(Match("m1", "p", date(2026, 3, 1)))
    await store.write(Rows(records=[record(1, Upsert(event(1)))]))
    await retire(database, Retention(1, 1, detach=True), date(2026, 4, 1))
    assert await count(database, "records") == 0
    assert await database.row("SELECT seq FROM history_detached.records_20260301") == {"seq": 1}


async def test_a_day_that_comes_back_after_it_was_detached_is_detached_again(database: Database) -> None:
    for name in ("m1", "m2", "m2"):
        store = HistoryStore(database)
        await store.pin(Match(name, "p", date(2026, 3, 1)))
        await store.write(Rows(records=[record(1, Upsert(event(1)), name)]))
        await retire(database, Retention(1, 1, detach=True), date(2026, 4, 1))
    assert await count(database, "records") == 0
    kept = await database.rows("SELECT match_id FROM history_detached.records_20260301 ORDER BY match_id")
    assert kept == [{"match_id": "m1"}, {"match_id": "m2"}]


async def test_partitions_are_made_ahead_and_strays_move_home(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO history.lines VALUES ('2026-05-02', 'm1', 1, 5, decode(repeat('00', 32), 'hex'), NULL)"
        )
    assert await default_rows(database) == 1
    await make_ahead(HistoryStore(database), date(2026, 5, 1))
    assert await default_rows(database) == 0
    found = await database.row("SELECT tableoid::regclass::text AS part FROM history.lines")
    assert found == {"part": "history.lines_20260502"}
    parts = await database.rows("SELECT inhrelid FROM pg_inherits WHERE inhparent = 'history.samples'::regclass")
    assert len(parts) == 1 + 4, "the default one, today and three days ahead"


async def test_a_writer_needs_no_right_to_make_or_drop_tables(dsn: str, database: Database) -> None:
    """The grants of docs/history.md: a role that can append and read, and nothing else."""
    role = f"writer_{os.getpid()}"
    grants = [line for line in (ROOT / "docs" / "history.md").read_text().splitlines() if line.startswith("GRANT ")]
    assert len(grants) >= 4
    async with database.connection() as connection:
        await connection.execute(psycopg.sql.SQL("CREATE ROLE {} LOGIN").format(psycopg.sql.Identifier(role)))
        for grant in grants:
            await connection.execute(grant.replace("history_writer", role))  # type: ignore[arg-type]
    try:
        async with Database(dsn.replace("futstar@", f"{role}@"), max_size=2) as limited:
            writer = HistoryWriter(HistoryStore(limited))
            await writer.write(sent([record(1, Upsert(event(1)))]))
            assert len((await writer._store.read("m1")).records) == 1
            await HistoryStore(limited).put(match())
            for forbidden in (
                "DROP TABLE history.records",
                "DELETE FROM history.records",
                "UPDATE history.samples SET x_e6 = 0",
                "SELECT history.retire('records', '2030-01-01', false)",
            ):
                async with limited.connection() as connection:
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        await connection.execute(forbidden)  # type: ignore[arg-type]
    finally:
        async with database.connection() as connection:
            await connection.execute(psycopg.sql.SQL("DROP OWNED BY {}").format(psycopg.sql.Identifier(role)))
            await connection.execute(psycopg.sql.SQL("DROP ROLE {}").format(psycopg.sql.Identifier(role)))


@pytest.mark.parametrize(("raw", "canonical"), [(0, 5), (6, 5), (-1, -1)])
def test_a_retention_that_makes_no_sense_is_refused(raw: int, canonical: int) -> None:
    with pytest.raises(UserError, match="keep at least one day"):
        Retention(raw, canonical)
