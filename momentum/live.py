"""The index of a running match: changes in, one tick a second out, corrections of the past noticed.

`LiveMatch` keeps, per period, what every second contributed to each of the ten inputs (a pure function of the
events known), and sums it with the weight tables at each tick. A change of an event adds and removes exactly its
own contribution, so that every order of delivery ends in the same integers. Published values never change: what
they would be with today's knowledge is kept beside them and reported as revisions.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ingest.events import Event
from momentum.convolve import convolve
from momentum.features import MAX_SECOND, Footprint, Role, footprint
from momentum.methodology import (
    COLUMNS,
    METHODOLOGIES,
    POSSESSION_CAP_MS,
    SHARE_E6,
    Methodology,
    deviation_e6_array,
    index_e6,
    index_e6_array,
)
from momentum.published import Published, Small, code_of, second_of, seconds_of
from momentum.weights import Ints, Rows, weights_of

_COLUMNS = len(COLUMNS)
_SMALL_MAX = (1 << 31) - 1
_FEW_TICKS = 12  # below, the scalar index is quicker than the vectorised one
_ROOM_S = MAX_SECOND + 14  # possession runs on a little after the last event
_NO_POSSESSION: Rows = np.zeros((2, 0), dtype=np.int32)
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
    """What each second of one period contributes: `COLUMNS` of seconds, grown by need."""

    __slots__ = ("ends", "items", "mass", "rows")

    def __init__(self) -> None:
        self.rows: Rows = np.zeros((_COLUMNS, 256), dtype=np.int32)
        self.mass = 0  # of all amounts together
        self.items: list[_Item] = []  # possession, in playing order
        self.ends = array("h")  # sorted seconds of all events: the last one is the period's length

    @property
    def length_s(self) -> int:
        return self.ends[-1] if self.ends else 0

    def add(self, second: int, column: int, amount: int) -> None:
        have = self.rows.shape[1]
        if second >= have:
            room = min(_ROOM_S, second + second // 8 + 32)
            grown: Rows = np.zeros((_COLUMNS, room), dtype=self.rows.dtype)
            grown[:, :have] = self.rows
            self.rows = grown
        value = int(self.rows[column, second]) + amount
        if value > _SMALL_MAX and self.rows.dtype == np.int32:
            self.rows = self.rows.astype(np.int64)
        self.rows[column, second] = value
        self.mass += amount


class LiveMatch:
    """The index of one match under every methodology. Pure: no clock, no I/O; not thread-safe."""

    def __init__(self, methodologies: Sequence[Methodology] = METHODOLOGIES) -> None:
        self._methodologies = tuple(methodologies)
        self._weights = weights_of(self._methodologies)
        self._periods: dict[int, _Seconds] = {}
        self._published = Published(self._methodologies)
        self._moved: dict[_Cell, int] = {}  # published seconds whose contributions changed since they were settled
        self._ages_moved = False

    def apply(self, changes: Iterable[Change]) -> None:
        """Take in changes of the timeline, in the order in which it gave them."""
        before = self._earlier_lengths()
        for change in changes:
            old, new = footprint(change.old), footprint(change.new)
            if old == new:
                continue
            if old is not None:
                self._count(old, -1)
            if new is not None:
                self._count(new, 1)
        if before != self._earlier_lengths():
            self._ages_moved = True

    def tick(self, period: int, second: int) -> Tick:
        """Publish the index at ``second`` of ``period``; it must lie after every tick published before.

        Seconds may be left out. ValueError for a tick that is not new or not in periods 1 to 4.
        """
        if not 1 <= period <= 4 or not 0 <= second <= MAX_SECOND:
            raise ValueError(f"no tick {second} in period {period}: periods are 1..4, seconds 0..{MAX_SECOND}")
        code = code_of(period, second)
        if code <= self._published.last:
            last = second_of(self._published.last)
            raise ValueError(f"tick {(period, second)} is not after {last}, which is published")
        self._settle()
        tick, sums = self._evaluate(period, second)
        self._published.append(code, sums, list(tick.x_e6.values()))
        return tick

    def peek(self, period: int, second: int) -> Tick:
        """The index at any second with what is known now, without publishing it."""
        return self._evaluate(period, second)[0]

    def revisions(self) -> tuple[Revision, ...]:
        """Published values that the changes since the last call have moved, oldest first."""
        self._settle()
        return tuple(Revision(*change) for change in sorted(self._published.take_changes()))

    def length_s(self, period: int) -> int:
        """Seconds of ``period`` as far as its events tell; 0 without events."""
        return self._periods[period].length_s if period in self._periods else 0

    def possession(self, period: int) -> Rows:
        """Milliseconds of possession of home and away in each second of ``period`` (2 x seconds). Not to be changed."""
        return self._periods[period].rows[:2] if period in self._periods else _NO_POSSESSION

    # What an event contributes

    def _count(self, mark: Footprint, sign: int) -> None:
        """Add (1) or remove (-1) one event's contribution."""
        seconds = self._periods.setdefault(mark.period, _Seconds())
        if sign > 0:
            insort(seconds.ends, mark.second)
        else:
            seconds.ends.pop(bisect_left(seconds.ends, mark.second))
        for column, amount in mark.points:
            self._add(mark.period, mark.second, column, sign * amount)
        if mark.role is not Role.NONE:
            self._possession(seconds.items, mark, sign)

    def _possession(self, items: list[_Item], mark: Footprint, sign: int) -> None:
        """Put an event between its neighbours, or take it out: only their two stretches change."""
        item: _Item = (*mark.order, int(mark.role))
        at = bisect_left(items, item)
        if sign < 0:
            items.pop(at)
        before = items[at - 1] if at else None
        after = items[at] if at < len(items) else None
        if before is not None:
            self._accrue(mark.period, before, after, -sign)
            self._accrue(mark.period, before, item, sign)
        self._accrue(mark.period, item, after, sign)
        if sign > 0:
            items.insert(at, item)

    def _accrue(self, period: int, item: _Item, after: _Item | None, sign: int) -> None:
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
            self._add(period, second, role, sign * (until - start))
            start = until

    def _add(self, period: int, second: int, column: int, amount: int) -> None:
        self._periods[period].add(second, column, amount)
        if code_of(period, second) <= self._published.last:
            cell = (period, second, column)
            self._moved[cell] = self._moved.get(cell, 0) + amount

    # Sums over memory

    def _start(self, period: int) -> int:
        """Playing seconds before ``period``."""
        return sum(seconds.length_s for p, seconds in self._periods.items() if p < period)

    def _evaluate(self, period: int, second: int) -> tuple[Tick, Ints]:
        now = self._start(period) + second
        stretches, mass = [], 0
        for p, seconds in self._periods.items():
            if p > period:
                continue
            mass += seconds.mass
            last = second if p == period else seconds.length_s
            columns = seconds.rows[:, : last + 1]
            stretches.append((columns, now - self._start(p) - (columns.shape[1] - 1)))
        sums = self._weights.sums(stretches, mass)
        named = zip(self._methodologies, sums.tolist(), strict=True)
        inputs = {m.name: tuple(values) for m, values in named}
        x_e6 = {m.name: index_e6(inputs[m.name], m) for m in self._methodologies}
        return Tick(period, second, now, inputs, x_e6), sums

    # Corrections of the past

    def _earlier_lengths(self) -> tuple[int, ...]:
        """Lengths of the periods before the last published tick's: all its ages hang on them."""
        last = second_of(self._published.last)[0]
        return tuple(self.length_s(p) for p in range(1, last))

    def _settle(self) -> None:
        """Bring today's values of the published ticks up to what is known now."""
        moved = {cell: amount for cell, amount in self._moved.items() if amount}
        self._moved.clear()
        if self._ages_moved:
            self._ages_moved = False
            self._settle_all()
        elif moved:
            published = self._published
            first = published.number_from(code_of(*min(moved)[:2]))
            if first < published.base:
                self._settle_old(moved, first)
            self._settle_recent(moved, max(first, published.base))

    def _settle_recent(self, moved: dict[_Cell, int], first: int) -> None:
        """Add the moved cells, weighted, to the inputs of the ticks that still have theirs, from ``first`` on."""
        published, weights = self._published, self._weights
        places = {place: row for row, place in enumerate(sorted({cell[:2] for cell in moved}))}
        amounts: Ints = np.zeros((len(places), _COLUMNS), dtype=np.int64)
        for (period, second, column), amount in moved.items():
            amounts[places[period, second], column] = amount
        codes = published.codes[first:]
        born = np.array([self._start(p) + s for p, s in places])
        # A second counts from its own tick on, and in a later period only if its own one lasted so long.
        counts = codes[:, None] >= np.array([code_of(*place) for place in places])
        lasting = np.array([code_of(p + 1, 0) if s > self.length_s(p) else code_of(9, 0) for p, s in places])
        counts &= codes[:, None] < lasting
        ages = self._cum(codes)[:, None] - born
        ages[~counts | (ages > weights.longest)] = weights.longest
        moves = np.moveaxis(weights.padded[:, ages] @ amounts, 1, 2)  # memories x columns x ticks
        published.inputs[:, first - published.base : published.count - published.base] += weights.pick(moves).transpose(
            0, 2, 1
        )
        recent = published.inputs[:, first - published.base : published.count - published.base]
        for row, methodology in enumerate(self._methodologies):
            if len(codes) < _FEW_TICKS:
                published.renew(row, first, [index_e6(values, methodology) for values in recent[row].tolist()])
            else:
                published.renew(row, first, index_e6_array(recent[row], methodology))

    def _settle_old(self, moved: dict[_Cell, int], first: int) -> None:
        """Ticks from ``first`` on whose inputs are gone: the moved features once more, as they are and as they were."""
        published, weights = self._published, self._weights
        columns = sorted({column // 2 * 2 + side for _, _, column in moved for side in (0, 1)})
        place_of = {column: row for row, column in enumerate(columns)}
        for period, start, end in self._stretches(first, published.base):
            cum = self._cum(published.codes[start:end])
            known = self._timeline(period, int(cum[-1]) + 1, columns)
            moves = np.zeros_like(known)
            for (p, second, column), amount in moved.items():
                place = self._start(p) + second
                if place < moves.shape[1] and (p == period or second <= self.length_s(p)):
                    moves[place_of[column], place] += amount * (p <= period)
            sums = [part[:, cum] for part in convolve(np.concatenate([known, moves]), weights.memories)]
            for row, methodology in enumerate(self._methodologies):
                values = published.now(row, start, end)
                for j, (share, pseudo) in enumerate(zip(SHARE_E6, methodology.pseudo, strict=True)):
                    at = place_of.get(int(weights.columns[row, 2 * j]))
                    if at is None:
                        continue
                    part = sums[weights.rows[row, 2 * j]]
                    home, away = part[at], part[at + 1]
                    home_move, away_move = part[at + len(columns)], part[at + 1 + len(columns)]
                    values += deviation_e6_array(home, away, share, pseudo)
                    values -= deviation_e6_array(home - home_move, away - away_move, share, pseudo)
                published.renew(row, start, values)

    def _settle_all(self) -> None:
        """All published ticks anew: an earlier period has got another length, so every age moves (rare)."""
        published = self._published
        for period, start, end in self._stretches(0, published.count):
            cum = self._cum(published.codes[start:end])
            known = self._timeline(period, int(cum[-1]) + 1, list(range(_COLUMNS)))
            sums = np.stack([part[:, cum] for part in convolve(known, self._weights.memories)])
            for row, picked in enumerate(self._weights.pick(sums)):
                inputs = picked.T
                published.renew(row, start, index_e6_array(inputs, self._methodologies[row]))
                kept = max(start, published.base)
                if kept < end:
                    published.inputs[row, kept - published.base : end - published.base] = inputs[kept - start :]

    def _stretches(self, first: int, end: int) -> list[tuple[int, int, int]]:
        """(period, first, end) of the published ticks ``first`` to ``end`` - 1 by period."""
        found = []
        for period in range(1, 5):
            start = max(first, self._published.number_from(code_of(period, 0)))
            stop = min(end, self._published.number_from(code_of(period + 1, 0)))
            if start < stop:
                found.append((period, start, stop))
        return found

    def _cum(self, codes: Small) -> Ints:
        """Playing seconds over periods of ticks."""
        starts = np.array([self._start(period) for period in range(5)], dtype=np.int64)
        periods, seconds = seconds_of(codes)
        result: Ints = starts[periods] + seconds
        return result

    def _timeline(self, period: int, count: int, columns: list[int]) -> Ints:
        """What each of the first ``count`` seconds of play contributed, as ticks of ``period`` see it."""
        line: Ints = np.zeros((len(columns), count), dtype=np.int64)
        for p, seconds in self._periods.items():
            if p > period:
                continue
            start = self._start(p)
            end = count - start if p == period else min(count - start, seconds.length_s + 1)
            rows = seconds.rows[columns, : max(0, end)]
            line[:, start : start + rows.shape[1]] += rows
        return line
