"""What a rival of the quote could trade at each moment, and what teams had done in earlier matches."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event, FeedError, Kind, Side
from ingest.feeds import adapter
from momentum.evaluation.match import WINDOW_S, WINDOWS, Match, build
from momentum.features import SHOOT_OUT, shot_xg1_e6
from momentum.prior import read_priors
from momentum.replay import final_events
from training.moments import PROVIDER, STEP_S

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FILL_S = 6
"""Seconds from an order to its fill: five of delay, and the sample that is determined is the first after them."""
LAST_S = 20
"""A window takes no orders with less time left."""


@dataclass(frozen=True)
class Market:
    """One row per moment of `training.moments`; two columns: the running window and the next one of the half.

    Prices in points, as the keeper would have quoted them with the forecast that has not seen the competition.
    """

    now: Floats
    fill: Floats
    """The forward `FILL_S` later, at which an order of the moment is filled."""
    settled: Floats
    open: Bools
    """An order of the moment would be filled: no suspension until then, and the window is played to its end."""
    left_s: Ints
    """Of the running window at the fill."""
    conf: Floats

    @classmethod
    def joined(cls, parts: Sequence[Market]) -> Market:
        """All of them one after the other."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def market_of(number: int, match: Match) -> Market:
    """The market of one match at the moments of `training.moments.moments` (``number`` shifts them)."""
    stopped = np.concatenate([[0], np.cumsum(match.suspended)])
    rows = []
    for period in (1, 2):
        ticks = np.flatnonzero(match.period == period)
        rows.append(ticks[number % STEP_S :: STEP_S])
    at = np.concatenate(rows)
    later = np.minimum(at + FILL_S, len(match.period) - 1)
    whole = np.array([bool((match.window == w).sum() == WINDOW_S) for w in range(WINDOWS)])
    takes_orders = (match.window[at] >= 0) & (match.left_s[at] >= LAST_S) & (match.period[later] == match.period[at])
    takes_orders &= stopped[later + 1] == stopped[at]
    windows = np.stack([match.window[at], match.window[at] + 1], axis=1)
    known = (windows >= 0) & (windows < WINDOWS) & (match.window[at] >= 0)[:, None]
    known[:, 1] &= windows[:, 1] % 3 != 0
    windows = np.where(known, windows, 0)

    def forward(ticks: Ints) -> Floats:
        return np.where(known, match.forward[windows, ticks[:, None]], np.nan)

    return Market(
        now=forward(at),
        fill=forward(later),
        settled=forward(np.full(len(at), len(match.period) - 1)),
        open=known & takes_orders[:, None] & whole[windows],
        left_s=match.left_s[later],
        conf=match.conf_e4[later] / 1e4,
    )


def xg_net(events: Iterable[Event]) -> float:
    """xG of home less away in the two halves and extra time."""
    shots = (e for e in events if e.kind is Kind.SHOT and not e.own_goal and e.period < SHOOT_OUT)
    return sum(shot_xg1_e6(e) / 1e6 * (1 if e.side is Side.HOME else -1) for e in shots)


def missed(match: Match) -> float:
    """Mean of settlement less forward over the openings of the match's whole windows."""
    openings = [np.flatnonzero(match.window == w) for w in range(WINDOWS)]
    found = [
        float(match.forward[w, -1] - match.forward[w, ticks[0]])
        for w, ticks in enumerate(openings)
        if len(ticks) == WINDOW_S
    ]
    return float(np.mean(found)) if found else 0.0


RESULTS = ("index", "xg", "goals", "points", "missed")
"""What is remembered of a match, each home less away or seen from home."""


def results_of(events: Sequence[Event], match: Match) -> list[float]:
    """`RESULTS` of one match."""
    goals = sum(sign for _, sign in match.marks.goals)
    points = 1.5 * np.sign(goals)
    return [float(match.x_e6.mean() / 1e6 - 50), xg_net(events), float(np.clip(goals, -3, 3)), points, missed(match)]


def _of_match(folder: Path, item: tuple[int, str]) -> tuple[Market, list[float]]:
    number, name = item
    _, events = final_events(adapter(PROVIDER), [folder / "wyscout"], name)
    match = build(name, events, read_priors(folder / "prior.csv.gz").get(name))
    return market_of(number, match), results_of(events, match)


