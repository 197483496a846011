"""What the index foretells and how fair the forward curve is, measured on recorded matches.

    python -m scripts.measure_momentum
    python -m scripts.measure_momentum --provider wyscout --input FOLDER --matches 60 --seed 11

Without options it takes the complete match of the installed `kloppy` package. Figures (docs/momentum.md):

- T1: does the index tell which side has more expected goals in the next 300 s of play (ties left out)?
- T2: does it tell which side has the next shot? Both as area under the ROC curve (AUC) over every tenth second,
  and as log loss of a logistic fit made on the other half of the matches (where there are several).
- RMSE of a 15-minute window's quote against its settlement, every tenth second of its life, in index points:
  the two-parameter quote, holding the index (spot), holding 50; mean error of the quote (bias); what fading the
  index beyond 15 points from 50 earns per trade at the quote and at the index.
- conf: the part of the quote's error that its own circumstances (time left, index, play so far) would foretell,
  sampling noise removed, beside the mean conf that was sent.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.events import FeedError, Kind, Side
from ingest.feeds import adapter, default_match_paths
from momentum import pricing
from momentum.archive import Replay, replay
from momentum.curve import Curve
from momentum.features import SHOOT_OUT, footprint, shot_xg_e6
from momentum.methodology import METHODOLOGIES, Methodology
from momentum.replay import final_events

Floats = NDArray[np.float64]
STEP_S, AHEAD_S, WINDOW_S = 10, 300, 900
BEYOND = 15.0  # points from 50 at which extremes are faded


@dataclass
class Match:
    """A replayed match and its shots: (second_cum, side 0 home 1 away, xg_e6)."""

    ticks: Replay
    shots: list[tuple[int, int, int]]


@dataclass
class Quotes:
    """Errors in points of one methodology's quotes, with what was known at each."""

    match: list[int] = field(default_factory=list)
    left_s: list[int] = field(default_factory=list)
    played_s: list[int] = field(default_factory=list)
    index: list[float] = field(default_factory=list)
    quote: list[float] = field(default_factory=list)
    spot: list[float] = field(default_factory=list)
    fifty: list[float] = field(default_factory=list)
    conf: list[float] = field(default_factory=list)


def load(provider: str, paths: Sequence[Path], count: int, seed: int) -> Iterator[Match]:
    """Up to ``count`` matches, chosen by ``seed``."""
    source = adapter(provider)
    found = sorted(source.matches(paths))
    chosen: list[str | None] = [None]
    if len(found) > 1:
        random.Random(seed).shuffle(found)
        chosen = [*found[:count]]
    for name in chosen:
        _, events = final_events(source, paths, name)
        ticks = replay(events)
        starts = {int(p): int(ticks.second_cum[ticks.period == p][0]) for p in np.unique(ticks.period)}
        shots = []
        for event in events:
            mark = footprint(event)
            if event.kind is Kind.SHOT and not event.own_goal and event.period < SHOOT_OUT and mark and event.side:
                shots.append((starts[event.period] + mark.second, int(event.side is Side.AWAY), shot_xg_e6(event)))
        yield Match(ticks, sorted(shots))


def targets(match: Match) -> tuple[Floats, Floats]:
    """Per tick: xG of home minus away in the next 300 s, and 1 / 0 / NaN for the side of the next shot."""
    last = int(match.ticks.second_cum[-1])
    ahead = np.zeros(last + 2)
    for second, side, xg in match.shots:
        ahead[second] += xg if side == 0 else -xg
    total, now = np.cumsum(ahead), match.ticks.second_cum
    more = total[np.minimum(now + AHEAD_S, last)] - total[now]
    more[now + AHEAD_S > last] = 0
    times = np.array([shot[0] for shot in match.shots])
    sides = np.array([*(1.0 - shot[1] for shot in match.shots), np.nan])
    return more, sides[np.searchsorted(times, now, side="right")]


def auc(score: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve; ties count half."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    ones = int(positive.sum())
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / ones / (len(positive) - ones))


def log_loss(x: Floats, y: NDArray[np.bool_], fold: NDArray[np.bool_]) -> float:
    """Of a logistic fit in x: fitted on each half of the matches, scored on the other."""
    losses = []
    for train in (fold, ~fold):
        features = np.column_stack([np.ones(len(x)), (x - 50) / 10])
        weights = np.zeros(2)
        for _ in range(25):
            p = 1 / (1 + np.exp(-features[train] @ weights))
            hessian = (features[train] * (p * (1 - p))[:, None]).T @ features[train]
            weights += np.linalg.solve(hessian, features[train].T @ (y[train] - p))
        p = 1 / (1 + np.exp(-features[~train] @ weights))
        losses.append(-np.where(y[~train], np.log(p), np.log(1 - p)))
    return float(np.concatenate(losses).mean())


