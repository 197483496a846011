"""How well a number ranks and foretells a yes or no: AUC, log loss, calibration error, with intervals by match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from momentum.evaluation.intervals import Floats, Interval, Ints, around, by_match, clustered, draws

Bools = NDArray[np.bool_]

RESAMPLES = 200
BINS = 10
_STEPS = 25


@dataclass(frozen=True)
class Ranking:
    """Rows in the order of their score, so that the AUC of any weights is one pass. Ties count half."""

    row: Ints
    positive: Bools
    starts: Ints
    """Where each distinct score begins."""

    @classmethod
    def of(cls, score: Floats, positive: Bools) -> Ranking:
        """``positive`` says which rows should rank high."""
        row = np.argsort(score, kind="stable")
        ordered = score[row]
        new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(row) else np.zeros(0, dtype=bool)
        return cls(row, positive[row], np.flatnonzero(new))

    def auc(self, weight: Floats) -> float:
        """Chance that of two rows, drawn by ``weight``, the positive one ranks higher; NaN without both kinds."""
        if not len(self.row):
            return float("nan")
        whole = weight[self.row]
        ones = np.add.reduceat(np.where(self.positive, whole, 0.0), self.starts)
        zeros = np.add.reduceat(np.where(self.positive, 0.0, whole), self.starts)
        pairs = float(ones.sum() * zeros.sum())
        below = np.cumsum(zeros) - zeros / 2
        return float(ones @ below) / pairs if pairs > 0 else float("nan")


def auc(score: Floats, positive: Bools, match: Ints, matches: int, resamples: int = RESAMPLES) -> Interval:
    """Area under the ROC curve with the interval of resampled matches (``match`` numbers each row's)."""
    ranking = Ranking.of(score, positive)
    found = ranking.auc(np.ones(len(score)))
    if matches < 2:
        return Interval(found, float("nan"), float("nan"))
    return around(found, np.array([ranking.auc(counts[match]) for counts in draws(matches, resamples)]))


def log_loss(p: Floats, positive: Bools) -> float:
    """Mean of -ln(probability of what came)."""
    sure = np.clip(np.where(positive, p, 1 - p), 1e-9, 1.0)
    return float(-np.log(sure).mean()) if len(p) else float("nan")


def recalibrated(score: Floats, positive: Bools, half: Bools) -> Floats:
    """Probabilities by a logistic fit of level and slope, made on the other half of the matches; NaN where none can.

    ``half`` says which rows are of the first half. A score that is always the same has a level alone.
    """
    result = np.full(len(score), np.nan)
    for train in (half, ~half):
        if not train.any() or len(np.unique(positive[train])) < 2:
            continue
        middle, spread = float(score[train].mean()), float(score[train].std())
        columns = [np.ones(len(score)), *([(score - middle) / spread] if spread > 0 else [])]
        features, weights = np.column_stack(columns), np.zeros(len(columns))
        known, answers = features[train], positive[train]
        for _ in range(_STEPS):
            p = 1 / (1 + np.exp(-np.clip(known @ weights, -30, 30)))
            hessian = (known * (p * (1 - p))[:, None]).T @ known + 1e-9 * np.eye(len(weights))
            weights = weights + np.linalg.solve(hessian, known.T @ (answers - p))
        result[~train] = 1 / (1 + np.exp(-np.clip(features[~train] @ weights, -30, 30)))
    return result


@dataclass(frozen=True, slots=True)
class Calibration:
    """``error``: mean distance of foretold from found over bins; ``chance``: what a perfect forecast would show here.

    ``bins`` are rows of (mean foretold, share found, standard error of their difference, rows).
    """

    error: float
    chance: float
    bins: tuple[tuple[float, float, float, int], ...]


def calibration(p: Floats, positive: Bools, match: Ints, bins: int = BINS) -> Calibration:
    """Over so many bins of equally many rows in the order of ``p``; errors clustered by match."""
    if not len(p):
        return Calibration(float("nan"), float("nan"), ())
    found, error, chance = [], 0.0, 0.0
    for rows in np.array_split(np.argsort(p, kind="stable"), min(bins, len(p))):
        apart = clustered(positive[rows] - p[rows], match[rows])
        found.append((float(p[rows].mean()), float(positive[rows].mean()), apart.se, len(rows)))
        error += abs(apart.mean) * len(rows) / len(p)
        chance += apart.se * np.sqrt(2 / np.pi) * len(rows) / len(p)
    return Calibration(error, float(chance), tuple(found))


def rmse(error: Floats) -> float:
    """Root of the mean square; NaN of nothing."""
    return float(np.sqrt(np.mean(error**2))) if len(error) else float("nan")


def better_by(error: Floats, yardstick: Floats, match: Ints, matches: int) -> Interval:
    """Per cent by which ``error`` has a smaller root mean square than ``yardstick`` on the same rows."""
    if not len(error):
        return Interval(float("nan"), float("nan"), float("nan"))
    mine, theirs = (by_match(values**2, match, matches)[0] for values in (error, yardstick))
    counts = draws(matches)
    above, below = counts @ mine, counts @ theirs
    ratios = np.sqrt(above[below > 0] / below[below > 0])
    return around(100 * (1 - float(np.sqrt(mine.sum() / theirs.sum()))), 100 * (1 - ratios))
