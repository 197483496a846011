"""The fits of `model/1`: a logistic regression for the next five minutes, a joint ridge for ``mu`` and ``s``.

Both are linear in the features and penalised, because on unseen competitions nothing more flexible did better
(docs/momentum.md). Normal equations add up over matches, so that leaving some out costs a solution, not a pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from momentum.evaluation.targets import Bools, Floats, Questions
from momentum.forecast.vector import ONE, form_vectors, ground_vectors
from momentum.pricing import TAU2_MS, TAU_MS
from training.moments import WINDOW_S, Moments

SHARE_PENALTY, CURVE_PENALTY = 6_000.0, 100.0
WEIGHT_POWER = 0.15
"""A moment's miss counts by this power of the time left: by the first, as the price itself misses, the last minutes
would hardly count and the quote lose to the two-parameter one there; so it loses nothing before."""
NEXT_WINDOW_WEIGHT = 0.3
"""How much the error of the window after the running one counts; it keeps ``mu`` sound for windows not yet open."""


def design(moments: Moments, *, with_prior: bool) -> Floats:
    """Rows x features in units of `ONE`; the last one, the home ground, is constant."""
    parts: list[Any] = [moments.vectors]
    if with_prior:
        parts += [moments.prior_vectors, form_vectors(moments.form, moments.cum_s)]
    return np.hstack([*parts, ground_vectors(1, moments.cum_s)]) / ONE


def scales(rows: Floats) -> Floats:
    """Standard deviation of each feature, 1 where it is constant."""
    spread: Floats = rows.std(axis=0)
    spread[spread == 0] = 1.0
    return spread


# The next five minutes


def fit_share(rows: Floats, moments: Moments, chosen: Bools) -> Floats:
    """Coefficients of the log odds: one answer for more xG and one for the next shot within five minutes."""
    from sklearn.linear_model import LogisticRegression

    asked = Questions.of(moments.xg_ahead, moments.next_shot, moments.next_shot_s)
    scale = scales(rows[chosen, :-1])
    parts = [(chosen & known, answer) for known, answer in (asked.more_xg, asked.next_shot_soon)]
    x = np.concatenate([rows[known, :-1] for known, _ in parts]) / scale
    y = np.concatenate([answer[known] for known, answer in parts])
    model = LogisticRegression(C=1 / SHARE_PENALTY, solver="newton-cholesky", tol=1e-8, max_iter=100).fit(x, y)
    return np.append(model.coef_[0] / scale, model.intercept_[0])


# The curve


def decayed(tau_s: float, lead_s: Floats | float, span_s: Floats | float) -> Floats:
    """Mean of exp(-u/tau) from ``lead_s`` over ``span_s``."""
    span = np.maximum(span_s, 1.0)
    return np.asarray(tau_s * (np.exp(-np.asarray(lead_s) / tau_s) - np.exp(-(lead_s + span) / tau_s)) / span)


TAU_S, TAU2_S = TAU_MS / 1000, TAU2_MS / 1000


@dataclass(frozen=True)
class Curve:
    """Coefficients of ``mu`` less 50 and of ``s``, in points."""

    mu: Floats
    s: Floats

    def at_open(self) -> Floats:
        """Coefficients of the price at a window's opening, less what the index itself says."""
        to_mu = 1 - decayed(TAU_S, 0.0, float(WINDOW_S))
        return to_mu * self.mu + decayed(TAU2_S, 0.0, float(WINDOW_S)) * self.s


@dataclass(frozen=True)
class Normal:
    """Normal equations of some matches: they add up."""

    matrix: Floats
    vector: Floats

    @classmethod
    def of(cls, rows: Floats, moments: Moments, chosen: Bools) -> Normal:
        """Of the running window, weighted by the time left (`WEIGHT_POWER`), and of the next one."""
        size = 2 * rows.shape[1]
        matrix, vector = np.zeros((size, size)), np.zeros(size)
        lean, left_s = moments.x - 50, moments.left_s.astype(float)
        running = chosen & (moments.left_s > 0)
        followed = running & ~np.isnan(moments.next_window)
        whole, none = np.full_like(left_s, WINDOW_S), np.zeros_like(left_s)
        for picked, target, lead_s, span_s, part, share in (
            (running, moments.later - 50, none, left_s, (left_s / WINDOW_S) ** WEIGHT_POWER, 1.0),
            (followed, moments.next_window - 50, left_s, whole, whole / WINDOW_S, NEXT_WINDOW_WEIGHT),
        ):
            held, pushed = (decayed(tau, lead_s[picked], span_s[picked]) for tau in (TAU_S, TAU2_S))
            here, factor = rows[picked], part[picked]
            terms = np.hstack([here * ((1 - held) * factor)[:, None], here * (pushed * factor)[:, None]])
            wanted = (target[picked] - lean[picked] * held) * factor
            matrix += share * terms.T @ terms
            vector += share * terms.T @ wanted
        return cls(matrix, vector)

    @classmethod
    def total(cls, parts: Iterable[Normal]) -> Normal:
        """The equations of all of them together."""
        found = list(parts)
        return cls(np.sum([p.matrix for p in found], axis=0), np.sum([p.vector for p in found], axis=0))

    def solve(self, scale: Floats) -> Curve:
        """The penalised solution; ``scale`` are the features' standard deviations. ``s`` has no constant."""
        size = len(scale)
        penalty = np.tile(CURVE_PENALTY * scale**2, 2)
        penalty[size - 1] = 0
        penalty[-1] = 1e12
        found = np.linalg.solve(self.matrix + np.diag(penalty), self.vector).astype(np.float64)
        return Curve(found[:size], np.append(found[size:-1], 0.0))


def price(moments: Moments, mu: Floats, s: Floats, *, next_window: bool = False) -> Floats:
    """Price less what is settled already, in points: of the rest of the running window or of the whole next one.

    ``mu`` is in points, not less 50.
    """
    left_s = moments.left_s.astype(float)
    lead_s, span_s = (left_s, np.full_like(left_s, WINDOW_S)) if next_window else (np.zeros_like(left_s), left_s)
    held, pushed = decayed(TAU_S, lead_s, span_s), decayed(TAU2_S, lead_s, span_s)
    result: Floats = mu + (moments.x - mu) * held + s * pushed
    return result
