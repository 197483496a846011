"""Fits `xg/1`, measures it on competitions held apart, and compares it with a provider's expected goals.

    python -m training.xg --data FOLDER --plot docs/images/xg-calibration.png

FOLDER holds `wyscout/` (events/, matches_*.json.gz, index.csv.gz) and, for the comparison, `statsbomb/events/`.
Prints every figure of docs/xg.md, writes them to artifacts/xg.json, and fails when the fit is not the shipped one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.events import FeedError
from momentum import xg
from training import xg_scores as scores
from training.xg_scores import Bools, Floats, Ints
from training.xg_shots import (
    CONTEXT,
    SET_CONTEXT,
    ProviderShot,
    Shot,
    archive_shots,
    statsbomb_shots,
    terms,
)

Fit = Callable[[Floats, Bools], Callable[[Floats], Floats]]
SCORES: dict[str, scores.Score] = {
    "auc": scores.auc,
    "log_loss": scores.log_loss,
    "brier": scores.brier,
    "ece": scores.ece,
}
DIGITS = 4


class Table:
    """Shots as arrays."""

    def __init__(self, shots: Sequence[Shot]) -> None:
        events = [shot.event for shot in shots]
        self.match = [shot.match for shot in shots]
        self.competition = np.array([shot.competition for shot in shots])
        self.goal: Bools = np.array([shot.goal for shot in shots], dtype=bool)
        self.penalty: Bools = np.array([event.penalty for event in events], dtype=bool)
        placed = np.array([event.penalty or xg.is_placed(event) for event in events])
        if not placed.all():
            raise FeedError("training_unplaced", f"{(~placed).sum()} shots have no place: leave them out of the data")
        self.terms = np.zeros((len(shots), len(xg.TERMS_1)))
        self.terms[~self.penalty] = terms([event for event in events if not event.penalty])
        self.context = np.array([shot.context for shot in shots], dtype=float)
        self.xg0 = np.array(
            [
                xg.xg_e6(e.x, e.y, header=e.body is not None and e.body.value == "head", penalty=e.penalty) / 1e6
                for e in events
            ]
        )
        self.xg1 = np.array([xg.xg1_e6(event) / 1e6 for event in events])

    def columns(self, *names: str) -> Floats:
        """Terms of `xg/1` and figures of the context by name."""
        every = dict(zip((*xg.TERMS_1, *CONTEXT), [*self.terms.T, *self.context.T], strict=True))
        return np.column_stack([every[name] for name in names])


def digest(shots: Sequence[Shot]) -> str:
    """SHA-256 of the shots as the fit sees them."""
    lines = (
        f"{s.match},{s.competition},{s.event.x},{s.event.y},{s.event.body},{s.event.penalty},"
        f"{s.event.direct_free_kick},{s.goal}\n"
        for s in shots
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def logistic(x: Floats, y: Bools) -> tuple[float, Floats]:
    """Intercept and coefficients of a maximum-likelihood fit, no penalty. Columns are scaled for the solver only."""
    from sklearn.linear_model import LogisticRegression

    scale = x.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=200).fit(x / scale, y)
    return float(model.intercept_[0]), model.coef_[0] / scale


def fit_logistic(x: Floats, y: Bools) -> Callable[[Floats], Floats]:
    """A logistic regression as a function."""
    intercept, coefficients = logistic(x, y)
    return lambda rows: 1 / (1 + np.exp(-(intercept + rows @ coefficients)))


def fit_boosting(x: Floats, y: Bools) -> Callable[[Floats], Floats]:
    """Gradient boosting: what a model without a formula would reach."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=150, max_leaf_nodes=8, min_samples_leaf=80, l2_regularization=5, random_state=1
    ).fit(x, y)
    return lambda rows: np.asarray(model.predict_proba(rows)[:, 1])


def held_out(table: Table, x: Floats, fit: Fit) -> Floats:
    """Predictions for each competition from the others; penalties have their share of goals there."""
    p = np.empty(len(table.goal))
    for name in np.unique(table.competition):
        out = table.competition == name
        known = ~out & ~table.penalty
        p[out] = fit(x[known], table.goal[known])(x[out])
        p[out & table.penalty] = table.goal[~out & table.penalty].mean()
    return p


