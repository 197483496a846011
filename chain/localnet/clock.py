"""The match clock: milliseconds of match time, stepped by hand or scaled from wall time."""

from __future__ import annotations

import time
from collections.abc import Callable


class ClockError(ValueError):
    """The clock was asked for something it must not do (move backwards, run at speed <= 0)."""


class MatchClock:
    """Match time in Unix milliseconds. It never moves backwards.

    `speed` None means manual: only `set` moves it. A number means match seconds per wall second.
    """

    def __init__(self, start_unix_ms: int, speed: float | None, wall: Callable[[], float] = time.monotonic) -> None:
        if start_unix_ms < 0:
            raise ClockError("the clock must start at or after the Unix epoch")
        self._wall = wall
        self._anchor_ms = start_unix_ms
        self._anchor_wall = wall()
        self._speed = _checked(speed)

    @property
    def speed(self) -> float | None:
        """Match seconds per wall second; None when manual."""
        return self._speed

    def now_ms(self) -> int:
        """Return the match time in Unix milliseconds."""
        if self._speed is None:
            return self._anchor_ms
        return self._anchor_ms + int((self._wall() - self._anchor_wall) * 1000 * self._speed)

    def set(self, unix_ms: int) -> int:
        """Jump forward to `unix_ms` and go on at the same speed; raises `ClockError` when it is in the past."""
        now = self.now_ms()
        if unix_ms < now:
            raise ClockError(f"the clock cannot move backwards: it is {now}, asked for {unix_ms}")
        self._anchor(unix_ms)
        return unix_ms

    def set_speed(self, speed: float | None) -> None:
        """Change the speed from now on; None makes the clock manual."""
        checked = _checked(speed)
        self._anchor(self.now_ms())
        self._speed = checked

    def wall_seconds_until(self, unix_ms: int) -> float | None:
        """Return wall seconds until match time `unix_ms`; None when a manual clock will not get there by itself."""
        if self._speed is None:
            return None
        return max(0.0, (unix_ms - self.now_ms()) / 1000 / self._speed)

    def _anchor(self, unix_ms: int) -> None:
        self._anchor_ms = unix_ms
        self._anchor_wall = self._wall()


def _checked(speed: float | None) -> float | None:
    if speed is not None and not 0 < speed <= 100_000:
        raise ClockError(f"speed must be above 0 and at most 100000, not {speed}")
    return speed


def parse_speed(text: str) -> float | None:
    """Read `manual`, `60` or `60x`; raises `ClockError` otherwise."""
    if text == "manual":
        return None
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        raise ClockError(f"speed must be 'manual' or a number such as 1 or 60, not {text!r}") from None
    return _checked(value)
