"""What is due on chain and who must be told: a pure planner over the accounts' state.

Anyone may crank. A keeper cranks every ripe order, losing ones included: an order nobody cranks is a free look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oracle.windows import HALF_MS

RING = 512
GRACE_MS = 60_000


@dataclass(frozen=True, slots=True)
class FeedView:
    """The feed's samples still in the ring, oldest first. ``first`` is the index of the oldest."""

    start_unix_ms: int
    first: int
    data_ms: npt.NDArray[np.int64]

    @staticmethod
    def of(start_unix_ms: int, samples: int, ring_data_ms: npt.NDArray[np.int64]) -> FeedView:
        """From the account's ring, where sample i lies at i % 512."""
        first = max(0, samples - RING)
        order = np.arange(first, samples) % RING
        return FeedView(start_unix_ms, first, ring_data_ms[order].astype(np.int64))

    @property
    def count(self) -> int:
        """Samples ever aggregated."""
        return self.first + len(self.data_ms)

    def first_at(self, unix_ms: int) -> int | None:
        """Index of the first sample whose data time is at least ``unix_ms``; None if there is none yet."""
        at = int(np.searchsorted(self.data_ms, unix_ms - self.start_unix_ms, side="left"))
        return self.first + at if at < len(self.data_ms) else None


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """A committed order. Times are absolute milliseconds of match time."""

    address: str
    commit_ms: int
    delay_ms: int
    expiry_ms: int
    commit_slot: int


@dataclass(frozen=True, slots=True)
class Crank:
    """End this order against that sample."""

    order: str
    sample_index: int


def ripe(orders: Iterable[PendingOrder], feed: FeedView, now_ms: int, slot: int) -> list[Crank]:
    """Orders that can be ended now, oldest commit first (address breaks ties).

    The sample is determined: the first with data time >= commit + delay. Without one, an order ends on the newest
    sample once its expiry and a grace of 60 s have passed.
    """
    cranks = []
    for order in sorted(orders, key=lambda o: (o.commit_ms, o.address)):
        if slot <= order.commit_slot or feed.count == 0:
            continue
        index = feed.first_at(order.commit_ms + order.delay_ms)
        if index is not None:
            cranks.append(Crank(order.address, index))
        elif now_ms > order.commit_ms + order.expiry_ms + GRACE_MS:
            cranks.append(Crank(order.address, feed.count - 1))
    return cranks


@dataclass(frozen=True, slots=True)
class PlayState:
    """How far the match is, from the feed account. ``play_ms`` counts from the kick-off of ``period``."""

    period: int
    in_break: bool
    play_ms: int

    def reached(self, nominal_ms: int) -> bool:
        """Whether play has come to a nominal time (added time is in no window: 45:00 is the end of the first half)."""
        period, inside_ms = (1, nominal_ms) if nominal_ms <= HALF_MS else (2, nominal_ms - HALF_MS)
        if self.period != period:
            return self.period > period
        return self.in_break or self.play_ms >= inside_ms
