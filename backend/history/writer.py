"""The bus's consumer that keeps everything: canonical records and raw fragments into history, each exactly once.

A batch of the bus is one transaction, with the position behind it. The bus may bring messages again; their keys
(match and sequence number, or the fragment's hash) are then known already and change nothing. The position is kept so
that anybody can tell what the database has, and where a replay of the bus has to begin; it is not what drops
repetitions, because a bus that lost its memory counts from 0 again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Protocol

import psycopg
from psycopg_pool import PoolTimeout

from backend.errors import UserError
from backend.history.store import HistoryStore, Position, Rows
from ingest.events import FeedError
from ingest.history import wire
from ingest.history.journal import Ledger
from ingest.history.model import Fragment, Match, day_of
from ingest.record import Record, decode

_log = logging.getLogger(__name__)
EVENTS, RAW = "events", "raw"
"""The streams it reads: `ingest.record.Record` and `ingest.history.wire`."""
CONSUMER = "history"
MATCHES_KEPT = 400
"""Matches whose events are kept in memory to tell corrections; an older one is read again when it goes on."""
_RETRY_S, _MAX_RETRY_S = 0.5, 5.0
_UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_UNKEEPABLE = (FeedError, UserError, psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError)
"""One message's own fault: whatever it is, it must not stop those after it."""


class Message(Protocol):
    """A message of `ingest.bus`."""

    @property
    def stream(self) -> str: ...
    @property
    def shard(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def value(self) -> bytes: ...


class Subscription(Protocol):
    """A subscription of `ingest.bus`: batches of one shard, in order."""

    def __aiter__(self) -> AsyncIterator[Sequence[Message]]: ...
    def ack(self, message: Message) -> bool: ...
    def fail(self, message: Message, reason: str, *, final: bool = False) -> Awaitable[bool]: ...


class HistoryWriter:
    """`run` it over a subscription, or `write` batches. ``records`` and ``fragments`` count what was new."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._ledgers: OrderedDict[str, Ledger] = OrderedDict()
        self.records = self.fragments = self.repeated = self.dead = 0

    async def run(self, subscription: Subscription) -> None:
        """Write until cancelled. A database that is away is waited for; a message that cannot be kept is put aside."""
        async for batch in subscription:
            await self._settle(subscription, batch)

    async def _settle(self, subscription: Subscription, batch: Sequence[Message]) -> None:
        pause_s = _RETRY_S
        while True:
            try:
                await self.write(batch)
                subscription.ack(batch[-1])
                return
            except _UNREACHABLE as error:
                _log.warning("history: the database does not answer (%s), trying again", type(error).__name__)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _MAX_RETRY_S)
            except _UNKEEPABLE as error:
                if len(batch) > 1:  # one by one, to find which
                    for message in batch:
                        await self._settle(subscription, [message])
                    return
                self.dead += 1
                _log.warning("history: a message of %s cannot be kept (%s)", batch[0].stream, type(error).__name__)
                await subscription.fail(batch[0], str(error).split("\n", 1)[0][:300], final=True)
                return

    async def write(self, batch: Sequence[Message]) -> dict[str, int]:
        """Store a batch as one transaction; how many rows of each kind were new.

        Raises FeedError for a message that is no record or fragment, UserError ``other_content`` for one that
        contradicts what is kept. Then, and when the database fails, nothing of the batch is stored.
        """
        rows = Rows()
        for message in batch:
            if message.stream == RAW:
                rows.fragments.append(wire.decode(message.value))
            else:
                rows.records.append(decode(message.value))
        items: list[Record | Fragment] = [*rows.records, *rows.fragments]
        for item in items:
            if not self._store.knows(item.match_id):
                await self._store.pin(Match(item.match_id, item.provider, day_of(item.at_ms)))
        touched = await self._correct(rows)
        try:
            new = await self._store.write(rows, _positions(batch))
        except BaseException:
            for match_id in touched:  # what the ledgers took in was not stored: read them again
                self._ledgers.pop(match_id, None)
            raise
        self.records += new["records"]
        self.fragments += new["fragments"]
        self.repeated += len(rows.records) - new["records"] + len(rows.fragments) - new["fragments"]
        return new

    async def _correct(self, rows: Rows) -> set[str]:
        """Add the corrections that the records made; returns the matches whose ledgers went on."""
        touched: set[str] = set()
        for record in rows.records:
            match_id = record.match_id
            touched.add(match_id)
            ledger = self._ledgers.get(match_id)
            if ledger is None or record.seq > ledger.seq + 1:  # new here, or another writer had the match meanwhile
                ledger = self._ledgers[match_id] = Ledger(await self._store.records(match_id))
                while len(self._ledgers) > MATCHES_KEPT:
                    self._ledgers.popitem(last=False)
            self._ledgers.move_to_end(match_id)
            if (found := ledger.correction(record)) is not None:
                rows.corrections.append(found)
        return touched


def _positions(batch: Sequence[Message]) -> list[Position]:
    last = {f"{message.stream}/{message.shard}": message.position + 1 for message in batch}
    return [Position(CONSUMER, source, following) for source, following in last.items()]
