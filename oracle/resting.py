"""What becomes of a resting order now: the Python twin of the market program's `resting.rs`, with the keeper's choice.

Of several triggers the keeper takes the earliest: whose order it is, and what it would win or lose, it does not ask.
Pure, over decoded accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from chain.clients import market as client
from chain.clients import oracle as oracle_client
from momentum import pricing
from oracle.windows import FeedState, Progress, SampleLike, forward_e6, parts_between

TRIGGER_LIFE_MS = 5_000
CANCEL_GRACE_MS = 5_000
EXPIRY_GRACE_MS = 60_000
MARKET, LIMIT, STOP_LOSS, TAKE_PROFIT = range(4)
NEVER_MS = 1 << 64
WINDOW_OPEN = 0
FEED_FINAL = 1


@dataclass(frozen=True, slots=True)
class Priced:
    """A window at one sample."""

    forward_e6: int
    at: Progress
    envelope: tuple[int, int]
    conf_e4: int

    def fill_e6(self, window: client.Window, side: pricing.Side, qty_e6: int) -> int:
        """Price of a trade with the open interest of now."""
        half = pricing.half_spread(self.at.left_ms, self.at.lead_ms)
        skew = (window.oi_long_e6, window.oi_short_e6, window.k_e6)
        return pricing.fill_price(side, qty_e6, self.forward_e6, half, self.conf_e4, *skew, self.envelope)


@dataclass
class Samples:
    """The samples in a feed's ring, and every window priced at them once."""

    feed: oracle_client.Feed
    _priced: dict[tuple[int, int], Priced] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        """Number of the newest sample; -1 before the first."""
        return self.feed.samples - 1

    @property
    def newest_ms(self) -> int:
        """Absolute data time of the newest sample; 0 before the first."""
        return self.ms(self.newest) if self.feed.samples else 0

    def ms(self, index: int) -> int:
        """Absolute data time of a sample."""
        return self.feed.start_unix_ms + int(self._row(index)["data_ms"])

    def epoch(self, index: int) -> int:
        """Suspend epoch of a sample; odd while suspended."""
        return int(self._row(index)["suspend_epoch"])

    def period(self, index: int) -> int:
        """Period in which a sample was taken."""
        row, period = self._row(index), min(self.feed.period, len(self.feed.periods))
        while period > 1:
            mark = self.feed.periods[period - 1]
            if row["data_ms"] >= mark.start_data_ms and row["play_ms"] >= mark.start_play_ms:
                break
            period -= 1
        return period

    def priced(self, index: int, window: client.Window) -> Priced:
        """Return a window's price at a sample."""
        key = (index, window.window_id)
        if key not in self._priced:
            row = self._row(index)
            state = replace(
                FeedState.of(self.feed), period=self.period(index), play_ms=int(row["play_ms"]), in_break=False
            )
            parts = parts_between(window.start_ms, window.end_ms)
            sample = SampleLike(*(int(row[name]) for name in ("area", "x_e6", "mu_e6", "s_e4")))
            self._priced[key] = Priced(*forward_e6(state, sample, parts), int(row["conf_e4"]))
        return self._priced[key]

    def _row(self, index: int) -> Any:
        return self.feed.ring[index % len(self.feed.ring)]


def sample_to_crank(
    samples: Samples, order: client.Order, window: client.Window, position: client.Position, now_ms: int
) -> int | None:
    """Return the sample to crank a resting order with; None while it rests on."""
    if window.state != WINDOW_OPEN or position.generation != order.generation:
        return max(samples.newest, 0)
    trigger = next(triggers(samples, order, window, position), None)
    if trigger is not None:
        return trigger
    return max(samples.newest, 0) if over(samples, order, window, now_ms) else None


def triggers(samples: Samples, order: client.Order, window: client.Window, position: client.Position) -> Iterator[int]:
    """Yield the samples that trigger the order and have their fill sample, earliest first."""
    oldest = max(order.commit_samples, samples.newest + 1 - len(samples.feed.ring), 0)
    if oldest > samples.newest or samples.newest_ms >= _closed_ms(order):
        return
    # Only the last seconds count: back to the earliest fill sample that is not too old, then to what it may fill.
    fill, fresh_ms = samples.newest, samples.newest_ms - TRIGGER_LIFE_MS
    while fill > oldest and samples.ms(fill - 1) >= fresh_ms:
        fill -= 1
    first = fill
    while first > oldest and samples.ms(first - 1) + order.delay_ms > samples.ms(fill - 1):
        first -= 1
    for index in range(first, samples.newest + 1):
        at_ms = samples.ms(index)
        while fill <= samples.newest and samples.ms(fill) < at_ms + order.delay_ms:
            fill += 1
        if fill > samples.newest:
            return
        in_time = at_ms >= order.commit_ms and (order.until_ms == 0 or at_ms < order.until_ms)
        epochs = {samples.epoch(number) for number in (index, fill, samples.newest)}
        undisturbed = samples.epoch(index) % 2 == 0 and len(epochs) == 1
        if in_time and undisturbed and samples.period(index) == samples.period(fill):
            here, there = (samples.priced(i, window) for i in (index, fill))
            if _condition(order, here, window, position) and _fills(order, there, window, position):
                yield index


def over(samples: Samples, order: client.Order, window: client.Window, now_ms: int) -> bool:
    """Whether an order without a trigger can be ended."""
    closed_ms = _closed_ms(order)
    if samples.newest_ms >= closed_ms or now_ms // 1_000 * 1_000 > closed_ms + EXPIRY_GRACE_MS:
        return True
    if samples.feed.status == FEED_FINAL:
        return True
    return samples.newest >= 0 and samples.priced(samples.newest, window).at.left_ms == 0


def _closed_ms(order: client.Order) -> int:
    """Data time from which nothing triggers an order any more and it can be ended; never where it has no end."""
    return order.until_ms + order.delay_ms + CANCEL_GRACE_MS if order.until_ms else NEVER_MS


def _closes(order: client.Order, position: client.Position) -> bool:
    return position.qty_e6 > 0 and position.side != order.side


def _within_limit(order: client.Order, here: Priced, window: client.Window, position: client.Position) -> bool:
    side = pricing.Side(order.side)
    qty_e6 = min(order.qty_e6, position.qty_e6) if _closes(order, position) else order.qty_e6
    price_e6 = here.fill_e6(window, side, qty_e6)
    return price_e6 <= order.limit_e6 if side is pricing.Side.LONG else price_e6 >= order.limit_e6


def _condition(order: client.Order, here: Priced, window: client.Window, position: client.Position) -> bool:
    if order.kind == LIMIT:
        return _within_limit(order, here, window, position)
    falling = (order.kind == STOP_LOSS) == (order.side == pricing.Side.SHORT.value)
    return here.forward_e6 <= order.trigger_e6 if falling else here.forward_e6 >= order.trigger_e6


def _fills(order: client.Order, there: Priced, window: client.Window, position: client.Position) -> bool:
    """Whether the order ends there: filled, or reduce only with nothing to reduce."""
    if there.at.left_ms == 0:
        return False
    reduce_only = bool(order.flags & 1)
    return (reduce_only and not _closes(order, position)) or _within_limit(order, there, window, position)
