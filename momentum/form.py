"""Form: by how much a team has lately had more of its matches than the odds foretold.

A match surprises by its mean index less 50 less what the odds say of it. A team remembers its own matches with a
half-life of twelve and begins with three that held no surprise; the form of a fixture is the home side's less the away
side's. It enters the forecast beside the odds (`momentum.forecast.odds.Prior`), which know less of territory than of
goals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.events import Event, FeedError, MatchInfo
from momentum.archive import replay
from momentum.methodology import SPEC_DECAY

HALF_LIFE_MATCHES, LEVEL_MATCHES = 12.0, 3.0
POINTS_PER_LOG_ODDS = 2.7
"""Points of mean index per unit of ln(p home / p away), by least squares on four competitions (2.2 to 3.0)."""
OVER_MS = 3 * 3_600_000
"""A match is known as a whole so long after its kick-off."""
MAX_FORM = 15.0
HALVES = 2


@dataclass(frozen=True, slots=True)
class Played:
    """A match that was played: ``mean_x`` is the mean index of both halves, ``log_odds`` ln(p home / p away)."""

    match_id: str
    kickoff_unix_ms: int
    home: str
    away: str
    mean_x: float
    log_odds: float

    @property
    def surprise(self) -> float:
        """Points by which home had more of the match than the odds foretold."""
        return self.mean_x - 50 - POINTS_PER_LOG_ODDS * self.log_odds


@dataclass(slots=True)
class _Team:
    total: float = 0.0
    weight: float = 0.0

    @property
    def form(self) -> float:
        return self.total / (self.weight + LEVEL_MATCHES)

    def learn(self, surprise: float) -> None:
        fade = 0.5 ** (1 / HALF_LIFE_MATCHES)
        self.total, self.weight = self.total * fade + surprise, self.weight * fade + 1


class Table:
    """The form of every team at a time that only moves on."""

    def __init__(self) -> None:
        self._teams: dict[str, _Team] = {}
        self._running: list[Played] = []

    def before(self, kickoff_unix_ms: int, home: str, away: str) -> float:
        """Points of form of ``home`` less ``away`` when a match begins; a team without a match has 0."""
        over = [game for game in self._running if game.kickoff_unix_ms + OVER_MS <= kickoff_unix_ms]
        for game in over:
            self._teams.setdefault(game.home, _Team()).learn(game.surprise)
            self._teams.setdefault(game.away, _Team()).learn(-game.surprise)
        if over:
            self._running = [game for game in self._running if game.kickoff_unix_ms + OVER_MS > kickoff_unix_ms]
        form = self._teams.get(home, _Team()).form - self._teams.get(away, _Team()).form
        return max(-MAX_FORM, min(MAX_FORM, form))

    def add(self, game: Played) -> None:
        """A match has begun; what came of it counts for those that begin after its end."""
        self._running.append(game)


def played(info: MatchInfo, events: Iterable[Event], log_odds: float) -> Played:
    """A match from its final events; ``log_odds`` is ln(p home / p away), 0 when nobody knows.

    Raises FeedError ``no_play`` when neither half has a second.
    """
    ticks = replay(events, (SPEC_DECAY,))
    x_e6 = ticks.x_e6[SPEC_DECAY.name][ticks.period <= HALVES]
    if not len(x_e6):
        raise FeedError("no_play", f"match {info.match_id} has no second of either half: give the events of play")
    mean_x = float(x_e6.mean()) / 1e6
    return Played(info.match_id, info.kickoff_unix_ms, info.home.team_id, info.away.team_id, mean_x, log_odds)


def forms(games: Iterable[Played]) -> dict[str, float]:
    """Match id -> form before it, from those of ``games`` that were over by then."""
    table, found = Table(), {}
    for game in sorted(games, key=lambda game: (game.kickoff_unix_ms, game.match_id)):
        found[game.match_id] = table.before(game.kickoff_unix_ms, game.home, game.away)
        table.add(game)
    return found
