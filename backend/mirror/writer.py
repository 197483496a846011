"""The one place where the mirror writes: batch by batch, in order, each in one transaction with its deltas."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import psycopg
from psycopg_pool import PoolTimeout

from backend.db.pool import Database
from backend.mirror.book import Book
from backend.mirror.deltas import Teller
from backend.mirror.records import EventRow, Listed, TransactionRow, listed_row
from backend.mirror.store import Batch, DeadLetter, Written, write

_log = logging.getLogger(__name__)
_RETRY_S = 0.5
_MAX_RETRY_S = 5.0
_UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)


class Writer:
    """Collects what is read and writes it as fast as the database takes it: under load, batches grow."""

    def __init__(self, database: Database, book: Book) -> None:
        self._database = database
        self.teller = Teller(book)
        self._pending = Batch()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._lock = asyncio.Lock()
        self.batches = 0
        self.rejected = 0
        self.latencies_s: deque[float] = deque(maxlen=1_000)
        self._since: float | None = None

    @property
    def pending(self) -> Batch:
        """What will be written next: append to it, then call `kick`."""
        return self._pending

    def kick(self) -> None:
        """There is something to write."""
        if self._since is None:
            self._since = asyncio.get_running_loop().time()
        self._idle.clear()
        self._wake.set()

    async def drained(self) -> None:
        """Wait until everything that was kicked is written."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._pending = self._pending, Batch()
            since, self._since = self._since, None
            if batch:
                await self.commit(batch)
                if since is not None and batch.feeds:
                    self.latencies_s.append(asyncio.get_running_loop().time() - since)
            if not self._wake.is_set():
                self._idle.set()

    async def commit(self, batch: Batch) -> Written:
        """Write one batch, whatever it takes: a database that is away is waited for, poison is set aside."""
        async with self._lock:
            pause = _RETRY_S
            while True:
                try:
                    return await self._write(batch)
                except _UNREACHABLE as error:
                    _log.warning("mirror: the database does not answer (%s), trying again", error)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _MAX_RETRY_S)
                except psycopg.Error as error:
                    if len(batch.transactions) == 0:
                        raise
                    _log.warning("mirror: a batch was refused (%s), writing one by one", error)
                    return await self._one_by_one(batch)

    async def _write(self, batch: Batch) -> Written:
        async with self._database.transaction() as connection:
            written = await write(connection, batch)
            await self.teller.tell(connection, batch, written)
        self.batches += 1
        return written

    async def _one_by_one(self, batch: Batch) -> Written:
        """Everything but transactions first, then each by itself; the cursor last, when all have been dealt with."""
        total = await self._write(Batch(batch.feeds, batch.accounts, batch.closed, dead=batch.dead))
        for item in batch.transactions:
            try:
                part = await self._write(Batch(transactions=[item]))
            except _UNREACHABLE:
                raise
            except psycopg.Error as error:
                self.rejected += 1
                part = await self._write(_set_aside(item, error))
            total.events += part.events
            total.signatures += part.signatures
        await self._write(Batch(covered=batch.covered))
        return total


def _set_aside(item: tuple[TransactionRow, list[EventRow]], error: Exception) -> Batch:
    row = item[0]
    listed = Listed(row.signature, row.slot, row.block_time, row.err)
    letter = DeadLetter(row.signature, row.program, row.slot, "store", str(error).strip().split("\n", 1)[0])
    return Batch(transactions=[(listed_row(listed, row.program), [])], dead=[letter])
