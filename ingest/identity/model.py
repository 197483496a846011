"""What a source says of competitions, teams, fixtures and players, in one neutral form, and what is known already.

A source record is named by (kind, provider, source id). Times are unix ms; ``day`` is the local calendar day of the
ground, for sources that give no hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum

from ingest.events import FeedError

HOUR_MS = 3_600_000
NEAR_MS = 36 * HOUR_MS
"""Kick-offs further apart than this are not the same day, whatever the zones."""
_DAY_SLACK_MS = 14 * HOUR_MS
"""A local day, seen from UTC, reaches this far from its noon."""


class Kind(StrEnum):
    """What an id is of."""

    COMPETITION = "competition"
    TEAM = "team"
    FIXTURE = "fixture"
    PLAYER = "player"


Key = tuple[Kind, str, str]
"""A source record: kind, provider, the provider's id."""


@dataclass(frozen=True, slots=True)
class SourceCompetition:
    """One season of a competition. ``country`` is empty for international ones."""

    provider: str
    competition_id: str
    name: str
    country: str
    season: str  # "2017/18" or "2018", see `season_label`


@dataclass(frozen=True, slots=True)
class SourceTeam:
    """A team with every name the source has for it. ``country`` is empty where the source does not tell."""

    provider: str
    team_id: str
    names: tuple[str, ...]
    country: str = ""
    national: bool | None = None  # None: the source does not tell


@dataclass(frozen=True, slots=True)
class SourceFixture:
    """A fixture. Either ``kickoff_ms`` or ``day`` (ISO) is given; ``round`` as the source writes it."""

    provider: str
    fixture_id: str
    competition: SourceCompetition
    home: SourceTeam
    away: SourceTeam
    kickoff_ms: int | None
    day: str
    round: str = ""


@dataclass(frozen=True, slots=True)
class SourcePlayer:
    """A player of a team, as a squad or a line-up lists him."""

    provider: str
    player_id: str
    names: tuple[str, ...]
    birth_date: str = ""  # ISO
    shirt: int | None = None


@dataclass(frozen=True, slots=True)
class Competition:
    """A known competition; its seasons are named by their labels."""

    competition_id: str
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Team:
    """A known team: the names and countries of all its source records."""

    team_id: str
    names: tuple[str, ...]
    countries: tuple[str, ...] = ()  # its own and those of its leagues
    squad: str = ""  # see `ingest.identity.names.squad_of`
    national: bool | None = None


@dataclass(frozen=True, slots=True)
class Fixture:
    """A known fixture."""

    fixture_id: str
    competition_id: str
    season: str
    home_id: str
    away_id: str
    kickoff_ms: int | None
    day: str
    round: str = ""


@dataclass(frozen=True, slots=True)
class Player:
    """A known player."""

    player_id: str
    names: tuple[str, ...]
    birth_date: str = ""
    shirt: int | None = None  # in the line-up or squad that is compared


@dataclass(frozen=True, slots=True)
class Told:
    """What one source record tells of its team; a team is what its records tell together."""

    names: tuple[str, ...]
    countries: tuple[str, ...]
    national: bool | None


@dataclass(slots=True)
class Registry:
    """Everything known: entities by canonical id, which source record is which, and what team records told."""

    competitions: dict[str, Competition] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    fixtures: dict[str, Fixture] = field(default_factory=dict)
    links: dict[Key, str] = field(default_factory=dict)
    told: dict[Key, Told] = field(default_factory=dict)

    def copy(self) -> Registry:
        """The same knowledge in dictionaries of its own; the entities are immutable."""
        return Registry(
            dict(self.competitions), dict(self.teams), dict(self.fixtures), dict(self.links), dict(self.told)
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A known entity that a source record may be. ``score`` is 0 to 1, ``evidence`` a few words for a person."""

    canonical: str
    label: str
    score: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Question:
    """A source record that stays without an identity until a person decides."""

    key: Key
    label: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A source record got its identity. ``how``: certain, new, or decided (by a person)."""

    key: Key
    canonical: str
    how: str
    score: float = 1.0
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a person should know of a record whatever became of it: swapped sides, dates that differ."""

    code: str
    key: Key
    text: str


def noon_ms(day: str) -> int:
    """Noon UTC of an ISO day. Raises FeedError for what is no day."""
    try:
        found = date.fromisoformat(day)
        if not 1850 <= found.year <= 2200:
            raise ValueError(f"year {found.year}")
    except ValueError as error:
        raise FeedError("bad_date", f"'{day}' is no day of the calendar ({error}): write YYYY-MM-DD") from error
    return int(datetime(found.year, found.month, found.day, 12, tzinfo=UTC).timestamp()) * 1000


def day_of(unix_ms: int) -> str:
    """The UTC day of a moment."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).date().isoformat()


def at_ms(fixture: SourceFixture | Fixture) -> int:
    """The kick-off, or noon of the day where only that is known."""
    return fixture.kickoff_ms if fixture.kickoff_ms is not None else noon_ms(fixture.day)


def apart_ms(one: SourceFixture | Fixture, other: SourceFixture | Fixture) -> int:
    """How far apart two kick-offs certainly are; a day without an hour may be any hour of it in any zone."""
    distance = abs(at_ms(one) - at_ms(other))
    if one.kickoff_ms is None and other.kickoff_ms is None:
        return distance
    if one.kickoff_ms is None or other.kickoff_ms is None:
        return max(0, distance - _DAY_SLACK_MS)
    return distance


def season_label(days: Mapping[str, int] | list[str]) -> str:
    """The season that fixtures on these ISO days make: one calendar year, or two as in 2017/18."""
    first, last = min(days)[:4], max(days)[:4]
    return first if first == last else f"{first}/{last[2:]}"


def as_told(team: Team, records: Iterable[Told]) -> Team:
    """The team as its records tell it together."""
    every = list(records)
    return replace(
        team,
        names=tuple(sorted({name for record in every for name in record.names})),
        countries=tuple(sorted({country for record in every for country in record.countries})),
        national=next((record.national for record in every if record.national is not None), None),
    )
