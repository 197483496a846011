"""How good one provider's feed of one match is: counters over its arrivals, and a health score that can be recomputed.

A pure core: `QualityMeter` is told every arrival with its time and asked for a `Quality` at any time. All times are
milliseconds of one clock (data time, or unix); shares are in 1e-4.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from ingest.events import SHOOT_OUT, Kind
from ingest.session import Delivery, Outcome
from ingest.timeline import Applied

MINUTE_MS = 60_000
RECENT_MS = 5 * MINUTE_MS
"""Gaps count against a feed's health for so long."""
LATE_MS = 5_000
"""A new event that comes so much later after it happened than this feed's quickest events is late."""
SAMPLE = 100
"""Skew is the least delay among this many new events, and the same number before them."""

FRESHNESS, GAPS, FAULTS, DISAGREEMENT = 40, 30, 40, 30
"""The most that each part takes from a health of 100."""
GAP_FULL_MS = 30_000
"""So much gap within `RECENT_MS` takes all of its part."""
DIFFERENCE_FULL_E4 = 5_000
"""A cross-provider difference of one half takes all of its part."""


class Sign(StrEnum):
    """What a connection tells beside documents and fragments."""

    HEARTBEAT = "heartbeat"  # alive: also an answer that there is nothing new (304)
    UNCHANGED = "unchanged"  # alive: the same document again
    OLDER = "older"  # a document made before the one at hand: no sign of life, a cache may be stuck
    BROKEN = "broken"  # what came is none of this match: no sign of life
    LOST = "lost"  # the connection is gone
    RESTORED = "restored"  # and back


ALIVE = frozenset({Sign.HEARTBEAT, Sign.UNCHANGED, Sign.RESTORED})


def shows_life(delivery: Delivery) -> bool:
    """Whether this arrival shows that the feed works: content that only made problems does not."""
    if delivery.outcome is Outcome.UNCHANGED:
        return True
    useful = any(item.changes for item in delivery.items) or not delivery.problems
    return delivery.outcome is Outcome.CHANGED and useful


@dataclass(frozen=True, slots=True)
class Health:
    """100 less what each part takes, at least 0."""

    freshness: int  # silence: from nothing at half the time allowed to all at the whole of it
    gaps: int  # time in play without a sign of life, of the last five minutes
    faults: int  # broken share of the last minute's arrivals
    disagreement: int  # measured difference from the other providers

    @property
    def score(self) -> int:
        """0 (useless) to 100."""
        return max(0, 100 - self.freshness - self.gaps - self.faults - self.disagreement)


@dataclass(frozen=True, slots=True)
class Quality:
    """A feed at ``at_ms``. Counts are since the match was first heard of, unless the name says otherwise."""

    at_ms: int
    silence_ms: int | None  # since the last sign of life; None before the first
    quiet_ms: int | None  # since the last new event of a period under way; None outside play
    gap_ms: int  # silence in play beyond what is allowed, the gap under way included
    gap_recent_ms: int  # the same, of the last five minutes
    arrivals: int
    unchanged: int
    older: int
    broken: int
    lost: int
    events: int  # that were new
    corrections: int
    deletions: int
    late: int
    corrections_last_minute: int
    unknown_types: int
    problems: int  # of all codes
    unchanged_share_e4: int
    skew_ms: int | None  # least arrival less event time: delay, plus how far the provider's clock is behind ours
    difference_e4: int  # from the other providers, as fusion measured it last
    health: Health


