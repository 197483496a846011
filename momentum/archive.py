"""The index of a whole match at once, vectorised: the same integers as `LiveMatch`, by another road.

Events become columns, columns become what every second contributed, and one exact convolution with the weight
table gives all ticks. Nothing here shares code with the live path except the methodology's data and the event's
footprint, so that agreement of the two is evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event
from momentum.features import Footprint, Role, footprint
from momentum.methodology import METHODOLOGIES, POSSESSION_CAP_MS, Methodology, index_e6_array

Ints = NDArray[np.int64]
_COLUMNS = 10


@dataclass(frozen=True)
class Columns:
    """The footprints of a match's events as columns, in playing order.

    ``role`` is 0 home, 1 away, 2 dead, 3 none; ``point_row``, ``point_column`` and ``point_amount`` list the
    amounts that events add to input columns.
    """

    period: Ints
    play_ms: Ints
    role: Ints
    point_row: Ints
    point_column: Ints
    point_amount: Ints

    @classmethod
    def of(cls, events: Iterable[Event]) -> Columns:
        """Columns of ``events``, which may come in any order; each event id once."""
        marks = [mark for event in events if (mark := footprint(event)) is not None]
        return cls.of_marks(sorted(marks, key=lambda mark: (mark.period, mark.order)))

    @classmethod
    def of_marks(cls, marks: Sequence[Footprint]) -> Columns:
        """Columns of footprints that are in playing order (period, then `Footprint.order`)."""
        points = [(row, column, amount) for row, mark in enumerate(marks) for column, amount in mark.points]
        triples = np.array(points, dtype=np.int64).reshape(-1, 3)
        rows = np.array([(m.period, m.play_ms, m.role) for m in marks], dtype=np.int64).reshape(-1, 3)
        return cls(rows[:, 0], rows[:, 1], rows[:, 2], triples[:, 0], triples[:, 1], triples[:, 2])


@dataclass(frozen=True)
class Replay:
    """All ticks of a match: one row per second of every period, 0 included.

    ``second`` counts from the period's kick-off, ``second_cum`` over periods; per methodology ``inputs`` are
    ticks x 10 and ``x_e6`` the index in 1e-6 points.
    """

    period: Ints
    second: Ints
    second_cum: Ints
    inputs: dict[str, Ints]
    x_e6: dict[str, Ints]


def _possession_ms(play_ms: Ints, role: Ints, count: int, side: int) -> Ints:
    """Milliseconds of ``side``'s possession in each of the first ``count`` seconds of one period."""
    relevant = role != Role.NONE
    start, role = play_ms[relevant], role[relevant]
    if len(start) == 0:
        return np.zeros(count, dtype=np.int64)
    gap = np.diff(start, append=start[-1] + POSSESSION_CAP_MS)
    stretch = np.where(role == side, np.minimum(gap, POSSESSION_CAP_MS), 0)
    before = np.cumsum(stretch) - stretch
    now = np.arange(count, dtype=np.int64) * 1000
    last = np.searchsorted(start, now, side="right") - 1
    held = np.where(last >= 0, before[last] + np.minimum(now - start[last], stretch[last]), 0)
    return np.diff(held, prepend=0)


TAIL_S = POSSESSION_CAP_MS // 1000 + 1
"""Possession may run on for so many seconds after the last event that is known."""


