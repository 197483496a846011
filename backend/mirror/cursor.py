"""Which slots have been read completely: a set of closed intervals that never touch. Pure."""

from __future__ import annotations

from collections.abc import Iterable

Interval = tuple[int, int]


class Covered:
    """The slots of one program whose transactions are all in the database."""

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self._intervals: list[Interval] = []
        for first, last in intervals:
            self.add(first, last)

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """Ascending, disjoint, and with a hole between any two."""
        return tuple(self._intervals)

    @property
    def last(self) -> int | None:
        """The newest covered slot."""
        return self._intervals[-1][1] if self._intervals else None

    def add(self, first: int, last: int) -> None:
        """Cover first..last, both included; an empty interval changes nothing."""
        if last < first:
            return
        kept = []
        for start, end in self._intervals:
            if end + 1 < first or last + 1 < start:
                kept.append((start, end))
            else:
                first, last = min(first, start), max(last, end)
        kept.append((first, last))
        self._intervals = sorted(kept)

    def remove(self, first: int, last: int) -> None:
        """Uncover first..last: they must be read again; an empty interval changes nothing."""
        if last < first:
            return
        kept = []
        for start, end in self._intervals:
            if start < first:
                kept.append((start, min(end, first - 1)))
            if end > last:
                kept.append((max(start, last + 1), end))
        self._intervals = sorted((start, end) for start, end in kept if start <= end)

    def covers(self, slot: int) -> bool:
        """Whether a slot is covered."""
        return any(start <= slot <= end for start, end in self._intervals)

    def holes(self, first: int, last: int) -> list[Interval]:
        """What of first..last is not covered, ascending."""
        found = []
        at = first
        for start, end in self._intervals:
            if end < at:
                continue
            if start > last:
                break
            if start > at:
                found.append((at, start - 1))
            at = end + 1
        if at <= last:
            found.append((at, last))
        return found
