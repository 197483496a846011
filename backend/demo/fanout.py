"""Ticks to the demo's components: acknowledged one by one in lockstep, latest-wins mailboxes otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from chain.tasks import stop

T = TypeVar("T")
Handler = Callable[[T], Awaitable[None]]


class Fanout(Generic[T]):
    """Hands each tick to every handler.

    In lockstep `publish` returns when all have finished, in the order given: that is the acknowledgement the
    clock waits for. Otherwise each handler runs in a task of its own and takes the newest tick when it is free.
    An error in a handler surfaces at the next `publish` or at `close`.
    """

    def __init__(self, handlers: Sequence[Handler[T]], *, lockstep: bool) -> None:
        self._handlers = list(handlers)
        self._lockstep = lockstep
        self._boxes: list[asyncio.Queue[T]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.skipped = 0

    async def publish(self, tick: T) -> None:
        """Give ``tick`` to every handler."""
        if self._lockstep:
            for handler in self._handlers:
                await handler(tick)
            return
        if not self._tasks:
            for handler in self._handlers:
                box: asyncio.Queue[T] = asyncio.Queue(maxsize=1)
                self._boxes.append(box)
                self._tasks.append(asyncio.create_task(_serve(handler, box)))
        for task in self._tasks:
            if task.done():
                task.result()
        for box in self._boxes:
            if box.full():
                box.get_nowait()
                box.task_done()
                self.skipped += 1
            box.put_nowait(tick)

    async def drain(self) -> None:
        """Wait until every mailbox has been worked off."""
        for box, task in zip(self._boxes, self._tasks, strict=True):
            waiter = asyncio.create_task(box.join())
            await asyncio.wait({waiter, task}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                waiter.cancel()
                task.result()

    async def close(self) -> None:
        """Stop the tasks."""
        await stop(*self._tasks)
        self._tasks, self._boxes = [], []


async def _serve(handler: Handler[T], box: asyncio.Queue[T]) -> None:
    while True:
        tick = await box.get()
        try:
            await handler(tick)
        finally:
            box.task_done()
