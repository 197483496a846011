"""The keeper's pure core: feed messages in, samples out. No I/O; data time is an argument.

The sample of a second of play is a function of the messages that had arrived by its data time, so a replay of the
feed file gives the same samples, whoever runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.clock import PlayClock
from ingest.events import Delete, Event, Kind, MatchInfo, Upsert, score
from ingest.feed import FeedHeader, FeedMessage, feed_digest, genesis
from ingest.feeds.base import Adapter, Problem
from ingest.timeline import Applied, Timeline
from momentum.forecast.live import Forecaster
from momentum.forecast.terms import Terms
from momentum.live import LiveMatch
from momentum.methodology import SPEC_BOX, SPEC_DECAY, inputs_hash
from momentum.state import CARRIES_AWARDS, Reason, Suspension
from oracle.aggregate import FLAG_PERIOD_END, FLAG_REVISED, FLAG_SUSPENDED

LAST_TRADED_PERIOD = 2
REVISED_AFTER_S = 5
"""A change within so many seconds is the feed's ordinary delay; beyond, a published value is revised."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What each publisher quotes for one second of play (units in the names; ``s_e4`` is signed)."""

    tick: int
    period: int
    second: int
    data_ms: int
    x_e6: int
    box_e6: int
    mu_e6: int
    s_e4: int
    conf_e4: int
    flags: int
    reason: int
    inputs: tuple[int, ...]
    inputs_hash: bytes

    @property
    def play_ms(self) -> int:
        """Milliseconds of play in the period."""
        return self.second * 1000


@dataclass(frozen=True, slots=True)
class Revised:
    """What corrections did to the published past, seen at ``tick``.

    ``count`` published samples would differ with what is known now; of these the one at ``revised_tick`` differs
    most: it was published as ``old_e6`` and would be ``new_e6``. What was published stands.
    """

    tick: int
    revised_tick: int
    period: int
    second: int
    old_e6: int
    new_e6: int
    count: int


@dataclass(frozen=True, slots=True)
class Received:
    """What one feed message did: of the ``changes`` it told, ``applied`` are those that altered something."""

    message: FeedMessage
    applied: tuple[Applied, ...]
    problems: tuple[Problem, ...]
    changes: tuple[Upsert | Delete, ...] = ()


class KeeperCore:
    """One match under way. Call `receive` for each message in order of arrival, then `sample` for each due second."""

    def __init__(self, adapter: Adapter, header: FeedHeader) -> None:
        """Raises FeedError for a header whose terms cannot be kept here (`Terms.of`)."""
        self.adapter = adapter
        self.info: MatchInfo = adapter.info(header.info)
        self.timeline = Timeline()
        self.clock = PlayClock()
        self.digest = genesis(header.line)
        self.revisions: list[Revised] = []
        self.problems = 0
        self._score = (0, 0)
        self._live = LiveMatch((SPEC_DECAY, SPEC_BOX))
        awards_carried, terms = self.info.provider in CARRIES_AWARDS, Terms.of(header.terms)
        self._forecast = Forecaster(awards_carried=awards_carried, prior=terms.prior, venue=terms.venue)
        self._suspension = Suspension(awards_carried)
        self._fresh: list[Applied] = []
        self._base_tick = {1: 1}
        self._closed: set[int] = set()
        self._last: tuple[int, int] = (0, 0)

    def receive(self, message: FeedMessage) -> Received:
        """Absorb one raw message."""
        self.digest = feed_digest(self.digest, message.line)
        changes: list[Upsert | Delete] = []
        problems: list[Problem] = []
        for parsed in self.adapter.parse(self.info, message.doc):
            if isinstance(parsed, Problem):
                problems.append(parsed)
            else:
                changes.append(parsed)
        applied = self.timeline.apply(changes)
        for change in applied:
            if change.new is not None:
                self._whistle(change.new, message.at_ms)
        self._live.apply(applied)
        self._forecast.apply(applied)
        self._fresh += applied
        if any(event is not None and event.goal for change in applied for event in (change.old, change.new)):
            self._score = score(self.timeline.events())
        self.problems += len(problems)
        return Received(message, applied, tuple(problems), tuple(changes))

    def _whistle(self, event: Event, at_ms: int) -> None:
        if event.period > LAST_TRADED_PERIOD:
            return
        if event.kind is Kind.PERIOD_START:
            self.clock.start(event.period, at_ms - event.play_ms)
        elif event.kind is Kind.PERIOD_END:
            self.clock.end(event.period, at_ms)

    def due_ms(self) -> int | None:
        """Data time at which the next second of play is due; None between periods and before kick-off."""
        period = self.clock.period
        if period == 0 or period in self._closed:
            return None
        second = self._last[1] + 1 if self._last[0] == period else 0
        return self.clock.start_ms(period) + second * 1000

    def sample(self, data_ms: int) -> Sample:
        """The sample of the second of play that is under way at ``data_ms``; raises ValueError outside play.

        Seconds that were not asked for are skipped (latest wins): the tick number says so.
        """
        period = self.clock.period
        if period == 0 or period in self._closed or data_ms < self.clock.start_ms(period):
            raise ValueError(f"no play is under way at data time {data_ms} ms")
        second = (data_ms - self.clock.start_ms(period)) // 1000
        if (period, second) <= self._last and self._last[0]:
            raise ValueError(f"second {second} of period {period} has had its sample")
        tick = self._live.tick(period, second)
        x_e6, inputs = tick.x_e6[SPEC_DECAY.name], tuple(tick.inputs[SPEC_DECAY.name])
        reason = self._suspension.tick(self._fresh, period, second)
        self._fresh = []
        quote = self._forecast.tick(self._live, period, second, x_e6, reason=reason)
        number = self._base_tick[period] + second
        revised = self._revised(number, period, second)
        if revised is not None:
            self.revisions.append(revised)
        flags = FLAG_SUSPENDED * (reason is not Reason.NONE) | FLAG_REVISED * (revised is not None)
        if self.clock.ended(period):
            flags |= FLAG_PERIOD_END
            self._closed.add(period)
            self._base_tick[period + 1] = number + 1
        self._last = (period, second)
        return Sample(
            tick=number,
            period=period,
            second=second,
            data_ms=self.clock.start_ms(period) + second * 1000,
            x_e6=x_e6,
            box_e6=tick.x_e6[SPEC_BOX.name],
            mu_e6=quote.mu_e6,
            s_e4=quote.s_e4,
            conf_e4=quote.conf_e4,
            flags=flags,
            reason=int(reason),
            inputs=inputs,
            inputs_hash=inputs_hash(SPEC_DECAY, inputs, self.digest),
        )

    def _revised(self, number: int, period: int, second: int) -> Revised | None:
        found = [r for r in self._live.revisions() if r.methodology == SPEC_DECAY.name]
        if not any(r.period < period or r.second < second - REVISED_AFTER_S for r in found):
            return None
        worst = max(found, key=lambda r: abs(r.new_x_e6 - r.old_x_e6))
        return Revised(
            tick=number,
            revised_tick=self._base_tick[worst.period] + worst.second,
            period=worst.period,
            second=worst.second,
            old_e6=worst.old_x_e6,
            new_e6=worst.new_x_e6,
            count=len(found),
        )

    @property
    def finished(self) -> bool:
        """Whether the last traded period has had its last sample."""
        return LAST_TRADED_PERIOD in self._closed

    def score(self) -> tuple[int, int]:
        """Goals of home and away as known now, shoot-out excluded."""
        return self._score
