"""The best forecaster we could train, trading against the learned quote.

    python -m training.rival --data FOLDER [--cache FOLDER]

FOLDER holds `wyscout/` and `prior.csv.gz`. A rival sees every feature of the quote, details of the odds, the match so
far and what both teams did in earlier matches, and learns what the quote misses on three competitions; it trades on the
fourth, against the quote that has not seen that one. What is missed in training is what a quote without both the
moment's competition and the one traded on would have missed: else the training would know, with the wrong sign, what is
to be foretold. Fills are at the forward of the sample 6 s later, positions are held to settlement.

``--cache`` keeps what is read from the recordings (`moments.npz`, `market.npz`) and writes `forecasts.npz`.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import gzip
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.events import FeedError
from momentum.prior import read_priors
from training.fits import Normal, design, price, scales
from training.moments import WINDOW_S, Moments, load
from training.rival_market import HISTORY, Fixture, Market, fixtures, history, load_market
from training.rival_trades import RULES, by_time_left, by_time_played, row_of, table, trade
from training.xg_shots import competitions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Small = NDArray[np.float32]

EVERY = 4
"""Every fourth moment is learned from: a minute apart they still say much the same."""
FOREST = {
    "objective": "regression",
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_data_in_leaf": 1_000,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "lambda_l2": 50.0,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "max_bin": 63,
    "num_threads": 1,
    "verbose": -1,
}
ROUNDS = (60, 200)
BOTH = "ridge 0.01 and trees 200"
"""The mean of the two."""
PENALTIES = (0.001, 0.01, 0.1)
"""Of the ridge, as a part of the rows; features have mean square one."""


@dataclass(frozen=True)
class Seen:
    """What the rival sees: ``odd`` changes its sign when the sides are exchanged, ``even`` does not."""

    odd: Small
    even: Small

    def mirrored(self) -> Seen:
        """The same moments with the sides exchanged."""
        return Seen(-self.odd, self.even)

    def rows(self, which: Bools | slice) -> Seen:
        """Some of the moments."""
        return Seen(self.odd[which], self.even[which])

    def flat(self) -> Small:
        """All columns."""
        return np.hstack([self.odd, self.even])

    def crossed(self) -> Small:
        """Each odd column, and its products with the even ones: still odd."""
        return np.hstack([self.odd, *(self.odd * self.even[:, [k]] for k in range(self.even.shape[1]))])


def seen(moments: Moments, market: Market, odds: Floats, past: Floats) -> Seen:
    """``odds`` (p_draw, p_over25) and ``past`` (`rival_market.HISTORY`) are by match."""
    lean = moments.x - 50
    played = np.maximum(moments.cum_s, 1)
    so_far = (moments.area - 50 * played) / (played + 600)
    home = np.ones(len(lean))
    columns = [design(moments, with_prior=True)[:, :-1], past[moments.match]]
    columns += [c[:, None] for c in (lean / 10, so_far / 10, missed_so_far(moments, market), home)]
    late, left = moments.cum_s / 5_400, moments.left_s / WINDOW_S
    even = [late, left, *(odds[moments.match] - odds.mean(axis=0)).T]
    return Seen(np.hstack(columns).astype(np.float32), np.stack(even, axis=1).astype(np.float32))


def missed_so_far(moments: Moments, market: Market) -> Floats:
    """Points by which the match's settled windows, mean and no less than three, ended above their opening's price."""
    result = np.zeros(len(moments.x))
    window = np.where(moments.left_s > 0, (moments.period - 1) * 3 + moments.second // WINDOW_S, -1)
    starts = np.flatnonzero(np.diff(moments.match, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(window)], strict=True):
        total = 0.0
        for number in range(6):
            inside = np.flatnonzero(window[start:end] == number)
            if len(inside):
                opening = start + int(inside[0])
                total += float(market.settled[opening, 0] - market.now[opening, 0])
                result[start + int(inside[-1]) + 1 : end] = total / 3
    return result


@dataclass(frozen=True)
class Quotes:
    """The learned quote without any of the competitions."""

    moments: Moments
    competition: NDArray[np.str_]
    values: Floats
    scale: Floats
    parts: dict[str, Normal]

    @classmethod
    def of(cls, moments: Moments, competition: NDArray[np.str_]) -> Quotes:
        """``competition`` by moment."""
        values = design(moments, with_prior=True)
        parts = {name: Normal.of(values, moments, competition == name) for name in np.unique(competition).tolist()}
        return cls(moments, competition, values, scales(values), parts)

    def without(self, names: Sequence[str], rows: Bools) -> Floats:
        """Rows x contracts: price less what is settled already, in points of the settlement; 0 elsewhere."""
        curve = Normal.total(part for name, part in self.parts.items() if name not in names).solve(self.scale)
        mu, s = 50 + self.values @ curve.mu, self.values @ curve.s
        running = price(self.moments, mu, s) * self.moments.left_s / WINDOW_S
        found = np.stack([running, price(self.moments, mu, s, next_window=True)], axis=1)
        return np.where(rows[:, None], found, 0.0)

    def misses(self, came: Floats, tested: str) -> Floats:
        """What quotes that have not seen ``tested`` either would have missed; ``came`` is what the real ones did."""
        result = came.copy()
        for name in self.parts:
            if name != tested:
                mine = self.competition == name
                result += self.without((name,), mine) - self.without((name, tested), mine)
        return result


def ridges(x: Small, y: Floats, penalties: Sequence[float]) -> list[Floats]:
    """Coefficients of odd columns, so without a constant, for each penalty."""
    spread = np.sqrt(np.mean(x**2, axis=0, dtype=float))
    spread[spread == 0] = np.inf
    scaled = (x / spread).astype(np.float32)
    matrix, vector = (scaled.T @ scaled).astype(float), scaled.T @ y
    return [np.linalg.solve(matrix + p * len(x) * np.eye(len(matrix)), vector) / spread for p in penalties]


def forest(learned: Seen, y: Floats) -> Any:
    """LightGBM on the moments and their mirror images."""
    import lightgbm

    x = np.vstack([learned.flat(), learned.mirrored().flat()])
    return lightgbm.train(FOREST, lightgbm.Dataset(x, np.concatenate([y, -y])), num_boost_round=max(ROUNDS))


def forecasts(task: tuple[Seen, Floats, Seen]) -> dict[str, Floats]:
    """What each rival that learned (moments, what was missed) says of other moments."""
    learned, y, asked = task
    crossed, found = asked.crossed(), {}
    for penalty, coefficients in zip(PENALTIES, ridges(learned.crossed(), y, PENALTIES), strict=True):
        found[f"ridge {penalty:g}"] = crossed @ coefficients
    model = forest(learned, y)
    ahead, behind = asked.flat(), asked.mirrored().flat()
    for rounds in ROUNDS:
        one, other = (model.predict(side, num_iteration=rounds) for side in (ahead, behind))
        found[f"trees {rounds}"] = (one - other) / 2
    found[BOTH] = (found["ridge 0.01"] + found["trees 200"]) / 2
    return found


def compete(
    moments: Moments, market: Market, known: Seen, competition: NDArray[np.str_], jobs: int = 2
) -> tuple[dict[str, Floats], Floats]:
    """Each rival's forecasts, every competition foretold from the others; and what came of it."""
    came = np.where(market.open, market.settled - market.fill, np.nan)
    quotes, places, tasks = Quotes.of(moments, competition), [], []
    for tested in quotes.parts:
        target = quotes.misses(came, tested)
        for contract in range(came.shape[1]):
            usable = ~np.isnan(target[:, contract])
            asked, learned = usable & (competition == tested), usable & (competition != tested)
            learned[np.arange(len(learned)) % EVERY != 0] = False
            places.append((asked, contract))
            tasks.append((known.rows(learned), target[learned, contract], known.rows(asked)))
    found: dict[str, Floats] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for number, (place, values) in enumerate(zip(places, pool.map(forecasts, tasks), strict=True), start=1):
            print(f"{number} of {len(tasks)} fits", file=sys.stderr)
            for name, foretold in values.items():
                found.setdefault(name, np.zeros_like(came))[place] = foretold
    return found, came


