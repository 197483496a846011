"""A live match in a test: what its process wrote and published, step by step, so that it can be killed anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ingest.feed import FeedHeader, FeedMessage, parse_header, parse_message
from ingest.feeds import Recorded, adapter
from ingest.fusion import Bounds, Thresholds
from ingest.live import Feed, Happened, LiveMatch
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.quality import Sign
from ingest.record import Record, encode
from ingest.timeline import Timeline
from tests.ingest.fusion_world import PRIMARY, SIBLING, Outage, World

MATCH_ID = "canonical-7"
QUICK = Thresholds(return_ms=10_000)
BOUNDS = Bounds(dwell_ms=10_000)
KINDS = {
    Sign.HEARTBEAT: ArrivalKind.HEARTBEAT,
    Sign.UNCHANGED: ArrivalKind.UNCHANGED,
    Sign.LOST: ArrivalKind.LOST,
    Sign.RESTORED: ArrivalKind.RESTORED,
}
Step = tuple[str, Arrival] | int
"""A feed's arrival, or the time that has come (unix ms)."""


def pushed(at_ms: int, *docs: dict[str, Any]) -> Arrival:
    """Fragments of one push."""
    return Arrival(at_ms, ArrivalKind.FRAGMENTS, b"".join(orjson.dumps(doc) + b"\n" for doc in docs))


def document(recorded: Recorded, count: int, at_ms: int) -> Arrival:
    """An MA3 document of the match's first ``count`` rows."""
    rows = [row.doc for row in recorded.rows if row.withdrawn is None][:count]
    body = orjson.dumps({"matchInfo": recorded.raw_info, "liveData": {"event": rows}})
    return Arrival(at_ms, ArrivalKind.DOCUMENT, body)


@dataclass
class Life:
    """What a process did: its journal's lines and its records, in the order in which both were kept."""

    match: LiveMatch
    log: list[tuple[str, bytes | Record]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)  # length of the log after each step
    problems: list[str] = field(default_factory=list)

    def keep(self, happened: Happened) -> None:
        """As the service does: journal first, bus second."""
        self.log += [("line", line) for line in happened.lines]
        self.log += [("record", record) for entry in happened.entries for record in entry.records]
        self.steps.append(len(self.log))
        self.problems += [problem.code for problem in happened.problems]

    def follow(self, steps: Iterable[Step]) -> Life:
        for step in steps:
            self.keep(self.match.tick(step) if isinstance(step, int) else self.match.arrived(*step))
        return self

    @property
    def lines(self) -> list[bytes]:
        return [row for _, row in self.log if isinstance(row, bytes)]

    @property
    def records(self) -> list[Record]:
        return [row for _, row in self.log if isinstance(row, Record)]

    @property
    def bytes(self) -> list[bytes]:
        return [encode(record) for record in self.records]

    def timeline(self) -> Timeline:
        timeline = Timeline()
        timeline.apply(record.change for record in self.records)
        return timeline


def journal(lines: Sequence[bytes]) -> tuple[FeedHeader, list[FeedMessage]]:
    """What a new process reads."""
    return parse_header(lines[0]), [parse_message(line) for line in lines[1:]]


def resumed(match: LiveMatch, log: Sequence[tuple[str, bytes | Record]]) -> Life:
    """A new process on what a killed one left."""
    life = Life(match, list(log))
    if life.lines:
        published = life.records[-1] if life.records else None
        left = match.resume(*journal(life.lines), published)
        life.log += [("record", record) for entry in left for record in entry.records]
    return life


def feeds_of(w: World) -> list[Feed]:
    """The world's two providers as feeds."""
    info, raw_info = w.recorded.info, w.recorded.raw_info
    return [Feed(name, adapter(w.provider), info.match_id, raw_info, thresholds=QUICK) for name in (PRIMARY, SIBLING)]


def live(w: World) -> LiveMatch:
    return LiveMatch(MATCH_ID, feeds_of(w), bounds=BOUNDS)


def arrivals(w: World, end_ms: int, outages: Sequence[Outage] = ()) -> list[tuple[str, Arrival]]:
    """What the two feeds bring up to ``end_ms`` of data time."""
    found = []
    for message in w.messages(outages):
        if message.at_ms >= end_ms:
            break
        at_ms, name = w.start_unix_ms + message.at_ms, str(message.doc["from"])
        if "doc" in message.doc:
            found.append((name, pushed(at_ms, message.doc["doc"])))
        elif message.doc["sign"] == Sign.BROKEN:
            found.append((name, Arrival(at_ms, ArrivalKind.DOCUMENT, b"<html>")))
        else:
            found.append((name, Arrival(at_ms, KINDS[Sign(message.doc["sign"])])))
    return found


def ticked(rows: Iterable[tuple[str, Arrival]], every_ms: int = 250, early_ms: int = 0) -> list[Step]:
    """Arrivals with the times between them; ``early_ms``: each time is told so much before it is due, as when an
    arrival waited in a queue."""
    steps: list[Step] = []
    told_ms = 0
    for name, arrival in rows:
        told_ms = told_ms or arrival.at_ms
        while told_ms + every_ms <= arrival.at_ms + early_ms:
            told_ms += every_ms
            steps.append(told_ms)
        steps.append((name, arrival))
    return steps
