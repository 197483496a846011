"""A recording as a live feed: every fragment at its own time, in real time or faster."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import orjson

from ingest.events import FeedError
from ingest.feed import FeedHeader, FeedMessage, read_feed
from ingest.net.arrival import Arrival, ArrivalKind

BEAT_MS = 5_000
"""In a quiet stretch the feed says so often that it is alive (data time)."""


class ReplaySource:
    """See `arrival.Source`. ``header.info`` tells who plays, as `Adapter.info` takes it.

    Arrivals are stamped by the clock that runs now, not by the recording's. Fragments of the same millisecond come
    in one arrival. Nothing is skipped when the consumer is slow: the rest comes at once.
    """

    def __init__(
        self,
        header: FeedHeader,
        messages: Sequence[FeedMessage],
        now_ms: Callable[[], int],
        speed: float = 1.0,
        from_ms: int = 0,
    ) -> None:
        """``speed`` 2: twice as fast, 0: without waiting; what came before ``from_ms`` (data time) comes at once."""
        if not 0 <= speed <= 100_000:
            raise FeedError("bad_speed", f"a replay cannot run at speed {speed:g}: give 0 (at once) to 100000")
        self.header = header
        self._messages = messages
        self._now_ms = now_ms
        self._speed = speed
        self._from_ms = from_ms
        self._closed = asyncio.Event()

    @staticmethod
    def open(path: Path, now_ms: Callable[[], int], speed: float = 1.0, from_ms: int = 0) -> ReplaySource:
        """A feed file (``feed.jsonl`` of a run). Raises FeedError naming the line that is wrong."""
        header, messages = read_feed(path)
        if any(after.at_ms < before.at_ms for before, after in itertools.pairwise(messages)):
            raise FeedError("clock_runs_back", f"{path}: messages are not in order of arrival: the file was changed")
        return ReplaySource(header, messages, now_ms, speed, from_ms)

    def forget(self) -> None:
        """Nothing to do: a recording brings no documents."""

    async def close(self) -> None:
        """Stop. Idempotent."""
        self._closed.set()

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        loop = asyncio.get_running_loop()
        origin_s, told_ms = loop.time(), self._from_ms
        for at_ms, group in itertools.groupby(self._messages, key=lambda message: message.at_ms):
            body = b"".join(orjson.dumps(message.doc) + b"\n" for message in group)
            while self._speed and at_ms - told_ms > BEAT_MS:
                told_ms += BEAT_MS
                if await self._until(origin_s, told_ms):
                    return
                yield Arrival(self._now_ms(), ArrivalKind.HEARTBEAT)
            if await self._until(origin_s, at_ms):
                return
            told_ms = max(told_ms, at_ms)
            yield Arrival(self._now_ms(), ArrivalKind.FRAGMENTS, body)

    async def _until(self, origin_s: float, data_ms: int) -> bool:
        """Wait until it is ``data_ms`` in the recording; whether the source was closed."""
        if self._speed and data_ms > self._from_ms:
            due_s = origin_s + (data_ms - self._from_ms) / 1000 / self._speed
            try:
                async with asyncio.timeout_at(due_s):
                    await self._closed.wait()
            except TimeoutError:
                pass
        elif not self._speed:
            await asyncio.sleep(0)
        return self._closed.is_set()
