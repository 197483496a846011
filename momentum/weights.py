"""The memories of several methodologies side by side, so that one matrix product sums under all of them.

Exact in floating point: a table's 16-bit halves are summed apart, and while all amounts together stay below 2^36 no
partial sum reaches 2^53, so that every one is an integer that a float holds, whatever the order of the additions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from momentum.methodology import Memory, Methodology

Ints = NDArray[np.int64]
Rows = NDArray[np.int32] | NDArray[np.int64]
"""What each second contributed: `COLUMNS` (first axis) x seconds; 32 bits wide while the amounts fit."""

EXACT_MASS = 1 << 36
_HALF_BITS = 16


class Weights:
    """Tables of all memories of ``methodologies``; shared by all matches of a process. Read-only after construction."""

    __slots__ = ("_halves", "_shifts", "_starts", "_whole", "columns", "longest", "memories", "padded", "rows")

    def __init__(self, methodologies: Sequence[Methodology]) -> None:
        self.memories = memories_of(methodologies)
        self.rows, self.columns = picks(methodologies, self.memories)
        """Methodologies x 10: which memory and which of `COLUMNS` each input is a sum of."""
        self.longest = max((len(memory.table) for memory in self.memories), default=0)
        padded = np.zeros((len(self.memories), self.longest + 1), dtype=np.int64)
        for row, memory in zip(padded, self.memories, strict=True):
            row[: len(memory.table)] = memory.table
        self.padded = padded
        """Memories x ages; 0 beyond a table's end and at the last column (any age that counts nothing)."""
        self._whole = np.ascontiguousarray(padded[:, -2::-1])  # oldest age first, as rows lie
        halves: list[NDArray[np.float64]] = []
        shifts: list[int] = []
        starts: list[int] = []
        for table in self._whole:
            starts.append(len(halves))
            parts = [(0, table & 0xFFFF), (_HALF_BITS, table >> _HALF_BITS)]
            used = [(shift, part) for shift, part in parts if part.any()] or parts[:1]
            halves += [part.astype(float) for _, part in used]
            shifts += [shift for shift, _ in used]
        self._halves = np.array(halves).reshape(len(halves), self.longest)
        self._shifts = np.array(shifts, dtype=np.int64)[:, None]
        self._starts = np.array(starts, dtype=np.intp)

    def sums(self, stretches: Sequence[tuple[Rows, int]], mass: int) -> Ints:
        """The inputs from ``stretches``: methodologies x 10, modulo 2^64.

        A stretch is (columns of consecutive seconds, age of its last second in s); ``mass`` is at least the sum of
        all amounts.
        """
        total = None
        for columns, youngest in stretches:
            end = self.longest - youngest
            count = min(columns.shape[1], end)
            if count <= 0:
                continue
            counted, ages = columns[:, columns.shape[1] - count :], slice(end - count, end)
            if mass < EXACT_MASS:
                part = self._halves[:, ages] @ counted.astype(float).T
            else:
                part = self._whole[:, ages] @ counted.astype(np.int64).T
            total = part if total is None else total + part
        if total is None:
            return np.zeros(self.rows.shape, dtype=np.int64)
        if mass >= EXACT_MASS:
            return self.pick(np.asarray(total, dtype=np.int64))
        whole = total.astype(np.int64) << self._shifts
        return self.pick(np.add.reduceat(whole, self._starts, axis=0))

    def pick(self, sums: Ints) -> Ints:
        """Of sums under every memory (memories x `COLUMNS`) those that are inputs: methodologies x 10."""
        result: Ints = sums[self.rows, self.columns]
        return result


def memories_of(methodologies: Sequence[Methodology]) -> tuple[Memory, ...]:
    """The memories that ``methodologies`` need, each once."""
    found = {memory.digest: memory for methodology in methodologies for memory in methodology.memories}
    return tuple(found.values())


def picks(methodologies: Sequence[Methodology], memories: Sequence[Memory]) -> tuple[Ints, Ints]:
    """Methodologies x 10: number of the memory, and column, of each input."""
    numbers = {memory.digest: number for number, memory in enumerate(memories)}
    rows = [[numbers[memory.digest] for memory in m.memories for _side in (0, 1)] for m in methodologies]
    shape = (len(methodologies), 10)
    columns = [m.columns for m in methodologies]
    return np.array(rows, dtype=np.int64).reshape(shape), np.array(columns, dtype=np.int64).reshape(shape)


_SHARED: dict[tuple[bytes, ...], Weights] = {}


def weights_of(methodologies: Sequence[Methodology]) -> Weights:
    """The tables of ``methodologies``, built once in a process."""
    key = tuple(m.hash for m in methodologies)
    if key not in _SHARED:
        _SHARED[key] = Weights(methodologies)
    return _SHARED[key]
