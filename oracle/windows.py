"""Where a window stands at the feed's newest sample: the Python twin of the market program's `timing.rs`.

Pure, over a decoded `Feed` account. Times are milliseconds of play, areas 1e-6 points x ms, as on chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chain.clients import oracle as client
from momentum import pricing
from oracle import aggregate as aggregation

MINUTE_MS = 60_000
HALF_MINUTES = 45
HALF_S = HALF_MINUTES * 60
HALF_MS = HALF_MINUTES * MINUTE_MS
Part = tuple[int, int, int]
"""(period, first minute, last minute)."""

PARTS: tuple[tuple[Part, ...], ...] = (
    ((1, 0, 15),),
    ((1, 15, 30),),
    ((1, 30, 45),),
    ((2, 0, 15),),
    ((2, 15, 30),),
    ((2, 30, 45),),
    ((1, 0, 45),),
    ((2, 0, 45),),
    ((1, 0, 45), (2, 0, 45)),
)
"""Parts of the standard windows by id."""
NAMES = ("0-15", "15-30", "30-45", "45-60", "60-75", "75-90", "H1", "H2", "FT")
"""Names of the standard windows by id."""


def parts_between(start_ms: int, end_ms: int) -> tuple[Part, ...]:
    """Return the parts of a window between two nominal times, as its account stores them."""
    found = []
    for period in (1, 2):
        kick_off_ms = (period - 1) * HALF_MS
        first, last = (min(max(at - kick_off_ms, 0), HALF_MS) // MINUTE_MS for at in (start_ms, end_ms))
        if last > first:
            found.append((period, first, last))
    return tuple(found)


def window_name(window_id: int) -> str:
    """Return a window's name; a custom one has only its number."""
    return NAMES[window_id] if window_id < len(NAMES) else f"custom-{window_id}"


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is read of the feed account. ``periods`` are (start play, end play, end area) of periods 1 to 4."""

    period: int
    in_break: bool
    play_ms: int
    left_out_ms: int
    periods: Sequence[tuple[int, int, int]]
    minute_area: Any  # by period and minute, a nested list or an array
    minute_left_out_ms: Any

    @staticmethod
    def of(feed: client.Feed | aggregation.Feed) -> FeedState:
        """From the decoded account, or from its Python twin."""
        return FeedState(
            period=feed.period,
            in_break=bool(feed.in_break),
            play_ms=feed.play_ms,
            left_out_ms=feed.left_out_ms,
            periods=[(p.start_play_ms, p.end_play_ms, p.end_area) for p in feed.periods],
            minute_area=feed.minute_area,
            minute_left_out_ms=feed.minute_left_out_ms,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """A window as of the newest sample."""

    area: int
    left_ms: int
    lead_ms: int
    left_out_ms: int


def nominal_s(parts: Sequence[Part]) -> tuple[int, int]:
    """Start and end of a window in nominal seconds of the match (the second half begins at 2,700)."""
    first, last = parts[0], parts[-1]
    return ((first[0] - 1) * HALF_MINUTES + first[1]) * 60, ((last[0] - 1) * HALF_MINUTES + last[2]) * 60


def _ended(feed: FeedState, period: int) -> bool:
    return feed.period > period or (feed.period == period and bool(feed.in_break))


def _mark(feed: FeedState, period: int, minute: int) -> tuple[int, int] | None:
    """(area, left out) at a minute of a period; None while play has not come to it."""
    if feed.period < period or feed.period == 0:
        return None
    row = feed.periods[period - 1]
    played = (row[1] if _ended(feed, period) else feed.play_ms) - row[0]
    if played < minute * MINUTE_MS:
        return None
    return int(feed.minute_area[period - 1][minute]), int(feed.minute_left_out_ms[period - 1][minute])


def progress(feed: FeedState, newest_area: int, parts: Sequence[Part]) -> Progress:
    """Where the window of these parts stands. Raises LookupError before the first sample."""
    if feed.period == 0:
        raise LookupError("the feed has no sample yet: wait for kick-off")
    play = feed.play_ms - feed.periods[feed.period - 1][0]
    area = left = lead = left_out = 0
    begun = False
    for period, first, last in parts:
        begin, end = first * MINUTE_MS, last * MINUTE_MS
        if feed.period > period or (feed.period == period and play >= end):
            gone_area, gone_out = _past(feed, newest_area, (period, first, last))
            area, left_out, begun = area + gone_area, left_out + gone_out, True
        elif feed.period == period and play >= begin:
            mark = _mark(feed, period, first) or (0, 0)
            area += max(0, newest_area - mark[0])
            left_out += min(max(0, feed.left_out_ms - mark[1]), play - begin)
            left, begun = left + end - play, True
        else:
            if not begun:
                halves = period - feed.period
                lead = max(0, HALF_MS - play) + (halves - 1) * HALF_MS + begin if halves > 0 else begin - play
            left, begun = left + end - begin, True
    return Progress(area, left, lead, left_out)


def _past(feed: FeedState, newest_area: int, part: Part) -> tuple[int, int]:
    period, first, last = part
    length = (last - first) * MINUTE_MS
    begin, end = _mark(feed, period, first), _mark(feed, period, last)
    if begin is None:
        return 0, length
    if end is not None:
        return end[0] - begin[0], end[1] - begin[1]
    row = feed.periods[period - 1]
    area = row[2] if _ended(feed, period) else newest_area
    played = (row[1] if _ended(feed, period) else feed.play_ms) - row[0] - first * MINUTE_MS
    out = min(max(0, feed.left_out_ms - begin[1]), played)
    return max(0, area - begin[0]), length - played + out


@dataclass(frozen=True, slots=True)
class SampleLike:
    """The newest sample's own numbers, as on chain (``s_e4`` biased)."""

    area: int
    x_e6: int
    mu_e6: int
    s_e4: int


def forward_e6(feed: FeedState, sample: SampleLike, parts: Sequence[Part]) -> tuple[int, Progress, tuple[int, int]]:
    """Fair price of the window, where it stands, and the envelope the price must lie in."""
    at = progress(feed, sample.area, parts)
    length = sum((last - first) * MINUTE_MS for _, first, last in parts)
    w_ms = length - min(at.left_out_ms, length - 1)
    price = pricing.forward(at.area, at.left_ms, at.lead_ms, sample.x_e6, sample.mu_e6, sample.s_e4, w_ms)
    return price, at, pricing.envelope(at.area, at.left_ms, w_ms)
