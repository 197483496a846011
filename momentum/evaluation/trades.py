"""What traders' fills earn against the fair price of their own sample, and the half-spread that takes it from them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from momentum.evaluation.intervals import Floats, Interval, Ints, by_match, ratio
from momentum.evaluation.match import Match
from momentum.evaluation.strategies import FEE, STRATEGIES, Strategy
from momentum.pricing import half_spread

WAIT_S = 6
"""The delay of 5 s, counted from the end of the second in which the order is sent."""
CLOSES_S = 20
ENOUGH = 200
"""Fills below which a mean asks for no spread."""
SPREAD_BINS = ((600, 901), (360, 600), (240, 360), (120, 240), (60, 120), (0, 60))
BINS = {
    "all": (-1, 901),
    "before the window": (-1, 0),
    **{f"{low} to {min(high, 900)} s": (low, high) for low, high in SPREAD_BINS},
}
"""Seconds left at the fill, -1 before the window begins: from (inclusive) and to."""


def reacts(strategy: Strategy) -> bool:
    """Whether a trader knows nothing of odds, score and cards."""
    return strategy.group != "informed" or strategy.name.split()[0] in ("index", "shots", "corner", "foul")


@dataclass(frozen=True)
class Fills:
    """One row a fill, in points. ``strategy`` numbers `STRATEGIES`; ``left_s`` is -1 before the window begins;
    ``edge`` is gained by settlement against the forward of the fill's sample, before any cost.
    """

    match: Ints
    strategy: Ints
    left_s: Ints
    edge: Floats
    conf: Floats

    @classmethod
    def of(cls, number: int, match: Match, seed: int, strategies: Sequence[Strategy] = STRATEGIES) -> Fills:
        """Every order's fill `WAIT_S` later: none across a suspension, in another period or in a void window."""
        stopped = np.concatenate([[0], np.cumsum(match.suspended)])
        void = [match.is_void(window) for window in range(len(match.forward))]
        rows: list[tuple[int, int, float, float]] = []
        for kind, strategy in enumerate(strategies):
            rng = random.Random(f"{seed} {match.name} {strategy.name}")
            for tick, window, sign in strategy.orders(match, rng):
                at = int(np.searchsorted(match.data_s, match.data_s[tick] + WAIT_S))
                if at >= len(match.window) or match.period[at] != match.period[tick] or void[window]:
                    continue
                if stopped[at + 1] != stopped[tick] or (match.window[tick] == window and match.left_s[tick] < CLOSES_S):
                    continue
                left_s = int(match.left_s[at]) if match.window[at] == window else -1
                edge = sign * float(match.forward[window, -1] - match.forward[window, at])
                rows.append((kind, left_s, edge, match.conf_e4[at] / 1e4))
        table = np.array(rows, dtype=np.float64).reshape(-1, 4)
        whole = table[:, :2].astype(np.int64)
        return cls(np.full(len(rows), number, dtype=np.int64), whole[:, 0], whole[:, 1], table[:, 2], table[:, 3])

    @classmethod
    def joined(cls, parts: Sequence[Fills]) -> Fills:
        """All of them one after the other."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    @property
    def half_spread(self) -> Floats:
        """What the schedule takes from each fill."""
        taken = [half_spread(900_000, 1) if left < 0 else half_spread(left * 1000, 0) for left in range(-1, 901)]
        result: Floats = np.array(taken)[self.left_s + 1] / 1e6
        return result


@dataclass(frozen=True, slots=True)
class Cell:
    """Mean of some fills; no interval without fills."""

    n: int
    mean: Interval | None


def by_time(fills: Fills, values: Floats, kind: int, matches: int) -> list[Cell]:
    """Mean of ``values`` over one strategy's fills in each of `BINS`."""
    mine, cells = fills.strategy == kind, []
    for low, high in BINS.values():
        chosen = mine & (fills.left_s >= low) & (fills.left_s < high)
        n = int(chosen.sum())
        cells.append(Cell(n, ratio(*by_match(values[chosen], fills.match[chosen], matches)) if n else None))
    return cells


def allowed(rows: Iterable[Sequence[Cell]]) -> list[float | None]:
    """The half-spread in each of `BINS` at which no upper bound of a strategy with `ENOUGH` fills is a gain.

    None where no strategy has so many.
    """
    needed: list[float | None] = [None] * len(BINS)
    for cells in rows:
        for at, cell in enumerate(cells):
            if cell.mean is not None and cell.n >= ENOUGH:
                needed[at] = max(needed[at] or 0.0, cell.mean.high)
    return needed


@dataclass(frozen=True, slots=True)
class Result:
    """A strategy against one quote. ``edge`` before any cost, ``after_spread`` less the schedule's half-spread,
    ``net`` less half-spread, conf and fee; by time left over `BINS`: edge, and edge less conf and fee.
    """

    name: str
    group: str
    reacts: bool
    n: int
    edge: Interval | None
    after_spread: Interval | None
    net: Interval | None
    edge_by_time: list[Cell]
    less_conf_by_time: list[Cell]


def results(fills: Fills, matches: int, strategies: Sequence[Strategy] = STRATEGIES) -> list[Result]:
    """Of every strategy."""
    spread, found = fills.half_spread, []
    less_conf = fills.edge - fills.conf - FEE
    for kind, strategy in enumerate(strategies):
        edge, rest = (by_time(fills, values, kind, matches) for values in (fills.edge, less_conf))
        mine = fills.strategy == kind
        rows = (fills.edge - spread, less_conf - spread)
        after, net = (
            ratio(*by_match(values[mine], fills.match[mine], matches)) if mine.any() else None for values in rows
        )
        found.append(
            Result(strategy.name, strategy.group, reacts(strategy), edge[0].n, edge[0].mean, after, net, edge, rest)
        )
    return found
