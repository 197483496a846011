"""From a feed's messages to the rows that history keeps. A pure core; the keeper and every import take this road."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from ingest.events import Upsert
from ingest.feed import FeedHeader, FeedMessage
from ingest.history.model import Correction, Fragment, Line, Match, day_of, sha256, usual_line
from ingest.record import Record
from ingest.timeline import Applied, Change, Timeline

NO_RAW = "0" * 64
"""Stands where a record comes from no fragment: the time that passed made a fused feed switch."""


class Ledger:
    """Tells which records corrected something. Give it the records of one match in order; ``seq`` is the last one's."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._timeline = Timeline()
        self.seq = 0
        for record in records:
            self.correction(record)

    def correction(self, record: Record) -> Correction | None:
        """What the record replaced or withdrew; None for what is new, and for what changed nothing."""
        self.seq = max(self.seq, record.seq)
        for applied in self._timeline.apply((record.change,)):
            return _correction(record, applied)
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    """The rows of one message: ``fragment`` is None when it had come before, ``line`` when time passed without one."""

    line: Line | None
    fragment: Fragment | None
    records: tuple[Record, ...]
    corrections: tuple[Correction, ...]


class Journal:
    """The rows of one feed, message by message. ``match`` is pinned to the day on which the feed starts.

    A change that changes nothing for anyone (it comes again, or was overtaken by a later version) is no record.
    """

    def __init__(self, header: FeedHeader) -> None:
        self.match = Match(header.match_id, header.provider, day_of(header.start_unix_ms), header.line)
        self.lines = 0
        self._start_unix_ms = header.start_unix_ms
        self._seq = 0
        self._seen: set[str] = set()
        self._timeline = Timeline()

    def message(self, message: FeedMessage, changes: Iterable[Change]) -> Entry:
        """The next message and what the adapter read in it."""
        match_id, provider = self.match.match_id, self.match.provider
        at_ms = self._start_unix_ms + message.at_ms
        doc = orjson.dumps(message.doc)
        raw = sha256(doc)
        own = None if message.line == usual_line(message.at_ms, doc) else message.line
        self.lines += 1
        records, corrections = self._records(at_ms, raw, changes)
        fragment = None if raw in self._seen else Fragment(match_id, provider, raw, at_ms, doc)
        self._seen.add(raw)
        line = Line(match_id, self.lines, message.at_ms, raw, own)
        return Entry(line, fragment, records, corrections)

    def passed(self, data_ms: int, changes: Iterable[Change]) -> Entry:
        """Data time came to ``data_ms`` without a message, and a fused feed changed by that alone."""
        return Entry(None, None, *self._records(self._start_unix_ms + data_ms, NO_RAW, changes))

    def _records(
        self, at_ms: int, raw: str, changes: Iterable[Change]
    ) -> tuple[tuple[Record, ...], tuple[Correction, ...]]:
        records, corrections = [], []
        for change in changes:
            for applied in self._timeline.apply((change,)):
                self._seq += 1
                record = Record(self.match.match_id, self.match.provider, self._seq, at_ms, raw, change)
                records.append(record)
                if (found := _correction(record, applied)) is not None:
                    corrections.append(found)
        return tuple(records), tuple(corrections)


def _correction(record: Record, applied: Applied) -> Correction | None:
    if applied.old is None:
        return None
    return Correction(record.match_id, record.seq, record.provider, record.at_ms, applied.old, applied.new)


def event_id(record: Record) -> str:
    """The event a record is about."""
    return record.change.event.event_id if isinstance(record.change, Upsert) else record.change.event_id
