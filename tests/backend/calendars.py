"""A small league as two sources write it, for tests of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ingest.catalogue import Entry, Lineup, Snapshot, Status
from ingest.identity.model import HOUR_MS, SourceCompetition, SourceFixture, SourcePlayer, SourceTeam, day_of

CLUBS = ("Arsenal", "Chelsea", "Everton", "Fulham")
NOW_MS = int(datetime(2024, 8, 1, tzinfo=UTC).timestamp()) * 1000
START_MS = int(datetime(2024, 8, 17, 14, tzinfo=UTC).timestamp()) * 1000
WEEK_MS = 7 * 24 * HOUR_MS
_ROUNDS = (((0, 3), (1, 2)), ((3, 2), (0, 1)), ((1, 3), (2, 0)), ((3, 0), (2, 1)), ((2, 3), (1, 0)), ((3, 1), (0, 2)))


def entries(provider: str, suffix: str = "", status: Status | None = None) -> list[Entry]:
    """Twelve fixtures, one round a week, two hours apart."""
    competition = SourceCompetition(provider, f"{provider}-league", "Premier League", "England", "2024/25")
    teams = [SourceTeam(provider, f"{provider}-{club}", (f"{club}{suffix}",)) for club in CLUBS]
    found = []
    for round_, pairs in enumerate(_ROUNDS):
        for at, (home, away) in enumerate(pairs):
            kickoff = START_MS + round_ * WEEK_MS + at * 2 * HOUR_MS
            key = f"{provider}-{CLUBS[home]}-{CLUBS[away]}"
            fixture = SourceFixture(
                provider, key, competition, teams[home], teams[away], kickoff, day_of(kickoff), str(round_ + 1)
            )
            found.append(Entry(fixture, status))
    return found


def snapshot(found: list[Entry], version_ms: int = 0) -> Snapshot:
    """The entries as one document."""
    return Snapshot(found[0].fixture.provider, tuple(found), version_ms)


def moved(entry: Entry, by_ms: int) -> Entry:
    """The fixture at another time."""
    kickoff = (entry.fixture.kickoff_ms or 0) + by_ms
    return replace(entry, fixture=replace(entry.fixture, kickoff_ms=kickoff, day=day_of(kickoff)))


def lineup(provider: str, *, home: bool = True, offset: int = 0, born: bool = True) -> Lineup:
    """Eleven and three, with shirts; ``offset`` shifts the provider's ids, not the men."""
    names = "Adams Baker Clark Davis Evans Foster Green Harris Irwin Jones King Lewis Moore Nolan".split()  # noqa: SIM905
    men = tuple(
        SourcePlayer(provider, str(offset + n), (f"{'AB'[n % 2]}. {name}",), f"19{80 + n}-01-01" if born else "", n + 1)
        for n, name in enumerate(names)
    )
    return Lineup(home, men[:11], men[11:])


def openfootball(rows: list[dict[str, Any]], title: str = "English Premier League 2024/25") -> dict[str, Any]:
    """A calendar file."""
    return {"name": title, "matches": rows}


def rows() -> list[dict[str, Any]]:
    """The league as openfootball's rows."""
    found: list[dict[str, Any]] = []
    for entry in entries("x"):
        at = datetime.fromtimestamp((entry.fixture.kickoff_ms or 0) / 1000, UTC)
        found.append(
            {
                "round": f"Matchday {entry.fixture.round}",
                "date": at.date().isoformat(),
                "time": "15:00",
                "team1": f"{entry.fixture.home.names[0]} FC",
                "team2": f"{entry.fixture.away.names[0]} FC",
                "score": {},
            }
        )
    return found
