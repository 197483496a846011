"""What every provider adapter offers, and the replay that turns a recorded match into a live feed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ingest.events import Delete, MatchInfo, Upsert
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


class Adapter(Protocol):
    """One provider. `load` reads recordings, `parse` is what a live feed calls for each raw fragment."""

    name: str

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """Read one recorded match. Raises FeedError for anything that is not one."""
        ...

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches found at ``paths``."""
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
        """The fragment with its modification time set to ``unix_ms``."""
        ...

    def urgent(self, doc: dict[str, Any]) -> bool:
        """Whether the provider sends this fragment without delay (kick-offs and final whistles)."""
        ...


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
    adapter: Adapter, recorded: Recorded, seed: int, options: ReplayOptions | None = None
) -> tuple[FeedHeader, list[FeedMessage]]:
    """The recording as a live feed: each fragment at its own time plus a delay, with edits and deletions.

    Deterministic in ``seed``. Breaks between periods are shortened to ``halftime_ms``. Every fragment's final
    version equals the recording's; deletions arrive after the event they withdraw.
    """
    options = options or ReplayOptions()
    rng = random.Random(seed)
    shift = _shift(recorded, options.halftime_ms)
    first_ms = min(row.unix_ms + shift[row.period] for row in recorded.rows)
    start_ms = (first_ms - LEAD_MS) // 1000 * 1000
    last_ms = max(row.unix_ms + shift[row.period] for row in recorded.rows) + TAIL_MS
    sent: list[tuple[int, int, dict[str, Any]]] = []

    def send(unix_ms: int, doc: dict[str, Any]) -> int:
        at = min(unix_ms, last_ms)
        sent.append((at - start_ms, len(sent), adapter.stamp(doc, at)))
        return at

    for row in recorded.rows:
        happened = row.unix_ms + shift[row.period]
        if adapter.urgent(row.doc):
            send(happened, row.doc)
            continue
        span = options.late_ms if rng.random() < options.late else options.delay_ms
        arrival = happened + rng.randint(*span)
        if row.withdrawn is not None:
            seen = send(arrival, row.doc)
            send(max(seen + 1, seen + rng.randint(*options.delete_ms)), row.withdrawn)
            continue
        first = adapter.spoil(row.doc, rng) if rng.random() < options.edited else None
        if first is None:
            send(arrival, row.doc)
        else:
            seen = send(arrival, first)
            correction = seen + rng.randint(*options.edit_ms)
            # A correction stamped like its first version would be ignored as a duplicate.
            sent.append((min(correction, last_ms + 1) - start_ms, len(sent), adapter.stamp(row.doc, correction)))
    sent.sort(key=lambda item: item[:2])
    header = FeedHeader.make(adapter.name, recorded.info.match_id, start_ms, seed, recorded.raw_info)
    return header, [FeedMessage.make(at_ms, doc) for at_ms, _, doc in sent]


def _shift(recorded: Recorded, halftime_ms: int) -> dict[int, int]:
    """Milliseconds to add to each period's times so that breaks last at most ``halftime_ms``."""
    spans: dict[int, tuple[int, int]] = {}
    for row in recorded.rows:
        low, high = spans.get(row.period, (row.unix_ms, row.unix_ms))
        spans[row.period] = (min(low, row.unix_ms), max(high, row.unix_ms))
    shift, previous_end = {}, None
    total = 0
    for period in sorted(spans):
        low, high = spans[period]
        if previous_end is not None:
            total -= max(0, low + total - previous_end - halftime_ms)
        shift[period] = total
        previous_end = high + total
    return shift
