"""One provider's feed of one match: bytes and arrival times in, canonical changes out. A pure core.

A polled document is compared row by row with the one before it, so that only what changed is parsed; a row that
vanished is withdrawn, and one that returns is revived. Pushed fragments take the same road. Whatever arrives twice,
late or broken changes nothing and is counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
import xxhash

from ingest.events import Delete, FeedError, MatchInfo, Upsert
from ingest.feeds.base import Adapter, Problem, split
from ingest.timeline import Applied, Change, Timeline

Doc = dict[str, Any]
DROP_ROWS, DROP_SHARE = 5, 0.02
"""Up to so many rows, or this share of the match, may vanish from a document at once. More looks like half a
document, and is believed only when the next one agrees."""
LONGEST_ROW = 256 * 1024
"""A row of more bytes is no event, and would not pass the bus: a feed must not stop its match with one."""

AHEAD_MS = 120_000
"""Documents that go on for so long, all of them made before one that had come: that one's time was wrong."""


class Outcome(StrEnum):
    """What an arrival was."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    OLDER = "older"  # made before a document that had arrived already
    BROKEN = "broken"  # no document or fragment of this provider, or one of another match


@dataclass(frozen=True, slots=True)
class Item:
    """A raw fragment that is new or different, by what name history keeps it, and its canonical changes."""

    doc: Doc
    raw: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one arrival did. ``items`` are what a journal has to keep, ``applied`` what is different now."""

    outcome: Outcome
    items: tuple[Item, ...] = ()
    applied: tuple[Applied, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Known:
    """A row as it was seen last."""

    digest: bytes
    version: int  # the highest it was given, by the provider or here
    told: int  # the highest that the provider itself gave it
    present: bool


class Session:
    """Give it every arrival in order. ``counts`` tells how many there were of each outcome and each problem code."""

    def __init__(self, adapter: Adapter, match_id: str, info: MatchInfo | None = None) -> None:
        """``info`` may be left out where the provider's documents carry it."""
        self.adapter = adapter
        self.match_id = match_id
        self.info = info
        self.raw_info: Doc | None = None
        self.timeline = Timeline(info)
        self.counts: Counter[str] = Counter()
        self._rows: dict[str, _Known] = {}
        self._nameless: set[bytes] = set()  # rows of the last document that have no key
        self._last = b""
        self._last_header = b""  # of the last document without events: the two kinds come in turn
        self._version_ms = 0
        self._older: tuple[int, int] | None = None  # arrival and version of the first of a run of older documents
        self._stamp = 0
        self._doubted: frozenset[str] = frozenset()

    def document(self, body: bytes, at_ms: int) -> Delivery:
        """A whole document arrived at ``at_ms``. Never raises for bad content."""
        digest = xxhash.xxh3_128_digest(body)
        if digest == self._last:
            self._doubted = frozenset()  # whatever had vanished in between is there
            return self._counted(Delivery(Outcome.UNCHANGED))
        if digest == self._last_header:
            return self._counted(Delivery(Outcome.UNCHANGED))
        try:
            document = self.adapter.document(body)
            self._adopt(document.match_id, document.raw_info)
        except FeedError as error:
            return self._broken(error.code, str(error))
        # Results and line-ups are made on a clock of their own: they say nothing about the age of events.
        version_ms = document.version_ms if document.rows else 0
        problems = list(document.problems)
        if version_ms and version_ms < self._version_ms:
            if not self._went_on(version_ms, at_ms):
                return self._counted(Delivery(Outcome.OLDER))
            text = f"documents go on {(self._version_ms - version_ms) // 1000} s before one that had come: they count"
            problems.append(Problem("clock_set_back", f"match {self.match_id}", text))
            self._version_ms = version_ms
        if self.info is None:
            if document.rows:
                return self._broken("no_header", "events came before anything told who plays: poll the match first")
            return self._counted(Delivery(Outcome.UNCHANGED, problems=tuple(problems)))
        items, seen = self._changed(document.rows, at_ms, problems)
        if document.whole and document.rows:
            items += self._vanished(seen, at_ms, problems)
        self._version_ms = max(self._version_ms, version_ms)
        self._older = None if version_ms else self._older
        if not document.rows:
            self._last_header = digest
        elif not self._doubted:
            self._last = digest
        elif items:  # a doubted document is looked at again; so is the one before, when it comes again
            self._last = b""
        return self._delivered(items, problems)

    def fragment(self, doc: object, at_ms: int) -> Delivery:
        """A pushed fragment arrived at ``at_ms``. Never raises for bad content."""
        if self.info is None:
            return self._broken("no_header", "an event came before anything told who plays: fetch the match first")
        if not isinstance(doc, dict):
            return self._broken("bad_event", f"a {type(doc).__name__} is no event")
        problems: list[Problem] = []
        items, _ = self._changed((doc,), at_ms, problems, pushed=True)
        if items:
            self._last = b""  # the last document, coming again, would withdraw it
        return self._delivered(items, problems)

    def resume(self, doc: Doc) -> Item:
        """Take up one line of a journal: the ``doc`` of an item delivered before a restart. Call it for each, in
        order, before anything else arrives; what vanished meanwhile is found by the provider's next document.
        """
        changes, _ = self._parse(doc)
        self.timeline.apply(changes)
        key, version = self.adapter.key(doc), _newest(changes)
        self._stamp = max(self._stamp, version)
        if key:
            known = self._rows.get(key)
            ours = doc == self.adapter.withdrawal(key, version)
            highest = max(version, known.version if known else 0)
            # Which version was the provider's own is not in the journal: its next document tells.
            self._rows[key] = _Known(xxhash.xxh3_128_digest(self._packed(doc)), highest, 0, not ours)
        return _item(doc, changes)

    def _went_on(self, version_ms: int, at_ms: int) -> bool:
        """Whether documents have gone on being made, as time passed, before the time of one that had come: its clock
        was ahead. A cache that is stuck or late tells the same again, or catches up.
        """
        if self._older is None or version_ms < self._older[1]:
            self._older = (at_ms, version_ms)
        return at_ms - self._older[0] >= AHEAD_MS and version_ms - self._older[1] >= AHEAD_MS // 2

    def _adopt(self, match_id: str, raw_info: Doc | None) -> None:
        """Take the header of the first document that has one. Raises FeedError for one of another match."""
        if match_id and match_id != self.match_id:
            raise FeedError(
                "other_match", f"a document of match {match_id[:40]} came for match {self.match_id}: check the address"
            )
        if raw_info is None:
            return
        info = self.adapter.info(raw_info)
        if self.info is None:
            self.info, self.raw_info = info, raw_info
            self.timeline.match = info
        elif (info.home.team_id, info.away.team_id) != (self.info.home.team_id, self.info.away.team_id):
            raise FeedError(
                "other_teams",
                f"match {self.match_id} is now between other teams ({info.home.name[:40]}, {info.away.name[:40]}): "
                "its events are not read",
            )
        elif self.raw_info is None:
            self.raw_info = raw_info

    def _changed(
        self, rows: Iterable[Doc], at_ms: int, problems: list[Problem], pushed: bool = False
    ) -> tuple[list[Item], set[str]]:
        """Items for rows that are new, different or back, and the keys of all rows."""
        items: list[Item] = []
        seen: set[str] = set()
        nameless: set[bytes] = set()
        for doc in self._one_of_each(rows):
            key = self.adapter.key(doc)
            try:
                packed = self._packed(doc)
            except (TypeError, ValueError) as error:  # an integer beyond 64 bits, a lone surrogate
                problems.append(Problem("bad_event", f"event {key[:40]}", f"{error}"[:200]))
                seen.add(key)  # it is there, only not to be read
                continue
            if len(packed) > LONGEST_ROW:
                problems.append(Problem("bad_event", f"event {key[:40]}", f"{len(packed)} bytes are no event"))
                seen.add(key)
                continue
            digest = xxhash.xxh3_128_digest(packed)
            known = self._rows.get(key) if key else None
            if known is not None and known.digest == digest and known.present:
                seen.add(key)
                continue
            if not key and not pushed:
                nameless.add(digest)
                if digest in self._nameless:  # it was told of when it came first
                    continue
            if not self.adapter.versioned:  # what the provider does not version is ordered by its arrival
                doc = self.adapter.stamp(doc, self._next_stamp(at_ms))
            changes, found = self._parse(doc)
            told = _newest(changes)
            if known is None:
                known = _Known(digest, told, told, True)
            elif told >= known.told or not known.present or not changes:
                ignored = any(map(self.timeline.ignores, changes))
                # Two documents may say different things under one version: a field was missing for a while, a row was
                # withdrawn here and is back. The later document counts. Pushed messages have no such order, but what
                # the provider itself calls newer is newer, even where our own versions have run ahead of it.
                newer = not known.present or 0 < known.told < told
                if ignored and (newer or not pushed):
                    doc = self.adapter.stamp(doc, known.version + 1)
                    changes, found = self._parse(doc)
                    ignored = False
                if not ignored:
                    known = _Known(digest, max(_newest(changes), known.version), told or known.told, True)
            if key:
                self._rows[key] = known
            seen.add(key)
            problems += found
            items.append(_item(doc, changes))
        if not pushed:
            self._nameless = nameless
        return items, seen

    def _one_of_each(self, rows: Iterable[Doc]) -> Iterable[Doc]:
        """Where a document names an event twice, the row that the provider calls newer counts, else the last one: each
        of the two would correct the other with every document.
        """
        found: dict[str | int, Doc] = {}
        for number, doc in enumerate(rows, start=1):
            key = self.adapter.key(doc) or number
            if key not in found or not self.adapter.versioned or self._weight(doc) >= self._weight(found[key]):
                found[key] = doc
        return found.values()

    def _weight(self, doc: Doc) -> tuple[int, bool]:
        changes, _ = self._parse(doc)
        return _newest(changes), any(isinstance(change, Delete) for change in changes)

    def _packed(self, doc: Doc) -> bytes:
        """What tells a row from its next version. A journal holds rows with the stamps that they were given here."""
        return orjson.dumps(doc if self.adapter.versioned else self.adapter.stamp(doc, 0))

    def _vanished(self, seen: set[str], at_ms: int, problems: list[Problem]) -> list[Item]:
        """Withdrawals of the rows that the document no longer has, unless it looks like half a document."""
        gone = [key for key, known in self._rows.items() if known.present and key not in seen]
        if not gone:
            self._doubted = frozenset()
            return []
        if len(gone) > max(DROP_ROWS, DROP_SHARE * len(self._rows)) and not self._doubted >= set(gone):
            self._doubted = frozenset(gone)
            problems.append(
                Problem(
                    "shrunk_document", f"match {self.match_id}", f"{len(gone)} of {len(self._rows)} events vanished"
                )
            )
            return []
        self._doubted = frozenset()
        items = []
        for key in gone:
            known = self._rows[key]
            version = self._next_stamp(at_ms) if not self.adapter.versioned else known.version + 1
            doc = self.adapter.withdrawal(key, version)
            changes, found = self._parse(doc)
            problems += found
            self._rows[key] = _Known(known.digest, max(version, known.version), known.told, False)
            items.append(_item(doc, changes))
        return items

    def _parse(self, doc: Doc) -> tuple[tuple[Change, ...], list[Problem]]:
        assert self.info is not None
        changes, problems = split(self.adapter.parse(self.info, doc))
        return tuple(changes), problems

    def _next_stamp(self, at_ms: int) -> int:
        self._stamp = max(at_ms, self._stamp + 1)
        return self._stamp

    def _delivered(self, items: list[Item], problems: list[Problem]) -> Delivery:
        applied = self.timeline.apply(change for item in items for change in item.changes)
        outcome = Outcome.CHANGED if items else Outcome.UNCHANGED
        return self._counted(Delivery(outcome, tuple(items), applied, tuple(problems)))

    def _broken(self, code: str, text: str) -> Delivery:
        return self._counted(Delivery(Outcome.BROKEN, problems=(Problem(code, f"match {self.match_id}", text[:300]),)))

    def _counted(self, delivery: Delivery) -> Delivery:
        self.counts[delivery.outcome] += 1
        self.counts.update(problem.code for problem in delivery.problems)
        return delivery


def _item(doc: Doc, changes: tuple[Change, ...]) -> Item:
    return Item(doc, hashlib.sha256(orjson.dumps(doc)).hexdigest(), changes)


def _newest(changes: Iterable[Change]) -> int:
    """The highest version among ``changes``; 0 where there are none."""
    return max(
        (change.event.version if isinstance(change, Upsert) else change.version for change in changes), default=0
    )
