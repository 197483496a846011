"""What half-spread and margins the recorded matches ask for. No chain: the keeper's quotes alone, 15-minute windows.

    python -m bench.economics.calibrate --input ../shared/data/wyscout --matches 1204

- Jumps: |dF| from the last sample before a suspension to the first after it, by time left and cause. Nobody can close
  in between, so a maintenance margin must cover it; |dF| over 5 s and 120 s of open trading stand beside it.
- Margins: positions of both sides opened at a window's start; how many are liquidated, how much the pool is left with.
- Half-spread: what each kind of trader earns against the forward of its fill sample, by time left.
"""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.economics.__main__ import SHARED, known_priors
from momentum.evaluation.match import WINDOWS, Floats, Ints, Match, Quote, choose, load
from momentum.evaluation.trades import BINS, SPREAD_BINS, Fills, allowed, results
from momentum.pricing import half_spread, maintenance_margin
from momentum.state import Reason

MARGIN_BINS = ((600, 900), (300, 600), (180, 300), (0, 180))
BIG = (Reason.GOAL, Reason.PENALTY, Reason.RED_CARD)
SCHEDULES = {
    "6/5/3.5/2.5": (6.0, 5.0, 3.5, 2.5),
    "7.5/6/4.5/3 (code)": None,
    "8.5/7/5/3.5": (8.5, 7.0, 5.0, 3.5),
}
"""Maintenance margins in points by `MARGIN_BINS`; None: the code's."""
INITIAL = (10, 12, 15, 20, 25)


@dataclass
class Found:
    """Rows of all matches."""

    jumps: list[tuple[int, int, float]] = field(default_factory=list)
    """(seconds left before, weightiest reason, |dF|)."""
    steps: dict[int, list[Floats]] = field(default_factory=lambda: {5: [], 120: []})
    """|dF| of open trading over so many seconds, with seconds left: rows of (left, |dF|)."""
    opened: list[tuple[int, str, bool, float]] = field(default_factory=list)
    """(initial margin, schedule, liquidated, points the pool is short)."""
    fills: list[Fills] = field(default_factory=list)


def jumps_of(match: Match) -> Iterator[tuple[int, int, float]]:
    """Every suspension of a running window that ends in the same period."""
    suspended = match.suspended
    starts = np.flatnonzero(suspended[1:] & ~suspended[:-1]) + 1
    for start in starts.tolist():
        later = np.flatnonzero(~suspended[start:])
        before = start - 1
        if not len(later) or match.window[before] < 0:
            continue
        after = start + int(later[0])
        if match.period[after] != match.period[before]:
            continue
        forward = match.forward[match.window[before]]
        reasons = set(match.reason[start:after].tolist())
        why = next((int(r) for r in BIG if int(r) in reasons), int(Reason.CORNER))
        yield int(match.left_s[before]), why, abs(float(forward[after] - forward[before]))


def steps_of(match: Match, seconds: int) -> Floats:
    """(left, |dF|) of every second whose next `seconds` are open trading in the same window."""
    at = np.arange(len(match.window) - seconds)
    stopped = np.concatenate([[0], np.cumsum(match.suspended)])
    open_ = (stopped[at + seconds + 1] == stopped[at]) & (match.window[at] >= 0)
    at = at[open_ & (match.window[at] == match.window[at + seconds])]
    window = match.window[at]
    return np.column_stack([match.left_s[at], np.abs(match.forward[window, at + seconds] - match.forward[window, at])])


def schedule(points: tuple[float, ...] | None, left: Ints) -> Floats:
    """Maintenance margin at each of `left` seconds before the end."""
    if points is None:
        return np.array([maintenance_margin(int(s) * 1000) for s in left]) / 1e6
    bounds = np.array([low for low, _ in MARGIN_BINS])
    found: Floats = np.array(points)[np.argmax(left[:, None] >= bounds, axis=1)]
    return found


def margins_of(match: Match) -> Iterator[tuple[int, str, bool, float]]:
    """A long and a short of every window, opened at its first tradable sample, with no keeper late."""
    open_ = match.tradable()
    for window in range(WINDOWS):
        ticks = np.flatnonzero((match.window == window) & open_)
        if not len(ticks) or match.left_s[ticks[0]] < 800:
            continue
        first = int(ticks[0])
        forward = match.forward[window]
        rows = np.flatnonzero((match.window == window) & ~match.suspended)
        rows = rows[rows > first]
        left = match.left_s[rows]
        schedules = {name: schedule(points, left) for name, points in SCHEDULES.items()}
        edge = np.array([half_spread(int(s) * 1000, 0) for s in left]) / 1e6 + match.conf_e4[rows] / 1e4
        entry = half_spread(900_000, 0) / 1e6 + match.conf_e4[first] / 1e4
        for sign in (1, -1):
            gain = sign * (forward[rows] - forward[first]) - entry
            last = sign * (forward[-1] - forward[first]) - entry
            for initial in INITIAL:
                for name, least in schedules.items():
                    hit = np.flatnonzero(initial + gain < least)
                    if len(hit):
                        yield initial, name, True, max(0.0, -(initial + float(gain[hit[0]] - edge[hit[0]])))
                    else:
                        yield initial, name, False, max(0.0, -(initial + float(last)))


