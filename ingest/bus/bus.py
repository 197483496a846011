"""`Bus`: what programs use, the same over every engine."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType

from ingest.bus.engine import Engine
from ingest.bus.model import MAX_VALUE_BYTES, DeadLetter, Entry, Message, Stream, check_name
from ingest.bus.subscription import Subscription
from ingest.bus.tasks import end
from ingest.events import FeedError

PAUSE_S = (0.002, 0.05)
"""Shortest and longest pause of a publisher that waits for room."""


class _Lane:
    """The way into one shard: what is published while an append is under way goes together with the next one."""

    def __init__(self, engine: Engine, stream: Stream, shard: int, patience_s: float) -> None:
        self._engine, self._stream, self._shard, self._patience_s = engine, stream, shard, patience_s
        self._waiting: deque[tuple[Sequence[Entry], asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._ticket = 0

    def put(self, entries: Sequence[Entry]) -> asyncio.Future[None]:
        """Queue entries; the future ends when the engine has them."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return future

    async def close(self) -> None:
        """Give up what waits."""
        if self._task is not None:
            await end(self._task)

    async def _drain(self) -> None:
        taken: list[tuple[Sequence[Entry], asyncio.Future[None]]] = []
        try:
            while self._waiting:
                taken, size = [], 0
                while self._waiting and (not taken or size + len(self._waiting[0][0]) <= self._stream.batch):
                    taken.append(self._waiting.popleft())
                    size += len(taken[-1][0])
                entries = taken[0][0] if len(taken) == 1 else [entry for some, _ in taken for entry in some]
                try:
                    await self._append(entries)
                except FeedError as error:
                    for _, future in taken:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for _, future in taken:
                    if not future.done():
                        future.set_result(None)
        finally:
            for _, future in (*taken, *self._waiting):
                future.cancel()

    async def _append(self, entries: Sequence[Entry]) -> None:
        """Append all, waiting for room without end and for the engine as long as is the patience."""
        pause_s = PAUSE_S[0]
        give_up = asyncio.get_running_loop().time() + self._patience_s
        batch = self._stream.batch
        at = 0
        while at < len(entries):
            part = entries if len(entries) <= batch and not at else entries[at : at + batch]
            try:
                done = await self._engine.append(self._stream, self._shard, part, self._ticket)
            except FeedError as error:
                if error.code != "bus_down" or asyncio.get_running_loop().time() > give_up:
                    self._ticket += 1
                    raise
                await asyncio.sleep(PAUSE_S[1])
                continue
            self._ticket += 1
            at += done
            give_up = asyncio.get_running_loop().time() + self._patience_s
            if done:
                pause_s = PAUSE_S[0]
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(PAUSE_S[1], pause_s * 2)


