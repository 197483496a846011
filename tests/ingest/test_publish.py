"""The publisher: what a crash leaves is finished by the next start, under the same numbers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.feed import FeedMessage, parse_message
from ingest.feeds import ADAPTERS, Recorded
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.publish import Publisher, pump
from ingest.record import Record, decode
from ingest.session import Session
from ingest.timeline import Timeline

AT_MS = 1_631_385_000_000


def publisher_of(recorded: Recorded) -> Publisher:
    info = recorded.info
    return Publisher(Session(ADAPTERS[info.provider], info.match_id, info), "canonical-7")


def document(recorded: Recorded, count: int, at_ms: int) -> Arrival:
    rows = [row.doc for row in recorded.rows if row.withdrawn is None][:count]
    body = orjson.dumps({"matchInfo": recorded.raw_info, "liveData": {"event": rows}})
    return Arrival(at_ms, ArrivalKind.DOCUMENT, body)


class Feed:
    """A source of given arrivals."""

    def __init__(self, arrivals: Iterable[Arrival]) -> None:
        self.arrivals = list(arrivals)
        self.forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1

    async def close(self) -> None:
        return None

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        for arrival in self.arrivals:
            yield arrival


class Kept:
    """A journal and a bus that tell in which order they were written to."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.records: list[Record] = []
        self.order: list[str] = []

    def append(self, lines: Iterable[bytes]) -> None:
        self.lines += lines
        self.order.append("journal")

    async def publish_many(self, stream: str, items: Iterable[tuple[str, bytes]]) -> None:
        self.records += [decode(value) for _, value in items]
        self.order.append(stream)


async def test_a_feed_goes_to_the_journal_first_and_to_the_bus_second(hsv: Recorded) -> None:
    kept = Kept()
    publisher = publisher_of(hsv)
    feed = Feed([document(hsv, 40, AT_MS), Arrival(AT_MS + 1, ArrivalKind.UNCHANGED), document(hsv, 45, AT_MS + 2)])
    await pump(feed, publisher, kept, kept, "events")
    assert kept.order == ["journal", "events"] * 2
    assert [record.seq for record in kept.records] == list(range(1, publisher.seq + 1))
    assert {record.match_id for record in kept.records} == {"canonical-7"}
    timeline = Timeline()
    timeline.apply(record.change for record in kept.records)
    assert timeline.events() == publisher.session.timeline.events()
    assert feed.forgotten == 0


async def test_after_half_a_document_the_source_is_told_to_forget_what_it_has(hsv: Recorded) -> None:
    whole = document(hsv, 60, AT_MS)
    for broken in (Arrival(AT_MS + 1, ArrivalKind.DOCUMENT, whole.body[:-90]), document(hsv, 20, AT_MS + 1)):
        feed = Feed([whole, broken])
        await pump(feed, publisher_of(hsv), Kept(), Kept(), "events")
        assert feed.forgotten == 1


def test_a_pushed_line_that_is_no_event_is_counted_and_costs_no_other(hsv: Recorded) -> None:
    publisher = publisher_of(hsv)
    row = orjson.dumps(hsv.rows[20].doc)
    deliveries, lines, records = publisher.arrived(Arrival(AT_MS, ArrivalKind.FRAGMENTS, b"{half\n" + row + b"\n"))
    assert [len(delivery.problems) for delivery in deliveries] == [1, 0]
    assert (len(lines), len(records)) == (1, 1)


def test_what_changes_nothing_gets_no_number(hsv: Recorded) -> None:
    publisher = publisher_of(hsv)
    row = orjson.dumps(hsv.rows[20].doc) + b"\n"
    older = orjson.dumps(ADAPTERS["statsperform"].stamp(hsv.rows[20].doc, 1)) + b"\n"
    _, lines, records = publisher.arrived(Arrival(AT_MS, ArrivalKind.FRAGMENTS, row + older + row))
    assert [record.seq for record in records] == [1]
    assert len(lines) >= 2  # history keeps what came all the same


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_wherever_it_dies_the_next_start_publishes_the_rest_under_the_same_numbers(hsv: Recorded, seed: int) -> None:
    rng = random.Random(seed)
    straight, lines, records = publisher_of(hsv), list[bytes](), list[Record]()
    for number, count in enumerate((30, 25, 31, 29, 60)):
        _, new_lines, new_records = straight.arrived(document(hsv, count, AT_MS + number))
        lines += new_lines
        records += new_records
    kept = rng.randrange(len(lines) + 1)
    journal = [parse_message(line) for line in lines[:kept]]
    resumed = publisher_of(hsv)
    explained = resumed.resume(journal, 0)
    assert list(explained) == records[: len(explained)]
    published = rng.randrange(len(explained) + 1)
    assert publisher_of(hsv).resume(journal, published) == explained[published:]
    _, _, rest = resumed.arrived(document(hsv, 60, AT_MS + 9))
    timeline = Timeline()
    timeline.apply(record.change for record in (*explained, *rest))
    assert [record.seq for record in (*explained, *rest)] == list(range(1, len(explained) + len(rest) + 1))
    whole = publisher_of(hsv)
    whole.arrived(document(hsv, 60, AT_MS))
    assert {e.event_id for e in timeline.events()} == {e.event_id for e in whole.session.timeline.events()}


def test_a_journal_shorter_than_the_bus_is_refused(hsv: Recorded) -> None:
    with pytest.raises(FeedError) as caught:
        publisher_of(hsv).resume([FeedMessage.make(AT_MS, hsv.rows[20].doc)], 2)
    assert caught.value.code == "journal_short"
