"""What a provider says of a match beside its events: status, score, line-ups, cards. Catalogue and doctor read it.

Plain values, no behaviour. Playing times are milliseconds since the kick-off of the period, as in `ingest.events`.
What a feed does not tell is None or empty, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from ingest.events import MatchInfo, Side


class MatchStatus(StrEnum):
    """Where a match stands in the calendar."""

    FIXTURE = "fixture"
    PLAYING = "playing"
    PLAYED = "played"
    POSTPONED = "postponed"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    AWARDED = "awarded"
    UNKNOWN = "unknown"


class Booking(StrEnum):
    """The colour shown."""

    YELLOW = "yellow"
    SECOND_YELLOW = "second_yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Player:
    """A member of a line-up. ``position`` is the provider's word."""

    player_id: str
    name: str
    shirt: int | None
    position: str
    starts: bool
    captain: bool = False


@dataclass(frozen=True, slots=True)
class LineUp:
    """One side's players, those who start first. ``formation`` is as the provider writes it (``433``)."""

    side: Side
    formation: str
    players: tuple[Player, ...]
    coach: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """``side`` is the team that gains; ``event_id`` is the id of the event in the same provider's feed."""

    side: Side
    player_id: str
    player: str
    period: int
    play_ms: int
    own_goal: bool
    penalty: bool
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """``player_id`` is empty for a card shown to the staff."""

    side: Side
    player_id: str
    player: str
    colour: Booking
    period: int
    play_ms: int
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Substitution:
    """Who came and who went; either id may be empty where a player left without a replacement."""

    side: Side
    on_id: str
    off_id: str
    period: int
    play_ms: int
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class PeriodSpan:
    """A period by the wall clock, unix ms; ``end_unix_ms`` is None while it is played."""

    period: int
    start_unix_ms: int
    end_unix_ms: int | None


@dataclass(frozen=True, slots=True)
class MatchFacts:
    """All that one document tells. ``score`` is without a shoot-out; ``updated_unix_ms`` is 0 where unknown."""

    info: MatchInfo
    status: MatchStatus
    score: tuple[int, int] | None = None
    shoot_out: tuple[int, int] | None = None
    winner: Side | None = None
    line_ups: tuple[LineUp, ...] = ()
    goals: tuple[Goal, ...] = ()
    cards: tuple[Card, ...] = ()
    substitutions: tuple[Substitution, ...] = ()
    periods: tuple[PeriodSpan, ...] = ()
    competition_id: str = ""
    season: str = ""
    venue: str = ""
    updated_unix_ms: int = 0


@runtime_checkable
class FactReader(Protocol):
    """An adapter whose documents tell more than events."""

    def facts(self, body: bytes) -> MatchFacts:
        """What a document says of its match. Raises FeedError for what is none of this provider's."""
        ...