def candidates(table: Table) -> dict[str, Floats]:
    """Predictions of everything compared: the first is what ships, the second what it replaces."""
    old = ("distance", "angle", "header")
    models: dict[str, tuple[tuple[str, ...], Fit]] = {
        "xg/1": (xg.TERMS_1, fit_logistic),
        "distance, angle, header, refitted": (old, fit_logistic),
        "xg/1 + rebound, corner, free kick, cross": ((*xg.TERMS_1, *SET_CONTEXT), fit_logistic),
        "xg/1 + all context": ((*xg.TERMS_1, *CONTEXT), fit_logistic),
        "gradient boosting, own fields": (xg.TERMS_1, fit_boosting),
        "gradient boosting, all context": ((*xg.TERMS_1, *CONTEXT), fit_boosting),
    }
    found = {name: held_out(table, table.columns(*names), fit) for name, (names, fit) in models.items()}
    return {"xg/1": found.pop("xg/1"), "xg/0 as shipped (saw all)": table.xg0, **found}


def measure(table: Table, draws: int, seed: int) -> list[dict[str, Any]]:
    """Scores with intervals by match, of every candidate, by held-out competition and pooled."""
    found = candidates(table)
    rows = []
    for where in ("all", *np.unique(table.competition)):
        inside = np.flatnonzero((table.competition == where) | (where == "all"))
        y = table.goal[inside]
        samples = scores.cluster_draws([table.match[i] for i in inside], draws, seed)
        reference = found["xg/1"][inside]
        for name, every in found.items():
            p = every[inside]
            row: dict[str, Any] = {"competition": str(where), "model": name, "shots": len(y), "goals": int(y.sum())}
            row |= {key: scores.with_interval(score, p, y, samples) for key, score in SCORES.items()}
            row["foretold_per_goal"] = float(p.sum() / y.sum())
            for key in ("auc", "log_loss"):
                row[f"{key}_above_xg1"] = _gain(SCORES[key], p, reference, y, samples)
            if name == "xg/1":
                row["bins"] = scores.reliability(p, y)
                row["ece_floor"] = scores.ece_floor(p, 200, seed)
            rows.append(row)
    return rows


def _gain(
    score: scores.Score, p: Floats, reference: Floats, y: Bools, samples: Sequence[Ints]
) -> tuple[float, float, float]:
    each = [score(p[rows], y[rows]) - score(reference[rows], y[rows]) for rows in samples]
    return (score(p, y) - score(reference, y), *scores.interval(each))


def fitted(table: Table) -> dict[str, Any]:
    """The coefficients as they ship: fitted on all shots, rounded."""
    intercept, coefficients = logistic(table.terms[~table.penalty], table.goal[~table.penalty])
    header, free_kick = table.columns("header", "free_kick").T > 0
    kinds = {"foot": ~header & ~free_kick, "header": header & ~free_kick, "free_kick": free_kick}
    return {
        "intercept": f"{intercept:.{DIGITS}f}",
        "coefficients": {name: f"{v:.{DIGITS}f}" for name, v in zip(xg.TERMS_1, coefficients, strict=True)},
        "penalty_e6": round(table.goal[table.penalty].mean() * 1e6),
        "unplaced_e6": {name: round(table.goal[kind & ~table.penalty].mean() * 1e6) for name, kind in kinds.items()},
    }


