"""Replay a match of history through the keeper's core and compare it with what was published. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from backend.errors import UserError
from backend.history.recorder import revision_row, sample_row
from ingest.feed import FeedHeader, FeedMessage
from ingest.fusion.journal import FUSED
from ingest.history.journal import Entry, Journal
from ingest.history.model import MatchHistory, Sample, in_order
from momentum.state import Reason
from momentum.verify import Difference, Published, Verdict
from oracle.aggregate import FLAG_SUSPENDED
from oracle.core import KeeperCore

_COMPARED = tuple(field.name for field in fields(Sample) if field.name not in ("match_id", "tick"))


@dataclass(frozen=True, slots=True)
class Due:
    """A sample to take: at ``data_ms``, when ``lines`` messages had come."""

    data_ms: int
    lines: int


def build(header: FeedHeader, messages: Sequence[FeedMessage], due: Iterable[Due]) -> MatchHistory:
    """What the keeper makes of a feed: every row of history, with a sample for each of ``due`` that play was under way.

    Raises FeedError for a header that no decoder or model here can read.
    """
    core = KeeperCore(header)
    journal = Journal(header)
    entries: list[Entry] = []
    samples, revisions = [], []
    match_id = header.match_id

    def receive(until: int) -> None:
        while journal.lines < min(until, len(messages)):
            message = messages[journal.lines]
            entries.append(journal.message(message, core.receive(message).changes))

    for wanted in due:
        receive(wanted.lines)
        passed = core.advance(wanted.data_ms)
        if passed.applied:
            entries.append(journal.passed(wanted.data_ms, passed.changes))
        known = len(core.revisions)
        try:
            sample = core.sample(wanted.data_ms)
        except ValueError:
            continue  # no play was under way: nothing like it can have been published
        samples.append(sample_row(match_id, sample, journal.lines))
        revisions += [revision_row(match_id, revised) for revised in core.revisions[known:]]
    receive(len(messages))
    return MatchHistory(
        journal.match,
        in_order(entry.fragment for entry in entries if entry.fragment is not None),
        tuple(entry.line for entry in entries if entry.line is not None),
        tuple(record for entry in entries for record in entry.records),
        tuple(correction for entry in entries for correction in entry.corrections),
        tuple(samples),
        tuple(revisions),
    )


def every_second(header: FeedHeader, messages: Sequence[FeedMessage]) -> list[Due]:
    """A sample for each second of play of a feed of which none was published: a match that was followed, not traded.

    Raises FeedError like `build`.
    """
    core, due = KeeperCore(header), []

    def play(until_ms: int, lines: int) -> None:
        while (data_ms := core.due_ms()) is not None and data_ms < until_ms:
            core.advance(data_ms)
            core.sample(data_ms)
            due.append(Due(data_ms, lines))

    for lines, message in enumerate(messages):
        play(message.at_ms, lines)
        core.receive(message)
    if messages:
        play(messages[-1].at_ms + 1, len(messages))
    return due


def replay(history: MatchHistory, keep: int = 10) -> tuple[MatchHistory, Verdict]:
    """The match again, from its raw feed alone, and whether samples, revisions and records are the stored ones.

    Raises FeedError when the feed is not kept, or was quoted by another model than the one here.
    """
    again = build(history.header(), history.messages(), (Due(s.data_ms, s.lines) for s in history.samples))
    found = list(_samples(history.samples, again.samples, _unseen(history.header())))
    differ = len({difference.tick for difference in found})
    for name in ("records", "corrections", "revisions"):
        stored, now = getattr(history, name), getattr(again, name)
        if stored != now:
            at = next((n for n, pair in enumerate(zip(stored, now, strict=False)) if pair[0] != pair[1]), None)
            at = min(len(stored), len(now)) if at is None else at
            differ += 1
            found.append(Difference(-1, f"{name} from number {at + 1}", f"{len(stored)}", f"{len(now)}"))
    return again, Verdict(len(history.samples), differ, tuple(found[:keep]))


def _unseen(header: FeedHeader) -> Reason:
    """From which reason on the feed does not tell of a suspension: a fused one tells when its providers fail."""
    return Reason.OPERATOR if header.provider == FUSED else Reason.FEED_LOSS


def _samples(stored: Sequence[Sample], now: Sequence[Sample], unseen: Reason) -> Iterable[Difference]:
    again = {sample.tick: sample for sample in now}
    for sample in stored:
        other = again.get(sample.tick)
        if other is None:
            yield Difference(sample.tick, "sample", "published", "none: no play was under way")
            continue
        for name in _COMPARED:
            published, recomputed = _value(sample, name, sample, unseen), _value(other, name, sample, unseen)
            if published != recomputed:
                yield Difference(sample.tick, name, str(published), str(recomputed))


def _value(sample: Sample, name: str, published: Sample, unseen: Reason) -> object:
    """A field; a suspension that no feed tells stands at the keeper's word."""
    if published.reason >= unseen:
        if name == "reason":
            return published.reason
        if name == "flags":
            return sample.flags & ~FLAG_SUSPENDED
    return getattr(sample, name)


def from_run(header: FeedHeader, messages: Sequence[FeedMessage], published: Sequence[Published]) -> MatchHistory:
    """A finished run's rows: its feed file, with a sample for each that its chain published.

    Raises UserError ``samples_differ`` when the feed does not give what was published: nothing is kept of such a run.
    """
    unseen = _unseen(header)
    due, lines = [], 0
    for told in published:
        while lines < len(messages) and messages[lines].at_ms <= told.data_ms:
            lines += 1
        due.append(Due(told.data_ms, lines))
    history = build(header, messages, due)
    again = {sample.tick: sample for sample in history.samples}
    samples = []
    for told in published:
        sample = again.get(told.tick)
        if sample is not None and told.suspend_reason >= unseen:
            sample = replace(sample, flags=sample.flags | FLAG_SUSPENDED, reason=told.suspend_reason)
        if sample is None or _published(sample, told) != told:
            raise UserError(
                "samples_differ",
                f"tick {told.tick} of match {header.match_id} was published otherwise than its feed gives: "
                "futstar verify tells what differs",
                1,
            )
        samples.append(sample)
    return replace(history, samples=tuple(samples))


def _published(sample: Sample, told: Published) -> Published:
    """The sample as the chain would tell it."""
    return Published(
        tick=sample.tick,
        period=sample.period,
        play_ms=sample.second * 1000,
        data_ms=sample.data_ms,
        x_e6=sample.x_e6,
        mu_e6=sample.mu_e6,
        s_e4=sample.s_e4,
        conf_e4=sample.conf_e4,
        inputs_hash=sample.inputs_hash,
        flags=told.flags if told.flags is None else sample.flags,
        suspend_reason=sample.reason,
    )
