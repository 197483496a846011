"""The index of a running match: changes in, one tick a second out, corrections of the past noticed.

`LiveMatch` keeps, per period, what every second contributed to each of the ten inputs (a pure function of the
events known), and sums it with the weight table at each tick. A change of an event adds and removes exactly its
own contribution, so that every order of delivery ends in the same integers. Published values never change: what
they would be with today's knowledge is kept beside them and reported as revisions.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event
from momentum.features import MAX_SECOND, Footprint, Role, footprint
from momentum.methodology import METHODOLOGIES, POSSESSION_CAP_MS, Methodology, index_e6, index_e6_array

Ints = NDArray[np.int64]
_COLUMNS = 10
_CLEAN = 1 << 60
_Item = tuple[int, int, str, int]  # play_ms, rank, event id, role: sorts in the order of possession
_Cell = tuple[int, int, int]  # period, second, column


class Change(Protocol):
    """One effective change of the timeline (``ingest.timeline.Applied``)."""

    @property
    def old(self) -> Event | None:
        """The event as it was known, None if it was not."""

    @property
    def new(self) -> Event | None:
        """The event as it is known now, None if it is withdrawn."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The index at one second of play, by methodology name.

    ``second`` counts from the period's kick-off, ``second_cum`` over periods. ``inputs`` are the ten integers
    in the order of ``methodology.INPUTS`` (units of the features times 2^-32), ``x_e6`` 1e-6 points.
    """

    period: int
    second: int
    second_cum: int
    inputs: dict[str, tuple[int, ...]]
    x_e6: dict[str, int]


@dataclass(frozen=True, slots=True)
class Revision:
    """A published value that would be another with what is known now. Values in 1e-6 points."""

    period: int
    second: int
    methodology: str
    old_x_e6: int  # as published
    new_x_e6: int  # as known now


class _Seconds:
    """What each second of one period contributes: dense rows, one per second, ten columns."""

    __slots__ = ("ends", "items", "rows")

    def __init__(self) -> None:
        self.rows: Ints = np.zeros((3_600, _COLUMNS), dtype=np.int64)
        self.items: list[_Item] = []  # possession, in playing order
        self.ends: list[int] = []  # sorted seconds of all events: the last one is the period's length

    @property
    def length_s(self) -> int:
        return self.ends[-1] if self.ends else 0

    def add(self, second: int, column: int, amount: int) -> None:
        if second >= len(self.rows):
            more = np.zeros((MAX_SECOND + 14 - len(self.rows), _COLUMNS), dtype=np.int64)
            self.rows = np.vstack([self.rows, more])
        self.rows[second, column] += amount


class _Published:
    """The published ticks of one methodology, and what their inputs are with today's knowledge."""

    __slots__ = ("count", "dirty_from", "inputs", "methodology", "told", "x")

    def __init__(self, methodology: Methodology) -> None:
        self.methodology = methodology
        self.count = 0
        self.inputs: Ints = np.zeros((8_192, _COLUMNS), dtype=np.int64)
        self.x: Ints = np.zeros(8_192, dtype=np.int64)
        self.told: Ints = np.zeros(8_192, dtype=np.int64)  # the newest value that a revision has told
        self.dirty_from = _CLEAN

    def append(self, inputs: Ints, x_e6: int) -> None:
        if self.count == len(self.x):
            self.inputs = np.vstack([self.inputs, np.zeros_like(self.inputs)])
            self.x = np.concatenate([self.x, np.zeros_like(self.x)])
            self.told = np.concatenate([self.told, np.zeros_like(self.told)])
        self.inputs[self.count] = inputs
        self.x[self.count] = self.told[self.count] = x_e6
        self.count += 1


