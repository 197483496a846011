"""When which source is read again: daily, hourly before fixtures, every minute around kick-offs, for line-ups. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
FULL_AT_MS = 4 * HOUR_MS
"""The daily refresh is due at 04:00 UTC, when hardly anybody plays."""
SOON_MS = 48 * HOUR_MS
"""A source with a fixture this close is read every hour."""
AROUND_MS = 15 * MINUTE_MS
"""Every minute from this long before a kick-off until this long after."""
LINEUP_MS = 75 * MINUTE_MS
LINEUP_EVERY_MS = 5 * MINUTE_MS
"""From this long before the kick-off a missing line-up is asked for, this often."""


class Reason(StrEnum):
    """Why a source is read; the more pressing one names the job."""

    KICKOFF = "kickoff"
    LINEUP = "lineup"
    NEAR = "near"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A fixture that is not over: its kick-off and whether both line-ups are known."""

    kickoff_ms: int
    lineups: bool


@dataclass(frozen=True, slots=True)
class Job:
    """One reading of a source. Equal jobs are the same work: ``slot_ms`` is when the reading became due."""

    source: str
    reason: Reason
    slot_ms: int


def due(upcoming: Mapping[str, Sequence[Upcoming]], now_ms: int) -> list[Job]:
    """What is due now for each source (by name, with its fixtures), at most one reading a source.

    Asking again within the same minute gives the same jobs.
    """
    found = []
    for source in sorted(upcoming):
        jobs = [Job(source, reason, slot) for reason, slot in _reasons(upcoming[source], now_ms)]
        found.append(max(jobs, key=lambda job: job.slot_ms))
    return found


def _reasons(fixtures: Sequence[Upcoming], now_ms: int) -> list[tuple[Reason, int]]:
    """The newest slot of every reason that holds."""
    found = []
    if any(abs(now_ms - f.kickoff_ms) <= AROUND_MS for f in fixtures):
        found.append((Reason.KICKOFF, now_ms // MINUTE_MS * MINUTE_MS))
    if any(not f.lineups and 0 <= f.kickoff_ms - now_ms <= LINEUP_MS for f in fixtures):
        found.append((Reason.LINEUP, now_ms // LINEUP_EVERY_MS * LINEUP_EVERY_MS))
    if any(-DAY_MS // 4 <= f.kickoff_ms - now_ms <= SOON_MS for f in fixtures):
        found.append((Reason.NEAR, now_ms // HOUR_MS * HOUR_MS))
    found.append((Reason.DAILY, (now_ms - FULL_AT_MS) // DAY_MS * DAY_MS + FULL_AT_MS))
    return found
