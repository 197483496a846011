"""Seasons of small leagues, for tests of identity."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.identity.decisions import Decision, Verdict
from ingest.identity.model import (
    HOUR_MS,
    Key,
    Kind,
    SourceCompetition,
    SourceFixture,
    SourceTeam,
    day_of,
    noon_ms,
)
from ingest.identity.resolve import Resolution

DAY_MS = 24 * HOUR_MS
START_MS = noon_ms("2024-08-10")
CLUBS = ("Leicester City", "Manchester United", "Manchester City", "Swansea City", "West Ham United", "Hull City")
SHORT = ("Leicester", "Man Utd", "Man City", "Swansea", "West Ham", "Hull")


def season(
    provider: str,
    clubs: Sequence[str],
    *,
    country: str = "England",
    name: str = "Premier League",
    label: str = "2024/25",
    start_ms: int = START_MS,
) -> list[SourceFixture]:
    """A double round robin, one round a week, every fixture at an hour of its own."""
    competition = SourceCompetition(provider, name.lower(), name, country, label)
    teams = [SourceTeam(provider, club.lower(), (club,)) for club in clubs]
    n = len(teams)
    found = []
    for round_ in range(2 * (n - 1)):
        order = [0, *((i + round_) % (n - 1) + 1 for i in range(n - 1))]
        for at in range(n // 2):
            home, away = teams[order[at]], teams[order[-1 - at]]
            if (round_ >= n - 1) != bool((round_ + at) % 2 and at == 0):
                home, away = away, home
            kickoff = start_ms + round_ * 7 * DAY_MS + at * 2 * HOUR_MS
            key = f"{home.team_id}/{away.team_id}/{round_ // (n - 1)}"
            fixture = SourceFixture(
                provider, key, competition, home, away, kickoff, day_of(kickoff), f"Matchday {round_ + 1}"
            )
            found.append(fixture)
    return found


def linked(found: Resolution, provider: str, source_id: str, kind: Kind = Kind.TEAM) -> str | None:
    return found.registry.links.get((kind, provider, source_id))


def one(
    provider: str,
    home: str,
    away: str,
    kickoff_ms: int = START_MS,
    *,
    country: str = "",
    league: str = "Cup",
    n: int = 0,
) -> SourceFixture:
    """A single fixture."""
    competition = SourceCompetition(provider, league, league, country, "2024/25")
    teams = [SourceTeam(provider, name.lower(), (name,)) for name in (home, away)]
    return SourceFixture(provider, f"{home}/{away}/{n}", competition, *teams, kickoff_ms, day_of(kickoff_ms))


ARSENAL: Key = (Kind.TEAM, "b", "arsenal fc")
CHELSEA: Key = (Kind.TEAM, "b", "chelsea fc")


def said(verdict: Verdict, canonical: str = "", key: Key = ARSENAL) -> Decision:
    return Decision(key, verdict, canonical, "ann", 1)
