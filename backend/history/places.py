"""Where history lies: a database that is named, or those of the embedded server in a data folder.

Every run of the demo has a database of its own; what is imported goes to one that outlives the runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL

from backend.db.migrate import amigrate, version
from backend.db.pool import Database, Row
from backend.engines.postgres import DATABASE, Postgres
from backend.errors import UserError
from backend.history.store import HistoryStore


class Places:
    """The databases that were found, the newest run's first."""

    def __init__(self, stack: AsyncExitStack, dsns: dict[str, str], own: str) -> None:
        self._stack, self._dsns, self._own = stack, dsns, own
        self._opened: dict[str, Database] = {}

    async def database(self, name: str) -> Database:
        """A database that `matches` named."""
        if name not in self._opened:
            self._opened[name] = await self._stack.enter_async_context(Database(self._dsns[name], max_size=2))
        return self._opened[name]

    async def _known(self, name: str) -> Database | None:
        """The database, if it has history at all."""
        database = await self.database(name)
        found = await database.row("SELECT to_regclass('history.matches') IS NOT NULL AS ok")
        return database if found and found["ok"] else None

    async def own(self) -> Database:
        """The database that is written to, brought to the newest version."""
        await amigrate(self._dsns[self._own])
        return await self.database(self._own)

    async def matches(self, first: date | None = None, last: date | None = None) -> list[tuple[str, Row]]:
        """(database, what is kept of a match); a match that several databases have comes from each."""
        found: list[tuple[str, Row]] = []
        for name in self._dsns:
            if (database := await self._known(name)) is not None:
                found += [(name, row) for row in await HistoryStore(database).matches(first, last)]
        return found

    async def find(self, match_id: str) -> HistoryStore:
        """The newest database that has the match. Raises UserError ``unknown_match``."""
        for name in self._dsns:
            database = await self._known(name)
            if database is None:
                continue
            if await database.row("SELECT 1 AS ok FROM history.matches WHERE match_id = %s", [match_id]):
                return HistoryStore(database)
        raise UserError("unknown_match", f"history has no match {match_id}: futstar history list names them")

    async def store(self, name: str) -> HistoryStore:
        """The store of a database that `matches` named."""
        return HistoryStore(await self.database(name))


@asynccontextmanager
async def opened(dsn: str | None, data_dir: Path, *, create: bool = False) -> AsyncIterator[Places]:
    """The database ``dsn``, or the embedded server in ``data_dir`` for as long as this is open.

    Raises UserError ``no_history`` when there is none in ``data_dir`` and ``create`` is not set.
    """
    async with AsyncExitStack() as stack:
        if dsn is not None:
            await asyncio.to_thread(version, dsn)  # tells at once when nobody answers
            yield Places(stack, {"database": dsn}, "database")
            return
        folder = data_dir / "db"
        if not create and not folder.is_dir():
            raise UserError(
                "no_history", f"{data_dir} has no database: run the demo, import something, or give --database DSN"
            )
        engine = Postgres(folder)
        stack.push_async_callback(engine.astop)
        await engine.astart()
        names = [*await _runs(engine.dsn), DATABASE]
        yield Places(stack, {name: engine.dsn_of(name) for name in names}, DATABASE)


async def _runs(dsn: str) -> list[str]:
    query: Any = SQL("SELECT datname FROM pg_database WHERE datname ~ '^run_[0-9]+$' ORDER BY datname DESC")
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        return [str(name) for (name,) in await (await connection.execute(query)).fetchall()]
