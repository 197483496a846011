"""What travels on the bus and what a stream is."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec
import xxhash

from ingest.events import FeedError

MAX_VALUE_BYTES = 512 * 1024
"""A canonical event takes about 400 bytes. Kafka's own limit for a batch is 1 MiB."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


class Message(msgspec.Struct, frozen=True):
    """One message as a consumer sees it. ``position`` grows within its shard; ``attempt`` counts from 1.

    ``to`` names the only group it is for (a dead letter sent again), empty for all.
    """

    stream: str
    shard: int
    position: int
    key: str
    value: bytes
    to: str = ""
    attempt: int = 1


class Entry(msgspec.Struct, frozen=True):
    """One message as it is published."""

    key: str
    value: bytes
    to: str = ""


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that a group gave up on: its place, its bytes as they came, and why. ``at_ms`` is unix time."""

    group: str
    stream: str
    shard: int
    position: int
    key: str
    value: bytes
    attempts: int
    reason: str
    at_ms: int

    @property
    def letter_id(self) -> str:
        """Its name within the stream and group."""
        return f"{self.shard}-{self.position}"


class Mark(msgspec.Struct, frozen=True):
    """How far a group is in a shard: everything below ``position`` is done.

    ``attempts`` counts deliveries of the message at ``position`` that were begun and not acknowledged, ``clean``
    tells whether the last owner handed the shard over with nothing unfinished.
    """

    position: int
    attempts: int = 0
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and its rules, the same in every process that opens it. Sizes count messages of one shard.

    ``groups`` are those whose reading holds back publishers and retention: a group that is named and never started
    stops the stream once ``backlog`` is full, rather than losing its messages.
    """

    name: str
    groups: tuple[str, ...] = ()
    shards: int = 4  # fixed for the life of the stream: a key would change its shard
    backlog: int = 20_000
    keep: int = 50_000
    batch: int = 500
    attempts: int = 3
    retry_ms: int = 100  # pause before a second attempt; doubles with each further one

    def __post_init__(self) -> None:
        for name in (self.name, *self.groups):
            check_name(name)
        if min(self.shards, self.backlog, self.batch, self.attempts) < 1 or min(self.keep, self.retry_ms) < 0:
            raise FeedError("bad_stream", f"stream '{self.name}' has a size below 1: give positive sizes")

    def of(self, key: str) -> int:
        """The shard of ``key``."""
        return shard_of(key, self.shards)


def check_name(name: str) -> None:
    """Names become parts of keys and topics. Raises FeedError ``bad_stream``."""
    if not _NAME.fullmatch(name):
        raise FeedError("bad_stream", f"'{name[:60]}' names no stream, group or consumer: use a-z, 0-9 and '-'")


def shard_of(key: str, shards: int) -> int:
    """The shard of ``key`` among ``shards``: the same on every engine, machine and release."""
    return xxhash.xxh3_64_intdigest(key.encode()) % shards


def down(engine: str, error: BaseException) -> FeedError:
    """The engine does not answer. The text never holds the address, which may hold a password."""
    return FeedError("bus_down", f"{engine} does not answer ({type(error).__name__}): start it or check the address")


def gone(stream: str, shard: int, start: int, oldest: int) -> FeedError:
    """A replay from before what is kept."""
    return FeedError(
        "position_gone",
        f"stream '{stream}' shard {shard} keeps no message {start}: its oldest is {oldest}, take the rest from history",
    )
