"""From a feed to the bus through a journal, so that a crash anywhere loses nothing and doubles nothing.

What arrived is written to the journal first and published then. The number of a record is its place among the changes
of the journal that changed anything: after a crash the same journal gives the same records again, those the bus lacks
are published, and whatever the bus has twice bears one number, by which consumers drop it (`ingest.bus.seen`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import orjson

from ingest.events import FeedError
from ingest.feed import FeedMessage
from ingest.net.arrival import Arrival, ArrivalKind, Source
from ingest.record import Record, encode
from ingest.session import Delivery, Item, Outcome, Session
from ingest.timeline import Timeline

DOUBTS = frozenset({"shrunk_document"})
"""Problems after which the same document must be looked at again, so that the source may not answer 'unchanged'."""


class Journal(Protocol):
    """Where raw fragments are kept, in order. After a crash a last line that is not whole counts as not written."""

    def append(self, lines: Iterable[bytes]) -> None:
        """Keep the lines; they are safe when this returns."""
        ...


class Out(Protocol):
    """The part of a bus that a publisher needs."""

    async def publish_many(self, stream: str, items: Iterable[tuple[str, bytes]]) -> None:
        """See `ingest.bus.Bus`."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A source that may be told 'unchanged' by its provider: polling."""

    def forget(self) -> None:
        """Ask for the whole document next time."""
        ...


class Publisher:
    """A session and the numbers of its records. A pure core; `pump` runs it."""

    def __init__(self, session: Session, match_id: str) -> None:
        """``match_id`` is the canonical one; the session's is the provider's."""
        self.session = session
        self.match_id = match_id
        self.seq = 0
        self._timeline = Timeline()

    def resume(self, messages: Iterable[FeedMessage], published: int) -> tuple[Record, ...]:
        """Take up a journal. Returns the records that stand in it and not on the bus, where the last is ``published``.

        Raises FeedError ``journal_short`` when the bus holds more than the journal explains: its end was lost, and to
        go on would give two records one number.
        """
        records: list[Record] = []
        for message in messages:
            item = self.session.resume(message.doc)
            records += self._records((item,), message.at_ms)
        if published > self.seq:
            raise FeedError(
                "journal_short",
                f"match {self.match_id} has {published} records on the bus and {self.seq} in its journal: "
                "restore the journal, or publish the match under a new id",
            )
        return tuple(record for record in records if record.seq > published)

    def arrived(self, arrival: Arrival) -> tuple[tuple[Delivery, ...], tuple[bytes, ...], tuple[Record, ...]]:
        """What an arrival does: deliveries, lines for the journal, records for the bus."""
        deliveries = self._deliveries(arrival)
        items = [item for delivery in deliveries for item in delivery.items]
        lines = tuple(FeedMessage.make(arrival.at_ms, item.doc).line for item in items)
        return deliveries, lines, self._records(items, arrival.at_ms)

    def _deliveries(self, arrival: Arrival) -> tuple[Delivery, ...]:
        if arrival.kind is ArrivalKind.DOCUMENT:
            return (self.session.document(arrival.body, arrival.at_ms),)
        if arrival.kind is not ArrivalKind.FRAGMENTS:
            return ()
        return tuple(self.session.fragment(_object(line), arrival.at_ms) for line in arrival.body.splitlines() if line)

    def _records(self, items: Iterable[Item], at_ms: int) -> tuple[Record, ...]:
        records = []
        for item in items:
            for change in item.changes:
                if not self._timeline.apply((change,)):  # old news, which changes nothing for anyone
                    continue
                self.seq += 1
                provider = self.session.adapter.name
                records.append(Record(self.match_id, provider, self.seq, at_ms, item.raw, change))
        return tuple(records)


def doubtful(delivery: Delivery) -> bool:
    """Whether the source must not take what came for what we have (`forget`)."""
    return delivery.outcome is Outcome.BROKEN or any(problem.code in DOUBTS for problem in delivery.problems)


async def pump(source: Source, publisher: Publisher, journal: Journal, out: Out, stream: str) -> None:
    """Run a feed until its source ends: journal first, bus second. Raises what the source, journal or bus raises."""
    async for arrival in source:
        deliveries, lines, records = publisher.arrived(arrival)
        if any(map(doubtful, deliveries)) and isinstance(source, Forgetful):
            source.forget()
        if lines:
            journal.append(lines)
        if records:
            await out.publish_many(stream, [(record.match_id, encode(record)) for record in records])


def _object(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
