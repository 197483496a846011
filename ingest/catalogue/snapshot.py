"""What one document of a source says of fixtures. None means that the source does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from ingest.events import FeedError
from ingest.identity.model import SourceFixture, SourcePlayer, noon_ms


class Status(StrEnum):
    """Where a fixture stands."""

    SCHEDULED = "scheduled"
    POSTPONED = "postponed"  # will be played, nobody knows when
    LIVE = "live"
    ABANDONED = "abandoned"  # began and was broken off
    FINISHED = "finished"
    CANCELLED = "cancelled"  # will not be played; awarded results count as cancelled where nothing was played


@dataclass(frozen=True, slots=True)
class Lineup:
    """The players of one team in a fixture."""

    home: bool
    starters: tuple[SourcePlayer, ...]
    bench: tuple[SourcePlayer, ...]
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One fixture as the source has it now."""

    fixture: SourceFixture
    status: Status | None = None
    venue: str | None = None
    score: tuple[int, int] | None = None  # after extra time, without a shoot-out
    lineups: tuple[Lineup, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One document: when the provider made it (unix ms, 0 unknown), its entries, and the rows that cannot be used."""

    provider: str
    entries: tuple[Entry, ...]
    version_ms: int = 0
    problems: tuple[str, ...] = ()


def local_ms(day: str, time: str, zone: str) -> int:
    """The unix ms of a local day (ISO) and time (``HH:MM``). Raises FeedError for what is none."""
    noon_ms(day)
    try:
        at = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise FeedError("bad_date", f"'{day} {time}' is no time ({error}): write YYYY-MM-DD and HH:MM") from error
    return int(at.timestamp()) * 1000


def utc_ms(text: str) -> int:
    """The unix ms of ``YYYY-MM-DD HH:MM:SS`` in UTC (a ``T`` and a ``Z`` are allowed). Raises FeedError."""
    try:
        at = datetime.fromisoformat(text.strip().rstrip("Z"))
        if not 1850 <= at.year <= 2200:
            raise ValueError(f"year {at.year}")
    except ValueError as error:
        raise FeedError("bad_date", f"'{text}' is no time ({error}): write YYYY-MM-DD HH:MM:SS") from error
    return int(at.replace(tzinfo=UTC).timestamp()) * 1000
