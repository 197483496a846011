"""How long the forecast remembers: exact integer sums over five exponential memories.

The play of the last minute counts second by second, what is older in blocks of 15 seconds of its period, so that a
match needs a few hundred numbers and a tick a few microseconds. The sums are integers: the order in which events came
to be known cannot leave a trace, and the live and the archive path agree to the last bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from momentum.methodology import decay_table

Ints = NDArray[np.int64]

HALF_LIVES_S = (20, 60, 180, 600, 2400)
BLOCK_S = 15
FINE_BLOCKS = 4
"""So many whole blocks before the one under way count second by second."""

WEIGHT_BITS = 20
WEIGHT_ONE = 1 << WEIGHT_BITS
LONGEST_S = 4 * 7_300
"""No age is greater: four periods of two hours."""


def _tables() -> Ints:
    tables = np.zeros((len(HALF_LIVES_S), LONGEST_S), dtype=np.int64)
    for row, half_life_s in enumerate(HALF_LIVES_S):
        exact = decay_table(half_life_s)[:LONGEST_S]
        tables[row, : len(exact)] = (exact + (1 << (31 - WEIGHT_BITS))) >> (32 - WEIGHT_BITS)
    tables.setflags(write=False)
    return tables


TABLES = _tables()
"""Half-life x age in seconds: round half up of 2^20 * 2^(-age/half-life)."""


def fine_from(second: int) -> int:
    """The first second of the period that counts by itself at ``second``."""
    return max(0, second // BLOCK_S - FINE_BLOCKS) * BLOCK_S
