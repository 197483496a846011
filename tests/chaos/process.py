"""Processes that can be killed: what they had in memory is gone, what they had on disk or on the bus stays."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from enum import Enum
from typing import Any

import orjson

from ingest.bus import Bus, Message, Stream
from ingest.bus.memory import Memory
from ingest.feed import FeedHeader, FeedMessage
from ingest.service import RAW, read_journal

_process: contextvars.ContextVar[int] = contextvars.ContextVar("process", default=0)


class Killed(BaseException):
    """The process died here."""


class End(Enum):
    """How a process ended."""

    DONE = "done"
    DIED = "died"  # at a point where it may
    KILLED = "killed"  # from outside, wherever it was


class Engine(Memory):
    """The bus's memory as a server beside the processes: opening it a second time does not empty it."""

    async def open(self, streams: Iterable[Stream]) -> None:
        """Only the first opening makes the streams."""
        if not self._shards:
            await super().open(streams)


class Kernel:
    """Starts processes and kills them with every task they made, without letting them say goodbye."""

    def __init__(self) -> None:
        self._tasks: dict[int, set[asyncio.Task[Any]]] = {}
        self._next = 1
        asyncio.get_running_loop().set_task_factory(self._made)

    def _made(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
        of = self._tasks.get(_process.get())
        if of is not None:
            of.add(task)
            task.add_done_callback(of.discard)
        return task

    async def run(self, body: Callable[[], Awaitable[None]], life_s: float | None) -> End:
        """Run a process for at most ``life_s``. Raises what it raises, but `Killed`."""
        number, self._next = self._next, self._next + 1
        self._tasks[number] = set()

        context = contextvars.copy_context()
        context.run(_process.set, number)
        task = asyncio.get_running_loop().create_task(_caught(body()), context=context)
        await asyncio.wait((task,), timeout=life_s)
        by_itself = task.done()
        left = [*self._tasks.pop(number), task]
        for other in left:
            other.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if task.cancelled() or not by_itself:
            return End.KILLED
        error = task.result()
        if error is not None and not isinstance(error, Killed):
            raise error
        return End.DIED if error else End.DONE


async def _caught(body: Awaitable[None]) -> BaseException | None:
    """asyncio lets a BaseException out of the loop: it is carried out as a value."""
    try:
        await body
    except (Killed, Exception) as error:
        return error
    return None


class Crashes:
    """When processes die, from a seed. Every death is counted by its kind."""

    def __init__(self, rng: random.Random, probability: float, until: Callable[[], bool]) -> None:
        self._rng = rng
        self._probability = probability
        self._until = until
        self.counts: Counter[str] = Counter()

    def here(self, kind: str) -> bool:
        """Whether the process dies at this point; then it is counted."""
        if self._until() or self._rng.random() >= self._probability:
            return False
        self.counts[kind] += 1
        return True

    def life_s(self, mean_s: float) -> float | None:
        """How long a process lives unless it dies by itself; None: for ever, once all is calm."""
        return None if self._until() else 20.0 + self._rng.expovariate(1 / mean_s)


class Disk:
    """A journal that outlives its process. A death inside `append` leaves any part of what was being written."""

    def __init__(self, crashes: Crashes, rng: random.Random) -> None:
        self.data = bytearray()
        self._crashes = crashes
        self._rng = rng

    def append(self, lines: Iterable[bytes]) -> None:
        """See `ingest.service.Lines`."""
        batch = b"".join(lines)
        if self._crashes.here("publisher died writing its journal"):
            self.data += batch[: self._rng.randrange(len(batch))]
            raise Killed
        self.data += batch

    def read(self) -> tuple[FeedHeader, list[FeedMessage]] | None:
        """What a new process finds: whole lines; a torn last one is cut off."""
        end = self.data.rfind(b"\n") + 1
        del self.data[end:]
        return read_journal(bytes(self.data), "the disk")


class Out:
    """The publisher's way to the bus, on which it may die before, between and after what the bus then has.

    ``fragments`` are the names of the raw fragments that the bus has, of all lives.
    """

    def __init__(self, bus: Bus, crashes: Crashes, fragments: set[str]) -> None:
        self._bus = bus
        self._crashes = crashes
        self._fragments = fragments

    def replay(self, stream: str, *, key: str | None = None) -> AsyncIterator[Message]:
        """See `ingest.service.Out`."""
        return self._bus.replay(stream, key=key)

    async def publish_many(self, stream: str, items: Iterable[tuple[str, bytes]]) -> None:
        """See `ingest.service.Out`."""
        batch: Sequence[tuple[str, bytes]] = list(items)
        if self._crashes.here("publisher died before publishing"):
            raise Killed
        if len(batch) > 1 and self._crashes.here("publisher died between two messages"):
            await self._put(stream, batch[: len(batch) // 2])
            raise Killed
        await self._put(stream, batch)
        if self._crashes.here("publisher died after publishing"):
            raise Killed

    async def _put(self, stream: str, batch: Sequence[tuple[str, bytes]]) -> None:
        await self._bus.publish_many(stream, batch)
        if stream == RAW:
            self._fragments.update(orjson.loads(value)["raw"] for _, value in batch)
