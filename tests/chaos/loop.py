"""An event loop whose clock jumps: where everything waits, the time of the next timer is now."""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Never sleeps; what would have been slept is added to the clock."""

    slept_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """Events that are there; without any, the time-out passes at once."""
        found = super().select(0)
        if not found:
            if timeout is None:
                raise RuntimeError("everything waits and nothing will happen: the simulation hangs")
            self.slept_s += max(0.0, timeout)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only where all tasks wait. Timers run in the order of their times, the same in every run."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._clock.slept_s


def run(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_cancel_all())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        gc.collect()  # what the dead left goes now, not inside whatever runs next


async def _cancel_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
