"""The index of a whole match at once, vectorised: the same integers as `LiveMatch`, by another road.

Events become columns, columns become what every second contributed, and one exact convolution with the weight
tables gives all ticks. Published ticks share nothing with it except the methodology's data and the event's footprint,
so that agreement of the two is evidence; only what a live match says of published seconds older than a few minutes
after a correction comes from the same convolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event
from momentum.convolve import convolve
from momentum.features import MAX_SECOND, Footprint, Role, footprint
from momentum.methodology import COLUMNS, INPUTS, METHODOLOGIES, POSSESSION_CAP_MS, Methodology, index_e6_array
from momentum.weights import memories_of, picks

Ints = NDArray[np.int64]
_COLUMNS = len(COLUMNS)


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


def _add_possession(rows: Ints, play_ms: Ints, second: Ints, role: Ints) -> None:
    """Milliseconds of both sides' possession in each second of one period, into the first two of ``rows``."""
    relevant = role != Role.NONE
    start, role = play_ms[relevant], role[relevant]
    if len(start) == 0:
        return
    # One place more, which stands for the time before the first event.
    stretch = np.full(len(start) + 1, POSSESSION_CAP_MS, dtype=np.int64)
    np.minimum(start[1:] - start[:-1], POSSESSION_CAP_MS, out=stretch[:-2])
    stretch[-1] = 0
    # At each whole second: the last event by then, and for how long it has held the ball since.
    last = np.bincount(second[relevant], minlength=rows.shape[1]).cumsum()
    last -= 1
    since = _WHOLE_SECONDS_MS[: rows.shape[1]] - start[last]
    np.minimum(since, stretch[last], out=since)
    for side in (0, 1):
        own = np.zeros_like(stretch)
        np.equal(role, side, out=own[:-1])
        held = own * stretch
        before = held.cumsum()
        before -= held
        before[-1] = 0
        held = before[last]
        held += since * own[last]
        rows[side, 0] = held[0]
        np.subtract(held[1:], held[:-1], out=rows[side, 1:])


_WHOLE_SECONDS_MS = np.arange(MAX_SECOND + 14, dtype=np.int64) * 1000
TAIL_S = POSSESSION_CAP_MS // 1000 + 1
"""Possession may run on for so many seconds after the last event that is known."""


def per_second(columns: Columns, tail_s: int = 0) -> dict[int, Ints]:
    """What every second of every period contributed: period -> (length_s + 1 + tail_s) x `COLUMNS`.

    ``tail_s`` seconds after the last event are added: a match under way is not over with its last event.
    """
    result: dict[int, Ints] = {}
    second = -(-columns.play_ms // 1000)
    bounds = np.searchsorted(columns.period, np.arange(1, 6)).tolist()
    points = np.searchsorted(columns.point_row, bounds).tolist()
    for period in range(1, 5):
        first, end = bounds[period - 1], bounds[period]
        if first == end:
            continue
        count = int(second[first:end].max()) + 1 + tail_s
        rows = np.zeros((_COLUMNS, count), dtype=np.int64)
        inside = slice(points[period - 1], points[period])
        place = columns.point_column[inside] * count + second[columns.point_row[inside]]
        np.add.at(rows.reshape(-1), place, columns.point_amount[inside])
        _add_possession(rows, columns.play_ms[first:end], second[first:end], columns.role[first:end])
        result[period] = rows.T
    return result


def replay(
    events: Iterable[Event] | Columns,
    methodologies: Sequence[Methodology] = METHODOLOGIES,
) -> Replay:
    """Every tick of a match from its final events, in any order. No events give no ticks."""
    seconds = per_second(events if isinstance(events, Columns) else Columns.of(events))
    lengths = np.array([len(rows) for rows in seconds.values()], dtype=np.int64)
    starts = np.cumsum(lengths - 1) - (lengths - 1)
    ticks = np.cumsum(lengths) - lengths  # number of each period's first tick
    # One column place per playing second: the first second of a period is the last one of the period before.
    timeline = np.zeros((_COLUMNS, int((lengths - 1).sum()) + 1 if seconds else 0), dtype=np.int64)
    for start, rows in zip(starts.tolist(), seconds.values(), strict=True):
        timeline[:, start : start + len(rows)] += rows.T
    tick_period = np.repeat(np.array(list(seconds), dtype=np.int64), lengths)
    tick_second = np.arange(len(tick_period)) - np.repeat(ticks, lengths)
    tick_cum = tick_second + np.repeat(starts, lengths)
    # What a later period began with is not known to the tick before, though it falls in the same playing second.
    early = [
        (int(ticks[other] + lengths[other]) - 1, rows[0])
        for later, (start, rows) in enumerate(zip(starts, seconds.values(), strict=True))
        for other in range(later)
        if starts[other] + lengths[other] - 1 == start
    ]
    inputs, x_e6 = {}, {}
    memories = memories_of(methodologies)
    numbers, places = picks(methodologies, memories)
    needed = [set(places[numbers == number].tolist()) for number in range(len(memories))]
    wholes = convolve(timeline, memories, needed)
    for methodology, rows_of, columns_of in zip(methodologies, numbers, places, strict=True):
        picked = [wholes[row][column] for row, column in zip(rows_of.tolist(), columns_of.tolist(), strict=True)]
        whole = np.stack(picked)
        parts = [whole[:, s : s + n] for s, n in zip(starts.tolist(), lengths.tolist(), strict=True)]
        sums = np.concatenate(parts or [whole], axis=1).T
        for tick, begun in early:
            sums[tick] -= begun[columns_of] * [memories[row].table[0] for row in rows_of]
        inputs[methodology.name] = sums
        x_e6[methodology.name] = index_e6_array(sums, methodology)
    return Replay(tick_period, tick_second, tick_cum, inputs, x_e6)


def inputs_at(seconds: Mapping[int, Ints], period: int, second: int, methodology: Methodology) -> Ints:
    """The ten inputs of one tick of a match under way: the sum written down plainly.

    ``seconds`` is ``per_second(columns, TAIL_S)`` of what is known.
    """
    start = 0
    total: Ints = np.zeros(len(INPUTS), dtype=np.int64)
    tables = [memory.table for memory in methodology.memories for _side in (0, 1)]
    now = second + sum(len(rows) - 1 - TAIL_S for p, rows in seconds.items() if p < period)
    for p, rows in seconds.items():
        if p > period:
            break
        known = rows[: second + 1] if p == period else rows[:-TAIL_S]
        ages = now - start - np.arange(len(known))
        for place, (table, column) in enumerate(zip(tables, methodology.columns, strict=True)):
            inside = ages < len(table)
            total[place] += table[ages[inside]] @ known[inside, column]
        start += len(rows) - 1 - TAIL_S
    return total
