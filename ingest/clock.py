"""The playing clock: which second of which period it is at a given data time.

Playing time runs from each kick-off through interruptions and added time and stands still only between periods.
`data_ms` is milliseconds since the feed's start. A pure core.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.events import FeedError


@dataclass(frozen=True, slots=True)
class Due:
    """A second of play that is due for a sample."""

    period: int
    second: int  # since the period's kick-off
    data_ms: int  # when it is due


class PlayClock:
    """Period starts and ends as they become known; `due` lists the seconds of play between two data times."""

    def __init__(self) -> None:
        self._starts: dict[int, int] = {}
        self._ends: dict[int, int] = {}

    def start(self, period: int, data_ms: int) -> None:
        """The period's kick-off happened at ``data_ms``. A repetition is ignored: the first one counts."""
        if period in self._starts:
            return
        if any(p > period for p in self._starts):
            raise FeedError("clock_runs_back", f"period {period} starts after a later period: check the feed's order")
        self._starts[period] = data_ms

    def end(self, period: int, data_ms: int) -> None:
        """The end of the period became known at ``data_ms``."""
        if period in self._starts:
            self._ends.setdefault(period, data_ms)

    @property
    def period(self) -> int:
        """The newest period that has begun; 0 before kick-off."""
        return max(self._starts, default=0)

    @property
    def playing(self) -> bool:
        """Whether a period is under way."""
        return bool(self._starts) and self.period not in self._ends

    def start_ms(self, period: int) -> int:
        """Data time of the period's kick-off. Raises KeyError before it is known."""
        return self._starts[period]

    def ended(self, period: int) -> bool:
        """Whether the end of ``period`` is known."""
        return period in self._ends

    def at(self, data_ms: int) -> Due | None:
        """The last whole second of play at ``data_ms``; None outside play."""
        for period in sorted(self._starts, reverse=True):
            start = self._starts[period]
            if start <= data_ms:
                end = self._ends.get(period)
                if end is not None and data_ms >= end + 1000:
                    return None
                second = (data_ms - start) // 1000
                return Due(period, second, start + second * 1000)
        return None

    def due(self, after_ms: int, until_ms: int) -> list[Due]:
        """The whole seconds of play that fall due in (``after_ms``, ``until_ms``], in order, over all periods.

        Second 0 is the kick-off itself. A period's last second is the one that began before its end was known.
        """
        found = []
        for period in sorted(self._starts):
            start = self._starts[period]
            stop = min(until_ms, self._ends.get(period, until_ms))
            first = max(0, (after_ms - start) // 1000 + 1)
            found += [Due(period, n, start + n * 1000) for n in range(first, (stop - start) // 1000 + 1)]
        return found