def load_market(folder: Path, names: Sequence[str], jobs: int = 2) -> tuple[Market, Floats]:
    """The market at every moment of the named matches, and matches x `RESULTS`."""
    with ProcessPoolExecutor(jobs) as pool:
        parts = list(pool.map(partial(_of_match, folder), enumerate(names), chunksize=8))
    return Market.joined([market for market, _ in parts]), np.array([results for _, results in parts])


# Teams


@dataclass(frozen=True, slots=True)
class Fixture:
    """Who plays, and when (text that sorts by time)."""

    match: str
    when: str
    home: str
    away: str
    league: str


def fixtures(folder: Path) -> list[Fixture]:
    """All of an archive's ``matches_*.json.gz``. Raises FeedError ``rival_no_fixtures``."""
    found = []
    try:
        for path in sorted(folder.glob("matches_*.json.gz")):
            for match in json.loads(gzip.decompress(path.read_bytes())):
                side = {team["side"]: key for key, team in match["teamsData"].items()}
                found.append(Fixture(str(match["wyId"]), match["dateutc"], side["home"], side["away"], path.name))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise FeedError("rival_no_fixtures", f"cannot read the fixtures in {folder} ({error}): check --data") from error
    return found


HALF_LIVES, PSEUDO_MATCHES = (3.0, 12.0), 3.0
"""A team's memory in its own matches, and how many level ones it begins with."""
LEAGUE_PSEUDO_MATCHES = 20.0
MAX_REST_DAYS = 10.0
OVER_S = 3 * 3_600
"""A match is known as a whole so long after its kick-off."""
HISTORY = (*(f"{what}_{span:g}" for span in HALF_LIVES for what in RESULTS), "rest", "league_missed")


class Teams:
    """What is remembered of every team and league."""

    def __init__(self) -> None:
        self._sums: dict[str, Floats] = {}
        self._weights: dict[str, Floats] = {}
        self._last: dict[str, np.datetime64] = {}
        self._leagues: dict[str, tuple[float, int]] = {}
        self._decay = np.array([0.5 ** (1 / span) for span in HALF_LIVES])

    def known(self, game: Fixture) -> Floats:
        """`HISTORY` before ``game``."""
        total, count = self._leagues.get(game.league, (0.0, 0))
        return np.append(
            self._team(game.home, game.when) - self._team(game.away, game.when), total / (count + LEAGUE_PSEUDO_MATCHES)
        )

    def _team(self, team: str, when: str) -> Floats:
        if team not in self._sums:
            return np.append(np.zeros(len(HALF_LIVES) * len(RESULTS)), MAX_REST_DAYS)
        form = self._sums[team] / (self._weights[team] + PSEUDO_MATCHES)[:, None]
        days = float((np.datetime64(when) - self._last[team]) / np.timedelta64(1, "D"))
        return np.append(form.ravel(), min(MAX_REST_DAYS, days))

    def learn(self, game: Fixture, results: Sequence[float]) -> None:
        """``game`` is over."""
        for team, sign in ((game.home, 1.0), (game.away, -1.0)):
            sums = self._sums.get(team, np.zeros((len(HALF_LIVES), len(RESULTS))))
            self._sums[team] = sums * self._decay[:, None] + sign * np.array(results)
            self._weights[team] = self._weights.get(team, np.zeros(len(HALF_LIVES))) * self._decay + 1
            self._last[team] = np.datetime64(game.when)
        total, count = self._leagues.get(game.league, (0.0, 0))
        self._leagues[game.league] = (total + results[RESULTS.index("missed")], count + 1)


def history(games: Iterable[Fixture], results: Mapping[str, Sequence[float]]) -> dict[str, Floats]:
    """Match -> `HISTORY`, home less away, from matches that began at least `OVER_S` earlier.

    The days since a team's last match count up to ten; its first match of the archive has ten. "league_missed" is by
    how much the quote fell short of home sides in the earlier matches of the same competition.
    """
    teams, found = Teams(), {}
    running: list[Fixture] = []
    for game in sorted(games, key=lambda game: game.when):
        over = [g for g in running if np.datetime64(game.when) - np.datetime64(g.when) >= np.timedelta64(OVER_S, "s")]
        for ended in over:
            teams.learn(ended, results[ended.match])
        running = running[len(over) :]
        found[game.match] = teams.known(game)
        if game.match in results:
            running.append(game)
    return found
