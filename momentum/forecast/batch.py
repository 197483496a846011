"""The forecast's features of a whole recorded match at once, from its final events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event
from momentum.archive import Columns, per_second
from momentum.forecast.columns import CELLS, Mark, mark_of
from momentum.forecast.memory import BLOCK_S, FINE_BLOCKS, HALF_LIVES_S, TABLES
from momentum.forecast.vector import Scenes, vectors

Ints = NDArray[np.int64]


class Batch:
    """A recorded match, ready to be looked at from any of its seconds."""

    def __init__(self, events: Iterable[Event], *, awards_carried: bool) -> None:
        """``awards_carried``: whether the feed has corner and penalty awards (`momentum.state.CARRIES_AWARDS`)."""
        known = list(events)
        rows = per_second(Columns.of(known))
        marks = [mark for event in known if (mark := mark_of(event, awards_carried)) is not None]
        self.marks = sorted(marks, key=lambda mark: mark.order)
        self.lengths_s = {period: len(part) - 1 for period, part in rows.items()}
        self._cells = {period: _cells(period, part, self.marks) for period, part in rows.items()}

    def start_s(self, period: int) -> int:
        """Playing seconds before ``period``."""
        return sum(length for p, length in self.lengths_s.items() if p < period)

    def vectors(self, period: int, seconds: Ints, x_e6: Ints) -> tuple[Ints, Scenes]:
        """Features and scenes at ``seconds`` (ascending) of ``period``, where the traded index is ``x_e6``."""
        scenes = self._scenes(period, seconds)
        return vectors(self._sums(period, seconds), scenes, x_e6), scenes

    def _sums(self, period: int, seconds: Ints) -> Ints:
        """Ticks x cells x half-lives, in units of 2^-20."""
        # Exact in floating point: no sum reaches 2^53 (2^20 times an hour and a half of possession in ms is 2^43).
        total = np.zeros((len(seconds), CELLS, len(HALF_LIVES_S)))
        now = self.start_s(period) + seconds
        for p, cells in self._cells.items():
            if p > period:
                continue
            blocks = _blocks(cells)
            ages = now[:, None] - self.start_s(p) - (BLOCK_S * np.arange(blocks.shape[1]) + BLOCK_S // 2)
            counted = np.ones(ages.shape, dtype=bool)
            if p == period:
                counted = np.arange(blocks.shape[1]) < (seconds // BLOCK_S - FINE_BLOCKS)[:, None]
            ages = np.maximum(np.where(counted, ages, 0), 0)  # the middle of a half's last block may lie after it
            for h, table in enumerate(TABLES):
                weights = np.where(counted, table[ages], 0).astype(float)
                total[:, :, h] += weights @ blocks.T
        return total.astype(np.int64) + self._fine(self._cells[period], seconds)

    def _fine(self, cells: Ints, seconds: Ints) -> Ints:
        """The part of the sums that counts second by second."""
        result = np.zeros((len(seconds), CELLS, len(HALF_LIVES_S)), dtype=np.int64)
        padded = np.pad(cells.astype(float), ((0, 0), (BLOCK_S * FINE_BLOCKS, 0)))
        for rest in range(BLOCK_S):
            rows = np.flatnonzero(seconds % BLOCK_S == rest)
            if not len(rows):
                continue
            width = BLOCK_S * FINE_BLOCKS + rest + 1
            first = seconds[rows] - rest  # where the stretch begins in the padded columns
            weights = TABLES[:, width - 1 :: -1].astype(float).T  # oldest first
            stretches = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)[:, first, :]
            result[rows] = (stretches @ weights).transpose(1, 0, 2).astype(np.int64)
        return result

    def _scenes(self, period: int, seconds: Ints) -> Scenes:
        marks = self.marks
        born = np.array([_code(mark.period, mark.second) for mark in marks], dtype=np.int64)
        known = np.searchsorted(born, _code(period, seconds), side="right")
        # Row i of each table is how things stand after the first i marks.
        lead = np.cumsum([0, *(mark.goal for mark in marks)])
        men = np.cumsum([0, *(mark.red for mark in marks)])
        newest = _last([mark.word is not None for mark in marks])[known]
        held = _last([mark.word is not None and mark.word.on_ball for mark in marks])[known]
        now = self.start_s(period) + seconds
        at = np.array([*(self.start_s(mark.period) + mark.second for mark in marks), 0], dtype=np.int64)
        return Scenes(
            cum_s=now,
            lead=lead[known],
            men=men[known],
            play=_told(marks, "play", -1)[newest],
            sign=_told(marks, "sign")[newest],
            x_e1=_told(marks, "x_e1")[newest],
            age_s=now - at[newest],
            corner_pct=_told(marks, "corner_pct")[newest],
            free_kick=_told(marks, "free_kick")[newest],
            penalty=_told(marks, "penalty")[newest],
            ball=_told(marks, "sign")[held],
            ball_x_e1=_told(marks, "x_e1")[held],
        )


def _cells(period: int, rows: Ints, marks: Sequence[Mark]) -> Ints:
    """Cells x seconds of one period."""
    cells = np.zeros((CELLS, len(rows)), dtype=np.int64)
    cells[:2] = rows.T[:2]  # possession
    for mark in marks:
        if mark.period == period:
            for column, amount in mark.cells:
                cells[column, mark.second] += amount
    return cells


def _blocks(cells: Ints) -> NDArray[np.float64]:
    """Sums of 15 seconds each."""
    count = -(-cells.shape[1] // BLOCK_S)
    padded = np.pad(cells, ((0, 0), (0, count * BLOCK_S - cells.shape[1])))
    blocks: NDArray[np.float64] = padded.reshape(len(cells), count, BLOCK_S).sum(axis=2).astype(float)
    return blocks


def _code(period: int, second: Any) -> Any:
    """Period and second as one number that orders them."""
    return period * 100_000 + second


def _last(chosen: Sequence[bool]) -> Ints:
    """Row i: number of the last chosen among the first i, -1 for none."""
    numbers = np.where(np.array([False, *chosen]), np.arange(len(chosen) + 1) - 1, -1)
    result: Ints = np.maximum.accumulate(numbers)
    return result


def _told(marks: Sequence[Mark], name: str, empty: int = 0) -> Ints:
    """What each mark's word says; the last row is what nothing says."""
    values = [int(getattr(mark.word, name)) if mark.word is not None else empty for mark in marks]
    return np.array([*values, empty], dtype=np.int64)
