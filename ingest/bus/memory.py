"""The bus in the memory of one process: for tests, replays and a server that is a single process.

It keeps every promise but one: what it holds dies with the process.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ingest.bus.engine import removable, room
from ingest.bus.leases import Leases
from ingest.bus.model import DeadLetter, Entry, Mark, Message, Stream, gone
from ingest.events import FeedError


@dataclass(slots=True)
class _Group:
    """A group in one shard."""

    mark: Mark = field(default_factory=lambda: Mark(0))
    owner: str = ""
    until_ms: int = 0


@dataclass(slots=True)
class _Shard:
    """The log of one shard; ``log[0]`` stands at position ``oldest``."""

    oldest: int = 0
    log: deque[Message] = field(default_factory=deque)
    groups: dict[str, _Group] = field(default_factory=dict)
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def end(self) -> int:
        return self.oldest + len(self.log)


class Memory:
    """The engine. ``now_ms`` is the clock by which leases lapse."""

    name = "memory"

    def __init__(self, lease_ms: int = 10_000, now_ms: Callable[[], int] | None = None) -> None:
        self._now_ms = now_ms or (lambda: time.monotonic_ns() // 1_000_000)
        self._lease_ms = lease_ms
        self._shards: dict[tuple[str, int], _Shard] = {}
        self._members: dict[tuple[str, str], dict[str, int]] = {}
        self._letters: dict[tuple[str, str], dict[str, DeadLetter]] = {}

    async def open(self, streams: Iterable[Stream]) -> None:
        """See `Engine`."""
        for stream in streams:
            for shard in range(stream.shards):
                self._shards[stream.name, shard] = _Shard(groups={group: _Group() for group in stream.groups})

    async def close(self) -> None:
        """See `Engine`."""

    async def append(self, stream: Stream, shard: int, entries: Sequence[Entry], ticket: int) -> int:
        """See `Engine`."""
        held = self._shards[stream.name, shard]
        positions = [held.groups[group].mark.position for group in stream.groups]
        count = min(len(entries), room(stream, held.end, positions))
        if not count:
            return 0
        held.log.extend(
            [
                Message(stream.name, shard, at, entry.key, entry.value, entry.to)
                for at, entry in enumerate(islice(entries, count), start=held.end)
            ]
        )
        held.grown.set()
        self._trim(stream, held, positions)
        return count

    async def bounds(self, stream: Stream, shard: int) -> tuple[int, int]:
        """See `Engine`."""
        held = self._shards[stream.name, shard]
        return held.oldest, held.end

    async def positions(self, stream: Stream, shard: int) -> dict[str, int]:
        """See `Engine`."""
        groups = self._shards[stream.name, shard].groups
        return {group: groups[group].mark.position for group in stream.groups}

    async def read(self, stream: Stream, shard: int, start: int, count: int) -> Sequence[Message]:
        """See `Engine`."""
        held = self._shards[stream.name, shard]
        if start < held.oldest:
            raise gone(stream.name, shard, start, held.oldest)
        first = start - held.oldest
        return list(islice(held.log, first, first + count))

    async def trim(self, stream: Stream, shard: int) -> int:
        """See `Engine`."""
        held = self._shards[stream.name, shard]
        self._trim(stream, held, (await self.positions(stream, shard)).values())
        return held.oldest

    async def bury(self, letter: DeadLetter) -> None:
        """See `Engine`."""
        self._letters.setdefault((letter.stream, letter.group), {})[letter.letter_id] = letter

    async def letters(self, stream: Stream, group: str) -> list[DeadLetter]:
        """See `Engine`."""
        kept = self._letters.get((stream.name, group), {})
        return sorted(kept.values(), key=lambda letter: (letter.shard, letter.position))

    async def unbury(self, letter: DeadLetter) -> None:
        """See `Engine`."""
        self._letters.get((letter.stream, letter.group), {}).pop(letter.letter_id, None)

    def membership(self, stream: Stream, group: str, consumer: str) -> Leases:
        """See `Engine`."""
        return Leases(self, stream, group, consumer, self._lease_ms)

    async def beat(self, stream: Stream, group: str, owner: str, lease_ms: int) -> list[str]:
        """See `LeaseStore`."""
        now = self._now_ms()
        members = self._members.setdefault((stream.name, group), {})
        members[owner] = now + lease_ms
        for name in [name for name, until in members.items() if until <= now]:
            del members[name]
        return sorted(members)

    async def depart(self, stream: Stream, group: str, owner: str) -> None:
        """See `LeaseStore`."""
        self._members.get((stream.name, group), {}).pop(owner, None)

    async def claim(self, stream: Stream, group: str, shard: int, owner: str, lease_ms: int) -> Mark | None:
        """See `LeaseStore`."""
        lease, now = self._shards[stream.name, shard].groups.setdefault(group, _Group()), self._now_ms()
        if lease.owner and lease.owner != owner and lease.until_ms > now:
            return None
        found = lease.mark
        lease.owner, lease.until_ms = owner, now + lease_ms
        lease.mark = Mark(found.position, found.attempts, False)
        return found

    async def renew(self, stream: Stream, group: str, shards: Iterable[int], owner: str, lease_ms: int) -> set[int]:
        """See `LeaseStore`."""
        mine = set()
        for shard in shards:
            lease = self._shards[stream.name, shard].groups[group]
            if lease.owner == owner:
                lease.until_ms = self._now_ms() + lease_ms
                mine.add(shard)
        return mine

    async def commit(self, stream: Stream, group: str, marks: Mapping[int, Mark], owner: str, free: bool) -> set[int]:
        """See `LeaseStore`."""
        lost = set()
        for shard, mark in marks.items():
            lease = self._shards[stream.name, shard].groups[group]
            if lease.owner != owner:
                lost.add(shard)
                continue
            lease.mark = mark
            if free:
                lease.owner = ""
        return lost

    async def wait_read(self, stream: Stream, shard: int, start: int, count: int, wait_s: float) -> Sequence[Message]:
        """See `LeaseStore`."""
        held = self._shards[stream.name, shard]
        if start >= held.end:
            held.grown.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await held.grown.wait()
            except TimeoutError:
                return ()
        return await self.read(stream, shard, max(start, held.oldest), count)

    @staticmethod
    def _trim(stream: Stream, held: _Shard, positions: Iterable[int]) -> None:
        below = removable(stream, held.oldest, held.end, positions)
        while held.oldest < below:
            held.log.popleft()
            held.oldest += 1


def memory(address: str, lease_ms: int) -> Memory:
    """The engine of ``memory://``. Raises FeedError when the address names anything else."""
    if address != "memory://":
        raise FeedError("bad_bus_url", "the bus in memory has no address: write memory://")
    return Memory(lease_ms)
