"""The canonical event: what every provider adapter produces and everything else consumes.

Coordinates are per cent of the pitch seen by the acting team: ``x`` 0 is its own goal line and 100 the
opponent's, ``y`` 0 is its left touchline and 100 its right one. Times are playing time: milliseconds since
the kick-off of the period, running through interruptions and added time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SHOOT_OUT = 5
"""The period of the penalty shoot-out, which counts for no score and no index."""


class Side(StrEnum):
    """A team by its role in the fixture."""

    HOME = "home"
    AWAY = "away"

    @property
    def other(self) -> Side:
        """The opponent."""
        return Side.AWAY if self is Side.HOME else Side.HOME


class Kind(StrEnum):
    """What happened. Set pieces are kinds of their own; a shot from one is a ``SHOT``."""

    PASS = "pass"  # includes crosses and, with their restart, throw-ins taken as passes by the provider
    SHOT = "shot"
    FREE_KICK = "free_kick"  # a restart by foot that is no shot and no corner
    CORNER = "corner"  # a corner taken
    CORNER_AWARDED = "corner_awarded"
    THROW_IN = "throw_in"
    GOAL_KICK = "goal_kick"
    TOUCH = "touch"  # take-on, clearance, interception, recovery, keeper's hands: the ball is controlled or played
    DUEL = "duel"  # ``attacking`` tells who had the ball, ``aerial`` whether it was in the air
    FOUL = "foul"  # committed by ``side``
    OFFSIDE = "offside"
    YELLOW = "yellow"
    RED = "red"  # straight red and second yellow
    SAVE = "save"
    PENALTY_AWARDED = "penalty_awarded"  # to ``side``
    VAR_START = "var_start"
    VAR_END = "var_end"
    OUT = "out"  # the ball left the pitch; where ``side`` and ``success`` are known, success: it gets the restart
    INTERRUPTION = "interruption"  # whistle, injury: the ball is dead
    RESUME = "resume"  # the referee lets play go on; ends a VAR_START, too, where a feed sends no VAR_END
    SUBSTITUTION = "substitution"
    PERIOD_START = "period_start"
    PERIOD_END = "period_end"
    ADDED_TIME = "added_time"  # announced; ``added_s`` tells how much
    OTHER = "other"


class BodyPart(StrEnum):
    """What a shot was taken with."""

    FOOT = "foot"
    HEAD = "head"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is known now. A correction is a new object with the same key and a higher version.

    ``key`` identifies the event within its provider's match; ``version`` orders its corrections (an older
    one is ignored). ``side`` is the acting team, None where no team acts. ``xg_e6`` is the provider's own
    expected goals in 1e-6, None where it gives none.
    """

    event_id: str
    version: int
    period: int  # 1, 2 halves; 3, 4 extra time; 5 shoot-out
    play_ms: int
    kind: Kind
    side: Side | None
    x: float | None = None
    y: float | None = None
    success: bool | None = None
    goal: bool = False  # only on shots
    own_goal: bool = False  # ``side`` is the team that gains; kind is SHOT
    big_chance: bool = False
    penalty: bool = False  # a shot from the spot
    direct_free_kick: bool = False  # a shot straight from a free kick
    body: BodyPart | None = None
    attacking: bool | None = None  # duels only
    aerial: bool = False  # duels only
    xg_e6: int | None = None
    provisional: bool = False  # may still be overturned (VAR, possible goal)
    player: str | None = None  # the name, or the provider's id where it gives no name
    player_id: str | None = None  # the provider's id
    added_s: int | None = None  # added time announced for the period, seconds
    text: str = ""  # a few words for people


@dataclass(frozen=True, slots=True)
class Upsert:
    """An event is new or corrected."""

    event: Event


@dataclass(frozen=True, slots=True)
class Delete:
    """An event is withdrawn; it may never have been seen (a tombstone)."""

    event_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Team:
    """A team in a fixture, with the provider's id."""

    team_id: str
    name: str
    short: str


@dataclass(frozen=True, slots=True)
class MatchInfo:
    """Who plays, where and when."""

    provider: str
    match_id: str
    home: Team
    away: Team
    kickoff_unix_ms: int
    competition: str


def score(events: Iterable[Event]) -> tuple[int, int]:
    """Goals of home and away, own goals included, the shoot-out (period 5) not."""
    goals = [e.side for e in events if e.kind is Kind.SHOT and e.goal and e.period < SHOOT_OUT]
    return goals.count(Side.HOME), goals.count(Side.AWAY)


class FeedError(Exception):
    """Bad input with a stable ``code`` and one sentence: what is wrong, where, what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
