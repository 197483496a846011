"""An event loop whose clock jumps to the next timer when nothing else is to be done: hours pass in milliseconds.

Real sockets do not work on it (their answers come in real time); in-process transports do. Use `run(coroutine)`, or
`VirtualTimeLoop` where the loop is made by somebody else.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
EPOCH_MS = 1_700_000_000_000
"""Unix ms at the loop's time 0."""


class DeadlockError(Exception):
    """Everybody waits, and no timer is set: in real time this would hang."""


class _Selector(selectors.SelectSelector):
    """Instead of waiting it moves the loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise DeadlockError("every task waits and no timer is set")
            self.now_s += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds since the loop was made, in its own time."""
        return self._virtual.now_s

    def now_ms(self) -> int:
        """The same as Unix ms, for injected clocks."""
        return EPOCH_MS + round(self._virtual.now_s * 1000)


def now_ms() -> int:
    """Unix ms of the running virtual loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop.now_ms()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
