"""The oracle's aggregation in Python, bit for bit as in `programs/oracle`: pinned by golden vectors.

`Feed.push` takes a quote as the program does: it raises `QuoteRejected`, or keeps it, and returns the sample when the
quote completes its tick's quorum. Prices in 1e-6 points, times in ms, areas in 1e-6 points x ms.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from chain.clients.oracle import PeriodMark, Quote, Sample

MAX_X_E6 = 100_000_000
MAX_AHEAD_MS = 10_000
TICK_MS = 1_000
TICK_SLACK = 900
MAX_STEP_E6 = 25_000_000
S_BIAS = 1 << 31
MAX_S_E4 = 250_000
MAX_TRADED_CONF_E4 = 20_000
LONE_SUSPENSION_MS = 30_000
LONE_PERIOD_MS = 120_000
LONE_START_MS = 5_000
STILL_MINUTES = 15
MAX_PERIOD_PLAY_MS = 7_200_000
HOLD_MAX_MS = 60_000
MINUTE_MS = 60_000
MINUTE_MARKS = 46
PERIODS = 4
TRADED_PERIODS = 2

FLAG_SUSPENDED, FLAG_REVISED, FLAG_PERIOD_END, FLAG_PROVISIONAL = 1, 2, 4, 8
_FLAGS_ALL = 15
_MAX_REASON = 7
REASON_FEED_LOSS, REASON_OPERATOR = 6, 7
_U16 = (1 << 16) - 1
_SAMPLE = struct.Struct("<QIIIIIHH")


class QuoteRejected(ValueError):  # noqa: N818 - the outcome of a quote, not a fault
    """The program refuses the quote; `name` is the program's error."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


def pack_sample(sample: Sample) -> bytes:
    """Return the 32 bytes of a sample as they lie in the ring."""
    s = sample
    return _SAMPLE.pack(s.area, s.data_ms, s.play_ms, s.x_e6, s.mu_e6, s.s_e4, s.conf_e4, s.suspend_epoch)


def unpack_sample(data: bytes) -> Sample:
    """Return the sample that 32 bytes of the ring hold."""
    area, data_ms, play_ms, x_e6, mu_e6, s_e4, conf_e4, epoch = _SAMPLE.unpack(data)
    return Sample(
        area=area,
        data_ms=data_ms,
        play_ms=play_ms,
        x_e6=x_e6,
        mu_e6=mu_e6,
        s_e4=s_e4,
        conf_e4=conf_e4,
        suspend_epoch=epoch,
    )


def chain_hash(previous: bytes, sample: Sample, inputs_hash: bytes) -> bytes:
    """Return the feed's next hash; the first `previous` is 32 zero bytes."""
    return hashlib.sha256(previous + pack_sample(sample) + inputs_hash).digest()


