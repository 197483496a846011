"""``model/1``: from what is seen at a tick to the forecast's numbers. Integers in, integers out, the same everywhere.

One linear form per number over the features of `momentum.forecast.vector`, once for play alone and once with the odds
before the match. The artifact `model_1.json` holds the coefficients with the manifest of their training
(`make train` reproduces it); docs/momentum.md tells the method and its measured figures.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.events import FeedError
from momentum.forecast.vector import BEFORE_FEATURES, FEATURES, GROUND_FEATURES, ONE
from momentum.methodology import LEVEL_E6, MAX_E6
from momentum.pricing import S_BIAS
from momentum.state import Reason

Ints = NDArray[np.int64]
Exact = NDArray[np.float64]
"""Integers in floating point: below 2^53, so that every product and sum of them is exact in any order."""

VERSION = "model/1"
ARTIFACT = Path(__file__).with_name("model_1.json")

MAX_S_E4 = 200_000
MAX_CONF_E4 = 50_000
GAP_CONF_E4 = 200
"""``conf`` grows by so much for every second that was left out."""
SILENT_S, SILENT_CONF_E4, MAX_SILENT_CONF_E4 = 60, 100, 10_000
"""A feed that tells nothing for longer than `SILENT_S` of play adds so much a second, up to a point."""

_LOGIT_STEP_E6 = 7_812  # 2^-7, rounded down: 1,024 steps reach to 8
_LOGIT_STEPS = 1_024


def _logistic_table() -> Ints:
    with localcontext() as context:
        context.prec = 30
        steps = (Decimal(step * _LOGIT_STEP_E6) / 1_000_000 for step in range(_LOGIT_STEPS + 1))
        return np.array([int(1_000_000_000 / (1 + (-at).exp())) for at in steps], dtype=np.int64)


_LOGISTIC_E9 = _logistic_table()


def probability_e6(logit_e6: Ints) -> Ints:
    """1 / (1 + exp(-logit)) in 1e-6, by a table and straight lines between (error below 1e-6); p(-l) = 1 - p(l)."""
    size = np.minimum(np.abs(logit_e6), _LOGIT_STEP_E6 * _LOGIT_STEPS - 1)
    step, rest = np.divmod(size, _LOGIT_STEP_E6)
    low, high = _LOGISTIC_E9[step], _LOGISTIC_E9[step + 1]
    upper = (low + (high - low) * rest // _LOGIT_STEP_E6 + 500) // 1_000
    result: Ints = np.where(logit_e6 < 0, 1_000_000 - upper, upper)
    return result


def _nearest(values: Exact | Ints, divisor: int) -> Ints:
    """Quotient rounded to the nearest integer, halves away from zero, so that signs do not matter."""
    whole = values.astype(np.int64)
    size = (2 * np.abs(whole) + divisor) // (2 * divisor)
    result: Ints = np.where(whole < 0, -size, size)
    return result


def _between(values: Ints, low: int, high: int) -> Ints:
    result: Ints = np.minimum(np.maximum(values, low), high)
    return result


@dataclass(frozen=True, slots=True)
class Seen:
    """The forecast at some ticks, one row each. ``s_e4`` is signed; ``share_e6`` is a probability."""

    share_e6: Ints
    mu_e6: Ints
    s_e4: Ints
    conf_e4: Ints


@dataclass(frozen=True)
class Forms:
    """The linear forms of one situation: features (those of the ground last) x numbers.

    Columns: log odds of the next five minutes in 1e-6; ``mu`` less 50, and ``s``, in 1e-6 points; then the directions
    whose squares sum to the square of the standard error of a window's price at its opening, in 1e-6 points.
    """

    names: tuple[str, ...]
    weights: Exact

    @classmethod
    def of(cls, names: Sequence[str], found: Mapping[str, Any]) -> Forms:
        """From the artifact. ValueError when numbers are missing or too large to be exact."""
        columns = [found["share_e6"], found["mu_e6"], found["s_e6"], *found["error_e6"]]
        if any(len(column) != len(names) for column in columns):
            raise ValueError(f"a column has not the {len(names)} numbers of its features")
        weights = np.array(columns, dtype=np.int64).T
        if np.abs(weights).sum(axis=0).max() >= 1 << 36:  # features stay below 2^16
            raise ValueError("the coefficients are too large to be exact")
        return cls(tuple(names), np.ascontiguousarray(weights.astype(float)))

    def share_e6(self, vectors: Ints) -> Ints:
        """Only the probability."""
        return probability_e6(_nearest(vectors.astype(float) @ self.weights[:, 0], ONE))

    def look(self, vectors: Ints) -> Seen:
        """The numbers at some ticks: ``vectors`` are ticks x features."""
        found = vectors.astype(float) @ self.weights
        errors = _nearest(found[:, 3:], 100 * ONE)
        return Seen(
            share_e6=probability_e6(_nearest(found[:, 0], ONE)),
            mu_e6=_between(LEVEL_E6 + _nearest(found[:, 1], ONE), 0, MAX_E6),
            s_e4=_between(_nearest(found[:, 2], 100 * ONE), -MAX_S_E4, MAX_S_E4),
            conf_e4=np.sqrt((errors * errors).sum(axis=1).astype(float)).astype(np.int64),
        )


@dataclass(frozen=True)
class Band:
    """Half-width of the 90 % band of the running window: straight lines between knots of the seconds left."""

    left_s: Ints
    half_e6: Ints

    def half(self, left_s: Ints) -> Ints:
        """Half-width in 1e-6 points, ``left_s`` before the window's end (beyond the last knot: as there)."""
        at = np.clip(np.searchsorted(self.left_s, left_s, side="right") - 1, 0, len(self.left_s) - 2)
        x0, x1, y0, y1 = self.left_s[at], self.left_s[at + 1], self.half_e6[at], self.half_e6[at + 1]
        result: Ints = y0 + (y1 - y0) * (np.clip(left_s, x0, x1) - x0) // (x1 - x0)
        return result


