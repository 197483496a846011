"""What every provider adapter offers, and the replay that turns a recorded match into a live feed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ingest.events import Delete, FeedError, MatchInfo, Upsert
from ingest.feed import FeedHeader, FeedMessage

LEAD_MS = 60_000  # the feed starts a minute before kick-off
TAIL_MS = 60_000  # and ends a minute after the final whistle
DEFAULT_HALFTIME_MS = 120_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A fragment the adapter could not use: counted and located, never a crash."""

    code: str
    where: str
    text: str


Parsed = Upsert | Delete | Problem


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded raw fragment: its version in the recording, and when it happened by the provider's clock."""

    doc: dict[str, Any]
    unix_ms: int
    period: int
    withdrawn: dict[str, Any] | None = None  # the deletion that followed, if the recording holds one


@dataclass(frozen=True, slots=True)
class Recorded:
    """A match file: who played, the provider's raw header, and the raw fragments in order of time."""

    info: MatchInfo
    raw_info: dict[str, Any]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = field(default=())
    official_score: tuple[int, int] | None = None  # home, away, without a shoot-out; None where the files lack it


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document of a provider taken apart: what a poll brings. ``rows`` are raw fragments as `Adapter.parse`
    takes them, in the document's order; a document without events (line-ups, results) has none.
    """

    match_id: str  # the provider's id of the match; empty where the document does not tell
    raw_info: dict[str, Any] | None  # for `Adapter.info`; None where the document has no header
    rows: tuple[dict[str, Any], ...]
    version_ms: int = 0  # when the provider made it, unix ms; 0 where it does not tell
    whole: bool = True  # whether ``rows`` are all events of the match, so that a missing one is withdrawn
    problems: tuple[Problem, ...] = ()


Replay = tuple[FeedHeader, list[FeedMessage]]


def split(parsed: Iterable[Parsed]) -> tuple[list[Upsert | Delete], list[Problem]]:
    """Changes and problems apart, each in the order given."""
    changes: list[Upsert | Delete] = []
    problems: list[Problem] = []
    for item in parsed:
        if isinstance(item, Problem):
            problems.append(item)
        else:
            changes.append(item)
    return changes, problems


LONGEST_ID = 100
LISTED = 20
"""So many rows of no use are each named; of the rest only the number is told, so that rubbish stays cheap."""


def text_id(value: object) -> str:
    """An id as text; empty for what cannot be one: an object, a fraction, a number beyond 64 bits, unprintable text."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_ID and value.isprintable() else ""
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return str(value)
    return ""


def plain_text(value: object, longest: int = LONGEST_ID) -> str:
    """A provider's words for people, without signs that cannot be printed or stored; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    cut = value[:longest]
    return cut if cut.isprintable() else "".join(sign for sign in cut if sign.isprintable())


def objects(rows: Sequence[object]) -> tuple[tuple[dict[str, Any], ...], tuple[Problem, ...]]:
    """The rows that are objects, and a problem for each of the others, located by its number (from 1)."""
    good = tuple(row for row in rows if isinstance(row, dict))
    if len(good) == len(rows):
        return good, ()
    bad = [(number, row) for number, row in enumerate(rows, start=1) if not isinstance(row, dict)]
    problems = [Problem("bad_event", f"row {n}", "not an object") for n, row in bad[:LISTED]]
    if len(bad) > LISTED:
        text = f"{len(bad) - LISTED} more are not objects"
        problems.append(Problem("bad_event", f"rows {bad[LISTED][0]} to {bad[-1][0]}", text))
    return good, tuple(problems)


class Adapter(Protocol):
    """One provider. `load` reads recordings, `parse` is what a live feed calls for each raw fragment."""

    name: str
    versioned: bool
    """Whether the provider's rows carry versions of their own; otherwise their arrival orders them (`stamp`)."""

    feeds_index: bool
    """Whether the index can be made of it: passes, touches and duels with their places. Without them a feed backs up
    score and cards, no more."""

    def document(self, body: bytes) -> Document:
        """Take a whole document apart. Raises FeedError for what is none of this provider's, and nothing else."""
        ...

    def key(self, doc: dict[str, Any]) -> str:
        """The id of a fragment's event within its match; empty when it has none. Never raises."""
        ...

    def withdrawal(self, key: str, version: int) -> dict[str, Any]:
        """A fragment that withdraws event ``key``, in the provider's own form, for rows that vanish from documents."""
        ...

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """Read one recorded match. Raises FeedError for anything that is not one."""
        ...

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> Replay:
        """The recording at ``paths`` as a live feed: header and messages by arrival. Raises FeedError like `load`."""
        ...

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches found at ``paths``."""
        ...

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The files that hold each match found at ``paths``, for ``load(files, id)`` without reading the others.

        A file of a folder that cannot be read stands under its own name: loading it tells what is wrong with it.
        """
        ...

    def info(self, raw_info: dict[str, Any]) -> MatchInfo:
        """Who plays, from the provider's raw header."""
        ...

    def parse(self, info: MatchInfo, doc: dict[str, Any]) -> tuple[Parsed, ...]:
        """Canonical changes of one raw fragment. Never raises for bad content."""
        ...

    def spoil(self, doc: dict[str, Any], rng: random.Random) -> dict[str, Any] | None:
        """A plausible first version of the fragment that a later edit will correct; None where none makes sense."""
        ...

    def stamp(self, doc: dict[str, Any], unix_ms: int) -> dict[str, Any]:
        """The fragment with its modification time, which is its version, set to ``unix_ms``."""
        ...

    def urgent(self, doc: dict[str, Any]) -> bool:
        """Whether the provider sends this fragment without delay (kick-offs and final whistles)."""
        ...


