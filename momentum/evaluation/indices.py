"""The table of the indices: what each tells of the next five minutes, and how it moves from second to second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from momentum.evaluation.intervals import Floats, Interval, Ints
from momentum.evaluation.sample import INDICES, PROBABILITIES, STEPPING, Measured, Moments
from momentum.evaluation.scores import RESAMPLES, Calibration, auc, calibration, log_loss, recalibrated
from momentum.evaluation.targets import Questions

TARGETS = ("T1", "T2", "T2 in 300 s")
"""Side with more xG in the next 300 s; side of the next shot; the same where the shot falls within 300 s."""


@dataclass(frozen=True, slots=True)
class Score:
    """One index on one target over ``n`` moments of ``matches`` matches.

    ``log_loss`` is the probability's own for `PROBABILITIES`, and after `scores.recalibrated` for the others.
    """

    index: str
    target: str
    n: int
    matches: int
    auc: Interval
    log_loss: float
    calibration: Calibration | None


def score_all(moments: Moments, match: Ints, matches: int) -> list[Score]:
    """Every index on every target; ``match`` numbers each moment's match."""
    asked = Questions.of(moments.xg_ahead, moments.next_shot, moments.next_shot_s)
    found = []
    for column, name in enumerate(INDICES):
        values = moments.score[:, column]
        for target, (known, home) in zip(TARGETS, (asked.more_xg, asked.next_shot, asked.next_shot_soon), strict=True):
            chosen = known & ~np.isnan(values)
            score, truth, of = values[chosen], home[chosen], match[chosen]
            sure = name in PROBABILITIES
            p = score if sure else recalibrated(score, truth, of % 2 == 0)
            found.append(
                Score(
                    name,
                    target,
                    len(score),
                    len(np.unique(of)),
                    auc(score, truth, of, matches),
                    log_loss(p[~np.isnan(p)], truth[~np.isnan(p)]),
                    calibration(p, truth, of) if sure else None,
                )
            )
    return found


def by_competition(
    moments: Moments, match: Ints, competitions: Sequence[str | None], resamples: int = RESAMPLES
) -> list[tuple[str, int, str, str, Interval]]:
    """(competition, its matches, index, target, AUC) of the first two targets, for each competition that is known."""
    asked = Questions.of(moments.xg_ahead, moments.next_shot, moments.next_shot_s)
    names = sorted({name for name in competitions if name is not None})
    played = np.array([names.index(name) if name is not None else -1 for name in competitions], dtype=np.int64)
    found = []
    for number, competition in enumerate(names):
        order = np.cumsum(played == number) - 1
        for column, index in enumerate(INDICES[1:], start=1):
            values = moments.score[:, column]
            for target, (known, home) in zip(TARGETS[:2], (asked.more_xg, asked.next_shot), strict=True):
                chosen = known & ~np.isnan(values) & (played[match] == number)
                size = int((played == number).sum())
                interval = auc(values[chosen], home[chosen], order[match[chosen]], size, resamples)
                found.append((competition, size, index, target, interval))
    return found


@dataclass(frozen=True, slots=True)
class Stepping:
    """An index from second to second: steps above five points a match, the largest, and the share of them in a second
    without shot, goal or card, and in one in which nothing happens at all (forgetting). NaN where there are none.
    """

    index: str
    matches: int
    big_a_match: float
    largest: float
    unmoved: float
    silent: float


def stepping(measured: Sequence[Measured]) -> list[Stepping]:
    """Of every index that moves."""
    found = []
    for column, name in enumerate(STEPPING):
        of = [m.steps for m in measured if not np.isnan(m.steps.largest[column])]
        big: Floats = np.array([[s.big[column], s.unmoved[column], s.silent[column]] for s in of], dtype=float)
        total, unmoved, silent = big.reshape(-1, 3).sum(axis=0).tolist()
        found.append(
            Stepping(
                name,
                len(of),
                total / len(of) if of else float("nan"),
                max((float(s.largest[column]) for s in of), default=float("nan")),
                unmoved / total if total else float("nan"),
                silent / total if total else float("nan"),
            )
        )
    return found
