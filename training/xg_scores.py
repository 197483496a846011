"""Scores of predicted probabilities, with bootstrap intervals by match. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Score = Callable[[Floats, Bools], float]
BINS = 10


def auc(p: Floats, y: Bools) -> float:
    """Area under the ROC curve, ties count half; NaN where all outcomes are alike."""
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    ones = int(y.sum())
    zeros = len(y) - ones
    return float((ranks[y].sum() - ones * (ones + 1) / 2) / (ones * zeros)) if ones and zeros else float("nan")


def log_loss(p: Floats, y: Bools) -> float:
    """Mean negative log likelihood in nats."""
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return float(-np.where(y, np.log(p), np.log1p(-p)).mean())


def brier(p: Floats, y: Bools) -> float:
    """Mean squared error."""
    return float(((p - y) ** 2).mean())


def bins(p: Floats, count: int = BINS) -> Ints:
    """The bin of each prediction: ``count`` bins of equal size in the order of ``p``."""
    result = np.empty(len(p), dtype=np.int64)
    result[np.argsort(p, kind="stable")] = np.arange(len(p)) * count // len(p)
    return result


def reliability(p: Floats, y: Bools) -> list[tuple[float, float]]:
    """Mean prediction and share of goals of each bin."""
    which = bins(p)
    size = np.bincount(which, minlength=BINS)
    mean = np.bincount(which, weights=p, minlength=BINS) / size
    share = np.bincount(which, weights=y.astype(float), minlength=BINS) / size
    return [(float(m), float(s)) for m, s in zip(mean, share, strict=True)]


def ece(p: Floats, y: Bools) -> float:
    """Expected calibration error: mean over ten equal-count bins of |mean prediction - share of goals|."""
    which = bins(p)
    sizes = np.bincount(which, minlength=BINS)
    gaps = np.bincount(which, weights=p - y, minlength=BINS)
    return float(np.abs(gaps).sum() / sizes.sum())


def ece_floor(p: Floats, draws: int, seed: int) -> float:
    """The mean ``ece`` that perfectly calibrated predictions would show on outcomes drawn from themselves."""
    rng = np.random.default_rng(seed)
    return float(np.mean([ece(p, rng.random(len(p)) < p) for _ in range(draws)]))


def cluster_draws(cluster: Sequence[str], draws: int, seed: int) -> list[Ints]:
    """Rows of ``draws`` bootstrap samples of whole clusters (matches), with replacement."""
    rng = np.random.default_rng(seed)
    _, number = np.unique(np.asarray(cluster), return_inverse=True)
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(number))[:-1])
    return [np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))]) for _ in range(draws)]


def interval(values: Sequence[float] | Floats) -> tuple[float, float]:
    """The middle 95 % of ``values``, NaN left out."""
    low, high = np.nanpercentile(np.asarray(values, dtype=float), [2.5, 97.5])
    return float(low), float(high)


def with_interval(score: Score, p: Floats, y: Bools, samples: Sequence[Ints]) -> tuple[float, float, float]:
    """A score and its 95 % bootstrap interval."""
    return (score(p, y), *interval([score(p[rows], y[rows]) for rows in samples]))


def line(ours: Floats, theirs: Floats) -> tuple[float, float, float, float]:
    """Least squares theirs = intercept + slope * ours, correlation, and sum of theirs over sum of ours."""
    slope, intercept = np.polyfit(ours, theirs, 1)
    correlation = np.corrcoef(ours, theirs)[0, 1]
    return float(slope), float(intercept), float(correlation), float(theirs.sum() / ours.sum())
