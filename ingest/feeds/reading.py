"""What several adapters need to read a document: JSON bodies, numbers that are numbers, periods laid out in time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import orjson

from ingest.events import FeedError
from ingest.feeds.base import Row

Doc = dict[str, Any]

LONGEST_PERIOD_MS = 75 * 60_000
HALFTIME_MS = 15 * 60_000
UNKNOWN_KICKOFF_MS = 2_678_400_000
"""1970-02-01: stands for a kick-off that the files do not tell."""

_CLOCK = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")


def parse_body(body: bytes) -> object:
    """A polled body as JSON. Raises FeedError ``bad_json``."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FeedError("bad_json", f"no complete JSON ({error}): poll again") from error
    return document


def identity(value: object) -> str:
    """An id as text; empty where there is none. Providers send numbers or strings, never true, lists or objects."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return str(value)


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
