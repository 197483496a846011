"""Where a window stands at a sample and what a trade costs there: the rules of docs/programs.md over the twin feed.

Nothing here reads an account of the market. The feed is `oracle.aggregate.Feed`, which keeps every sample.
"""

from __future__ import annotations

from dataclasses import dataclass

from chain.clients.oracle import Sample
from momentum import pricing
from momentum.pricing import Side
from oracle.aggregate import Feed
from oracle.windows import HALF_MS, MINUTE_MS, Part

RING = 512


@dataclass(frozen=True)
class Progress:
    """A window as of one sample: measured area, play left, play until it starts, past that was not measured."""

    area: int
    left_ms: int
    lead_ms: int
    left_out_ms: int


def window_ms(parts: tuple[Part, ...]) -> int:
    """Return the nominal length of a window."""
    return sum((last - first) * MINUTE_MS for _, first, last in parts)


def ended(feed: Feed, period: int) -> bool:
    """Whether a period is over."""
    return feed.period > period or (feed.period == period and feed.in_break)


def mark(feed: Feed, period: int, minute: int) -> tuple[int, int] | None:
    """Return (area, left out) at a full minute of a period; None while play has not come to it."""
    if feed.period < period:
        return None
    row = feed.periods[period - 1]
    played = (row.end_play_ms if ended(feed, period) else feed.play_ms) - row.start_play_ms
    if played < minute * MINUTE_MS:
        return None
    return feed.minute_area[period - 1][minute], feed.minute_left_out_ms[period - 1][minute]


def period_of(feed: Feed, sample: Sample) -> int:
    """Return the period in which a sample was taken."""
    period = feed.period
    while period > 1:
        row = feed.periods[period - 1]
        if sample.data_ms >= row.start_data_ms and sample.play_ms >= row.start_play_ms:
            break
        period -= 1
    return period


def past(feed: Feed, part: Part) -> tuple[int, int]:
    """Return (area, not measured or not played) of a part that play has passed or whose period is over."""
    period, first, last = part
    begin, end = mark(feed, period, first), mark(feed, period, last)
    if begin is None:
        return 0, (last - first) * MINUTE_MS
    if end is not None:
        return end[0] - begin[0], end[1] - begin[1]
    row = feed.periods[period - 1]
    over = ended(feed, period)
    area = row.end_area if over else feed.samples[-1].area
    played = (row.end_play_ms if over else feed.play_ms) - row.start_play_ms - first * MINUTE_MS
    out = min(max(0, feed.left_out_ms - begin[1]), played)
    return max(0, area - begin[0]), (last - first) * MINUTE_MS - played + out


def progress(feed: Feed, sample: Sample, parts: tuple[Part, ...]) -> Progress:
    """Return where a window stands at a sample, which need not be the newest."""
    now = period_of(feed, sample)
    play = sample.play_ms - feed.periods[now - 1].start_play_ms
    area = left = lead = out = 0
    for number, (period, first, last) in enumerate(parts):
        begin, end = first * MINUTE_MS, last * MINUTE_MS
        if now > period or (now == period and play >= end):
            gone, missing = past(feed, (period, first, last))
            area, out = area + gone, out + missing
        elif now == period and play >= begin:
            area_begin, out_begin = mark(feed, period, first) or (0, 0)
            area += max(0, sample.area - area_begin)
            out += min(max(0, feed.left_out_ms - out_begin), play - begin)
            left += end - play
        else:
            if number == 0:
                lead = begin - play if now == period else max(0, HALF_MS - play) + (period - now - 1) * HALF_MS + begin
            left += end - begin
    return Progress(area, left, lead, out)


def outcome(feed: Feed, parts: tuple[Part, ...], over: bool) -> tuple[int, int] | None:
    """Return how a window ended as (area, not measured or not played); None while it can still go on."""
    for period, _, last in parts:
        if mark(feed, period, last) is None and not ended(feed, period) and not over:
            return None
    ends = [past(feed, part) for part in parts]
    return sum(area for area, _ in ends), sum(out for _, out in ends)


def stood_still(feed: Feed, parts: tuple[Part, ...]) -> bool:
    """Whether a majority had suspended trading for all of a window's last quarter of an hour."""
    period, _, last = parts[-1]
    if mark(feed, period, last) is None:
        return False
    return feed.stood_still(period, last)


def chargeable_ms(feed: Feed, parts: tuple[Part, ...]) -> int:
    """Return the play for which a window pays the borrow fee: not suspended, and not after its end."""
    period, _, last = parts[-1]
    if feed.period < period:
        return feed.play_ms - feed.suspended_ms
    row = feed.periods[period - 1]
    if mark(feed, period, last) is not None:
        return row.start_play_ms + last * MINUTE_MS - feed.minute_suspended_ms[period - 1][last]
    if ended(feed, period):
        return max(0, row.end_play_ms - feed.suspended_ms)
    return feed.play_ms - feed.suspended_ms


@dataclass(frozen=True)
class Pricing:
    """Everything a price at one sample is made of."""

    at: Progress
    forward_e6: int
    half_spread_e6: int
    conf_e4: int
    envelope: tuple[int, int]

    @staticmethod
    def of(feed: Feed, sample: Sample, parts: tuple[Part, ...]) -> Pricing:
        """Price a window at a sample."""
        at, length = progress(feed, sample, parts), window_ms(parts)
        w_ms = length - min(at.left_out_ms, length - 1)
        return Pricing(
            at,
            pricing.forward(at.area, at.left_ms, at.lead_ms, sample.x_e6, sample.mu_e6, sample.s_e4, w_ms),
            pricing.half_spread(at.left_ms, at.lead_ms),
            sample.conf_e4,
            pricing.envelope(at.area, at.left_ms, w_ms),
        )

    def fill(self, side: Side, qty_e6: int, oi_long_e6: int, oi_short_e6: int, k_e6: int) -> int:
        """Return the price of a trade."""
        spread, conf = self.half_spread_e6, self.conf_e4
        return pricing.fill_price(
            side, qty_e6, self.forward_e6, spread, conf, oi_long_e6, oi_short_e6, k_e6, self.envelope
        )
