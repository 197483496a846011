"""Opta's times: F24 writes the clock of London without saying so, F7 writes its offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ingest.feeds.reading import unix_ms

HOUR_MS = 3_600_000


def london_ms(stamp: str) -> int:
    """Unix ms of a London clock's ``2018-08-20T21:00:23.635``. ValueError if it is no time.

    The hour that comes twice in October is taken for the first one.
    """
    hour, rest = stamp[:13], stamp[13:]
    if len(hour) == 13 and len(rest) in (6, 8, 9, 10) and rest[0] == ":" and rest[3] == ":":
        minute, second = rest[1:3], rest[4:6]
        fraction = rest[7:] if rest[6:7] == "." else ""
        if (minute + second + (fraction or "0")).isdecimal() and minute < "60" and second < "60":
            # Two thousand rows share a few hours: reading each as a date would be most of the work.
            return _hour_ms(hour) + int(minute) * 60_000 + int(second) * 1000 + int(fraction.ljust(3, "0"))
    moment = datetime.fromisoformat(stamp)
    return unix_ms(stamp) - (_ahead_ms(moment) if moment.tzinfo is None else 0)


def london(unix: int) -> str:
    """The London clock at a unix time in ms, to the ms."""
    moment = datetime.fromtimestamp(unix // 1000, UTC)
    if _ahead_ms(moment.replace(tzinfo=None) + timedelta(hours=1)):
        moment += timedelta(hours=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{unix % 1000:03d}"


@lru_cache(maxsize=1024)
def _hour_ms(hour: str) -> int:
    moment = datetime.fromisoformat(f"{hour}:00:00")
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1000 - _ahead_ms(moment)


def _ahead_ms(local: datetime) -> int:
    """How far London's clock is ahead of UTC: an hour from the last Sunday of March to that of October, at 1:00 UTC.

    The rule since 1996, written out so that it needs no time zone tables of the machine.
    """
    moment = local.replace(tzinfo=None)
    begins = _last_sunday(moment.year, 3) + timedelta(hours=2)  # 01:00 becomes 02:00
    ends = _last_sunday(moment.year, 10) + timedelta(hours=2)  # 02:00 becomes 01:00
    return HOUR_MS if begins <= moment < ends else 0


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31)  # noqa: DTZ001 (a local clock)
    return last - timedelta(days=(last.weekday() + 1) % 7)
