"""What is kept of a match: raw fragments, the feed's lines, canonical records, corrections, samples, revisions.

Every row names its match. Times are ``at_ms`` (arrival, unix ms) or ``data_ms`` (since the feed's start); ``raw`` is
the SHA-256 of a fragment's bytes in hex.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import orjson

from ingest.events import Event, FeedError
from ingest.feed import FeedHeader, FeedMessage, feed_digest, genesis, parse_header
from ingest.record import Record


@dataclass(frozen=True, slots=True)
class Fragment:
    """A provider's raw fragment, kept once a match; ``at_ms`` is its first arrival, ``doc`` its JSON bytes."""

    match_id: str
    provider: str
    raw: str
    at_ms: int
    doc: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A message line of the feed file, counted from 1. ``line`` holds its bytes only where they are not the usual
    ones that follow from ``data_ms`` and the fragment."""

    match_id: str
    number: int
    data_ms: int
    raw: str
    line: bytes | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """An event that was known became another (``new``) or was withdrawn (None), by the record ``seq``."""

    match_id: str
    seq: int
    provider: str
    at_ms: int
    old: Event
    new: Event | None


@dataclass(frozen=True, slots=True)
class Sample:
    """The index of one second as it was published, when ``lines`` messages of the feed had come.

    ``inputs_hash`` commits to the methodology, the inputs and the digest of the feed up to there.
    """

    match_id: str
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
    lines: int


@dataclass(frozen=True, slots=True)
class Revision:
    """What corrections did to the published past, seen at ``tick``: ``count`` samples would differ now, most of all
    ``revised_tick``, published as ``old_e6``. What was published stands."""

    match_id: str
    tick: int
    revised_tick: int
    period: int
    second: int
    old_e6: int
    new_e6: int
    count: int


@dataclass(frozen=True, slots=True)
class Match:
    """One match in history. ``day`` is the UTC day it was first heard of and never changes. ``header`` is the feed
    file's first line, empty for a match of which only canonical records are known."""

    match_id: str
    provider: str
    day: date
    header: bytes = b""

    @property
    def start_unix_ms(self) -> int | None:
        """Where ``data_ms`` counts from; None without a header."""
        return parse_header(self.header).start_unix_ms if self.header else None


@dataclass(frozen=True, slots=True)
class MatchHistory:
    """Everything that is kept of one match, each kind in its own order."""

    match: Match
    fragments: tuple[Fragment, ...] = ()
    lines: tuple[Line, ...] = ()
    records: tuple[Record, ...] = ()
    corrections: tuple[Correction, ...] = ()
    samples: tuple[Sample, ...] = ()
    revisions: tuple[Revision, ...] = ()

    def messages(self) -> list[FeedMessage]:
        """The feed's messages as they came. Raises FeedError when lines or their fragments are missing."""
        docs = {fragment.raw: fragment.doc for fragment in self.fragments}
        return [_message(line, number, docs) for number, line in enumerate(self.lines, start=1)]

    def header(self) -> FeedHeader:
        """The feed's header. Raises FeedError ``no_feed`` when only canonical records are kept."""
        if not self.match.header:
            raise FeedError(
                "no_feed",
                f"the raw feed of match {self.match.match_id} is not kept (any more), only what was made of it: "
                "import an export or the feed.jsonl of its run",
            )
        return parse_header(self.match.header)

    def feed(self) -> bytes:
        """The feed file, byte for byte. Raises FeedError like `header` and `messages`."""
        return self.header().line + b"".join(message.line for message in self.messages())

    def digest(self) -> bytes:
        """The feed's rolling digest after its last line."""
        digest = genesis(self.header().line)
        for message in self.messages():
            digest = feed_digest(digest, message.line)
        return digest


def in_order(fragments: Iterable[Fragment]) -> tuple[Fragment, ...]:
    """Fragments in the order in which history tells them: by first arrival, then by hash."""
    return tuple(sorted(fragments, key=lambda fragment: (fragment.at_ms, fragment.raw)))


def _message(line: Line, number: int, docs: dict[str, bytes]) -> FeedMessage:
    if line.number != number:
        raise FeedError(
            "lines_missing", f"line {number} of the feed of match {line.match_id} is missing: import an export of it"
        )
    doc = docs.get(line.raw)
    if doc is None:
        raise FeedError(
            "raw_missing",
            f"the raw fragment of line {number} of match {line.match_id} is not kept any more: import an export of it",
        )
    return FeedMessage(line.data_ms, orjson.loads(doc), line.line or usual_line(line.data_ms, doc))


def usual_line(data_ms: int, doc: bytes) -> bytes:
    """The bytes that `ingest.feed.FeedMessage.make` gives a message."""
    return b'{"at_ms":%d,"doc":%b}\n' % (data_ms, doc)


def sha256(data: bytes) -> str:
    """The name of a fragment."""
    return hashlib.sha256(data).hexdigest()


def day_of(unix_ms: int) -> date:
    """The UTC day of a moment."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).date()