def per_second(columns: Columns, tail_s: int = 0) -> dict[int, Ints]:
    """What every second of every period contributed: period -> (length_s + 1 + tail_s) x 10.

    ``tail_s`` seconds after the last event are added: a match under way is not over with its last event.
    """
    result: dict[int, Ints] = {}
    second = -(-columns.play_ms // 1000)
    bounds = np.searchsorted(columns.period, np.arange(1, 6))
    for period in range(1, 5):
        first, end = int(bounds[period - 1]), int(bounds[period])
        if first == end:
            continue
        length_s = int(second[first:end].max())
        rows = np.zeros((length_s + 1 + tail_s, _COLUMNS), dtype=np.int64)
        inside = (columns.point_row >= first) & (columns.point_row < end)
        cells = (second[columns.point_row[inside]], columns.point_column[inside])
        np.add.at(rows, cells, columns.point_amount[inside])
        for side in (0, 1):
            rows[:, side] = _possession_ms(columns.play_ms[first:end], columns.role[first:end], len(rows), side)
        result[period] = rows
    return result


_FEW = 64
_EXACT_NORM = float(1 << 21)
_TRANSFORMS: dict[tuple[str, int], tuple[NDArray[np.complex128], NDArray[np.complex128]]] = {}


def _convolve(rows: Ints, methodology: Methodology) -> Ints:
    """``sum rows[n - age] * table[age]`` for every n, exactly.

    A constant table is a difference of running sums; columns with few amounts are added up one by one. Any other
    goes through Fourier transforms, one for each half of the table's bits. Their error is below
    4 eps log2(size) |column| |half table| (Euclidean norms): with |column| < 2^21 and |half table| < 2^22 less than
    0.2, so that rounding gives the exact integer. Larger amounts are summed plainly, and so is what a transform got
    wrong: its plan needs the x87 unit, which an SVM in the same thread leaves full of MMX values (measured), and
    then every value is NaN.
    """
    table, count = methodology.table, len(rows)
    if (table == table[0]).all():
        sums: Ints = np.cumsum(rows, axis=0)
        sums[len(table) :] -= sums[: -len(table)].copy()
        sums *= table[0]
        return sums
    total: Ints = np.zeros((_COLUMNS, count), dtype=np.int64)
    busy = []
    for column, amounts in enumerate(rows.T):
        filled = np.flatnonzero(amounts)
        if len(filled) > _FEW:
            busy.append(column)
            continue
        for second in filled.tolist():
            end = min(count, second + len(table))
            total[column, second:end] += amounts[second] * table[: end - second]
    if busy:
        total[busy] = _transform(np.ascontiguousarray(rows.T[busy]), methodology)
    return np.ascontiguousarray(total.T)


def _transform(columns: Ints, methodology: Methodology) -> Ints:
    """The convolution of each of ``columns`` with the table by Fourier transforms, rounded to the exact integers."""
    count = columns.shape[1]
    if np.sqrt((columns.astype(float) ** 2).sum(axis=1).max()) >= _EXACT_NORM:
        return _plain(columns, methodology)
    size = _transform_size(2 * count)
    key = (methodology.name, size)
    with np.errstate(invalid="ignore"):
        if key not in _TRANSFORMS:
            table = methodology.table[: size // 2]
            halves = ((table & 0xFFFF).astype(float), (table >> 16).astype(float))
            _TRANSFORMS[key] = (np.fft.rfft(halves[0], size), np.fft.rfft(halves[1], size))
        low, high = _TRANSFORMS[key]
        spectrum = np.fft.rfft(columns.astype(float), size, axis=1)
        low_sums = np.rint(np.fft.irfft(spectrum * low, size, axis=1)[:, :count]).astype(np.int64)
        high_sums = np.rint(np.fft.irfft(spectrum * high, size, axis=1)[:, :count]).astype(np.int64)
    result: Ints = low_sums + (high_sums << 16)
    if not np.array_equal(result.sum(axis=1), _grand_totals(columns, methodology)):
        del _TRANSFORMS[key]
        return _plain(columns, methodology)
    return result


def _plain(columns: Ints, methodology: Methodology) -> Ints:
    count = columns.shape[1]
    return np.stack([np.convolve(column, methodology.table[:count])[:count] for column in columns])


def _grand_totals(columns: Ints, methodology: Methodology) -> Ints:
    """What each column's convolution adds up to over all ticks, modulo 2^64: an amount counts to the last tick."""
    count = columns.shape[1]
    running = np.cumsum(methodology.table[:count])
    weight = np.full(count, running[-1])
    weight[: len(running)] = running
    totals: Ints = columns @ weight[::-1]
    return totals


def _transform_size(least: int) -> int:
    """The smallest 2^a 3^b 5^c that is not below ``least``: transforms of such sizes are quick."""
    best, five = 1 << least.bit_length(), 1
    while five < best:
        three = five
        while three < best:
            quotient = -(-least // three)
            best = min(best, three << max(0, (quotient - 1).bit_length()))
            three *= 3
        five *= 5
    return best


def replay(
    events: Iterable[Event] | Columns,
    methodologies: Sequence[Methodology] = METHODOLOGIES,
) -> Replay:
    """Every tick of a match from its final events, in any order. No events give no ticks."""
    seconds = per_second(events if isinstance(events, Columns) else Columns.of(events))
    starts, start = {}, 0
    for period, rows in seconds.items():
        starts[period] = start
        start += len(rows) - 1
    # One row per playing second: the first second of a period is the last one of the period before.
    timeline = np.zeros((start + 1 if seconds else 0, _COLUMNS), dtype=np.int64)
    for period, rows in seconds.items():
        timeline[starts[period] : starts[period] + len(rows)] += rows
    tick_period = np.concatenate([np.full(len(rows), p) for p, rows in seconds.items()] or [np.zeros(0, np.int64)])
    tick_second = np.concatenate([np.arange(len(rows)) for rows in seconds.values()] or [np.zeros(0, np.int64)])
    tick_cum = np.concatenate([starts[p] + np.arange(len(r)) for p, r in seconds.items()] or [np.zeros(0, np.int64)])
    inputs, x_e6 = {}, {}
    for methodology in methodologies:
        sums = _convolve(timeline, methodology)[tick_cum] if seconds else np.zeros((0, _COLUMNS), dtype=np.int64)
        for period, rows in seconds.items():  # what a later period began with is not known before it begins
            sums[(tick_cum == starts[period]) & (tick_period < period)] -= rows[0] * methodology.table[0]
        inputs[methodology.name] = sums
        x_e6[methodology.name] = index_e6_array(sums, methodology)
    return Replay(tick_period, tick_second, tick_cum, inputs, x_e6)


def inputs_at(seconds: Mapping[int, Ints], period: int, second: int, methodology: Methodology) -> Ints:
    """The ten inputs of one tick of a match under way: the sum written down plainly.

    ``seconds`` is ``per_second(columns, TAIL_S)`` of what is known.
    """
    start = 0
    total: Ints = np.zeros(_COLUMNS, dtype=np.int64)
    now = second + sum(len(rows) - 1 - TAIL_S for p, rows in seconds.items() if p < period)
    for p, rows in seconds.items():
        if p > period:
            break
        known = rows[: second + 1] if p == period else rows[:-TAIL_S]
        ages = now - start - np.arange(len(known))
        inside = ages < len(methodology.table)
        total += methodology.table[ages[inside]] @ known[inside]
        start += len(rows) - 1 - TAIL_S
    return total
