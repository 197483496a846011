"""Who reads which shard, for engines without groups of their own: leases that lapse when their owner dies.

The consumers of a group beat; each computes from the sorted names of the living which shards are its own, takes the
free ones among them and hands the others over. A shard's lease names one owner, and a mark is stored for no other: a
consumer that was stopped for longer than its lease cannot undo what its successor did.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ingest.bus.engine import Owner
from ingest.bus.model import Mark, Message, Stream
from ingest.bus.tasks import end
from ingest.events import FeedError

BEATS = 4
"""Beats in the life of a lease."""


class LeaseStore(Protocol):
    """What an engine keeps for the leases of a group. Its own clock decides when one lapses."""

    async def beat(self, stream: Stream, group: str, owner: str, lease_ms: int) -> list[str]:
        """``owner`` lives; returns all the living, sorted."""
        ...

    async def depart(self, stream: Stream, group: str, owner: str) -> None:
        """``owner`` goes."""
        ...

    async def claim(self, stream: Stream, group: str, shard: int, owner: str, lease_ms: int) -> Mark | None:
        """Take a shard that is free; None when it is not. What is stored is not ``clean`` from now on."""
        ...

    async def renew(self, stream: Stream, group: str, shards: Iterable[int], owner: str, lease_ms: int) -> set[int]:
        """Prolong leases; returns the shards that are the owner's still."""
        ...

    async def commit(self, stream: Stream, group: str, marks: Mapping[int, Mark], owner: str, free: bool) -> set[int]:
        """Store marks, and give the shards back if ``free``; returns those that are not the owner's."""
        ...

    async def wait_read(self, stream: Stream, shard: int, start: int, count: int, wait_s: float) -> Sequence[Message]:
        """`Engine.read` that waits for the first message."""
        ...


def share(shards: int, members: Sequence[str], owner: str) -> set[int]:
    """The shards of ``owner`` among the sorted ``members``: every n-th, so that loads differ by one shard at most."""
    if owner not in members:
        return set()
    return set(range(members.index(owner), shards, len(members)))


class Leases:
    """A membership by leases of ``lease_ms``."""

    def __init__(self, store: LeaseStore, stream: Stream, group: str, consumer: str, lease_ms: int) -> None:
        self._store, self._stream, self._group, self._lease_ms = store, stream, group, lease_ms
        self._name = f"{consumer}:{secrets.token_hex(6)}"  # a consumer that comes back is another owner
        self._held: set[int] = set()
        self._draining: dict[int, asyncio.Task[None]] = {}
        self._owner: Owner
        self._task: asyncio.Task[None] | None = None

    async def join(self, owner: Owner) -> None:
        """See `Membership`."""
        self._owner = owner
        await self._beat()
        self._task = asyncio.create_task(self._keep_beating())

    async def leave(self) -> None:
        """See `Membership`."""
        if self._task is None:
            return
        await end(self._task, *self._draining.values())
        marks = await self._owner.drain(self._held, 0)
        with contextlib.suppress(FeedError):
            await self._store.commit(self._stream, self._group, marks, self._name, True)
            await self._store.depart(self._stream, self._group, self._name)
        self._held.clear()

    async def read(self, shard: int, start: int, count: int, wait_s: float) -> Sequence[Message]:
        """See `Membership`."""
        return await self._store.wait_read(self._stream, shard, start, count, wait_s)

    async def commit(self, marks: Mapping[int, Mark]) -> set[int]:
        """See `Membership`."""
        lost = await self._store.commit(self._stream, self._group, marks, self._name, False)
        self._held -= lost
        return lost

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / BEATS / 1000)
            with contextlib.suppress(FeedError):  # the engine restarts: the leases wait in it
                await self._beat()

    async def _beat(self) -> None:
        store, stream, group = self._store, self._stream, self._group
        members = await store.beat(stream, group, self._name, self._lease_ms)
        if self._held:
            kept = await store.renew(stream, group, self._held, self._name, self._lease_ms)
            lost, self._held = self._held - kept, kept
            self._owner.lose(lost)
        mine = share(stream.shards, members, self._name)
        for shard in self._held - mine - self._draining.keys():
            self._draining[shard] = asyncio.create_task(self._hand_over(shard))
        for shard in sorted(mine - self._held):
            mark = await store.claim(stream, group, shard, self._name, self._lease_ms)
            if mark is not None:
                self._held.add(shard)
                self._owner.gain({shard: mark})

    async def _hand_over(self, shard: int) -> None:
        """Give a shard up once its batch is done; meanwhile its lease is renewed."""
        try:
            marks = await self._owner.drain([shard], self._lease_ms / 1000)
            with contextlib.suppress(FeedError):  # it lapses by itself
                await self._store.commit(self._stream, self._group, marks, self._name, True)
        finally:
            self._held.discard(shard)
            del self._draining[shard]
