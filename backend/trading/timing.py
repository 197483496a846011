"""Where a window stands in its feed: the twin of `programs/market/src/timing.rs`, over plain numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE_MS = 60_000
HALF_MS = 45 * MINUTE_MS
COMMIT_CLOSE_MS = 20_000
"""Orders are refused in the last seconds of a window: no sample could fill them."""

PARTS: tuple[tuple[tuple[int, int, int], ...], ...] = (
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
"""By window id: (period, from minute, to minute) of its parts."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """What a feed account says about time and area. Areas in 1e-6 points x ms; lists are by period, 0 the first."""

    period: int
    in_break: bool
    play_ms: int  # cumulative over the periods
    left_out_ms: int
    area: int  # of the newest sample
    starts_play_ms: Sequence[int]
    ends_play_ms: Sequence[int]
    ends_area: Sequence[int]
    minute_area: Sequence[Sequence[int]]
    minute_left_out_ms: Sequence[Sequence[int]]

    def ended(self, period: int) -> bool:
        """Whether a period is over."""
        return 1 <= period <= self.period and (period < self.period or self.in_break)

    def period_play_ms(self, period: int) -> int | None:
        """Play of a period so far; None before it starts."""
        if not 1 <= period <= self.period:
            return None
        end = self.ends_play_ms[period - 1] if self.ended(period) else self.play_ms
        return end - self.starts_play_ms[period - 1]

    def minute_mark(self, period: int, minute: int) -> tuple[int, int] | None:
        """(area, left-out ms) at a full minute; None before it is reached."""
        played = self.period_play_ms(period)
        if played is None or played < minute * MINUTE_MS:
            return None
        return self.minute_area[period - 1][minute], self.minute_left_out_ms[period - 1][minute]


@dataclass(frozen=True, slots=True)
class Progress:
    """A window as of the newest sample."""

    area: int
    left_ms: int
    lead_ms: int
    left_out_ms: int


def nominal_ms(window_id: int) -> tuple[int, int]:
    """(start, end) of a window in match time without added time."""
    (first, start, _), (last, _, end) = PARTS[window_id][0], PARTS[window_id][-1]
    return (first - 1) * HALF_MS + start * MINUTE_MS, (last - 1) * HALF_MS + end * MINUTE_MS


def progress(feed: FeedState, window_id: int) -> Progress | None:
    """Where the window stands at the newest sample; None before the first kick-off."""
    if feed.period == 0:
        return None
    play = max(0, feed.play_ms - feed.starts_play_ms[feed.period - 1])
    area = left = lead = left_out = 0
    begun = False
    for period, first, last in PARTS[window_id]:
        start, end = first * MINUTE_MS, last * MINUTE_MS
        if feed.period > period or (feed.period == period and play >= end):
            measured, out = _past(feed, period, first, last)
            area += measured
            left_out += out
        elif feed.period == period and play >= start:
            mark = feed.minute_mark(period, first)
            if mark is None:
                return None
            area += max(0, feed.area - mark[0])
            left_out += min(max(0, feed.left_out_ms - mark[1]), play - start)
            left += end - play
        else:
            if not begun:
                halves = period - feed.period
                rest = max(0, HALF_MS - play) + (halves - 1) * HALF_MS if halves > 0 else 0
                lead = rest + start if halves > 0 else start - play
            left += end - start
        begun = True
    return Progress(area, left, lead, left_out)


def _past(feed: FeedState, period: int, first: int, last: int) -> tuple[int, int]:
    length = (last - first) * MINUTE_MS
    begin = feed.minute_mark(period, first)
    if begin is None:
        return 0, length
    end = feed.minute_mark(period, last)
    if end is not None:
        return end[0] - begin[0], end[1] - begin[1]
    area = feed.ends_area[period - 1] if feed.ended(period) else feed.area
    played = (feed.period_play_ms(period) or 0) - first * MINUTE_MS
    out = min(max(0, feed.left_out_ms - begin[1]), played)
    return max(0, area - begin[0]), length - played + out