def accuracy(matches: Sequence[Match], methodology: Methodology) -> None:
    """Print T1 and T2."""
    parts = []
    for number, match in enumerate(matches):
        every = slice(0, None, STEP_S)
        more, side = targets(match)
        x = match.ticks.x_e6[methodology.name][every] / 1e6
        parts.append(np.column_stack([x, more[every], side[every], np.full(len(x), number % 2)]))
    rows = np.vstack(parts)
    for name, known, truth in (
        ("T1", rows[:, 1] != 0, rows[:, 1] > 0),
        ("T2", ~np.isnan(rows[:, 2]), rows[:, 2] == 1),
    ):
        x, y, fold = rows[known, 0], truth[known], rows[known, 3] == 0
        loss = f"{log_loss(x, y, fold):.3f}" if len(matches) > 1 else "-"
        print(f"{methodology.name:13} {name}  AUC {auc(x, y):.3f}  log loss {loss}  n {len(x)}")


def quotes(matches: Sequence[Match], methodology: Methodology) -> Quotes:
    """Every window of every match, quoted every tenth second by the programs' own integer formula."""
    result = Quotes()
    for number, match in enumerate(matches):
        ticks, xs = match.ticks, match.ticks.x_e6[methodology.name]
        curve = Curve(methodology)
        sent = [curve.tick(int(c), int(x)) for c, x in zip(ticks.second_cum, xs, strict=True)]
        for period in (1, 2):
            rows = np.flatnonzero(ticks.period == period)
            area = np.concatenate([[0], np.cumsum(xs[rows])])
            for start in range(0, 3 * WINDOW_S, WINDOW_S):
                if len(rows) < start + WINDOW_S:
                    continue
                settled = (area[start + WINDOW_S] - area[start]) / WINDOW_S / 1e6
                for second in range(start, start + WINDOW_S, STEP_S):
                    row = int(rows[second])
                    left, done = start + WINDOW_S - second, int(area[second] - area[start])
                    mu, conf = sent[row]
                    x_e6, w_ms = int(xs[row]), WINDOW_S * 1000
                    price = pricing.forward(done * 1000, left * 1000, 0, x_e6, mu, pricing.S_BIAS, w_ms)
                    result.match.append(number)
                    result.left_s.append(left)
                    result.played_s.append(int(ticks.second_cum[row]))
                    result.index.append(x_e6 / 1e6)
                    result.quote.append(price / 1e6 - settled)
                    result.spot.append((done + left * x_e6) / WINDOW_S / 1e6 - settled)
                    result.fifty.append((done + left * 50_000_000) / WINDOW_S / 1e6 - settled)
                    result.conf.append(conf / 1e4)
    return result


def foretold(q: Quotes) -> float:
    """Root mean square of the quote's mean error over strata of circumstances, sampling noise (by match) removed."""
    error, match = np.array(q.quote), np.array(q.match)
    left = np.array(q.left_s) // 300
    played = np.array(q.played_s) // 1800
    decile = np.digitize(q.index, np.percentile(q.index, range(10, 100, 10)))
    total = weight = 0.0
    for stratum in np.unique(np.column_stack([left, played, decile]), axis=0):
        inside = (left == stratum[0]) & (played == stratum[1]) & (decile == stratum[2])
        sums = np.bincount(match[inside], weights=error[inside])
        counts = np.bincount(match[inside])
        sums, counts = sums[counts > 0], counts[counts > 0]
        if len(sums) < 10:
            continue
        mean = sums.sum() / counts.sum()
        variance = ((sums - counts * mean) ** 2).sum() / counts.sum() ** 2
        total += (mean**2 - variance) * inside.sum()
        weight += inside.sum()
    return float(np.sqrt(max(0.0, total / weight))) if weight else float("nan")


def curve(matches: Sequence[Match], methodology: Methodology) -> None:
    """Print the forward curve's figures."""
    q = quotes(matches, methodology)
    error = {name: np.array(values) for name, values in (("quote", q.quote), ("spot", q.spot), ("50", q.fifty))}
    rmse = "  ".join(f"{name} {np.sqrt(np.mean(values**2)):.2f}" for name, values in error.items())
    side = np.where(np.array(q.index) > 50, 1.0, -1.0)
    extreme = np.abs(np.array(q.index) - 50) > BEYOND
    fades = [float((side * error[name])[extreme].mean()) for name in ("quote", "spot")]
    print(
        f"{methodology.name:13} RMSE {rmse}  bias {error['quote'].mean():+.2f}  "
        f"fade at quote {fades[0]:+.2f}, at spot {fades[1]:+.2f}  "
        f"foretold error {foretold(q):.2f}, mean conf {np.mean(q.conf):.2f}  n {len(q.quote)}"
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", default="statsperform")
    parser.add_argument("--input", nargs="+", type=Path, help="file, files or folder (default: the match in kloppy)")
    parser.add_argument("--matches", type=int, default=60, help="how many of a folder")
    parser.add_argument("--seed", type=int, default=11, help="which of a folder")
    args = parser.parse_args()
    try:
        paths = args.input or default_match_paths(args.provider)
        matches = list(load(args.provider, paths, args.matches, args.seed))
    except FeedError as error:
        print(f"measure_momentum: [{error.code}] {error}", file=sys.stderr)
        return 2
    seconds = sum(len(match.ticks.period) for match in matches)
    print(f"{len(matches)} matches of {args.provider}, {seconds} seconds of play, seed {args.seed}")
    for methodology in METHODOLOGIES:
        accuracy(matches, methodology)
    for methodology in METHODOLOGIES:
        curve(matches, methodology)
    return 0


if __name__ == "__main__":
    sys.exit(main())
