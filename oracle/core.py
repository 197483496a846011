"""The keeper's pure core: feed messages in, samples out. No I/O; data time is an argument.

The sample of a second of play is a function of the messages that had arrived by its data time, so a replay of the
feed file gives the same samples, whoever runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.clock import PlayClock
from ingest.decoder import Decoded, decoder
from ingest.events import Event, Kind, MatchInfo, score
from ingest.feed import FeedHeader, FeedMessage, feed_digest, genesis
from ingest.feeds.base import Problem
from ingest.fusion import Switch
from ingest.timeline import Applied, Change, Timeline
from momentum.forecast.live import Forecaster
from momentum.forecast.terms import Terms
from momentum.live import LiveMatch
from momentum.methodology import SPEC_BOX, SPEC_DECAY, inputs_hash
from momentum.state import Reason, Suspension, awards_carried
from momentum.trust import told, widened
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
    """What one feed message did, or, without one, the passing of time to ``at_ms`` of data time.

    Of the ``changes`` that were told, ``applied`` are those that altered something.
    """

    message: FeedMessage | None
    applied: tuple[Applied, ...]
    problems: tuple[Problem, ...]
    changes: tuple[Change, ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class Switched:
    """A fused feed passed to another provider, which moved the index of ``second`` by ``step_e6`` points (1e-6).

    The step is all that the switch did at once: what the former provider no longer told, and where the two differ.
    """

    switch: Switch
    period: int
    second: int
    step_e6: int


class KeeperCore:
    """One match under way. Call `receive` for each message in order of arrival, then `sample` for each due second."""

    def __init__(self, header: FeedHeader) -> None:
        """Raises FeedError for a header that is none (`decoder`), or whose terms cannot be kept here (`Terms.of`)."""
        self.decoder = decoder(header)
        self.info: MatchInfo = self.decoder.info
        self.timeline = Timeline()
        self.clock = PlayClock()
        self.digest = genesis(header.line)
        self.revisions: list[Revised] = []
        self.switches: list[Switched] = []
        self.problems = 0
        self._score = (0, 0)
        self._live = LiveMatch((SPEC_DECAY, SPEC_BOX))
        awards, terms = awards_carried(self.decoder.adapters), Terms.of(header.terms)
        self._forecast = Forecaster(awards_carried=awards, prior=terms.prior, venue=terms.venue)
        self._suspension = Suspension(awards)
        self._fresh: list[Applied] = []
        self._base_tick = {1: 1}
        self._closed: set[int] = set()
        self._last: tuple[int, int] = (0, 0)
        self._now_ms = 0

    def receive(self, message: FeedMessage) -> Received:
        """Absorb one raw message."""
        self.digest = feed_digest(self.digest, message.line)
        decoded = self.decoder.decode(message)
        applied = self._absorb(decoded, message.at_ms)
        self.problems += len(decoded.problems)
        return Received(message, applied, decoded.problems, decoded.changes, message.at_ms)

    def advance(self, data_ms: int) -> Received:
        """Data time has come to ``data_ms`` without a message: a fused feed may switch.

        `sample` does it by itself; who wants to see the changes calls this before.
        """
        decoded = self.decoder.advance(data_ms)
        return Received(None, self._absorb(decoded, data_ms), (), decoded.changes, data_ms)

    def _absorb(self, decoded: Decoded, at_ms: int) -> tuple[Applied, ...]:
        self._now_ms = max(self._now_ms, at_ms)
        applied = self.timeline.apply(decoded.changes)
        for change in applied:
            if change.new is not None:
                self._whistle(change.new, decoded.whistles.get(change.new.event_id, at_ms))
        period, second = self._last
        before = self._live.peek(period, second).x_e6[SPEC_DECAY.name] if decoded.switches and period else 0
        self._live.apply(applied)
        if decoded.switches and period:
            step_e6 = self._live.peek(period, second).x_e6[SPEC_DECAY.name] - before
            self.switches += [Switched(switch, period, second, step_e6) for switch in decoded.switches]
        self._forecast.apply(applied)
        self._fresh += applied
        if any(event is not None and event.goal for change in applied for event in (change.old, change.new)):
            self._score = score(self.timeline.events())
        return applied

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
        # A kick-off that a switch made known late: the seconds before are over, their feed is not what it was.
        over = -(-(self._now_ms - self.clock.start_ms(period)) // 1000)
        return self.clock.start_ms(period) + max(second, over) * 1000

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
        self.advance(self.clock.start_ms(period) + second * 1000)
        condition = self.decoder.condition
        tick = self._live.tick(period, second)
        x_e6, inputs = tick.x_e6[SPEC_DECAY.name], tuple(tick.inputs[SPEC_DECAY.name])
        reason = self._suspension.tick(self._fresh, period, second)
        self._fresh = []
        quote = self._forecast.tick(self._live, period, second, x_e6, reason=reason)
        number = self._base_tick[period] + second
        revised = self._revised(number, period, second)
        if revised is not None:
            self.revisions.append(revised)
        reason = told(reason, condition)
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
            conf_e4=widened(quote.conf_e4, condition),
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