class QualityMeter:
    """Counters of one feed. Give it arrivals in order of time."""

    def __init__(self, silent_ms: int) -> None:
        """``silent_ms``: silence beyond this is a gap (see `ingest.fusion.policy.Thresholds`)."""
        self.silent_ms = silent_ms
        self.difference_e4 = 0
        self.last_sign_ms: int | None = None
        self.counts: dict[str, int] = dict.fromkeys(Outcome, 0)
        self.playing = False
        self._signs: dict[str, int] = dict.fromkeys(Sign, 0)
        self._events = self._corrections = self._deletions = self._late = 0
        self._problems = self._unknown = 0
        self._edited: deque[int] = deque()  # times of corrections of the last minute
        self._arrived: deque[tuple[int, bool]] = deque()  # (time, whether broken), of the last minute
        self._gaps: deque[tuple[int, int]] = deque()  # (end, length) within `RECENT_MS`
        self._gap_ms = 0
        self._last_event_ms: int | None = None
        self._starts: dict[int, int] = {}
        self._least: tuple[int | None, int | None] = (None, None)  # least delay of the block before, and of this one
        self._block = 0

    def observe(self, at_ms: int, delivery: Delivery) -> None:
        """A document or fragment arrived."""
        self.counts[delivery.outcome] += 1
        self._problems += len(delivery.problems)
        self._unknown += sum(problem.code == "unknown_type" for problem in delivery.problems)
        alive = shows_life(delivery)
        self._arrived.append((at_ms, not alive))
        if alive:
            self._heard(at_ms)
        for change in delivery.applied:
            self._count(at_ms, change)

    def sign(self, at_ms: int, sign: Sign) -> None:
        """A heartbeat, an unchanged or broken answer, a loss or return of the connection."""
        self._signs[sign] += 1
        if sign not in (Sign.LOST, Sign.RESTORED):
            self._arrived.append((at_ms, sign not in ALIVE))
        if sign in ALIVE:
            self._heard(at_ms)

    def _heard(self, at_ms: int) -> None:
        if self.playing and self.last_sign_ms is not None:
            gap = at_ms - self.last_sign_ms - self.silent_ms
            if gap > 0:
                self._gaps.append((at_ms, gap))
                self._gap_ms += gap
        self.last_sign_ms = at_ms

    def _count(self, at_ms: int, change: Applied) -> None:
        event = change.new
        if event is None:
            self._deletions += 1
            return
        if event.kind is Kind.PERIOD_START:
            self._starts.setdefault(event.period, at_ms - event.play_ms)
            self.playing = event.period == max(self._starts) < SHOOT_OUT
        elif event.kind is Kind.PERIOD_END and event.period == max(self._starts, default=0):
            self.playing = False
        if change.old is not None:
            self._corrections += 1
            self._edited.append(at_ms)
            return
        self._events += 1
        if event.period in self._starts:
            self._last_event_ms = at_ms
        if event.period in self._starts and event.side is not None:  # whistles come by another road, without delay
            self._delay(at_ms - self._starts[event.period] - event.play_ms)

    def _delay(self, delay_ms: int) -> None:
        least = self.skew_ms
        self._late += least is not None and delay_ms - least > LATE_MS
        before, now = self._least
        self._least = (before, delay_ms if now is None else min(now, delay_ms))
        self._block += 1
        if self._block == SAMPLE:
            self._block, self._least = 0, (self._least[1], None)

    @property
    def skew_ms(self) -> int | None:
        """Least arrival less event time of the newest events; None before the first in play."""
        known = [least for least in self._least if least is not None]
        return min(known) if known else None

    def _open_gap(self, now_ms: int) -> int:
        if not self.playing or self.last_sign_ms is None:
            return 0
        return max(0, now_ms - self.last_sign_ms - self.silent_ms)

    def _forget(self, now_ms: int) -> None:
        while self._edited and self._edited[0] <= now_ms - MINUTE_MS:
            self._edited.popleft()
        while self._arrived and self._arrived[0][0] <= now_ms - MINUTE_MS:
            self._arrived.popleft()
        while self._gaps and self._gaps[0][0] <= now_ms - RECENT_MS:
            self._gaps.popleft()

    def health(self, now_ms: int) -> Health:
        """The score's parts at ``now_ms``."""
        self._forget(now_ms)
        freshness = FRESHNESS
        if self.last_sign_ms is not None:
            half = max(1, self.silent_ms // 2)
            freshness = _part(now_ms - self.last_sign_ms - half, half, FRESHNESS)
        gap_ms = sum(length for _, length in self._gaps) + self._open_gap(now_ms)
        broken = sum(bad for _, bad in self._arrived)
        return Health(
            freshness,
            _part(gap_ms, GAP_FULL_MS, GAPS),
            _part(broken, max(1, len(self._arrived)), FAULTS),
            _part(self.difference_e4, DIFFERENCE_FULL_E4, DISAGREEMENT),
        )

    def snapshot(self, now_ms: int) -> Quality:
        """Everything at ``now_ms``."""
        health = self.health(now_ms)
        open_ms = self._open_gap(now_ms)
        unchanged = self.counts[Outcome.UNCHANGED] + self._signs[Sign.UNCHANGED]
        older = self.counts[Outcome.OLDER] + self._signs[Sign.OLDER]
        broken = self.counts[Outcome.BROKEN] + self._signs[Sign.BROKEN]
        arrivals = self.counts[Outcome.CHANGED] + unchanged + older + broken
        quiet = now_ms - self._last_event_ms if self.playing and self._last_event_ms is not None else None
        return Quality(
            at_ms=now_ms,
            silence_ms=None if self.last_sign_ms is None else now_ms - self.last_sign_ms,
            quiet_ms=quiet,
            gap_ms=self._gap_ms + open_ms,
            gap_recent_ms=sum(length for _, length in self._gaps) + open_ms,
            arrivals=arrivals,
            unchanged=unchanged,
            older=older,
            broken=broken,
            lost=self._signs[Sign.LOST],
            events=self._events,
            corrections=self._corrections,
            deletions=self._deletions,
            late=self._late,
            corrections_last_minute=len(self._edited),
            unknown_types=self._unknown,
            problems=self._problems,
            unchanged_share_e4=unchanged * 10_000 // max(1, arrivals),
            skew_ms=self.skew_ms,
            difference_e4=self.difference_e4,
            health=health,
        )


def _part(amount: int, full: int, most: int) -> int:
    """``most`` at ``full`` and beyond, in proportion below, nothing at 0."""
    return most * min(max(amount, 0), full) // full