def mapping(shots: Sequence[ProviderShot], draws: int, seed: int) -> dict[str, Any]:
    """How a provider's expected goals follow ours on the same shots; intervals by resampling shots."""
    ours = np.array([xg.xg1_e6(shot.event) for shot in shots]) / 1e6
    theirs = np.array([shot.event.xg_e6 or 0 for shot in shots]) / 1e6
    rng = np.random.default_rng(seed)
    picks = [rng.integers(0, len(shots), len(shots)) for _ in range(draws)]
    each = np.array([scores.line(ours[rows], theirs[rows]) for rows in picks])
    result: dict[str, Any] = {
        name: (value, *scores.interval(each[:, column]))
        for column, (name, value) in enumerate(
            zip(("slope", "intercept", "correlation", "ratio"), scores.line(ours, theirs), strict=True)
        )
    }
    result["correlation_of_logs"] = float(np.corrcoef(np.log(ours), np.log(np.maximum(theirs, 1e-6)))[0, 1])
    result["beyond_a_factor_of_two"] = int(((theirs > 2 * ours) | (ours > 2 * theirs)).sum())
    result["shots"], result["goals"] = len(shots), sum(shot.event.goal for shot in shots)
    result["sums"] = {
        match: [round(float(values[[s.match == match for s in shots]].sum()), 2) for values in (ours, theirs)]
        for match in sorted({shot.match for shot in shots})
    }
    goal = np.array([shot.event.goal for shot in shots])
    result["log_loss"] = {"xg/1": scores.log_loss(ours, goal), "provider": scores.log_loss(theirs, goal)}
    return result


def show(report: dict[str, Any]) -> None:
    """Print the report."""
    print(f"{report['shots']} shots of {report['matches']} matches, sha256 {report['shots_sha256'][:16]}")
    for row in report["held_out"]:
        parts = [f"{key} {row[key][0]:.4f} [{row[key][1]:.4f}, {row[key][2]:.4f}]" for key in SCORES]
        gains = [
            f"{key} above xg/1 {row[f'{key}_above_xg1'][0]:+.4f} "
            f"[{row[f'{key}_above_xg1'][1]:+.4f}, {row[f'{key}_above_xg1'][2]:+.4f}]"
            for key in ("auc", "log_loss")
        ]
        floor = f", ECE of a perfect model {row['ece_floor']:.4f}" if "ece_floor" in row else ""
        print(f"{row['competition']:9} {row['model']:41} n {row['shots']:5}  {'  '.join(parts)}")
        print(f"{'':52}xG per goal {row['foretold_per_goal']:.3f}, {', '.join(gains)}{floor}")
    pairs = " ".join(f"{mean:.3f}/{share:.3f}" for mean, share in report["held_out"][0]["bins"])
    print(f"{report['held_out'][0]['goals']} goals; expected / share of goals in ten bins, all: {pairs}")
    print("fit:", json.dumps(report["fit"]))
    if report["provider"]:
        print("provider = intercept + slope * xg/1:", json.dumps(report["provider"]))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with wyscout/ and statsbomb/")
    parser.add_argument("--out", type=Path, default=Path("artifacts/xg.json"))
    parser.add_argument("--plot", type=Path, help="where the calibration plot goes (PNG)")
    parser.add_argument("--draws", type=int, default=500, help="bootstrap samples")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    try:
        shots = archive_shots(args.data / "wyscout", args.jobs)
        provider = list(statsbomb_shots(args.data / "statsbomb" / "events"))
        table = Table(shots)
    except FeedError as error:
        print(f"training.xg: [{error.code}] {error}", file=sys.stderr)
        return 2
    report: dict[str, Any] = {
        "shots": len(shots),
        "matches": len(set(table.match)),
        "shots_sha256": digest(shots),
        "seed": args.seed,
        "draws": args.draws,
        "fit": fitted(table),
        "held_out": measure(table, args.draws, args.seed),
        "provider": mapping(provider, args.draws, args.seed),
    }
    show(report)
    _write(args.out, json.dumps(report, indent=1).encode() + b"\n")
    if args.plot:
        from training.xg_plot import calibration_png

        p = held_out(table, table.terms, fit_logistic)
        _write(args.plot, calibration_png(p, table.xg0, table.goal, table.competition))
    shipped = {key: xg.DEFINITION_1[key] for key in report["fit"]}
    if shipped != report["fit"]:
        print("training.xg: the fit is not the shipped xg/1: a change is xg/2, not an edit", file=sys.stderr)
        return 1
    print("the fit is the shipped xg/1, digit by digit")
    return 0


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
