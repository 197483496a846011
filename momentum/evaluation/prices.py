"""The price of the running window against its settlement: size of the error, bias, band and conf."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from momentum.evaluation.intervals import Floats, Interval, Ints, Mean, clustered
from momentum.evaluation.match import WINDOW_S
from momentum.evaluation.sample import LEARNING, QUOTES, TWO, Bools, Moments
from momentum.evaluation.scores import better_by, rmse

LEFT_BINS = ((840, 901), (600, 840), (360, 600), (240, 360), (120, 240), (60, 120), (1, 60))
POOLED = (1, 901)
LEAN, LEAN_BINS = "X from 50", (0, 5, 10, 15, 20, 50)
DECILES = 10
JUDGED = (TWO, *LEARNING)
"""Quotes whose bias is told."""
CELL_MATCHES = 10
OPENING_S = 840


@dataclass(frozen=True, slots=True)
class Errors:
    """Root mean squares per `QUOTES` of rows with so much time left, and how much smaller than two parameters'."""

    low_s: int
    high_s: int
    n: int
    rmse: dict[str, float]
    better: dict[str, Interval]


def errors(moments: Moments, match: Ints, matches: int, *, next_window: bool = False) -> list[Errors]:
    """By time left, pooled last; of the window after the running one ``next_window``: then time until it opens."""
    found = []
    table = moments.next_error if next_window else moments.error
    for low, high in (*LEFT_BINS, POOLED):
        rows = (moments.left_s >= low) & (moments.left_s < high) & ~np.isnan(table[:, QUOTES.index(TWO)])
        sizes, better = {}, {}
        for column, name in enumerate(QUOTES):
            chosen = rows & ~np.isnan(table[:, column])
            sizes[name] = rmse(table[chosen, column])
            if name in LEARNING:
                yardstick = table[chosen, QUOTES.index(TWO)]
                better[name] = better_by(table[chosen, column], yardstick, match[chosen], matches)
        found.append(Errors(low, min(high, WINDOW_S), int(rows.sum()), sizes, better))
    return found


@dataclass(frozen=True, slots=True)
class Cut:
    """A mean over the rows of one cut: all, a decile, a bin."""

    quote: str
    cut: str
    place: str
    value: Mean


def _cuts(moments: Moments, rows: Bools) -> list[tuple[str, str, Bools]]:
    """(cut, place, rows): all, deciles of the index and of time left, bins of the index's distance from 50."""
    found = [("all", "all", rows)]
    bounds = np.quantile(moments.x[rows], np.linspace(0, 1, DECILES + 1)) if rows.any() else np.zeros(DECILES + 1)
    place = np.clip(np.searchsorted(bounds, moments.x, side="right") - 1, 0, DECILES - 1)
    for number in range(DECILES):
        found.append(("X", f"{bounds[number]:.1f} to {bounds[number + 1]:.1f}", rows & (place == number)))
    width = WINDOW_S // DECILES
    for number in reversed(range(DECILES)):
        inside = rows & ((moments.left_s - 1) // width == number)
        found.append(("time left", f"{number * width} to {(number + 1) * width} s", inside))
    lean = np.abs(moments.x - 50)
    for low, high in itertools.pairwise(LEAN_BINS):
        inside = (lean >= low) & ((lean < high) | (high == LEAN_BINS[-1]))
        found.append((LEAN, f"{low} to {high}", rows & inside))
    return found


def biases(moments: Moments, match: Ints) -> list[Cut]:
    """Mean error of the `JUDGED` quotes: price less settlement, in points; overall also of the next window."""
    found = []
    for name in JUDGED:
        values, after = moments.error[:, QUOTES.index(name)], moments.next_error[:, QUOTES.index(name)]
        for cut, place, rows in _cuts(moments, ~np.isnan(values)):
            if cut != LEAN:
                found.append(Cut(name, cut, place, clustered(values[rows], match[rows])))
        known = ~np.isnan(after)
        found.append(Cut(name, "next window", "all", clustered(after[known], match[known])))
    return found


def coverage(moments: Moments, match: Ints) -> list[Cut]:
    """Share of settlements inside the 90 % band."""
    found = []
    for column, name in enumerate(LEARNING):
        values = moments.inside[:, column]
        for cut, place, rows in _cuts(moments, ~np.isnan(values)):
            if cut != "X":
                found.append(Cut(name, cut, place, clustered(values[rows], match[rows])))
    return found


@dataclass(frozen=True, slots=True)
class ConfSize:
    """``conf`` of a quote in points: mean in open trading and of all moments; then, for the first minute of windows in
    open trading, the root of the mean square sent, of the part of the error that circumstances foretell (sampling
    noise removed), and the ratio of the squares with its standard error.
    """

    quote: str
    mean_open: float
    mean_all: float
    sent: float
    found: float
    ratio: float
    ratio_se: float
    cells: int


def conf_sizes(moments: Moments, match: Ints, groups: Ints) -> list[ConfSize]:
    """Circumstances are a group of matches (``groups`` numbers each match's) and a decile of the index."""
    result = []
    for column, name in enumerate(LEARNING):
        conf, error = moments.conf[:, column], moments.error[:, QUOTES.index(name)]
        known = ~np.isnan(conf)
        rows = ~np.isnan(error) & known & moments.open & (moments.left_s >= OPENING_S)
        total, weight, cells = _foretold(error[rows], match[rows], groups[match[rows]], moments.x[rows])
        square = float(np.mean(conf[rows] ** 2)) if rows.any() else float("nan")
        mean, se = (total / weight, float(np.sqrt(cells[1])) / weight) if weight else (float("nan"), float("nan"))
        result.append(
            ConfSize(
                name,
                _mean(conf[known & moments.open]),
                _mean(conf[known]),
                square**0.5,
                max(0.0, mean) ** 0.5 if weight else float("nan"),
                mean / square if square else float("nan"),
                se / square if square else float("nan"),
                int(cells[0]),
            )
        )
    return result


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _foretold(error: Floats, match: Ints, group: Ints, x: Floats) -> tuple[float, float, Sequence[float]]:
    """Sum and weight of the cells' squared means less their sampling variance; (cells, variance of the sum)."""
    total = weight = variance = cells = 0.0
    decile = np.digitize(x, np.percentile(x, range(10, 100, 10))) if len(x) else np.zeros(0)
    for of in np.unique(group):
        for number in range(DECILES):
            inside = (group == of) & (decile == number)
            if len(np.unique(match[inside])) < CELL_MATCHES:
                continue
            mean, n = clustered(error[inside], match[inside]), int(inside.sum())
            total += (mean.mean**2 - mean.se**2) * n
            variance += 2 * mean.se**4 * n**2 + 4 * mean.se**2 * max(0.0, mean.mean**2 - mean.se**2) * n**2
            weight += n
            cells += 1
    return total, weight, (cells, variance)
