"""The bus on Valkey (or Redis): one stream per shard, groups as leases and marks.

Consumer groups of the server (XREADGROUP, XAUTOCLAIM) are not used: they spread the entries of one stream over all
consumers and give an old entry to another consumer after newer ones were processed, which breaks the order of a key.

An acknowledged publish is in the append-only file of the server before the answer: it survives the death of the
server; a machine that loses power loses what `appendfsync` allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import struct
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, RedisError, ResponseError, TimeoutError

from ingest.bus import valkey_scripts as scripts
from ingest.bus.engine import removable
from ingest.bus.leases import Leases
from ingest.bus.model import DeadLetter, Entry, Mark, Message, Stream, down, gone
from ingest.events import FeedError

FIRST = 1
"""Positions begin here: the server refuses the id 0-0."""
SOCKET_TIMEOUT_S = 10.0
FEW = 16
"""So many messages come by the command that waits for them, in one trip."""
_LENGTHS = struct.Struct("<III")
_HEADER = struct.Struct("<QIII")
_DOWN = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OSError)


class Valkey:
    """The engine. ``url`` as the client takes it, with user, password and database; never shown in an error."""

    name = "valkey"

    def __init__(self, url: str, lease_ms: int) -> None:
        scheme, _, rest = url.partition("://")
        self._url = f"{scheme.replace('valkey', 'redis')}://{rest}"
        self._lease_ms = lease_ms
        self._producer = secrets.token_hex(8)
        self._redis: Redis
        self._scripts: dict[str, Any] = {}

    async def open(self, streams: Iterable[Stream]) -> None:
        """See `Engine`."""
        streams = list(streams)
        try:
            pool = BlockingConnectionPool.from_url(
                self._url,
                max_connections=64,
                timeout=SOCKET_TIMEOUT_S,
                socket_timeout=SOCKET_TIMEOUT_S,
                socket_connect_timeout=SOCKET_TIMEOUT_S,
                # The client would send a script again whose answer got lost; what may be repeated is ours to know.
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                retry_on_error=[],
            )
        except ValueError:
            raise FeedError(
                "bad_bus_url", "not an address of Valkey: write valkey://[user:password@]host:port/0"
            ) from None
        self._redis = Redis(connection_pool=pool)
        self._scripts = {
            name: self._redis.register_script(getattr(scripts, name))
            for name in ("APPEND", "READ", "CLAIM", "RENEW", "COMMIT", "BEAT")
        }
        async with _calls():
            for stream in streams:
                key = f"futstar:bus:{stream.name}:shards"
                await self._redis.set(key, stream.shards, nx=True)
                stored = int(await self._redis.get(key) or 0)
                if stored != stream.shards:
                    raise FeedError(
                        "other_shards",
                        f"stream '{stream.name}' has {stored} shards, not {stream.shards}: open it with {stored}",
                    )
                for shard in range(stream.shards):
                    for group in stream.groups:  # a group that begins later must hold back retention from now on
                        await self._redis.hsetnx(self._group(stream, shard, group), "position", str(FIRST))

    async def close(self) -> None:
        """See `Engine`."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose(close_connection_pool=True)

    async def append(self, stream: Stream, shard: int, entries: Sequence[Entry], ticket: int) -> int:
        """See `Engine`."""
        keys = [self._log(stream, shard), f"{self._base(stream, shard)}:ticket:{self._producer}"]
        keys += [self._group(stream, shard, group) for group in stream.groups]
        parts: list[bytes] = []
        for entry in entries:
            key, to = entry.key.encode(), entry.to.encode()
            parts += (_LENGTHS.pack(len(key), len(entry.value), len(to)), key, entry.value, to)
        args = [ticket, stream.backlog, stream.keep, len(entries), b"".join(parts)]
        async with _calls():
            return int(await self._scripts["APPEND"](keys=keys, args=args))

    async def bounds(self, stream: Stream, shard: int) -> tuple[int, int]:
        """See `Engine`."""
        async with _calls():
            try:
                info = await self._redis.xinfo_stream(self._log(stream, shard))
            except ResponseError:  # nothing was published yet
                return FIRST, FIRST
            end = _position(info["last-generated-id"]) + 1
            first = info["first-entry"]
            return (_position(first[0]) if first else end), end

    async def positions(self, stream: Stream, shard: int) -> dict[str, int]:
        """See `Engine`."""
        async with _calls():
            return {
                group: int(await self._redis.hget(self._group(stream, shard, group), "position") or FIRST)
                for group in stream.groups
            }

    async def read(self, stream: Stream, shard: int, start: int, count: int) -> Sequence[Message]:
        """See `Engine`."""
        oldest, _ = await self.bounds(stream, shard)
        if start < oldest:
            raise gone(stream.name, shard, start, oldest)
        return await self._read(stream, shard, start, count)

    async def wait_read(self, stream: Stream, shard: int, start: int, count: int, wait_s: float) -> Sequence[Message]:
        """See `LeaseStore`."""
        log, few = self._log(stream, shard), min(FEW, count)
        after: dict[Any, Any] = {log: f"0-{max(0, start - 1)}"}
        async with _calls():
            found: Any = await self._redis.xread(after, count=few, block=int(wait_s * 1000))
        if not found:
            return ()
        messages = [
            Message(stream.name, shard, _position(at), row[b"k"].decode(), row[b"v"], row.get(b"t", b"").decode())
            for at, row in found[0][1]
        ]
        if len(messages) == few < count:  # there are more: a script brings them ten times faster
            messages += await self._read(stream, shard, messages[-1].position + 1, count - few)
        return messages

    async def _read(self, stream: Stream, shard: int, start: int, count: int) -> list[Message]:
        async with _calls():
            packed = await self._scripts["READ"](keys=[self._log(stream, shard)], args=[start, count])
        return _messages(stream, shard, packed)

    async def trim(self, stream: Stream, shard: int) -> int:
        """See `Engine`."""
        positions = await self.positions(stream, shard)
        oldest, end = await self.bounds(stream, shard)
        below = removable(stream, oldest, end, positions.values())
        async with _calls():
            await self._redis.xtrim(self._log(stream, shard), minid=f"0-{below}", approximate=False)
        return below

    async def bury(self, letter: DeadLetter) -> None:
        """See `Engine`."""
        async with _calls():
            await self._redis.hset(
                _graveyard(letter.stream, letter.group), letter.letter_id, msgspec.json.encode(letter)
            )

    async def letters(self, stream: Stream, group: str) -> list[DeadLetter]:
        """See `Engine`."""
        async with _calls():
            kept = await self._redis.hvals(_graveyard(stream.name, group))
        letters = [msgspec.json.decode(one, type=DeadLetter) for one in kept]
        return sorted(letters, key=lambda letter: (letter.shard, letter.position))

    async def unbury(self, letter: DeadLetter) -> None:
        """See `Engine`."""
        async with _calls():
            await self._redis.hdel(_graveyard(letter.stream, letter.group), letter.letter_id)

    def membership(self, stream: Stream, group: str, consumer: str) -> Leases:
        """See `Engine`."""
        return Leases(self, stream, group, consumer, self._lease_ms)

    async def beat(self, stream: Stream, group: str, owner: str, lease_ms: int) -> list[str]:
        """See `LeaseStore`."""
        async with _calls():
            names = await self._scripts["BEAT"](keys=[_members(stream, group)], args=[owner, lease_ms])
        return sorted(name.decode() for name in names)

    async def depart(self, stream: Stream, group: str, owner: str) -> None:
        """See `LeaseStore`."""
        async with _calls():
            await self._redis.zrem(_members(stream, group), owner)

    async def claim(self, stream: Stream, group: str, shard: int, owner: str, lease_ms: int) -> Mark | None:
        """See `LeaseStore`."""
        async with _calls():
            found = await self._scripts["CLAIM"](keys=[self._group(stream, shard, group)], args=[owner, lease_ms])
        return Mark(int(found[0]), int(found[1]), found[2] == b"1") if found else None

    async def renew(self, stream: Stream, group: str, shards: Iterable[int], owner: str, lease_ms: int) -> set[int]:
        """See `LeaseStore`."""
        asked = list(shards)
        async with _calls(), self._redis.pipeline(transaction=False) as pipe:
            for shard in asked:
                key = self._group(stream, shard, group)
                await self._scripts["RENEW"](keys=[key], args=[owner, lease_ms], client=pipe)
            answers = await pipe.execute()
        return {shard for shard, answer in zip(asked, answers, strict=True) if answer}

    async def commit(self, stream: Stream, group: str, marks: Mapping[int, Mark], owner: str, free: bool) -> set[int]:
        """See `LeaseStore`."""
        if not marks:
            return set()
        async with _calls(), self._redis.pipeline(transaction=False) as pipe:
            for shard, mark in marks.items():
                args = [owner, mark.position, mark.attempts, int(mark.clean), int(free)]
                await self._scripts["COMMIT"](keys=[self._group(stream, shard, group)], args=args, client=pipe)
            answers = await pipe.execute()
        return {shard for shard, answer in zip(marks, answers, strict=True) if not answer}

    @staticmethod
    def _base(stream: Stream, shard: int) -> str:
        return f"futstar:bus:{{{stream.name}.{shard}}}"

    def _log(self, stream: Stream, shard: int) -> str:
        return f"{self._base(stream, shard)}:log"

    def _group(self, stream: Stream, shard: int, group: str) -> str:
        return f"{self._base(stream, shard)}:group:{group}"


def _members(stream: Stream, group: str) -> str:
    return f"futstar:bus:{stream.name}:members:{group}"


def _graveyard(stream: str, group: str) -> str:
    return f"futstar:bus:{stream}:dead:{group}"


def _position(entry_id: bytes) -> int:
    return int(entry_id[2:])


def _messages(stream: Stream, shard: int, packed: bytes) -> list[Message]:
    """The entries of `scripts.READ`."""
    name, at, found = stream.name, 0, []
    while at < len(packed):
        position, key, value, to = _HEADER.unpack_from(packed, at)
        at += _HEADER.size
        begin, middle, end = at + key, at + key + value, at + key + value + to
        found.append(
            Message(name, shard, position, packed[at:begin].decode(), packed[begin:middle], packed[middle:end].decode())
        )
        at = end
    return found


@asynccontextmanager
async def _calls() -> AsyncIterator[None]:
    """Turns what the client raises into one sentence without the address."""
    try:
        yield
    except _DOWN as error:
        raise down("Valkey", error) from None
    except asyncio.CancelledError:
        raise
    except RedisError as error:
        raise FeedError("bus_refused", f"Valkey refused a command ({type(error).__name__}: {error})"[:300]) from None