def quantiles(values: Floats, left: Ints) -> str:
    """q50, q95, q99, q99.99, the largest, how many, and how many are beyond the code's maintenance margin."""
    if not len(values):
        return "- | - | - | - | - | 0 | 0"
    found = np.quantile(values, (0.5, 0.95, 0.99, 0.9999))
    beyond = int((values > schedule(None, left)).sum())
    return " | ".join(f"{v:.2f}" for v in (*found, values.max())) + f" | {len(values):,} | {beyond}"


def jump_tables(found: Found) -> Iterator[str]:
    """Jumps and steps by time left, and the margin that covers them."""
    left = np.array([row[0] for row in found.jumps])
    why = np.array([row[1] for row in found.jumps])
    size = np.array([row[2] for row in found.jumps])
    yield "| size of the move | seconds left | q50 | q95 | q99 | q99.99 | largest | n | beyond the code's margin |"
    yield "|---|---|---|---|---|---|---|---|---|"
    big = np.isin(why, [int(r) for r in BIG])
    kinds = (("across any suspension", why >= 0), ("goal, penalty, red card", big), ("corner and the rest", ~big))
    for name, chosen in kinds:
        for low, high in ((0, 901), *MARGIN_BINS):
            inside = chosen & (left > low if low else left >= 0) & (left <= high)
            yield f"| {name} | {_bin(low, high)} | {quantiles(size[inside], left[inside])} |"
    for seconds, parts in found.steps.items():
        rows = np.vstack(parts)
        for low, high in ((0, 901), *MARGIN_BINS):
            inside = (rows[:, 0] > low) & (rows[:, 0] <= high)
            figures = quantiles(rows[inside, 1], rows[inside, 0].astype(np.int64))
            yield f"| {seconds} s of open trading | {_bin(low, high)} | {figures} |"


def _bin(low: int, high: int) -> str:
    return "all" if high > 900 and low == 0 else f"{low} to {min(high, 900)}"


def margin_tables(found: Found) -> Iterator[str]:
    """Liquidations and shortfall by margins."""
    yield "| initial margin (leverage at 50) | maintenance | liquidated | pool short, points a position | n |"
    yield "|---|---|---|---|---|"
    for initial in INITIAL:
        for name in SCHEDULES:
            rows = [(hit, short) for i, n, hit, short in found.opened if (i, n) == (initial, name)]
            hits, short = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
            yield (
                f"| {initial} ({50 / initial:.1f}x) | {name} | {hits.mean():.1%} "
                f"| {short.mean():.4f} (largest {short.max():.1f}) | {len(rows):,} |"
            )


def spread_tables(found: Found, matches: int) -> Iterator[str]:
    """Edge of each trader by time left, beside what the schedule takes."""
    traders = results(Fills.joined(found.fills), matches)
    yield "| edge at the forward, points | " + " | ".join(BINS) + " |"
    yield "|---|" + "---|" * len(BINS)
    for trader in traders:
        cells = [
            f"{cell.mean.mean:+.2f} +-{(cell.mean.high - cell.mean.low) / 2:.2f} ({cell.n})" if cell.mean else "-"
            for cell in trader.edge_by_time
        ]
        yield f"| {trader.name} | " + " | ".join(cells) + " |"
    taken = [f"{half_spread((low + min(high, 900)) * 500, 0) / 1e6:.2f}" for low, high in SPREAD_BINS]
    yield "| half-spread of the code at the middle | - | 0.60 | " + " | ".join(taken) + " |"
    reacting = [trader for trader in traders if trader.reacts]
    for kind, chosen in (("all", traders), ("knowing the index, shots, corners, fouls only", reacting)):
        rows = {
            "alone": allowed(trader.edge_by_time for trader in chosen),
            "`conf` and fee taken too": allowed(trader.less_conf_by_time for trader in chosen),
        }
        for what, row in rows.items():
            cells = " | ".join("-" if v is None else f"{v:.2f}" for v in row)
            yield f"| half-spread at which nobody gains, upper bound: {kind}; {what} | {cells} |"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.economics.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--provider", default="wyscout")
    parser.add_argument("--input", type=Path, default=SHARED / "wyscout", help="folder of recorded matches")
    parser.add_argument("--prior", type=Path, help="odds by match (default: prior.csv.gz beside the folder)")
    parser.add_argument("--matches", type=int, default=1204)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--quote", type=Quote, choices=Quote, default=Quote.PRIOR, help="who makes the price")
    args = parser.parse_args()
    if not args.input.is_dir():
        print(f"calibrate: no folder {args.input}: pass --input with recorded matches", file=sys.stderr)
        return 2
    odds = known_priors(args.prior, args.input)
    names = choose(args.provider, [args.input], args.matches, args.seed)
    found = Found()
    for number, match in enumerate(load(args.provider, [args.input], names, odds, args.quote)):
        found.jumps += jumps_of(match)
        for seconds, parts in found.steps.items():
            parts.append(steps_of(match, seconds))
        found.opened += margins_of(match)
        found.fills.append(Fills.of(number, match, args.seed))
    print(
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, `python -m bench.economics.calibrate "
        f"{shlex.join(sys.argv[1:])}`: {len(names)} matches\n"
    )
    print(*jump_tables(found), "", *margin_tables(found), "", *spread_tables(found, len(names)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
