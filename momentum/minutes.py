"""Match minutes as people write them: 37:12, 45+2:10, 93:05; the second half starts at 45:00."""

from __future__ import annotations

import re

from ingest.events import FeedError

HALF_S, EXTRA_S = 2_700, 900
PERIODS = ((1, 0, HALF_S), (2, 45, HALF_S), (3, 90, EXTRA_S), (4, 105, EXTRA_S))
"""Period, the match minute it starts with, its nominal length in seconds."""

_STARTS_MIN = {period: minute for period, minute, _ in PERIODS}
_ENDS = {45: (1, HALF_S), 90: (2, HALF_S), 105: (3, EXTRA_S), 120: (4, EXTRA_S)}
"""Minute of a nominal end -> period and its nominal length in seconds."""

_CLOCK = re.compile(r"(?:(\d{2,3})\+)?(\d{1,3}):(\d{2})")


def parse(text: str, period: int | None = None) -> tuple[int, int]:
    """Period and second since its kick-off. With ``period`` the text counts from that period's kick-off.

    45:00 is the kick-off of the second half, 45+0:00 the first half's first second of added time; 93:05 is 90+3:05.
    105+ and 120+ are the added time of extra time, whose other seconds need ``period``. Raises FeedError ``bad_time``.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None or int(found[3]) > 59:
        raise FeedError("bad_time", f"'{text}' is no match time: write it like 37:12, 45+2:10 or 93:05")
    second = int(found[2]) * 60 + int(found[3])
    if found[1] is None:
        if period is not None:
            return period, second
        return (1, second) if second < HALF_S else (2, second - HALF_S)
    if int(found[1]) not in _ENDS:
        raise FeedError("bad_time", f"'{text}': added time follows 45, 90, 105 or 120 minutes, as in 45+2:10")
    at, length_s = _ENDS[int(found[1])]
    if period not in (None, at):
        raise FeedError("bad_time", f"'{text}' is not in period {period}: leave the period out or correct the time")
    return at, length_s + second


def label(period: int, second: int) -> str:
    """The time of a second of play; `parse` reads it back, except for the nominal seconds of extra time."""
    start = _STARTS_MIN[period]
    length_s = HALF_S if period <= 2 else EXTRA_S
    added = second - length_s
    if added >= 0:
        return f"{start + length_s // 60}+{added // 60}:{added % 60:02d}"
    return f"{start + second // 60}:{second % 60:02d}"
