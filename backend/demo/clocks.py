"""Match time for the demo: moved by hand at `max`, or following the wall at a speed.

Times are absolute milliseconds of match time (the recorded date), the same clock that the embedded chain runs on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

SetClock = Callable[[int], Awaitable[object]]
SetSpeed = Callable[[float], Awaitable[object]]


class MatchClock(Protocol):
    """What the replay loop needs of a clock."""

    lockstep: bool

    async def sleep_until(self, unix_ms: int) -> None:
        """Return when match time has reached ``unix_ms``."""
        ...

    def late_ms(self, unix_ms: int) -> float:
        """Wall milliseconds since match time passed ``unix_ms`` (0 in lockstep: nothing can be late)."""
        ...


class LockstepClock:
    """Match time stands still until it is told to move; the chain's clock is moved with it."""

    lockstep = True

    def __init__(self, set_clock: SetClock) -> None:
        self._set_clock = set_clock
        self._now_ms = 0

    async def sleep_until(self, unix_ms: int) -> None:
        """Move match time forward to ``unix_ms`` at once; never back."""
        if unix_ms > self._now_ms:
            await self._set_clock(unix_ms)
            self._now_ms = unix_ms

    def late_ms(self, unix_ms: int) -> float:
        """Always 0."""
        return 0.0


class ScaledClock:
    """Match time follows the wall at ``speed`` from the moment of `start`."""

    lockstep = False

    def __init__(self, speed: float, wall_s: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self._wall_s = wall_s
        self._origin_ms = 0
        self._origin_wall_s = 0.0

    def start(self, unix_ms: int) -> None:
        """It is ``unix_ms`` now."""
        self._origin_ms, self._origin_wall_s = unix_ms, self._wall_s()

    def now_ms(self) -> int:
        """Match time now."""
        return self._origin_ms + int((self._wall_s() - self._origin_wall_s) * 1000 * self.speed)

    async def sleep_until(self, unix_ms: int) -> None:
        """Sleep on the wall until match time is ``unix_ms``."""
        while (ahead_ms := unix_ms - self.now_ms()) > 0:
            await asyncio.sleep(ahead_ms / 1000 / self.speed)

    def late_ms(self, unix_ms: int) -> float:
        """Wall milliseconds since ``unix_ms`` was due."""
        due_wall_s = self._origin_wall_s + (unix_ms - self._origin_ms) / 1000 / self.speed
        return (self._wall_s() - due_wall_s) * 1000


def parse_speed(text: str) -> float | None:
    """``max`` is None (lockstep); otherwise a factor from 0.1 to 600. Raises ValueError with a usable sentence."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= 600:
        raise ValueError(f"speed '{text}' is not known: give a number from 0.1 to 600, or max")
    return speed
