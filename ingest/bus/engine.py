"""What an engine has to offer: an append-only log per shard, groups that share the shards, and a place for the dead.

Positions are dense or nearly so and grow within a shard. Every call raises FeedError ``bus_down`` when the engine does
not answer; the shells above try again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ingest.bus.model import DeadLetter, Entry, Mark, Message, Stream


class Owner(Protocol):
    """A subscription as its membership sees it."""

    def gain(self, marks: Mapping[int, Mark]) -> None:
        """These shards are ours now, to be read from these marks."""
        ...

    def lose(self, shards: Iterable[int]) -> None:
        """These shards are somebody else's already: forget what is unfinished."""
        ...

    async def drain(self, shards: Iterable[int], wait_s: float) -> dict[int, Mark]:
        """Hand nothing more out of these shards, wait for what is unfinished, forget them; the marks to leave."""
        ...


class Membership(Protocol):
    """One consumer's place in a group: which shards are its own, and how far the group is in them."""

    async def join(self, owner: Owner) -> None:
        """Take part; shards come and go by calls to ``owner`` until `leave`. Raises FeedError ``bus_down``."""
        ...

    async def leave(self) -> None:
        """Hand all shards over and go. Never raises for an engine that is down."""
        ...

    async def read(self, shard: int, start: int, count: int, wait_s: float) -> Sequence[Message]:
        """Up to ``count`` messages from ``start`` on; waits up to ``wait_s`` for the first, then returns none."""
        ...

    async def commit(self, marks: Mapping[int, Mark]) -> set[int]:
        """Store the marks of shards that are ours; returns those that are not ours any more."""
        ...


class Engine(Protocol):
    """Memory, Valkey or Kafka."""

    name: str

    async def open(self, streams: Iterable[Stream]) -> None:
        """Connect and create what is missing. Raises FeedError ``other_shards`` for a stream of another shape."""
        ...

    async def close(self) -> None:
        """Disconnect. Never raises for an engine that is down."""
        ...

    async def append(self, stream: Stream, shard: int, entries: Sequence[Entry], ticket: int) -> int:
        """Append as many leading entries as there is room for; returns how many.

        A repeated ``ticket`` of this engine object and shard is the same call again after an answer that got lost.
        """
        ...

    async def bounds(self, stream: Stream, shard: int) -> tuple[int, int]:
        """The oldest position kept and the next one to be given."""
        ...

    async def positions(self, stream: Stream, shard: int) -> dict[str, int]:
        """How far each of the stream's groups is: the next position it has to do."""
        ...

    async def read(self, stream: Stream, shard: int, start: int, count: int) -> Sequence[Message]:
        """Up to ``count`` messages from ``start`` on, none at the end. Raises FeedError ``position_gone``."""
        ...

    async def trim(self, stream: Stream, shard: int) -> int:
        """Remove what the rules of the stream allow; returns the oldest position left."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Keep a dead letter, once per ``letter_id``."""
        ...

    async def letters(self, stream: Stream, group: str) -> list[DeadLetter]:
        """All dead letters of a group, by shard and position."""
        ...

    async def unbury(self, letter: DeadLetter) -> None:
        """Forget a dead letter."""
        ...

    def membership(self, stream: Stream, group: str, consumer: str) -> Membership:
        """A place in a group, not yet taken."""
        ...


def removable(stream: Stream, oldest: int, end: int, positions: Iterable[int]) -> int:
    """The position below which a shard may be trimmed: done by every group and outside the last ``keep``."""
    return max(oldest, min([end - stream.keep, *positions]))


def room(stream: Stream, end: int, positions: Iterable[int]) -> int:
    """How many more messages a shard takes before publishers have to wait for its slowest group."""
    return max(0, stream.backlog - (end - min(positions, default=end)))
