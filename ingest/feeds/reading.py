"""What several adapters need to read a row: numbers that are numbers, times, sides, periods laid out in time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ingest.events import Event, MatchInfo, Side, score
from ingest.feeds.base import Problem, Row, text_id

Doc = dict[str, Any]

LONGEST_PERIOD_MS = 75 * 60_000
HALFTIME_MS = 15 * 60_000
UNKNOWN_KICKOFF_MS = 2_678_400_000
"""1970-02-01: stands for a kick-off that the files do not tell."""

MAX_VERSION = 4_102_444_800_000
"""The year 2100 in unix ms. A version from beyond it is a mistake that no later correction could ever undo."""

_CLOCK = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")


def unix_ms(stamp: str) -> int:
    """Milliseconds since 1970 of a time stamp such as ``2021-09-11T18:30:06.787Z``; UTC unless it says otherwise.

    ValueError if it is none.
    """
    moment = datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def time_ms(value: object) -> int:
    """A version or a kick-off, unix ms. Raises ValueError for what lies before 1970 or after 2100."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_VERSION:
        raise ValueError("a time in unix ms out of range")
    return value


def type_number(value: object) -> int:
    """A type's number. Raises ValueError or TypeError for what is none."""
    number = int(value) if isinstance(value, int | float | str) else None
    if number is None or isinstance(value, bool) or abs(number) >= 10**9:
        raise ValueError(f"{str(value)[:20]!r} is not the number of a type")
    return number


def side_of(info: MatchInfo, team_id: object) -> Side | None:
    """The side whose team has this id; None where neither has."""
    team = text_id(team_id)
    if not team:
        return None
    if team == info.home.team_id:
        return Side.HOME
    return Side.AWAY if team == info.away.team_id else None


def score_problems(
    info: MatchInfo, events: Iterable[Event], official: tuple[int, int] | None, source: str
) -> tuple[Problem, ...]:
    """A problem when the goals among ``events`` are not the score that ``source`` tells, if it tells any."""
    if official is None or (found := score(events)) == official:
        return ()
    text = f"the events make it {found[0]}-{found[1]}, {source} says {official[0]}-{official[1]}"
    return (Problem("score_differs", f"match {info.match_id}", text),)


def finite(value: object) -> float:
    """A coordinate or a time. Raises ValueError for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{str(value)[:20]!r} is not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number


def per_cent(value: object, low: float, high: float) -> float:
    """``value`` on a scale from ``low`` to ``high`` as 0..100; what lies off the pitch is its edge."""
    return round(min(100.0, max(0.0, (finite(value) - low) / (high - low) * 100.0)), 6)


def flipped(value: float | None) -> float | None:
    """The same place seen by the other team."""
    return None if value is None else round(100.0 - value, 6)


def chance_e6(value: object) -> int | None:
    """A provider's expected goals in 1e-6, None where it gives none. Raises ValueError for what is no probability."""
    if value is None:
        return None
    chance = round(finite(value) * 1_000_000)
    if not 0 <= chance <= 1_000_000:
        raise ValueError(f"expected goals {str(value)[:20]} are not a probability")
    return chance


def clock_ms(stamp: object) -> int:
    """Milliseconds of a ``hh:mm:ss.fff`` clock. Raises ValueError for anything else."""
    found = _CLOCK.fullmatch(str(stamp))
    if found is None:
        raise ValueError(f"{str(stamp)[:20]!r} is not a time hh:mm:ss.fff")
    hours, minutes, seconds = (int(part) for part in found.group(1, 2, 3))
    fraction = (found.group(4) or "").ljust(3, "0")
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(fraction[:3])


def lay_out(moments: Iterable[tuple[int, int, Doc]], kickoff_unix_ms: int) -> tuple[Row, ...]:
    """Rows of a recording without wall-clock times, from (period, playing time in ms, fragment).

    Periods follow each other from the kick-off on with a quarter of an hour between them.
    """
    ordered = sorted(moments, key=lambda moment: moment[:2])
    rows: list[Row] = []
    start_ms, period = kickoff_unix_ms, 0
    for number, play_ms, doc in ordered:
        if number != period:
            start_ms = rows[-1].unix_ms + HALFTIME_MS if rows else kickoff_unix_ms
            period = number
        rows.append(Row(doc, start_ms + play_ms, number))
    return tuple(rows)
