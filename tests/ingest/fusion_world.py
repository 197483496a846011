"""Two providers of one match out of a recording, with outages: what the fusion tests and their measurements run on.

No match of two providers is at hand. The second one is a *sibling*: the same recording through the same format with
its own ids, delays and edits, and, where asked, a tenth of the touches gone, times up to 2 s and places 3 % off, and a
kick-off clock some seconds apart. It stands in for a provider in tests; it is none.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingest.events import Event, FeedError, Kind
from ingest.feed import FeedHeader, FeedMessage
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import Recorded, ReplayOptions, Row
from ingest.feeds.base import replay as as_feed
from ingest.fusion import Bounds, Thresholds
from ingest.fusion.journal import Route, fragment, header, sign
from ingest.quality import Sign

Doc = dict[str, Any]
PRIMARY, SIBLING = "primary", "sibling"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "wyscout"
BEAT_MS = 1_000
TOUCH_TYPES = {"wyscout": (7, 8), "statsperform": (1, 49, 61, 12)}


@dataclass(frozen=True)
class Sibling:
    """How much the stand-in differs."""

    dropped: float = 0.10
    jitter_ms: int = 2_000
    moved: float = 3.0
    clock_ms: int = 0  # its kick-off clock starts so much later: its playing times are so much less
    drift: float = 0.0  # and it runs so much slower
    delay_ms: tuple[int, int] = (600, 2_500)


ALIKE = Sibling(dropped=0.0, jitter_ms=0, moved=0.0)


@dataclass(frozen=True)
class Outage:
    """``name`` falls out from ``start_ms`` to ``end_ms`` of data time. On return it tells what was missed, or not."""

    name: str
    start_ms: int
    end_ms: int
    how: str = "silent"  # silent, lost, broken, frozen (answers, but always the same)
    catches_up: bool = True


@dataclass
class World:
    """A match by two providers: their messages by arrival."""

    recorded: Recorded
    provider: str
    feeds: dict[str, list[FeedMessage]]
    start_unix_ms: int
    thresholds: dict[str, Thresholds] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)

    def header(self) -> FeedHeader:
        info = self.recorded.info
        routes = [
            Route(
                name,
                self.provider,
                self.recorded.raw_info,
                info.home.team_id,
                info.away.team_id,
                self.thresholds.get(name, Thresholds()),
            )
            for name in self.feeds
        ]
        return header(f"m-{info.match_id}", self.start_unix_ms, 1, routes, self.bounds)

    def messages(self, outages: Sequence[Outage] = ()) -> list[FeedMessage]:
        """The journal: fragments, and a sign every second from each provider that is there."""
        rows = [row for name in self.feeds for row in self._of(name, [o for o in outages if o.name == name])]
        rows.sort(key=lambda row: row[0])
        return [FeedMessage.make(at_ms, doc) for at_ms, doc in rows]

    @property
    def end_ms(self) -> int:
        return max(messages[-1].at_ms for messages in self.feeds.values())

    def _of(self, name: str, outages: Sequence[Outage]) -> Iterator[tuple[int, Doc]]:
        for message in self.feeds[name]:
            out = next((o for o in outages if o.start_ms <= message.at_ms < o.end_ms), None)
            if out is None:
                yield message.at_ms, fragment(name, message.doc)
            elif out.catches_up:
                yield out.end_ms, fragment(name, message.doc)
        phase = 137 if name == PRIMARY else 611
        for at_ms in range(phase, self.end_ms, BEAT_MS):
            out = next((o for o in outages if o.start_ms <= at_ms < o.end_ms), None)
            if out is None:
                yield at_ms, sign(name, Sign.HEARTBEAT)
            elif out.how == "frozen":
                yield at_ms, sign(name, Sign.UNCHANGED)
            elif out.how == "broken":
                yield at_ms, sign(name, Sign.BROKEN)
        for out in outages:
            if out.how == "lost":
                yield out.start_ms, sign(name, Sign.LOST)
                yield out.end_ms, sign(name, Sign.RESTORED)


@lru_cache(maxsize=64)
def load(provider: str, match: str | None = None) -> Recorded:
    if match is None:
        return adapter(provider).load(default_match_paths(provider))
    return adapter(provider).load([SHARED], match)


def world(recorded: Recorded, seed: int, kind: Sibling = ALIKE, edited: bool = True) -> World:
    """The recording as primary, and its sibling."""
    provider = recorded.info.provider
    source = adapter(provider)
    plain = ReplayOptions() if edited else ReplayOptions(edited=0.0, late=0.0)
    first, messages = as_feed(source, recorded, seed, plain)
    other = replace(recorded, rows=tuple(perturbed(provider, recorded.rows, seed, kind)))
    second, theirs = as_feed(source, other, seed + 1_000, replace(plain, delay_ms=kind.delay_ms))
    shift = second.start_unix_ms - first.start_unix_ms
    theirs = [FeedMessage.make(message.at_ms + shift, message.doc) for message in theirs]
    return World(recorded, provider, {PRIMARY: messages, SIBLING: theirs}, first.start_unix_ms)


def perturbed(provider: str, rows: Iterable[Row], seed: int, kind: Sibling) -> Iterator[Row]:
    """The sibling's rows."""
    rng = random.Random(seed * 7 + 1)
    source = adapter(provider)
    for row in rows:
        touch = _type(provider, row.doc) in TOUCH_TYPES[provider]
        if touch and rng.random() < kind.dropped:
            continue
        shift_ms = 0 if source.urgent(row.doc) else rng.randint(-kind.jitter_ms, kind.jitter_ms)
        if kind.clock_ms and not source.urgent(row.doc):
            shift_ms -= kind.clock_ms
        change = _wyscout if provider == "wyscout" else _statsperform
        doc = change(row.doc, shift_ms, kind, rng)
        gone = None if row.withdrawn is None else {**row.withdrawn, "id": doc["id"]}
        yield replace(row, doc=doc, withdrawn=gone)


