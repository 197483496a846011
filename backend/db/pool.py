"""The pool of connections, and the few ways in which the backend asks and writes.

Rows come back as dictionaries. Reads that belong together run in one `snapshot`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import orjson
import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Composed
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from backend.db.address import checked
from backend.errors import UserError

Connection = AsyncConnection[DictRow]
Query = LiteralString | SQL | Composed
Row = dict[str, Any]

set_json_dumps(lambda value: orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
set_json_loads(orjson.loads)


class Database:
    """An opened pool; use it as an async context manager."""

    def __init__(self, dsn: str, *, max_size: int = 8) -> None:
        self.dsn = dsn
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=max_size,
            open=False,
            kwargs={"row_factory": dict_row, "autocommit": True, "prepare_threshold": 2},
        )

    async def open(self) -> Database:
        """Connect; raises UserError for a bad address, or when the database does not answer within 10 s."""
        checked(self.dsn)
        try:
            await self._pool.open(wait=True, timeout=10)
        except PoolTimeout as error:
            await self._pool.close()
            raise UserError("database_unreachable", "the database does not answer: check --database", 1) from error
        return self

    async def close(self) -> None:
        """Give every connection back."""
        await self._pool.close()

    async def __aenter__(self) -> Database:
        return await self.open()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection that commits every statement by itself."""
        async with self._pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: all or nothing."""
        async with self._pool.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A read-only transaction in which every read sees the same moment."""
        async with self._pool.connection() as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            try:
                async with connection.transaction():
                    yield connection
            finally:
                await connection.set_isolation_level(None)

    async def rows(self, query: Query, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Every row of a query."""
        async with self.connection() as connection:
            return await rows(connection, query, values)

    async def row(self, query: Query, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """The first row of a query, or None."""
        async with self.connection() as connection:
            return await row(connection, query, values)


async def rows(connection: Connection, query: Query, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """Every row of a query on this connection."""
    return await (await connection.execute(query, values)).fetchall()


async def row(connection: Connection, query: Query, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
    """The first row of a query on this connection, or None."""
    return await (await connection.execute(query, values)).fetchone()


async def publish(connection: Connection, channel: str, deltas: Iterable[tuple[str, Any]]) -> int:
    """Append (kind, body) deltas to a channel as part of the running transaction; return the last offset.

    Subscribers hear of them when, and only if, the transaction commits. Call it last: it locks the channel.
    """
    kinds, bodies = [], []
    for kind, body in deltas:
        kinds.append(kind)
        bodies.append(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY).decode())
    found = await row(connection, "SELECT publish(%s, %s, %s) AS last", [channel, kinds, bodies])
    assert found is not None
    return int(found["last"])


__all__ = ["Connection", "Database", "Row", "psycopg", "publish", "row", "rows"]
