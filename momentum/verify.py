"""Recompute a published feed from the raw feed file, the methodology and the chain alone.

Every sample is computed again by the archive path from the messages that had arrived at its data time. A line
that was changed, cut or made unreadable never stops the check: its bytes are in the digest that the samples
commit to, so they differ.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.decoder import Decoder, decoder
from ingest.events import FeedError
from ingest.feed import FeedMessage, feed_digest, genesis, parse_header, parse_message, read_lines
from ingest.fusion import Condition
from ingest.timeline import Applied, Timeline
from momentum.archive import TAIL_S, Columns, Ints, inputs_at, per_second
from momentum.features import MAX_SECOND, Footprint, footprint
from momentum.forecast.live import Forecaster
from momentum.forecast.terms import Terms
from momentum.methodology import Methodology, index_e6, inputs_hash
from momentum.state import Reason, Suspension, awards_carried
from momentum.trust import told, widened

_NO_POSSESSION: Ints = np.zeros((2, 0), dtype=np.int64)
FLAG_SUSPENDED, FLAG_REVISED = 1, 2
REVISED_AFTER_S = 5
"""A change within so many seconds of the tick is the feed's ordinary delay; beyond, a published value is revised."""


@dataclass(frozen=True, slots=True)
class Published:
    """One sample as the chain has it. ``play_ms`` counts from the period's kick-off; ``flags`` None: not checked."""

    tick: int
    period: int
    play_ms: int
    data_ms: int
    x_e6: int
    mu_e6: int
    s_e4: int  # signed
    conf_e4: int
    inputs_hash: bytes
    flags: int | None = None
    suspend_reason: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One published field that is not what the feed file gives."""

    tick: int
    what: str
    published: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``samples`` were checked, ``differ`` of them (or of the file's end) do not agree; ``first`` differences."""

    samples: int
    differ: int
    first: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return self.differ == 0

    def __str__(self) -> str:
        return f"{self.samples} samples, {self.differ} differ"


class _Knowledge:
    """What the feed file had told at a data time: event set, digest, per-second contributions."""

    def __init__(self, lines: Sequence[bytes], path: Path) -> None:
        if not lines:
            raise FeedError("not_a_feed_file", f"{path} is empty: give the feed.jsonl of a run")
        self.digest = genesis(lines[0])
        self.terms = Terms()
        self._decoder: Decoder | None = None
        try:
            header = parse_header(lines[0])
            self.terms = Terms.of(header.terms)
            self._decoder = decoder(header)
        except FeedError as error:
            if error.code == "unknown_model":
                raise
            # The header was changed: without it no line means anything, and every sample differs.
        self._lines = lines
        self._next = 1
        self._timeline = Timeline()
        self._order: list[tuple[int, tuple[int, int, str]]] = []
        self._marks: list[Footprint] = []
        self._seconds: dict[int, Ints] | None = {}

    def advance(self, known_ms: int) -> list[Applied]:
        """Take in every line that had arrived by ``known_ms``, in the order of the file."""
        applied: list[Applied] = []
        while self._next < len(self._lines):
            line = self._lines[self._next]
            try:
                message: FeedMessage | None = parse_message(line)
            except FeedError:
                message = None  # unreadable: it counts as having come with its predecessor
            if message is not None and message.at_ms > known_ms:
                break
            self._next += 1
            self.digest = feed_digest(self.digest, line)
            if message is not None and self._decoder is not None:
                applied += self._timeline.apply(self._decoder.decode(message).changes)
        if self._decoder is not None:
            applied += self._timeline.apply(self._decoder.advance(known_ms).changes)
        for change in applied:
            self._replace(footprint(change.old), footprint(change.new))
        return applied

    @property
    def awards_carried(self) -> bool:
        """See `momentum.state`."""
        return self._decoder is not None and awards_carried(self._decoder.adapters)

    @property
    def condition(self) -> Condition | None:
        """A fused feed's condition."""
        return None if self._decoder is None else self._decoder.condition

    def _replace(self, old: Footprint | None, new: Footprint | None) -> None:
        if old == new:
            return
        self._seconds = None
        if old is not None:
            at = bisect_left(self._order, (old.period, old.order))
            del self._order[at], self._marks[at]
        if new is not None:
            key = (new.period, new.order)
            at = bisect_left(self._order, key)
            insort(self._order, key)
            self._marks.insert(at, new)

    def seconds(self) -> dict[int, Ints]:
        """What every second contributed, as known now."""
        if self._seconds is None:
            self._seconds = per_second(Columns.of_marks(self._marks), TAIL_S)
        return self._seconds

    def length_s(self, period: int) -> int:
        """Seconds of the period as far as its events tell (`momentum.forecast.live.Play`)."""
        rows = self.seconds().get(period)
        return 0 if rows is None else len(rows) - 1 - TAIL_S

    def possession(self, period: int) -> Ints:
        """2 x seconds: milliseconds with each side (`momentum.forecast.live.Play`)."""
        rows = self.seconds().get(period)
        return _NO_POSSESSION if rows is None else rows[:, :2].T

    def rest(self) -> bytes:
        """Digest of the whole file."""
        digest = self.digest
        for line in self._lines[self._next :]:
            digest = feed_digest(digest, line)
        return digest


