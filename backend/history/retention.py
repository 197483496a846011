"""How long history stays: partitions are made ahead, and dropped or detached when their time is over.

Raw fragments and feed lines are large and go first; canonical records, corrections, samples and quality stay longer.
A match whose raw feed is gone is still listed and exported as records; it can be replayed from an export made before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from psycopg import sql

from backend.db.pool import Database
from backend.errors import UserError
from backend.history.store import HistoryStore
from backend.history.tables import CANONICAL_TABLES, RAW_TABLES

DAYS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Retention:
    """Whole days to keep, today included. ``detach``: partitions leave the table and stay as tables of their own."""

    raw_days: int
    canonical_days: int
    detach: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.raw_days <= self.canonical_days:
            raise UserError(
                "bad_retention",
                f"raw {self.raw_days} and canonical {self.canonical_days} days: keep at least one day of both, and raw "
                "no longer than canonical",
            )


async def make_ahead(store: HistoryStore, today: date, days: int = DAYS_AHEAD) -> None:
    """Make the partitions of today and the next ``days``: matches that begin then find them."""
    await store.ensure_days(today + timedelta(days=ahead) for ahead in range(days + 1))


async def retire(database: Database, retention: Retention, today: date) -> list[str]:
    """Drop or detach what is older; returns the names of the partitions. One transaction: all of it or nothing."""
    raw_before = today - timedelta(days=retention.raw_days - 1)
    canonical_before = today - timedelta(days=retention.canonical_days - 1)
    gone: list[str] = []
    async with database.transaction() as connection:
        for tables, before in ((RAW_TABLES, raw_before), (CANONICAL_TABLES, canonical_before)):
            for table in tables:
                found = await connection.execute(
                    "SELECT history.retire(%s, %s, %s) AS name", [table, before, retention.detach]
                )
                gone += [item["name"] for item in await found.fetchall()]
        await connection.execute("DELETE FROM history.matches WHERE day < %s", [canonical_before])
    return gone


async def default_rows(database: Database) -> int:
    """Rows that found no partition of their day: 0 unless somebody writes past `HistoryStore`."""
    tables = (*RAW_TABLES, *CANONICAL_TABLES)
    counts = sql.SQL(" + ").join(
        sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier("history", f"{table}_default")) for table in tables
    )
    found = await database.row(sql.SQL("SELECT {} AS n").format(counts))
    return int(found["n"]) if found else 0