class Bus:
    """Open it by `open_bus`. ``patience_s`` is how long a publisher waits for an engine that does not answer."""

    def __init__(
        self,
        engine: Engine,
        streams: Iterable[Stream],
        *,
        patience_s: float = 30.0,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._engine = engine
        self._streams = {stream.name: stream for stream in streams}
        self._patience_s = patience_s
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._lanes: dict[tuple[str, int], _Lane] = {}

    async def __aenter__(self) -> Bus:
        await self._engine.open(self._streams.values())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect. Publishes that have not returned may or may not have happened."""
        for lane in self._lanes.values():
            await lane.close()
        await self._engine.close()

    @property
    def engine(self) -> str:
        """The engine's name."""
        return self._engine.name

    def stream(self, name: str) -> Stream:
        """The stream's rules. Raises FeedError ``unknown_stream``."""
        found = self._streams.get(name)
        if found is None:
            known = ", ".join(sorted(self._streams)) or "none"
            raise FeedError("unknown_stream", f"stream '{name[:60]}' was not opened: this bus has {known}")
        return found

    async def publish(self, stream: str, key: str, value: bytes) -> None:
        """Publish one message; returns when the engine has it.

        Waits while the slowest group is too far behind. Raises FeedError ``bus_down`` when the engine does not answer
        for ``patience_s`` (the message may be there or not: publish it again), ``too_large``, ``unknown_stream``.
        """
        await self.publish_many(stream, ((key, value),))

    async def publish_many(self, stream: str, items: Iterable[tuple[str, bytes]]) -> None:
        """Publish messages, in order for each key; returns when the engine has all. Raises like `publish`."""
        await self._put(self.stream(stream), [Entry(key, value) for key, value in items])

    def consume(self, stream: str, group: str, consumer: str) -> Subscription:
        """A consumer of ``group``; enter it to begin. A new group begins with the oldest message kept."""
        rules = self.stream(stream)
        check_name(consumer)
        if group not in rules.groups:
            known = ", ".join(rules.groups) or "none"
            raise FeedError("unknown_group", f"stream '{stream}' has no group '{group[:60]}': it has {known}")
        return Subscription(self._engine, rules, group, consumer, self._now_ms)

    async def replay(
        self, stream: str, *, key: str | None = None, shard: int | None = None, start: int | None = None
    ) -> AsyncIterator[Message]:
        """The messages of a key or of a shard from position ``start`` (the oldest) to the end as it is now.

        Raises FeedError ``position_gone`` when ``start`` is not kept any more.
        """
        rules = self.stream(stream)
        if (key is None) == (shard is None):
            raise FeedError("bad_replay", "a replay takes a key or a shard: name one of them")
        of = rules.of(key) if key is not None else shard
        assert of is not None
        oldest, end = await self._engine.bounds(rules, of)
        at = oldest if start is None else start
        while at < end:
            messages = await self._engine.read(rules, of, at, rules.batch)
            if not messages:
                return
            for message in messages:
                if message.position < end and (key is None or message.key == key):
                    yield message
            at = messages[-1].position + 1

    async def bounds(self, stream: str, shard: int) -> tuple[int, int]:
        """The oldest position kept in a shard, and the next one to be given."""
        return await self._engine.bounds(self.stream(stream), shard)

    async def lag(self, stream: str) -> dict[str, list[int]]:
        """For each group, how many messages it has still to do in each shard."""
        rules = self.stream(stream)
        lags: dict[str, list[int]] = {group: [] for group in rules.groups}
        for shard in range(rules.shards):
            _, end = await self._engine.bounds(rules, shard)
            positions = await self._engine.positions(rules, shard)
            for group, behind in lags.items():
                behind.append(max(0, end - positions[group]))
        return lags

    async def trim(self, stream: str) -> list[int]:
        """Remove at once what `Stream.keep` and the slowest group allow; returns the oldest position of each shard.

        Publishing trims by itself; this is for a stream that has gone quiet.
        """
        rules = self.stream(stream)
        return [await self._engine.trim(rules, shard) for shard in range(rules.shards)]

    async def dead_letters(self, stream: str, group: str) -> list[DeadLetter]:
        """What ``group`` gave up on, by shard and position."""
        return await self._engine.letters(self.stream(stream), group)

    async def redrive(self, stream: str, letter: DeadLetter) -> None:
        """Publish a dead letter again, for its group alone, and forget it.

        It comes after all that was published meanwhile. A crash in the middle sends it twice, never loses it.
        """
        rules = self.stream(stream)
        await self._put(rules, [Entry(letter.key, letter.value, letter.group)])
        await self._engine.unbury(letter)

    async def discard(self, letter: DeadLetter) -> None:
        """Forget a dead letter for good."""
        await self._engine.unbury(letter)

    async def _put(self, stream: Stream, entries: Sequence[Entry]) -> None:
        by_shard: dict[int, list[Entry]] = {}
        for entry in entries:
            if len(entry.value) > MAX_VALUE_BYTES:
                raise FeedError(
                    "too_large",
                    f"a message of {len(entry.value)} bytes is over the limit of {MAX_VALUE_BYTES}: split it",
                )
            by_shard.setdefault(stream.of(entry.key), []).append(entry)
        futures = [self._lane(stream, shard).put(some) for shard, some in by_shard.items()]
        if len(futures) == 1:
            await futures[0]
        elif futures:
            await asyncio.gather(*futures)

    def _lane(self, stream: Stream, shard: int) -> _Lane:
        lane = self._lanes.get((stream.name, shard))
        if lane is None:
            lane = self._lanes[stream.name, shard] = _Lane(self._engine, stream, shard, self._patience_s)
        return lane