def verify(
    feed_path: Path,
    samples: Iterable[Published],
    methodology: Methodology,
    whole_digest: bytes | None = None,
    keep: int = 10,
) -> Verdict:
    """Recompute every sample and compare; ``keep`` of the differences are told.

    ``whole_digest``, where known, is the digest of the whole file: lines after the last sample's data time are
    committed to by nothing else. Raises FeedError only when the file cannot be read at all, or when its header names a
    model that is not here.
    """
    known = _Knowledge(read_lines(feed_path), feed_path)
    awards = known.awards_carried
    forecast = Forecaster(awards_carried=awards, prior=known.terms.prior, venue=known.terms.venue)
    suspension = Suspension(awards)
    differences: list[Difference] = []
    count = differ = 0
    last = (0, 0)  # the last sample's period and second
    for sample in samples:
        count += 1
        period, second = sample.period, sample.play_ms // 1000
        if not (1 <= period <= 4 and 0 <= second <= MAX_SECOND and (last == (0, 0) or (period, second) > last)):
            differ += 1
            differences.append(Difference(sample.tick, "order", f"{period} {second}", f"after {last}"))
            continue
        before = known.seconds()
        applied = known.advance(sample.data_ms)
        inputs = [int(value) for value in inputs_at(known.seconds(), period, second, methodology)]
        x_e6 = index_e6(inputs, methodology)
        expected = _recompute(sample, inputs, x_e6, known.digest, methodology)
        forecast.apply(applied)
        reason = suspension.tick(applied, period, second)
        quote = forecast.tick(known, period, second, x_e6, reason=reason)
        condition = known.condition
        for name, value in (
            ("mu_e6", quote.mu_e6),
            ("s_e4", quote.s_e4),
            ("conf_e4", widened(quote.conf_e4, condition)),
        ):
            expected[name] = (str(getattr(sample, name)), str(value))
        if sample.flags is not None:
            revised = _moved(before, known.seconds(), period, second - 1 - REVISED_AFTER_S)
            expected["flags"] = (_flags(sample), _expected_flags(sample, revised, told(reason, condition), condition))
        last = (period, second)
        wrong = [(what, *pair) for what, pair in expected.items() if pair[0] != pair[1]]
        if wrong:
            differ += 1
            differences += [Difference(sample.tick, what, published, now) for what, published, now in wrong]
    if whole_digest is not None and (now := known.rest()) != whole_digest:
        differ += 1
        differences.append(Difference(-1, "whole file", whole_digest.hex(), now.hex()))
    return Verdict(count, differ, tuple(differences[:keep]))


def _recompute(
    sample: Published, inputs: Sequence[int], x_e6: int, digest: bytes, methodology: Methodology
) -> dict[str, tuple[str, str]]:
    """Published and recomputed value per field."""
    return {
        "x_e6": (str(sample.x_e6), str(x_e6)),
        "inputs_hash": (sample.inputs_hash.hex(), inputs_hash(methodology, inputs, digest).hex()),
        "play_ms": (str(sample.play_ms), str(sample.play_ms // 1000 * 1000)),
    }


def _moved(before: dict[int, Ints], after: dict[int, Ints], period: int, second: int) -> bool:
    """Whether a second of play up to ``second`` of ``period`` contributes otherwise than it did."""
    if before is after:
        return False
    for p in range(1, period + 1):
        old, new = before.get(p), after.get(p)
        if p == period:
            end = max(0, second + 1)
            old, new = (None if rows is None else rows[:end] for rows in (old, new))
        if old is None or new is None:
            if (old is None) != (new is None) and p < period:
                return True
            continue
        if p < period and len(old) != len(new):
            return True
        common = min(len(old), len(new))
        if not np.array_equal(old[:common], new[:common]):
            return True
        if old[common:].any() or new[common:].any():
            return True
    return False


def _flags(sample: Published) -> str:
    flags = sample.flags or 0
    return f"revised={bool(flags & FLAG_REVISED)} suspended={bool(flags & FLAG_SUSPENDED)}"


def _expected_flags(sample: Published, revised: bool, reason: Reason, condition: Condition | None) -> str:
    """The operator suspends at the keeper's word, and so does the loss of a plain feed, whose file cannot tell."""
    unseen = Reason.FEED_LOSS if condition is None else Reason.OPERATOR
    by_keeper = bool((sample.flags or 0) & FLAG_SUSPENDED) and sample.suspend_reason >= unseen
    return f"revised={revised} suspended={reason is not Reason.NONE or by_keeper}"