@dataclass(frozen=True)
class Situation:
    """What belongs together: the forms and the band, for play alone or with a prior."""

    forms: Forms
    band: Band


@dataclass(frozen=True)
class Model:
    """All that the forecast has learned. ``floor_e4`` and ``provisional_e4`` are parts of ``conf``."""

    play: Situation
    prior: Situation
    floor_e4: int
    provisional_e4: Mapping[Reason, int]
    manifest: Mapping[str, Any]

    def conf_e4(self, error_e4: Ints, reason: Ints, gap_s: Ints, silent_s: Ints) -> Ints:
        """``conf`` per tick: standard error of a window's price in 1e-4 points, at most 5.

        ``error_e4`` is what the coefficients' own error makes of the moment, ``reason`` a `momentum.state.Reason`;
        ``gap_s`` the seconds since the last sample, ``silent_s`` since the newest event.
        """
        silence = np.minimum(np.maximum(0, silent_s - SILENT_S) * SILENT_CONF_E4, MAX_SILENT_CONF_E4)
        provisional = self._provisional_e4[reason]
        known = np.sqrt((error_e4**2 + self.floor_e4**2 + provisional**2).astype(float)).astype(np.int64)
        result: Ints = np.minimum(MAX_CONF_E4, known + silence + GAP_CONF_E4 * np.maximum(0, gap_s - 1))
        return result

    @functools.cached_property
    def _provisional_e4(self) -> Ints:
        return np.array([self.provisional_e4.get(reason, 0) for reason in Reason], dtype=np.int64)


def _situation(names: Sequence[str], found: Mapping[str, Any]) -> Situation:
    band = Band(*(np.array(found["band"][key], dtype=np.int64) for key in ("left_s", "half_e6")))
    if len(band.left_s) < 2 or len(band.left_s) != len(band.half_e6) or (np.diff(band.left_s) <= 0).any():
        raise ValueError("the band's knots do not ascend")
    return Situation(Forms.of(names, found), band)


def parse_model(found: Mapping[str, Any]) -> Model:
    """A model from its artifact's content. KeyError, TypeError or ValueError when it is not one of this version's."""
    if found["version"] != VERSION or found["features"] != [*FEATURES, *BEFORE_FEATURES, *GROUND_FEATURES]:
        raise ValueError(f"it is not {VERSION} with this version's features")
    return Model(
        play=_situation((*FEATURES, *GROUND_FEATURES), found["play"]),
        prior=_situation((*FEATURES, *BEFORE_FEATURES, *GROUND_FEATURES), found["prior"]),
        floor_e4=int(found["conf"]["floor_e4"]),
        provisional_e4={Reason[name]: int(value) for name, value in found["conf"]["provisional_e4"].items()},
        manifest=found["manifest"],
    )


def read_json(path: Path) -> Any:
    """The content of an artifact. Raises FeedError ``bad_model`` when it cannot be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise bad_model(path, error) from error


def bad_model(path: Path, error: Exception) -> FeedError:
    """The error for an artifact that cannot be used."""
    return FeedError("bad_model", f"cannot use the model {path} ({error}): fetch it again or train it")


def read_model(path: Path) -> Model:
    """A model from its artifact. Raises FeedError ``bad_model`` when it is not one of this version's."""
    try:
        return parse_model(read_json(path))
    except (KeyError, TypeError, ValueError) as error:
        raise bad_model(path, error) from error


@functools.cache
def shipped() -> Model:
    """The model that comes with Futstar."""
    return read_model(ARTIFACT)


def biased(s_e4: int) -> int:
    """``s_e4`` as the programs take it."""
    return s_e4 + S_BIAS