class LiveMatch:
    """The index of one match under every methodology. Pure: no clock, no I/O; not thread-safe."""

    def __init__(self, methodologies: Sequence[Methodology] = METHODOLOGIES) -> None:
        self._methodologies = tuple(methodologies)
        self._reversed = {m.name: np.ascontiguousarray(m.table[::-1]) for m in methodologies}
        self._periods: dict[int, _Seconds] = {}
        self._published = {m.name: _Published(m) for m in methodologies}
        self._ticks: list[tuple[int, int]] = []  # (period, second) of the published ticks, ascending
        self._cum: Ints = np.zeros(8_192, dtype=np.int64)

    def apply(self, changes: Iterable[Change]) -> None:
        """Take in changes of the timeline, in the order in which it gave them."""
        cells: dict[_Cell, int] = {}
        before = self._earlier_lengths()
        for change in changes:
            old, new = footprint(change.old), footprint(change.new)
            if old == new:
                continue
            if old is not None:
                self._count(old, -1, cells)
            if new is not None:
                self._count(new, 1, cells)
        if before == self._earlier_lengths():
            self._revise(cells)
        else:
            self._recompute()

    def tick(self, period: int, second: int) -> Tick:
        """Publish the index at ``second`` of ``period``; it must lie after every tick published before.

        Seconds may be left out. ValueError for a tick that is not new or not in periods 1 to 4.
        """
        if not 1 <= period <= 4 or not 0 <= second <= MAX_SECOND:
            raise ValueError(f"no tick {second} in period {period}: periods are 1..4, seconds 0..{MAX_SECOND}")
        if self._ticks and (period, second) <= self._ticks[-1]:
            raise ValueError(f"tick {(period, second)} is not after {self._ticks[-1]}, which is published")
        tick, sums = self._evaluate(period, second)
        if len(self._ticks) == len(self._cum):
            self._cum = np.concatenate([self._cum, np.zeros_like(self._cum)])
        self._cum[len(self._ticks)] = tick.second_cum
        self._ticks.append((period, second))
        for name, inputs in sums.items():
            self._published[name].append(inputs, tick.x_e6[name])
        return tick

    def peek(self, period: int, second: int) -> Tick:
        """The index at any second with what is known now, without publishing it."""
        return self._evaluate(period, second)[0]

    def revisions(self) -> tuple[Revision, ...]:
        """Published values that the changes since the last call have moved, oldest first."""
        found: list[Revision] = []
        for name, published in self._published.items():
            first, end = published.dirty_from, published.count
            published.dirty_from = _CLEAN
            if first >= end:
                continue
            now = index_e6_array(published.inputs[first:end], published.methodology)
            for i in np.flatnonzero(now != published.told[first:end]) + first:
                period, second = self._ticks[i]
                found.append(Revision(period, second, name, int(published.x[i]), int(now[i - first])))
            published.told[first:end] = now
        return tuple(sorted(found, key=lambda r: (r.period, r.second, r.methodology)))

    # What an event contributes

    def _count(self, mark: Footprint, sign: int, cells: dict[_Cell, int]) -> None:
        """Add (1) or remove (-1) one event's contribution."""
        seconds = self._periods.setdefault(mark.period, _Seconds())
        if sign > 0:
            insort(seconds.ends, mark.second)
        else:
            seconds.ends.pop(bisect_left(seconds.ends, mark.second))
        for column, amount in mark.points:
            self._add(mark.period, mark.second, column, sign * amount, cells)
        if mark.role is not Role.NONE:
            self._possession(seconds.items, mark, sign, cells)

    def _possession(self, items: list[_Item], mark: Footprint, sign: int, cells: dict[_Cell, int]) -> None:
        """Put an event between its neighbours, or take it out: only their two stretches change."""
        item: _Item = (*mark.order, int(mark.role))
        at = bisect_left(items, item)
        if sign < 0:
            items.pop(at)
        before = items[at - 1] if at else None
        after = items[at] if at < len(items) else None
        if before is not None:
            self._accrue(mark.period, before, after, -sign, cells)
            self._accrue(mark.period, before, item, sign, cells)
        self._accrue(mark.period, item, after, sign, cells)
        if sign > 0:
            items.insert(at, item)

    def _accrue(self, period: int, item: _Item, after: _Item | None, sign: int, cells: dict[_Cell, int]) -> None:
        """Milliseconds of possession from ``item`` to ``after`` or the cap, each to its own second."""
        start, role = item[0], item[3]
        if role >= Role.DEAD:
            return
        end = start + POSSESSION_CAP_MS
        if after is not None and after[0] < end:
            end = after[0]
        while start < end:
            second = start // 1000 + 1
            until = min(end, second * 1000)
            self._add(period, second, role, sign * (until - start), cells)
            start = until

    def _add(self, period: int, second: int, column: int, amount: int, cells: dict[_Cell, int]) -> None:
        self._periods[period].add(second, column, amount)
        if self._ticks and (period, second) <= self._ticks[-1]:
            cell = (period, second, column)
            cells[cell] = cells.get(cell, 0) + amount

    # Sums over memory

    def _start(self, period: int) -> int:
        """Playing seconds before ``period``."""
        return sum(seconds.length_s for p, seconds in self._periods.items() if p < period)

    def _evaluate(self, period: int, second: int) -> tuple[Tick, dict[str, Ints]]:
        now = self._start(period) + second
        sums: dict[str, Ints] = {}
        for name, table in self._reversed.items():
            total: Ints = np.zeros(_COLUMNS, dtype=np.int64)
            for p, seconds in self._periods.items():
                if p > period:
                    continue
                start = self._start(p)
                last = second if p == period else seconds.length_s
                oldest = max(0, now - start - len(table) + 1)
                rows = seconds.rows[oldest : last + 1]
                if len(rows) == 0:
                    continue
                # The weights of these rows, oldest first, are a slice of the reversed table.
                end = len(table) - (now - start - (oldest + len(rows) - 1))
                total += table[end - len(rows) : end] @ rows
            sums[name] = total
        inputs = {name: tuple(int(v) for v in total) for name, total in sums.items()}
        x_e6 = {m.name: index_e6(inputs[m.name], m) for m in self._methodologies}
        return Tick(period, second, now, inputs, x_e6), sums

    # Corrections of the past

    def _earlier_lengths(self) -> tuple[int, ...]:
        """Lengths of the periods before the last published tick's: all its ages hang on them."""
        last = self._ticks[-1][0] if self._ticks else 0
        return tuple(self._periods[p].length_s if p in self._periods else 0 for p in range(1, last))

    def _revise(self, cells: dict[_Cell, int]) -> None:
        """Add the moved cells, weighted, to the inputs of every tick already published."""
        count = len(self._ticks)
        for (period, second, column), amount in cells.items():
            if amount == 0:
                continue
            born = self._start(period) + second
            first = bisect_left(self._ticks, (period, second))
            for published in self._published.values():
                table = published.methodology.table
                end = int(np.searchsorted(self._cum[:count], born + len(table), side="left"))
                if first >= end:
                    continue
                published.inputs[first:end, column] += amount * table[self._cum[first:end] - born]
                published.dirty_from = min(published.dirty_from, first)

    def _recompute(self) -> None:
        """All published ticks anew: an earlier period has got another length, so every age moves (rare)."""
        for i, (period, second) in enumerate(self._ticks):
            tick, sums = self._evaluate(period, second)
            self._cum[i] = tick.second_cum
            for name, inputs in sums.items():
                self._published[name].inputs[i] = inputs
        for published in self._published.values():
            published.dirty_from = 0