def explained(forecast: Floats, came: Floats) -> str:
    """Root mean square of what the quote misses, with and without the forecast, by contract."""
    cells = []
    for contract in (0, 1):
        rows = ~np.isnan(came[:, contract])
        alone = np.sqrt(np.mean(came[rows, contract] ** 2))
        left = np.sqrt(np.mean((came - forecast)[rows, contract] ** 2))
        cells.append(f"{alone:.3f} | {left:.3f} ({left / alone - 1:+.2%})")
    return " | ".join(cells)


def odds_details(path: Path, names: Sequence[str]) -> Floats:
    """p_draw and p_over25 by match; where a match has none, the mean of the others."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        given = {row["match_id"]: row for row in csv.DictReader(file)}
    cells = [[given.get(name, {}).get(key) or "nan" for key in ("p_draw", "p_over25")] for name in names]
    values = np.array(cells, dtype=float)
    return np.where(np.isnan(values), np.nanmean(values, axis=0), values)


def past_of(names: Sequence[str], games: Sequence[Fixture], results: Floats) -> Floats:
    """Matches x `HISTORY`."""
    found = history(games, dict(zip(names, results.tolist(), strict=True)))
    blank = np.zeros(len(HISTORY))
    return np.array([found.get(name, blank) for name in names])


def read(folder: Path, cache: Path | None, jobs: int) -> tuple[list[str], Moments, Market, Floats]:
    """Names, moments, market and results of all matches, from the cache where it has them."""
    moments_at, market_at = (cache / name if cache else None for name in ("moments.npz", "market.npz"))
    if moments_at and moments_at.is_file():
        with np.load(moments_at) as kept:
            names, moments = kept["names"].tolist(), Moments(**{f.name: kept[f.name] for f in fields(Moments)})
    else:
        print("reading moments (5 min on 2 cores)", file=sys.stderr)
        priors = read_priors(folder / "prior.csv.gz")
        names, moments = load(folder / "wyscout", {name: p.log_odds for name, p in priors.items()}, jobs)
        if moments_at:
            np.savez(moments_at, names=np.array(names), **{f.name: getattr(moments, f.name) for f in fields(moments)})
    if market_at and market_at.is_file():
        with np.load(market_at) as kept:
            return names, moments, Market(**{f.name: kept[f.name] for f in fields(Market)}), kept["results"]
    print("reading quotes (4 min on 2 cores)", file=sys.stderr)
    market, results = load_market(folder, names, jobs)
    if market_at:
        np.savez(market_at, results=results, **{f.name: getattr(market, f.name) for f in fields(market)})
    return names, moments, market, results


def report(
    found: dict[str, Floats], came: Floats, moments: Moments, market: Market, competition: NDArray[np.str_]
) -> None:
    """Print all tables, the details for `BOTH`."""
    match, second = moments.match, moments.cum_s
    print("| rival | running: quote misses | with the rival's forecast | next: quote misses | with the rival's |")
    print("|---|---|---|---|---|")
    for name, forecast in found.items():
        print(f"| {name} | {explained(forecast, came)} |")
    for title, rule in RULES.items():
        rows = [(name, row_of(trade(rule, forecast, market, match, second), match)) for name, forecast in found.items()]
        print(f"\nTrades {title}:\n\n{table(rows, 'rival')}")
    for title, rule in RULES.items():
        trades = trade(rule, found[BOTH], market, match, second)
        rows = [("all", row_of(trades, match))]
        rows += [(c, row_of(trades[competition[trades.row] == c], match)) for c in np.unique(competition)]
        rows += [(when, row_of(part, match)) for when, part in by_time_left(trades, market)]
        rows += [(when, row_of(part, match)) for when, part in by_time_played(trades, second)]
        print(f"\n{BOTH}, trades {title}:\n\n{table(rows, 'which')}")


def main(argv: Sequence[str]) -> int:
    """Train the rivals, let them trade, print what they made."""
    parser = argparse.ArgumentParser(
        prog="python -m training.rival", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds wyscout/ and prior.csv.gz")
    parser.add_argument("--cache", type=Path, help="folder for what is read from the recordings")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(argv)
    try:
        competition_of, games = competitions(given.data / "wyscout"), fixtures(given.data / "wyscout")
        names, moments, market, results = read(given.data, given.cache, given.jobs)
    except FeedError as error:
        print(f"training.rival: {error}", file=sys.stderr)
        return 2
    odds = odds_details(given.data / "prior.csv.gz", names)
    known = seen(moments, market, odds, past_of(names, games, results))
    competition = np.array([competition_of[name] for name in names])[moments.match]
    found, came = compete(moments, market, known, competition, given.jobs)
    if given.cache:
        kept = np.stack(list(found.values()))
        np.savez(given.cache / "forecasts.npz", came=came, rivals=np.array(list(found)), forecasts=kept)
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}: {len(names)} matches, {len(came):,} moments\n")
    report(found, came, moments, market, competition)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