def _type(provider: str, doc: Doc) -> int:
    value = doc.get("eventId" if provider == "wyscout" else "typeId", 0)
    return int(value) if str(value).isdigit() else 0


def _wyscout(doc: Doc, shift_ms: int, kind: Sibling, rng: random.Random) -> Doc:
    second = max(0.0, float(doc["eventSec"]) * (1 - kind.drift) + shift_ms / 1000)
    new = {**doc, "id": f"s{doc['id']}", "eventSec": second if shift_ms or kind.drift else doc["eventSec"]}
    if kind.moved and doc.get("positions"):
        first = {
            axis: min(100.0, max(0.0, float(value) + rng.uniform(-kind.moved, kind.moved)))
            if value is not None
            else None
            for axis, value in doc["positions"][0].items()
        }
        new["positions"] = [first, *doc["positions"][1:]]
    return new


def _statsperform(doc: Doc, shift_ms: int, kind: Sibling, rng: random.Random) -> Doc:
    new = {**doc, "id": f"s{doc['id']}"}
    base_min = {1: 0, 2: 45, 3: 90, 4: 105}.get(int(doc["periodId"]), 0)
    played_s = (int(doc["timeMin"]) - base_min) * 60 + int(doc["timeSec"])
    second = max(0, round(played_s * (1 - kind.drift) + shift_ms / 1000)) + base_min * 60
    new["timeMin"], new["timeSec"] = divmod(second, 60)
    if kind.moved and doc.get("x") is not None:
        for axis in ("x", "y"):
            new[axis] = round(min(100.0, max(0.0, float(doc[axis]) + rng.uniform(-kind.moved, kind.moved))), 1)
    return new


def archive_matches(count: int, seed: int = 1) -> list[str]:
    """Ids of so many matches of the shared archive; FeedError ``no_archive`` where it is not beside the repository."""
    files = sorted((SHARED / "events").glob("*.json.gz"))
    if not files:
        raise FeedError("no_archive", "the development data (../shared/data) is not beside this repository")
    return [path.name.split(".")[0] for path in random.Random(seed).sample(files, count)]


def goals(events: Iterable[Event]) -> list[tuple[str, int, int]]:
    """Side, period and time of every goal."""
    return sorted((str(e.side), e.period, e.play_ms) for e in events if e.kind is Kind.SHOT and e.goal and e.period < 5)


def counts(events: Iterable[Event]) -> Mapping[str, int]:
    """How many critical events of each kind there are."""
    names = {Kind.RED: "red", Kind.PENALTY_AWARDED: "penalty", Kind.PERIOD_START: "start", Kind.PERIOD_END: "end"}
    found = dict.fromkeys((*names.values(), "home", "away"), 0)
    for event in events:
        if event.kind in names:
            found[names[event.kind]] += 1
        if event.kind is Kind.SHOT and event.goal and event.period < 5:
            found[str(event.side)] += 1
    return found
