"""Trains ``model/1``: writes its artifact and, for an honest evaluation, what it is without each competition.

    python -m training.model --data FOLDER [--check]

FOLDER holds `wyscout/` (events/, matches_*.json.gz, index.csv.gz) and `prior.csv.gz`. Writes
`momentum/forecast/model_1.json` and `folds_1.json`; with ``--check`` writes nothing and fails when the shipped files
would say something else. Nothing is drawn at random: the same data give the same coefficients.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.events import FeedError
from ingest.feeds import adapter, default_match_paths
from momentum.evaluation.targets import Floats
from momentum.forecast.folds import FOLDS
from momentum.forecast.model import ARTIFACT, VERSION, Model, parse_model, read_model
from momentum.forecast.vector import BEFORE_FEATURES, FEATURES, GROUND_FEATURES, ONE
from momentum.methodology import SPEC_DECAY
from momentum.prior import read_priors
from momentum.replay import final_events
from momentum.state import Reason
from training.fits import (
    CURVE_PENALTY,
    SHARE_PENALTY,
    TAU_S,
    Curve,
    Normal,
    decayed,
    design,
    fit_share,
    price,
    scales,
)
from training.moments import PROVIDER, STEP_S, WINDOW_S, Moments, load
from training.moments import moments as moments_of
from training.xg_shots import competitions

GROUPS = 24
"""The error of the coefficients is what leaving out one of so many groups of matches, in turn, changes."""
BAND_KNOTS_S = (0, 30, 60, 120, 240, 360, 480, 600, 720, 840, 900)
COVERED = 0.90
DECIDED = (Reason.GOAL, Reason.PENALTY, Reason.RED_CARD, Reason.CORNER)
_TOLERANCE_E6 = 200
"""Machines round differently in the last digits of a solution; beyond this a coefficient is another one."""


Fit = Callable[[Floats, Moments, NDArray[np.bool_]], Floats]
"""Coefficients of the log odds from rows, moments and which of them to look at."""


@dataclass(frozen=True)
class Rows:
    """The training data of one situation, with everything that is used more than once."""

    moments: Moments
    values: Floats
    competition: NDArray[np.str_]  # per row
    parts: dict[tuple[str, int], Normal]  # by competition and group
    scale: Floats

    @classmethod
    def of(cls, moments: Moments, competition: NDArray[np.str_], *, with_prior: bool) -> Rows:
        """``competition`` per row of ``moments``."""
        values = design(moments, with_prior=with_prior)
        group = moments.match % GROUPS
        parts = {
            (name, number): Normal.of(values, moments, (competition == name) & (group == number))
            for name in np.unique(competition).tolist()
            for number in range(GROUPS)
        }
        return cls(moments, values, competition, parts, scales(values))

    def curve(self, *, without: Sequence[str] = (), group: int | None = None) -> Curve:
        """Fitted without some competitions or one group."""
        kept = (part for (name, number), part in self.parts.items() if name not in without and number != group)
        return Normal.total(kept).solve(self.scale)

    def misses(self, curve: Curve, chosen: NDArray[np.bool_]) -> Floats:
        """What the running window's price misses, in points of the settlement; 0 outside windows."""
        m = self.moments
        priced = price(m, 50 + self.values @ curve.mu, self.values @ curve.s)
        return np.where(chosen & (m.left_s > 0), (m.later - priced) * m.left_s / WINDOW_S, 0.0)

    def unseen_misses(self, names: Sequence[str]) -> Floats:
        """Misses of ``names``, each foretold by the others of them alone."""
        everything = np.unique(self.competition).tolist()
        total = np.zeros(len(self.values))
        for name in names:
            others = [other for other in everything if other not in names or other == name]
            total += self.misses(self.curve(without=others), self.competition == name)
        return total


