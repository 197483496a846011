"""What subscribers are told about a batch: computed and published inside the batch's own transaction."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

from backend import views
from backend.api import queries
from backend.db.pool import Connection, publish, row, rows
from backend.feedstore import channel_of, match_body
from backend.mirror.book import Book
from backend.mirror.feeds import SampleRow
from backend.mirror.records import EventRow
from backend.mirror.store import Batch, Written
from chain.clients import market

Deltas = dict[str, list[tuple[str, Any]]]
_QUERIES: Final[dict[str, tuple[LiteralString, str]]] = {
    "OrderPlaced": (queries.ORDERS, "order"),
    "OrderEnded": (queries.TRADES, "trade"),
    "PositionLiquidated": (queries.LIQUIDATIONS, "liquidation"),
    "PositionSettled": (queries.SETTLEMENTS, "settlement"),
}


class Teller:
    """Turns what was written into deltas by match. Remembers what it told, to tell changes only."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._stands: dict[str, tuple[Any, ...]] = {}
        self.matches: dict[str, str] = {}

    async def tell(self, connection: Connection, batch: Batch, written: Written) -> None:
        """Publish everything that subscribers should hear of ``batch``."""
        deltas: Deltas = defaultdict(list)
        self.matches |= written.matches
        touched: set[str] = set()
        windows: list[str] = []
        for account in batch.accounts:
            address = self._book.account(account)
            if address is not None:
                windows.append(address)
        for change in batch.feeds:
            self._book.feed(change)
            touched.add(change.address)
            await self._stand(connection, change.address, change.feed, deltas)
        for match_id, samples in written.samples.items():
            deltas[match_id] += await ticks(connection, match_id, samples)
        for feed, document in self._book.news(touched, windows, self.matches):
            if (match := self.matches.get(feed)) is not None:
                deltas[match].append(("window", document))
        await self._events(connection, written.events, deltas)
        await self._pools(connection, batch, deltas)
        await send(connection, deltas)

    async def _stand(self, connection: Connection, address: str, feed: Any, deltas: Deltas) -> None:
        """The match itself: told again when trading stops or goes on, at breaks and at the end."""
        stand = (feed.period, feed.in_break, feed.status, feed.suspend_epoch, feed.suspend_reason)
        if self._stands.get(address) != stand:
            self._stands[address] = stand
            match_id = self.matches[address]
            deltas[match_id].append(("match", await match_body(connection, match_id)))

    async def _events(self, connection: Connection, events: Sequence[EventRow], deltas: Deltas) -> None:
        by_kind: dict[str, set[str]] = defaultdict(set)
        for event in events:
            if event.name in _QUERIES:
                by_kind[event.name].add(event.signature)
        for match_id, kind, document in await placed_documents(connection, by_kind):
            deltas[match_id].append((kind, document))

    async def _pools(self, connection: Connection, batch: Batch, deltas: Deltas) -> None:
        pools = {item.address: item.decoded for item in batch.accounts if isinstance(item.decoded, market.Pool)}
        for address, pool in pools.items():
            found = await row(connection, "SELECT * FROM pools WHERE address = %s", [address])
            if found is None:
                continue
            for feed in self._book.feeds_of_exchange(str(pool.exchange)):
                if (match_id := self.matches.get(feed)) is not None:
                    deltas[match_id].append(("pool", views.pool_view(found)))


async def placed_documents(
    connection: Connection, signatures: Mapping[str, set[str]]
) -> list[tuple[str, str, dict[str, Any]]]:
    """(match, kind, document) of the given transactions' events; an order that has ended already is not told again."""
    found = []
    for name, (query, kind) in _QUERIES.items():
        wanted = signatures.get(name)
        if not wanted:
            continue
        only = True if name == "OrderPlaced" else None
        for _, document in await queries.placed(connection, query, only=only, signatures=sorted(wanted), limit=10_000):
            if document["match_id"] is not None:
                found.append((document["match_id"], kind, document))
    return found


async def ticks(connection: Connection, match_id: str, samples: Sequence[SampleRow]) -> list[tuple[str, Any]]:
    """Confirmed ticks as deltas."""
    found = await row(connection, "SELECT start_unix_ms FROM matches WHERE match_id = %s", [match_id])
    start = found["start_unix_ms"] if found else None
    return [("tick", views.tick_view({**dataclasses.asdict(item), "status": "confirmed"}, start)) for item in samples]


async def finalized(connection: Connection, promoted: Mapping[str, int], signatures: Sequence[str]) -> None:
    """Tell what became final: the newest tick of each match stands for all before it; market rows one by one."""
    deltas: Deltas = defaultdict(list)
    for match_id, tick in promoted.items():
        newest = await queries.ticks(connection, match_id, after=tick - 1, to=tick)
        deltas[match_id] += [("tick", document) for document in newest]
    if signatures:
        names = await rows(
            connection,
            "SELECT name, signature FROM chain_events WHERE signature = ANY(%s) AND name = ANY(%s)",
            [list(signatures), [name for name in _QUERIES if name != "OrderPlaced"]],
        )
        by_kind: dict[str, set[str]] = defaultdict(set)
        for item in names:
            by_kind[item["name"]].add(item["signature"])
        for match_id, kind, document in await placed_documents(connection, by_kind):
            deltas[match_id].append((kind, document))
    await send(connection, deltas)


async def send(connection: Connection, deltas: Deltas) -> None:
    """Publish, channel by channel in one order, so that two writers can never wait for each other."""
    for match_id in sorted(deltas):
        if deltas[match_id]:
            await publish(connection, channel_of(match_id), deltas[match_id])
