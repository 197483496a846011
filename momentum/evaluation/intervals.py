"""Means with what chance could make of them. Rows of one match are not independent: the match is what is resampled."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 2_000
BOOT_SEED = 1


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@functools.lru_cache(maxsize=2)
def draws(matches: int, resamples: int = RESAMPLES) -> Floats:
    """Resamples x matches: how often each match is drawn."""
    chosen = np.random.default_rng(BOOT_SEED).integers(0, matches, (resamples, matches))
    counts = np.zeros((resamples, matches))
    for row, drawn in zip(counts, chosen, strict=True):
        row[:] = np.bincount(drawn, minlength=matches)
    counts.setflags(write=False)
    return counts


def around(figure: float, resampled: Floats) -> Interval:
    """``figure`` between the 2.5 % and 97.5 % quantiles of what resamples give (those that give none left out)."""
    known = resampled[np.isfinite(resampled)]
    low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
    return Interval(figure, float(low), float(high))


def ratio(total: Floats, weight: Floats, resamples: int = RESAMPLES) -> Interval:
    """Sum of ``total`` over sum of ``weight``, both by match."""
    counts = draws(len(total), resamples)
    above, below = counts @ total, counts @ weight
    return around(float(total.sum() / weight.sum()), above[below > 0] / below[below > 0])


def by_match(values: Floats, match: Ints, matches: int) -> tuple[Floats, Floats]:
    """Sum and number of ``values`` of each of so many matches."""
    total = np.bincount(match, weights=values, minlength=matches).astype(np.float64)
    return total, np.bincount(match, minlength=matches).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its standard error, clustered by match; NaN where too few matches tell."""

    mean: float
    se: float
    n: int

    @property
    def in_se(self) -> float:
        """How many standard errors it is away from 0."""
        return abs(self.mean) / self.se if self.se > 0 else float("nan")


def clustered(values: Floats, match: Ints) -> Mean:
    """Mean of ``values``; its error is that of a ratio of sums by match."""
    if not len(values):
        return Mean(float("nan"), float("nan"), 0)
    total, count = by_match(values, match, int(match.max()) + 1)
    total, count = total[count > 0], count[count > 0]
    mean, clusters = float(total.sum() / count.sum()), len(count)
    if clusters < 2:
        return Mean(mean, float("nan"), len(values))
    spread = ((total - count * mean) ** 2).sum() * clusters / (clusters - 1)
    return Mean(mean, float(np.sqrt(spread) / count.sum()), len(values))