def band(moments: Moments, misses: Floats, chosen: NDArray[np.bool_]) -> dict[str, list[int]]:
    """Half-widths at the knots: the quantile of what was missed at about that time left, never falling."""
    halves = []
    for knot in BAND_KNOTS_S:
        near = chosen & (moments.left_s > 0) & (np.abs(moments.left_s - knot) <= max(STEP_S, knot // 12))
        exact = np.abs(misses[near]) * knot / moments.left_s[near]  # a miss grows with the time left
        halves.append(round(float(np.quantile(exact, COVERED)) * 1e6))
    return {"left_s": list(BAND_KNOTS_S), "half_e6": np.maximum.accumulate(halves).tolist()}


def whole(values: Floats) -> list[int]:
    """In 1e-6, as integers."""
    return [round(value) for value in (values * 1e6).tolist()]


def coefficients(
    share: Floats, curve: Curve, errors: Sequence[Floats], found_band: dict[str, list[int]]
) -> dict[str, Any]:
    """One situation of the artifact."""
    return {
        "share_e6": whole(share),
        "mu_e6": whole(curve.mu),
        "s_e6": whole(curve.s),
        "error_e6": [whole(direction) for direction in errors],
        "band": found_band,
    }


def situation(rows: Rows, names: Sequence[str], fit: Fit = fit_share) -> dict[str, Any]:
    """Fitted on the competitions ``names``; the error's directions by leaving out groups of matches."""
    chosen = np.isin(rows.competition, names)
    without = [name for name in np.unique(rows.competition).tolist() if name not in names]
    curve = rows.curve(without=without)
    left_out = np.array([rows.curve(without=without, group=group).at_open() for group in range(GROUPS)])
    errors = np.sqrt((GROUPS - 1) / GROUPS) * (left_out - left_out.mean(axis=0))
    misses = rows.unseen_misses(names)
    return coefficients(fit(rows.values, rows.moments, chosen), curve, list(errors), band(rows.moments, misses, chosen))


def between_competitions(rows: Rows) -> float:
    """Points by which prices at a window's opening depend on which competitions were seen, beyond chance.

    Leaving out one competition in turn changes more than leaving out as many matches of all would: they differ.
    """
    names = np.unique(rows.competition).tolist()

    def variance(curves: Sequence[Curve]) -> float:
        prices = rows.values @ np.array([curve.at_open() for curve in curves]).T
        count = len(curves)
        return float((count - 1) * prices.var(axis=1).mean())

    groups = variance([rows.curve(group=group) for group in range(GROUPS)])
    return math.sqrt(max(0.0, variance([rows.curve(without=[name]) for name in names]) - groups))


def provisional(moments: Moments, reason: Reason) -> float:
    """Points by which a window's price at its opening moves (root mean square) until trading goes on."""
    moves = moments.move[(moments.reason == int(reason)) & ~np.isnan(moments.move)]
    return float(np.sqrt(np.mean(moves**2)) * decayed(TAU_S, 0.0, float(WINDOW_S))) if len(moves) else 0.0


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the files that were read."""
    wyscout = folder / "wyscout"
    files = [folder / "prior.csv.gz", wyscout / "index.csv.gz", *sorted(wyscout.glob("matches_*.json.gz"))]
    total = hashlib.sha256()
    for path in [*files, *sorted((wyscout / "events").iterdir())]:
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def features_digest(moments: Moments) -> str:
    """SHA-256 of all that the fits see: other code that looks at the data otherwise gives another one."""
    total = hashlib.sha256()
    seen = (moments.vectors, moments.prior_vectors, moments.form, moments.x)
    for part in (*seen, moments.later, moments.xg_ahead, moments.next_shot):
        total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()


def features_of_a_match() -> str:
    """SHA-256 of the features of the match in the installed kloppy package: a test asks for it at every change."""
    found = moments_of(0, final_events(adapter(PROVIDER), default_match_paths(PROVIDER))[1], prior=ONE, step_s=1)
    rows = ONE * design(replace(found, form=np.full_like(found.form, ONE)), with_prior=True)
    return hashlib.sha256(rows.astype(np.int64).tobytes()).hexdigest()


def train(
    names: Sequence[str], competition_of: Mapping[str, str], moments: Moments, fit: Fit = fit_share
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The artifact without its manifest, and the folds: what it is without each competition."""
    competition = np.array([competition_of[name] for name in names])[moments.match]
    everything = sorted({competition_of[name] for name in names})
    model: dict[str, Any] = {"version": VERSION, "features": [*FEATURES, *BEFORE_FEATURES, *GROUND_FEATURES]}
    folds: dict[str, dict[str, Any]] = {name: {} for name in everything}
    floors = []
    for key in ("play", "prior"):
        rows = Rows.of(moments, competition, with_prior=key == "prior")
        model[key] = situation(rows, everything, fit)
        for name in everything:
            fold = situation(rows, [other for other in everything if other != name], fit)
            folds[name][key] = {part: fold[part] for part in ("share_e6", "mu_e6", "s_e6", "band")}
        floors.append(between_competitions(rows))
    states = {reason.name: round(1e4 * provisional(moments, reason)) for reason in DECIDED}
    # No recording here has a video review: it decides a goal or a penalty, so it counts as the wider of these.
    states[Reason.VAR.name] = max(states[Reason.GOAL.name], states[Reason.PENALTY.name])
    model["conf"] = {"floor_e4": round(1e4 * max(floors)), "provisional_e4": states}
    form = dict(zip(moments.match.tolist(), (10 * moments.form / ONE).tolist(), strict=True))
    played = {name: [competition_of[name], form[number]] for number, name in enumerate(names)}
    held_out = {"folds": folds, "matches": played}
    return model, held_out


def differences(model: Model, shipped: Model) -> list[str]:
    """Where two models say something else, beyond rounding."""
    found = []
    for key in ("play", "prior"):
        new, old = getattr(model, key), getattr(shipped, key)
        for number, column in enumerate(("share_e6", "mu_e6", "s_e6")):
            apart = np.abs(new.forms.weights[:, number] - old.forms.weights[:, number]).max()
            if apart > _TOLERANCE_E6:
                found.append(f"{key}.{column} differs by {apart / 1e6:.6f}")
        apart = np.abs(new.band.half_e6 - old.band.half_e6).max()
        if apart > _TOLERANCE_E6:
            found.append(f"{key}.band differs by {apart / 1e6:.6f} points")
    return found


def main(argv: Sequence[str]) -> int:
    """Train, and write or compare."""
    parser = argparse.ArgumentParser(prog="python -m training.model")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds wyscout/ and prior.csv.gz")
    parser.add_argument("--check", action="store_true", help="compare with the shipped files, write nothing")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(argv)
    try:
        priors = read_priors(given.data / "prior.csv.gz")
        competition_of = competitions(given.data / "wyscout")
        print("reading matches (5 min on 2 cores)", file=sys.stderr)
        began = time.monotonic()
        names, moments = load(given.data / "wyscout", {n: p.log_odds for n, p in priors.items()}, given.jobs)
        print(f"{len(names)} matches, {len(moments.x)} moments in {time.monotonic() - began:.0f} s", file=sys.stderr)
        model, held_out = train(names, competition_of, moments)
    except FeedError as error:
        print(f"training.model: {error}", file=sys.stderr)
        return 2
    model["manifest"] = {
        "data_sha256": digest(given.data),
        "features_sha256": features_digest(moments),
        "features_of_a_match_sha256": features_of_a_match(),
        "matches": len(names),
        "moments": len(moments.x),
        "methodology": SPEC_DECAY.name,
        "methodology_hash": SPEC_DECAY.hash.hex(),
        "seed": None,
        "fit": f"ridge {CURVE_PENALTY:g}, logistic {SHARE_PENALTY:g}, {GROUPS} groups",
    }
    if given.check:
        found = differences(parse_model(model), read_model(ARTIFACT))
        print("\n".join(found) or "the shipped model is what this data gives")
        return 1 if found else 0
    ARTIFACT.write_text(dumps(model))
    FOLDS.write_text(dumps(held_out))
    print("wrote " + ", ".join(f"{path.name} ({path.stat().st_size / 1e3:.0f} kB)" for path in (ARTIFACT, FOLDS)))
    return 0


def dumps(found: dict[str, Any]) -> str:
    """JSON with one list a line."""
    text = json.dumps(found, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda lists: re.sub(r"\s+", " ", lists.group()), text) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
