"""The published ticks of one match: what was said, what would be said today, and the inputs of the newest.

Twelve bytes a second and methodology are kept for good (with the second's own four shared by all). Inputs are kept
for a few minutes only, where nearly all corrections fall; older ones are computed again when they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from momentum.methodology import Methodology
from momentum.weights import Ints

RECENT = 256
"""At least so many of the newest ticks keep their inputs (fewer only while fewer are published)."""
_SECOND_BITS = 13
_FIRST_CAPACITY = 512
Small = NDArray[np.int32]


def code_of(period: int, second: int) -> int:
    """A tick's place as one integer that sorts like (period, second); ``second`` is below 8,192."""
    return period << _SECOND_BITS | second


def second_of(code: int) -> tuple[int, int]:
    """(period, second) of a code."""
    return code >> _SECOND_BITS, code & ((1 << _SECOND_BITS) - 1)


def seconds_of(codes: Small) -> tuple[Small, Small]:
    """Periods and seconds of codes."""
    return codes >> _SECOND_BITS, codes & ((1 << _SECOND_BITS) - 1)


class Published:
    """Published values per methodology, in 1e-6 points, by the tick's number from 0."""

    __slots__ = ("_changed", "_codes", "_now", "_x", "base", "count", "inputs", "methodologies")

    def __init__(self, methodologies: Sequence[Methodology]) -> None:
        self.methodologies = tuple(methodologies)
        size = len(self.methodologies)
        self.count = 0
        self._codes: Small = np.zeros(_FIRST_CAPACITY, dtype=np.int32)
        self._x: Small = np.zeros((size, _FIRST_CAPACITY), dtype=np.int32)
        self._now: Small = self._x.copy()
        self.base = 0  # number of the oldest tick whose inputs are kept
        self.inputs: Ints = np.zeros((size, 2 * RECENT, 10), dtype=np.int64)
        # What was last told of a tick whose value of today has changed since.
        self._changed: list[dict[int, int]] = [{} for _ in range(size)]

    @property
    def last(self) -> int:
        """Code of the newest tick, -1 before the first."""
        return int(self._codes[self.count - 1]) if self.count else -1

    @property
    def codes(self) -> Small:
        """Codes of all ticks, ascending."""
        return self._codes[: self.count]

    def number_from(self, code: int) -> int:
        """Number of the first tick at or after ``code``."""
        return int(self.codes.searchsorted(code))

    def append(self, code: int, inputs: Ints, x_e6: Sequence[int]) -> None:
        """Publish the next tick: ``inputs`` are methodologies x 10."""
        if self.count == len(self._codes):
            more = self.count // 8 + 64
            self._codes = np.pad(self._codes, (0, more))
            self._x = np.pad(self._x, ((0, 0), (0, more)))
            self._now = np.pad(self._now, ((0, 0), (0, more)))
        if self.count - self.base == self.inputs.shape[1]:
            self.inputs[:, :RECENT] = self.inputs[:, RECENT:]
            self.base += RECENT
        self._codes[self.count] = code
        self._x[:, self.count] = self._now[:, self.count] = x_e6
        self.inputs[:, self.count - self.base] = inputs
        self.count += 1

    def now(self, row: int, first: int, end: int) -> Ints:
        """Today's values of ticks ``first`` to ``end`` - 1 under methodology number ``row``."""
        return self._now[row, first:end].astype(np.int64)

    def renew(self, row: int, first: int, values: Ints | Sequence[int]) -> None:
        """Today's values of the ticks from ``first`` on under methodology number ``row`` are ``values``."""
        stretch, changed = self._now[row, first : first + len(values)], self._changed[row]
        for place in np.flatnonzero(stretch != values).tolist():
            changed.setdefault(first + place, int(stretch[place]))
        stretch[:] = values

    def take_changes(self) -> list[tuple[int, int, str, int, int]]:
        """(period, second, methodology, published, today) of values that differ from what was told last."""
        found = []
        for methodology, changed, x, now in zip(self.methodologies, self._changed, self._x, self._now, strict=True):
            for number, told in changed.items():
                if now[number] != told:
                    place = second_of(int(self._codes[number]))
                    found.append((*place, methodology.name, int(x[number]), int(now[number])))
            changed.clear()
        return found
