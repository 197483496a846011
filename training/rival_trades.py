"""When a rival trades on its forecast, and what that comes to: pure functions over moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from momentum.pricing import half_spread
from training.rival_market import Market

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEE = 0.05
GAP_S = 120
"""Between two orders of a match in the same contract (the running window or the next)."""
LEFT_BINS = ((600, 901), (360, 600), (240, 360), (120, 240), (60, 120), (0, 60))
PLAYED_BINS = ((0, 120), (120, 300), (300, 900), (900, 1 << 31))
RESAMPLES = 2_000


def spreads(market: Market) -> Floats:
    """The half-spread of each moment's fill: rows x (running, next) in points."""
    table = np.array([half_spread(int(s) * 1_000, 0) for s in range(int(market.left_s.max(initial=0)) + 1)]) / 1e6
    ahead = half_spread(900_000, 1) / 1e6
    return np.stack([table[np.maximum(market.left_s, 0)], np.full(len(market.left_s), ahead)], axis=1)


def spaced(wanted: Bools, match: Ints, second: Ints, gap_s: int = GAP_S) -> Ints:
    """Rows of the orders: the first wanted moment of a match, and the next ones not before `gap_s` later.

    ``second`` is the playing second of the match, ascending within it.
    """
    chosen, last_match, last = [], -1, -gap_s
    for row in np.flatnonzero(wanted).tolist():
        if match[row] != last_match or second[row] - last >= gap_s:
            chosen.append(row)
            last_match, last = int(match[row]), int(second[row])
    return np.array(chosen, dtype=np.int64)


@dataclass(frozen=True)
class Trades:
    """Fills: which moment, which contract (0 running, 1 next), and what each earned, in points a contract."""

    row: Ints
    contract: Ints
    edge: Floats
    """Against the forward at the fill."""
    spread: Floats
    conf: Floats

    def __getitem__(self, which: Bools) -> Trades:
        return Trades(self.row[which], self.contract[which], self.edge[which], self.spread[which], self.conf[which])


Rule = Callable[[Floats, Bools, Floats, Floats], Floats]
"""From (forecast edge, open, half-spread, conf) of one contract: beyond which size of the edge a moment is traded."""


def beyond(*, conf_and_fee: bool) -> Rule:
    """More than the half-spread, or than all that the programs charge."""
    return lambda edge, open_, spread, conf: spread + (conf + FEE) * conf_and_fee


def top(share: float) -> Rule:
    """The largest ``share`` of the forecasts at open moments, whatever they cost."""
    return lambda edge, open_, spread, conf: np.full(
        len(edge), np.quantile(np.abs(edge[open_]), 1 - share) if open_.any() else np.inf
    )


RULES = {
    "beyond the half-spread": beyond(conf_and_fee=False),
    "beyond half-spread, conf and fee": beyond(conf_and_fee=True),
    "top 5 % of its forecasts": top(0.05),
    "top 1 % of its forecasts": top(0.01),
}


def trade(rule: Rule, forecast: Floats, market: Market, match: Ints, second: Ints) -> Trades:
    """What ``forecast`` (settlement less fill, rows x contracts) trades under ``rule``, held to settlement."""
    spread, parts = spreads(market), []
    for contract in (0, 1):
        edge, open_ = forecast[:, contract], market.open[:, contract]
        rows = spaced(open_ & (np.abs(edge) > rule(edge, open_, spread[:, contract], market.conf)), match, second)
        earned = np.sign(edge[rows]) * (market.settled - market.fill)[rows, contract]
        parts.append((rows, np.full(len(rows), contract), earned, spread[rows, contract], market.conf[rows]))
    return Trades(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Mean:
    """Points a trade, with a 95 % bootstrap interval over matches."""

    count: int
    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def mean_by_match(values: Floats, match: Ints) -> Mean | None:
    """The mean over all trades; matches are drawn with all their trades. None without trades."""
    if not len(values):
        return None
    _, number = np.unique(match, return_inverse=True)
    total, count = np.bincount(number, weights=values), np.bincount(number).astype(float)
    drawn = np.random.default_rng(1).integers(0, len(total), (RESAMPLES, len(total)))
    low, high = np.percentile(total[drawn].sum(axis=1) / count[drawn].sum(axis=1), (2.5, 97.5))
    return Mean(len(values), float(values.mean()), float(low), float(high))


def row_of(trades: Trades, match: Ints) -> str:
    """Cells: trades, edge at the forward, half-spread, after half-spread, net of conf and fee as well."""
    where = match[trades.row]
    after = mean_by_match(trades.edge - trades.spread, where)
    if after is None:
        return "0 | - | - | - | -"
    edge = mean_by_match(trades.edge, where)
    net = mean_by_match(trades.edge - trades.spread - trades.conf - FEE, where)
    return f"{after.count:,} | {edge} | {trades.spread.mean():.2f} | {after} | {net}"


def by_time_left(trades: Trades, market: Market) -> Iterator[tuple[str, Trades]]:
    """The trades of windows that have not begun, and of running ones by the seconds left at the fill."""
    yield "before the window", trades[trades.contract == 1]
    left = market.left_s[trades.row]
    for low, high in LEFT_BINS:
        inside = (trades.contract == 0) & (left >= low) & (left < high)
        yield f"{low} to {min(high, 900)} s", trades[inside]


def by_time_played(trades: Trades, second: Ints) -> Iterator[tuple[str, Trades]]:
    """The trades by the playing time of the match; ``second`` is that of each moment."""
    played = second[trades.row]
    for low, high in PLAYED_BINS:
        name = f"after minute {low // 60}" if high == PLAYED_BINS[-1][1] else f"minutes {low // 60} to {high // 60}"
        yield name, trades[(played >= low) & (played < high)]


def table(rows: Sequence[tuple[str, str]], first: str) -> str:
    """Markdown of `row_of` cells."""
    head = f"| {first} | trades | edge at the forward | half-spread | after half-spread | after conf and fee too |"
    return "\n".join([head, "|---|---|---|---|---|---|", *(f"| {name} | {cells} |" for name, cells in rows)])
