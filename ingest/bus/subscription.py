"""One consumer of a group: batches in, acknowledgements out. The shell around `Cursor`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any

from ingest.bus.cursor import Bury, Cursor
from ingest.bus.engine import Engine, Membership
from ingest.bus.model import DeadLetter, Mark, Message, Stream
from ingest.bus.tasks import end
from ingest.events import FeedError

READ_WAIT_S = 1.0
DOWN_PAUSE_S = 0.2
MAX_RETRY_S = 5.0


class _Shard:
    """A shard of ours: its cursor and the task that reads ahead."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.hungry = asyncio.Event()
        self.hungry.set()
        self.idle = asyncio.Event()  # no batch is out
        self.idle.set()
        self.draining = False
        self.resume_at = 0.0
        self.task: asyncio.Task[None] | None = None


class Subscription:
    """Enter it, iterate over its batches, settle each message by `ack` or `fail`.

    A batch holds messages of one shard in order. The next batch of that shard comes when this one is settled;
    meanwhile other shards go on, so several batches may be worked on at once.
    """

    def __init__(self, engine: Engine, stream: Stream, group: str, consumer: str, now_ms: Callable[[], int]) -> None:
        self._engine, self._stream, self._group, self._now_ms = engine, stream, group, now_ms
        self._membership: Membership = engine.membership(stream, group, consumer)
        self._shards: dict[int, _Shard] = {}
        self._turns: deque[int] = deque()  # shards that may have something to hand out
        self._wake = asyncio.Event()
        self._unstored: dict[int, Mark] = {}
        self._store_wake = asyncio.Event()
        self._storing = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()  # tasks to be gone when this is left

    async def __aenter__(self) -> Subscription:
        self._begin(self._keep_storing())
        try:
            await self._membership.join(self)
        except BaseException:
            await end(*self._ending)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._membership.leave()
        self.lose(list(self._shards))
        await end(*self._ending)

    def __aiter__(self) -> Subscription:
        return self

    @property
    def shards(self) -> set[int]:
        """The shards that are this consumer's now."""
        return set(self._shards)

    async def __anext__(self) -> tuple[Message, ...]:
        """The next batch; waits for it."""
        while True:
            self._wake.clear()
            for _ in range(len(self._turns)):
                shard = self._turns.popleft()
                batch = await self._next_of(shard)
                if batch:
                    return batch
            await self._wake.wait()

    def ack(self, message: Message) -> bool:
        """This message and those before it in its batch are done. Stored soon, in the background (`flush` waits).

        False when it is not this consumer's any more: it will come, or came, to another.
        """
        held = self._shards.get(message.shard)
        if held is None or not held.cursor.ack(message):
            return False
        self._settled(message.shard, held)
        return True

    async def fail(self, message: Message, reason: str, *, final: bool = False) -> bool:
        """This message was not processed; those before it in its batch were. It comes again after a pause.

        After `Stream.attempts`, or at once when ``final``, it becomes a dead letter with ``reason``. False when it
        is not this consumer's any more.
        """
        held = self._shards.get(message.shard)
        if held is None or not held.cursor.busy:
            return False
        bury = held.cursor.fail(message, reason, final)
        if bury is not None:
            await self._bury(message.shard, held, bury)
            return True
        pause_s = min(MAX_RETRY_S, self._stream.retry_ms / 1000 * 2 ** (message.attempt - 1))
        held.resume_at = asyncio.get_running_loop().time() + pause_s
        asyncio.get_running_loop().call_later(pause_s, self._ready, message.shard)
        self._settled(message.shard, held)
        return True

    async def flush(self) -> None:
        """Wait until every acknowledgement so far is stored."""
        while True:
            try:
                await self._store()
            except FeedError:
                await asyncio.sleep(DOWN_PAUSE_S)
                continue
            if not self._unstored:
                return

    # What a membership tells.

    def gain(self, marks: Mapping[int, Mark]) -> None:
        """See `Owner`."""
        for shard, mark in marks.items():
            held = _Shard(Cursor(self._group, mark, self._stream.batch, self._stream.attempts))
            self._shards[shard] = held
            held.task = self._begin(self._keep_reading(shard, held))

    def lose(self, shards: Iterable[int]) -> None:
        """See `Owner`."""
        for shard in shards:
            held = self._shards.pop(shard, None)
            self._unstored.pop(shard, None)
            if held is not None:
                held.idle.set()
                if held.task is not None:
                    held.task.cancel()

    async def drain(self, shards: Iterable[int], wait_s: float) -> dict[int, Mark]:
        """See `Owner`."""
        going = {shard: self._shards[shard] for shard in shards if shard in self._shards}
        for held in going.values():
            held.draining = True
        waits = [asyncio.create_task(held.idle.wait()) for held in going.values()]
        if waits and wait_s > 0:
            await asyncio.wait(waits, timeout=wait_s)
        for wait in waits:
            wait.cancel()
        async with self._storing:
            marks = {s: held.cursor.parting() for s, held in going.items() if self._shards.get(s) is held}
            self.lose(marks)
        return marks

    # Inside.

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task

    async def _next_of(self, shard: int) -> tuple[Message, ...]:
        """What a shard has to hand out now, if anything."""
        while (held := self._shards.get(shard)) is not None and not held.draining:
            if asyncio.get_running_loop().time() < held.resume_at:
                return ()
            step = held.cursor.step()
            if step is None:
                if held.cursor.hungry:
                    held.hungry.set()
                return ()
            held.idle.clear()
            if isinstance(step, Bury):
                await self._bury(shard, held, step)
                continue
            held.hungry.set()
            if step.first is None or await self._stored(shard, held, step.first):
                return step.messages
        return ()

    async def _bury(self, shard: int, held: _Shard, step: Bury) -> None:
        message = step.message
        letter = DeadLetter(
            self._group, self._stream.name, shard, message.position, message.key, message.value,
            message.attempt, step.reason[:1000], self._now_ms(),
        )  # fmt: skip
        while self._shards.get(shard) is held:
            try:
                await self._engine.bury(letter)
            except FeedError:
                await asyncio.sleep(DOWN_PAUSE_S)
                continue
            held.cursor.buried(message)
            self._settled(shard, held)
            return

    async def _stored(self, shard: int, held: _Shard, mark: Mark) -> bool:
        """Store a mark before its message goes out; False when the shard was lost meanwhile."""
        self._unstored[shard] = mark
        while self._shards.get(shard) is held:
            try:
                await self._store()
            except FeedError:
                await asyncio.sleep(DOWN_PAUSE_S)
                continue
            if shard not in self._unstored:
                return self._shards.get(shard) is held
        return False

    def _settled(self, shard: int, held: _Shard) -> None:
        """The cursor moved: store its mark; the shard may have more to hand out."""
        self._unstored[shard] = held.cursor.mark
        self._store_wake.set()
        if not held.cursor.busy:
            held.idle.set()
            self._ready(shard)

    def _ready(self, shard: int) -> None:
        if shard not in self._turns:
            self._turns.append(shard)
        self._wake.set()

    async def _keep_reading(self, shard: int, held: _Shard) -> None:
        cursor = held.cursor
        while self._shards.get(shard) is held:
            await held.hungry.wait()
            try:
                messages = await self._membership.read(shard, cursor.read_from, self._stream.batch, READ_WAIT_S)
            except FeedError:
                await asyncio.sleep(DOWN_PAUSE_S)
                continue
            if messages:
                before = cursor.mark
                cursor.fill(messages)
                if cursor.mark is not before:  # messages for other groups were passed over
                    self._unstored[shard] = cursor.mark
                    self._store_wake.set()
                if not cursor.hungry:
                    held.hungry.clear()
                self._ready(shard)

    async def _keep_storing(self) -> None:
        """Marks gather while the last ones are being stored: one trip for many acknowledgements."""
        while True:
            await self._store_wake.wait()
            self._store_wake.clear()
            while self._unstored:
                try:
                    await self._store()
                except FeedError:
                    await asyncio.sleep(DOWN_PAUSE_S)

    async def _store(self) -> None:
        async with self._storing:
            marks, self._unstored = self._unstored, {}
            if not marks:
                return
            try:
                lost = await self._membership.commit(marks)
            except BaseException:
                self._unstored = {
                    shard: mark for shard, mark in (marks | self._unstored).items() if shard in self._shards
                }
                raise
        self.lose(lost)
