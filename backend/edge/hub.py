"""From the database's notifications to the channels, and the channels' snapshots. One hub per process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psycopg

from backend.db.pool import Database
from backend.edge.core import RING, Channel, Client, frame
from backend.edge.snapshot import snapshot
from backend.feedstore import channel_of
from chain.tasks import stop

_log = logging.getLogger(__name__)
_PREFIX = "match:"
_REUSE_SNAPSHOT_FOR = 32
"""A snapshot serves newcomers until this many deltas have followed it: they get these as well."""
_RETRY_S = 0.5


@dataclass(slots=True)
class _Live:
    """A channel somebody listens to."""

    channel: Channel
    wakes: set[asyncio.Event] = field(default_factory=set)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    snapshot: tuple[int, str] | None = None
    building: asyncio.Task[tuple[int, str]] | None = None


Snapshot = Callable[[Database, str], Awaitable[tuple[int, dict[str, object]]]]


class Hub:
    """Fans out deltas. `start` it, `join` clients, `leave`, `stop`."""

    def __init__(self, database: Database, build: Snapshot = snapshot) -> None:
        self._database = database
        self._build = build
        self._live: dict[str, _Live] = {}
        self._task: asyncio.Task[None] | None = None
        self._gaps = asyncio.Event()
        self._filler: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns once notifications cannot be missed any more."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._listen(ready))
        self._filler = asyncio.create_task(self._fill())
        await ready.wait()

    async def stop(self) -> None:
        """Stop listening."""
        await stop(self._task, self._filler)

    @property
    def clients(self) -> int:
        """How many clients are joined."""
        return sum(len(live.wakes) for live in self._live.values())

    async def join(self, match_id: str, resume: int | None, wake: asyncio.Event) -> Client:
        """Subscribe; ``wake`` is set whenever `Client.take` may have something new."""
        live = self._live.get(match_id)
        if live is None:
            live = self._live[match_id] = _Live(Channel(match_id))
            live.wakes.add(wake)
            try:
                await self._load(live)
            except BaseException:
                self._live.pop(match_id, None)
                live.loaded.set()
                raise
        else:
            live.wakes.add(wake)
            await live.loaded.wait()
        client = Client(live.channel)
        if resume is not None:
            client.resume(resume)
        return client

    def leave(self, client: Client, wake: asyncio.Event) -> None:
        """Forget a client; the channel goes with its last one."""
        live = self._live.get(client.channel.match_id)
        if live is None:
            return
        live.wakes.discard(wake)
        if not live.wakes:
            del self._live[client.channel.match_id]

    async def snapshot_frame(self, match_id: str) -> tuple[int, str]:
        """Offset and frame of a snapshot; built once for all who need it at the same time."""
        live = self._live[match_id]
        channel, known = live.channel, live.snapshot
        if known is not None and known[0] >= max((channel.last or 0) - _REUSE_SNAPSHOT_FOR, channel.first - 1):
            return known
        if live.building is None or live.building.done():
            live.building = asyncio.create_task(self._build_snapshot(live))
        return await asyncio.shield(live.building)

    async def _build_snapshot(self, live: _Live) -> tuple[int, str]:
        offset, body = await self._build(self._database, live.channel.match_id)
        live.snapshot = (offset, frame("snapshot", match=live.channel.match_id, offset=offset, data=body))
        return live.snapshot

    async def _load(self, live: _Live) -> None:
        name = channel_of(live.channel.match_id)
        async with self._database.snapshot() as connection:
            cursor = await connection.execute("SELECT last_offset FROM stream WHERE channel = %s", [name])
            found = await cursor.fetchone()
            last = int(found["last_offset"]) if found else 0
            cursor = await connection.execute(
                'SELECT "offset", kind, body FROM stream_log WHERE channel = %s AND "offset" > %s ORDER BY "offset"',
                [name, last - RING],
            )
            deltas = [(row["offset"], row["kind"], row["body"]) async for row in cursor]
        live.channel.load(last, deltas)
        live.loaded.set()

    async def _listen(self, ready: asyncio.Event) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._database.dsn, autocommit=True)
                async with connection:
                    await connection.execute("LISTEN futstar_stream")
                    await self._catch_up()
                    ready.set()
                    async for notification in connection.notifies():
                        self._receive(notification.payload)
            except psycopg.Error as error:
                _log.warning("stream: the database connection was lost (%s), trying again", error)
            await asyncio.sleep(_RETRY_S)

    async def _catch_up(self) -> None:
        """After a lost connection: whatever was published meanwhile is a gap."""
        for match_id, live in list(self._live.items()):
            found = await self._database.row(
                "SELECT last_offset FROM stream WHERE channel = %s", [channel_of(match_id)]
            )
            if found:
                live.channel.announce(int(found["last_offset"]))
        self._gaps.set()

    def _receive(self, payload: str) -> None:
        head, _, body = payload.partition("\n")
        offset, kind, channel = head.split(" ", 2)
        live = self._live.get(channel.removeprefix(_PREFIX))
        if live is None:
            return
        if body:
            live.channel.push(int(offset), kind, body)
        else:
            live.channel.announce(int(offset))
        if live.channel.gap() is not None:
            self._gaps.set()
        self._wake(live)

    def _wake(self, live: _Live) -> None:
        for wake in live.wakes:
            wake.set()

    async def _fill(self) -> None:
        while True:
            await self._gaps.wait()
            self._gaps.clear()
            for live in list(self._live.values()):
                try:
                    await self._fill_channel(live)
                except psycopg.Error as error:
                    _log.warning("stream: a gap could not be read (%s), trying again", error)
                    await asyncio.sleep(_RETRY_S)
                    self._gaps.set()

    async def _fill_channel(self, live: _Live) -> None:
        gap = live.channel.gap()
        if gap is None:
            return
        rows = await self._database.rows(
            'SELECT "offset", kind, body FROM stream_log WHERE channel = %s AND "offset" BETWEEN %s AND %s'
            ' ORDER BY "offset"',
            [channel_of(live.channel.match_id), gap.first, gap.last],
        )
        for found in rows:
            live.channel.push(found["offset"], found["kind"], found["body"])
        if (still := live.channel.gap()) is not None and still.first <= gap.last:
            live.channel.skip_to(gap.last)  # pruned: everybody starts again from a snapshot
        self._wake(live)