def require_index(adapter: Adapter) -> None:
    """Raises FeedError ``no_index`` for a provider of whose feed no index can be made."""
    if not adapter.feeds_index:
        raise FeedError(
            "no_index", f"{adapter.name} has no passes and no duels to make an index of: give another provider's match"
        )


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How untidy the synthesised feed is; probabilities per fragment, delays in ms."""

    halftime_ms: int = DEFAULT_HALFTIME_MS
    late: float = 0.02
    edited: float = 0.20
    delay_ms: tuple[int, int] = (100, 900)
    late_ms: tuple[int, int] = (2_000, 15_000)
    edit_ms: tuple[int, int] = (15_000, 180_000)
    delete_ms: tuple[int, int] = (15_000, 120_000)


TIDY = ReplayOptions(late=0.0, edited=0.0, delay_ms=(0, 0), delete_ms=(1_000, 1_000))


def replay(
    adapter: Adapter,
    recorded: Recorded,
    seed: int,
    options: ReplayOptions | None = None,
    terms: dict[str, Any] | None = None,
) -> Replay:
    """The recording as a live feed: each fragment at its own time plus a delay, with edits and deletions.

    Deterministic in ``seed``. Breaks between periods are shortened to ``halftime_ms``. Every fragment's final
    version equals the recording's; deletions arrive after the event they withdraw; nothing arrives later than a
    minute after the final whistle. ``terms`` stand in its header (see `FeedHeader`).
    """
    options = options or ReplayOptions()
    rng = random.Random(seed)
    spans = _spans(adapter, recorded, options.halftime_ms)
    start_ms = (min(span.low_ms for span in spans.values()) - LEAD_MS) // 1000 * 1000
    last_ms = max(span.high_ms for span in spans.values()) + TAIL_MS
    sent: list[tuple[int, int, dict[str, Any]]] = []

    def send(unix_ms: int, doc: dict[str, Any]) -> int:
        at = min(unix_ms, last_ms)
        sent.append((at - start_ms, len(sent), adapter.stamp(doc, at)))
        return at

    for row in recorded.rows:
        span = spans[row.period]
        # A substitution in the break is booked on the next period: it must not overtake the half-time whistle.
        happened = max(row.unix_ms + span.shift_ms, span.earliest_ms)
        urgent = adapter.urgent(row.doc)
        delays = options.late_ms if rng.random() < options.late else options.delay_ms
        arrival = happened if urgent else happened + rng.randint(*delays)
        if arrival >= last_ms:
            send(arrival, row.withdrawn or row.doc)
        elif row.withdrawn is not None:
            seen = send(arrival, row.doc)
            send(max(seen + 1, seen + rng.randint(*options.delete_ms)), row.withdrawn)
        else:
            edited = not urgent and rng.random() < options.edited
            first = adapter.spoil(row.doc, rng) if edited else None
            seen = send(arrival, row.doc if first is None else first)
            if first is not None:
                send(max(seen + 1, seen + rng.randint(*options.edit_ms)), row.doc)
    sent.sort(key=lambda item: item[:2])
    header = FeedHeader.make(adapter.name, recorded.info.match_id, start_ms, seed, recorded.raw_info, terms)
    return header, [FeedMessage.make(at_ms, doc) for at_ms, _, doc in sent]


@dataclass(frozen=True, slots=True)
class _Span:
    """A period in the replay's time: ``shift_ms`` is what was added to the recording's."""

    low_ms: int
    high_ms: int
    shift_ms: int
    earliest_ms: int  # nothing of this period arrives sooner: the end of the previous one


def _spans(adapter: Adapter, recorded: Recorded, halftime_ms: int) -> dict[int, _Span]:
    """Each period's span, from whistle to whistle where they are recorded, with breaks of at most ``halftime_ms``."""
    spans: dict[int, _Span] = {}
    shift = 0
    previous: _Span | None = None
    for period in sorted({row.period for row in recorded.rows}):
        times = [row.unix_ms for row in recorded.rows if row.period == period]
        whistles = [
            row.unix_ms
            for row in recorded.rows
            if row.period == period and row.withdrawn is None and adapter.urgent(row.doc)
        ]
        low = min(whistles or times)
        high = max(whistles) if whistles and max(whistles) > low else max(times)
        if previous is not None:
            shift -= max(0, low + shift - previous.high_ms - halftime_ms)
        earliest = low + shift if previous is None else previous.high_ms
        previous = spans[period] = _Span(low + shift, high + shift, shift, earliest)
    return spans