def lower_median(values: Sequence[int]) -> int:
    """Return the middle of the sorted values, the lower one of two."""
    return sorted(values)[(len(values) - 1) // 2]


@dataclass(frozen=True, slots=True)
class Merged:
    """The quotes of one tick merged field by field; `play_ms` is in the period."""

    data_ms: int
    play_ms: int
    period: int
    x_e6: int
    mu_e6: int
    s_e4: int
    conf_e4: int
    flagged: bool
    most_flag: bool
    suspend_reason: int
    revised: bool
    period_end: bool
    inputs_hash: bytes
    """Of the first publisher whose index is the plain lower median."""


def _between(values: list[int], last: int | None) -> int:
    """Return the value in the middle; of two, what lies between them nearest to ``last``, the lower one without it."""
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if last is None else min(max(last, low), high)


@dataclass(frozen=True, slots=True)
class Due:
    """Where time should stand at a tick of the running period, from the sample before; ``play_ms`` in the period."""

    period: int
    data_ms: int
    play_ms: int


def merge(quotes: Sequence[Quote], last: Sample | None = None, due: Due | None = None) -> Merged:
    """Merge the quotes of one tick, in the order of their publishers; there must be one at least.

    Of two votes in the middle, index, mu and s are what lies between them nearest to the sample before, ``last``, and
    the times of a running period what lies nearest to ``due``.
    """
    votes: list[int] = []
    for quote in quotes:
        conf_e6 = quote.conf_e4 * 100
        votes += [max(quote.x_e6 - conf_e6, 0), quote.x_e6, min(quote.x_e6 + conf_e6, MAX_X_E6)]
    period = lower_median([quote.period for quote in quotes])
    due = due if due is not None and due.period == period else None
    plain = lower_median([quote.x_e6 for quote in quotes])
    flagged = [quote for quote in quotes if quote.flags & FLAG_SUSPENDED]
    return Merged(
        data_ms=_between([quote.data_ms for quote in quotes], due.data_ms if due else None),
        play_ms=_between([quote.play_ms for quote in quotes], due.play_ms if due else None),
        period=period,
        x_e6=_between(votes, last.x_e6 if last else None),
        mu_e6=_between([quote.mu_e6 for quote in quotes], last.mu_e6 if last else None),
        s_e4=_between([quote.s_e4 for quote in quotes], last.s_e4 if last else None),
        conf_e4=lower_median([quote.conf_e4 for quote in quotes]),
        flagged=bool(flagged),
        most_flag=2 * len(flagged) > len(quotes),
        suspend_reason=flagged[0].suspend_reason if flagged else 0,
        revised=lower_median([quote.flags & FLAG_REVISED for quote in quotes]) != 0,
        period_end=lower_median([quote.flags & FLAG_PERIOD_END for quote in quotes]) != 0,
        inputs_hash=next(quote.inputs_hash for quote in quotes if quote.x_e6 == plain),
    )


@dataclass(slots=True)
class Score:
    """What a publisher did in a feed, as counted on chain; ``deviation_e6`` is summed over the scored ticks."""

    accepted: int = 0
    late: int = 0
    used: int = 0
    scored: int = 0
    deviation_e6: int = 0

    def compare(self, x_e6: int, median_e6: int) -> None:
        """Score one index against its tick's."""
        self.scored += 1
        self.deviation_e6 += abs(x_e6 - median_e6)


def _no_period() -> PeriodMark:
    return PeriodMark(start_play_ms=0, end_play_ms=0, start_data_ms=0, end_data_ms=0, start_area=0, end_area=0)


@dataclass(slots=True)
class Feed:
    """The state of a feed that the aggregation needs; all samples are kept, not only the ring's."""

    n_publishers: int
    min_publishers: int
    start_unix_ms: int
    period: int = 0
    in_break: bool = True
    final: bool = False
    tick: int = 0
    data_ms: int = 0
    play_ms: int = 0
    revised: int = 0
    left_out_ms: int = 0
    suspend_epoch: int = 0
    suspend_reason: int = 0
    suspended_ms: int = 0
    suspended_since_ms: int = 0
    still_since_ms: int = 0
    lone_since_ms: int = 0
    lone_ms: int = 0
    still_minutes: list[int] = field(default_factory=lambda: [0] * TRADED_PERIODS)
    hold: bool = False
    hash_chain: bytes = bytes(32)
    samples: list[Sample] = field(default_factory=list)
    quotes: dict[int, Quote] = field(default_factory=dict)
    scores: dict[int, Score] = field(default_factory=dict)
    periods: list[PeriodMark] = field(default_factory=lambda: [_no_period() for _ in range(PERIODS)])
    minute_area: list[list[int]] = field(default_factory=lambda: [[0] * MINUTE_MARKS for _ in range(PERIODS)])
    minute_left_out_ms: list[list[int]] = field(default_factory=lambda: [[0] * MINUTE_MARKS for _ in range(PERIODS)])
    minute_suspended_ms: list[list[int]] = field(
        default_factory=lambda: [[0] * MINUTE_MARKS for _ in range(TRADED_PERIODS)]
    )

    @property
    def suspended(self) -> bool:
        """Whether trading is suspended."""
        return self.suspend_epoch % 2 == 1

    @property
    def quorum(self) -> int:
        """Quotes that a tick needs."""
        return max(self.min_publishers, self.n_publishers // 2 + 1)

    @property
    def _area(self) -> int:
        return self.samples[-1].area if self.samples else 0

    def push(self, publisher: int, quote: Quote, unix_s: int) -> Sample | None:
        """Take the quote of publisher number `publisher` at cluster time `unix_s`; raises `QuoteRejected`."""
        if self.final:
            raise QuoteRejected("FeedFinal")
        if not 0 <= publisher < self.n_publishers:
            raise QuoteRejected("NotPublisher")
        self._check(quote, unix_s)
        own = self.quotes.get(publisher)
        if own is not None and quote.tick <= own.tick:
            raise QuoteRejected("TickNotNew")
        self.quotes[publisher] = quote
        score = self.scores.setdefault(publisher, Score())
        score.accepted += 1
        if quote.tick <= self.tick:
            score.late += 1
            if quote.tick == self.tick:
                score.compare(quote.x_e6, self.samples[-1].x_e6)
            return None
        chosen = {who: other for who, other in sorted(self.quotes.items()) if other.tick == quote.tick}
        if len(chosen) < self.quorum:
            return None
        last = self.samples[-1] if self.samples else None
        sample = self._aggregate(quote.tick, merge(list(chosen.values()), last, self._due(quote.tick)))
        for who, other in chosen.items():
            self.scores[who].used += 1
            self.scores[who].compare(other.x_e6, sample.x_e6)
        return sample

    def _check(self, quote: Quote, unix_s: int) -> None:
        in_range = (
            quote.tick > 0
            and quote.x_e6 <= MAX_X_E6
            and quote.mu_e6 <= MAX_X_E6
            and abs(quote.s_e4 - S_BIAS) <= MAX_S_E4
            and quote.play_ms <= MAX_PERIOD_PLAY_MS
            and 1 <= quote.period <= PERIODS
            and quote.flags <= _FLAGS_ALL
            and quote.suspend_reason <= _MAX_REASON
        )
        if not in_range:
            raise QuoteRejected("BadQuote")
        if self.start_unix_ms + quote.data_ms > max(unix_s, 0) * 1000 + MAX_AHEAD_MS:
            raise QuoteRejected("AheadOfClock")
        if quote.tick > quote.data_ms // TICK_MS + TICK_SLACK:
            raise QuoteRejected("TickAhead")
        if quote.tick <= self.tick:
            return
        if quote.period < self.period + self.in_break:
            raise QuoteRejected("PeriodOver")
        if quote.data_ms < self.data_ms:
            raise QuoteRejected("TimeWentBack")
        if self.samples:
            limit = (quote.data_ms - self.data_ms) * (MAX_STEP_E6 // TICK_MS)
            if quote.period == self.period:
                if self.periods[self.period - 1].start_play_ms + quote.play_ms < self.play_ms:
                    raise QuoteRejected("TimeWentBack")
                limit = min(limit, (quote.tick - self.tick) * MAX_STEP_E6)
            last = self.samples[-1]
            if abs(quote.x_e6 - last.x_e6) > limit or abs(quote.mu_e6 - last.mu_e6) > limit:
                raise QuoteRejected("StepTooLarge")

    def _due(self, tick: int) -> Due | None:
        if not self.samples or self.in_break:
            return None
        passed = (tick - self.tick) * TICK_MS
        play_ms = self.play_ms - self.periods[self.period - 1].start_play_ms
        return Due(self.period, self.data_ms + passed, play_ms + passed)

    def _aggregate(self, tick: int, merged: Merged) -> Sample:
        last_x = self.samples[-1].x_e6 if self.samples else merged.x_e6
        data_ms = max(merged.data_ms, self.data_ms)
        period = min(max(merged.period, self.period + self.in_break), PERIODS)
        if period > self.period:
            self._open_periods(period, data_ms)
        row = period - 1
        play_ms = max(self.periods[row].start_play_ms + merged.play_ms, self.play_ms)
        area = self._hold(row, play_ms, last_x)
        suspended = self._suspends(merged, data_ms, play_ms)
        if suspended != self.suspended:
            self.suspend_epoch = (self.suspend_epoch + 1) & _U16
            self.suspended_since_ms = data_ms if suspended else 0
        reason = merged.suspend_reason if merged.flagged else REASON_FEED_LOSS
        self.suspend_reason = (REASON_OPERATOR if self.hold else reason) if suspended else 0
        self.revised += merged.revised
        self.tick, self.data_ms, self.play_ms = tick, data_ms, play_ms
        sample = Sample(
            area=area,
            data_ms=data_ms,
            play_ms=play_ms,
            x_e6=merged.x_e6,
            mu_e6=merged.mu_e6,
            s_e4=merged.s_e4,
            conf_e4=merged.conf_e4,
            suspend_epoch=self.suspend_epoch,
        )
        self.samples.append(sample)
        self.hash_chain = chain_hash(self.hash_chain, sample, merged.inputs_hash)
        if merged.period_end:
            self._close_period(row)
        return sample

    def _lone_suspends(self, data_ms: int) -> bool:
        """Whether flags without a majority suspend a sample of `data_ms`."""
        since = self.lone_since_ms
        return since != 0 and data_ms + 1 - since < LONE_SUSPENSION_MS and self.lone_ms < LONE_PERIOD_MS

    def _suspends(self, merged: Merged, data_ms: int, play_ms: int) -> bool:
        """Whether the next sample is suspended; keeps count of how long a majority has done so, and minorities."""
        asked = [quote for quote in self.quotes.values() if quote.tick >= self.tick]
        flags = sum(quote.flags & FLAG_SUSPENDED for quote in asked)
        seconded = merged.conf_e4 > MAX_TRADED_CONF_E4 or merged.most_flag or 2 * flags > len(asked)
        if self._lone_suspends(self.data_ms):
            self.lone_ms += data_ms - self.data_ms
        if seconded or not merged.flagged:
            self.lone_since_ms = 0
        elif self.lone_since_ms == 0:
            self.lone_since_ms = data_ms + 1
            self.lone_ms += 0 if self.suspended else LONE_START_MS
        if not seconded:
            self.still_since_ms = 0
        elif self.still_since_ms == 0:
            self.still_since_ms = play_ms + 1
        return seconded or self.hold or self._lone_suspends(data_ms)

    def stood_still(self, period: int, minute: int) -> bool:
        """Whether a majority had suspended trading for all of the 15 minutes before `minute` of a half."""
        return minute >= STILL_MINUTES and bool(self.still_minutes[period - 1] >> (minute - STILL_MINUTES) & 1)

    def _hold(self, row: int, play_ms: int, last_x: int) -> int:
        """Extend the area with the last index held for 60 s at most, and write the minute marks passed."""
        start, since, area = self.periods[row].start_play_ms, self.play_ms, self._area

        def at(play: int) -> tuple[int, int]:
            held = min(play - since, HOLD_MAX_MS)
            return area + last_x * held, self.left_out_ms + play - since - held

        minute = (since - start) // MINUTE_MS + 1
        while minute < MINUTE_MARKS and start + minute * MINUTE_MS <= play_ms:
            mark = start + minute * MINUTE_MS
            self.minute_area[row][minute], self.minute_left_out_ms[row][minute] = at(mark)
            if row < TRADED_PERIODS:
                self.minute_suspended_ms[row][minute] = self.suspended_ms + self.suspended * (mark - since)
                still = self.still_since_ms
                if minute >= STILL_MINUTES and still and mark + 1 - still >= STILL_MINUTES * MINUTE_MS:
                    self.still_minutes[row] |= 1 << (minute - STILL_MINUTES)
            minute += 1
        area, self.left_out_ms = at(play_ms)
        self.suspended_ms += self.suspended * (play_ms - since)
        return area

    def _open_periods(self, period: int, data_ms: int) -> None:
        """Start `period`; an earlier one whose end was never quoted ends here."""
        area = self._area
        if not self.in_break:
            self._close_period(self.period - 1)
        for row in range(self.period, period):
            skipped = row + 1 < period
            self.periods[row] = PeriodMark(
                start_play_ms=self.play_ms,
                end_play_ms=self.play_ms if skipped else 0,
                start_data_ms=data_ms,
                end_data_ms=data_ms if skipped else 0,
                start_area=area,
                end_area=area if skipped else 0,
            )
            self.minute_area[row][0], self.minute_left_out_ms[row][0] = area, self.left_out_ms
            if row < TRADED_PERIODS:
                self.minute_suspended_ms[row][0] = self.suspended_ms
        self.period, self.in_break = period, False
        self.lone_ms = self.lone_since_ms = 0

    def _close_period(self, row: int) -> None:
        mark = self.periods[row]
        self.periods[row] = PeriodMark(
            start_play_ms=mark.start_play_ms,
            end_play_ms=self.play_ms,
            start_data_ms=mark.start_data_ms,
            end_data_ms=self.data_ms,
            start_area=mark.start_area,
            end_area=self._area,
        )
        self.in_break = True
