"""The service: journal first, bus second, and what a file, a source or a bus can do to it."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import orjson
import pytest

from ingest.bus import Bus, Message
from ingest.bus.memory import Memory
from ingest.bus.model import MAX_VALUE_BYTES
from ingest.bus.opening import open_bus
from ingest.events import FeedError
from ingest.feed import FeedHeader, read_feed
from ingest.feeds import ADAPTERS, Recorded
from ingest.history import wire
from ingest.live import Feed, Happened, LiveMatch
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.record import Record, decode, encode
from ingest.service import EVENTS, RAW, FileJournal, Told, run, streams, take_up
from ingest.timeline import Timeline
from tests.ingest import virtualtime
from tests.ingest.fusion_world import PRIMARY, SIBLING, Outage, Sibling, World, load, world
from tests.ingest.live_world import MATCH_ID, Life, arrivals, live, ticked

AT_MS = 1_631_385_000_000


class Given:
    """A source of given arrivals, each at its time where there is a clock, that may end in an error."""

    def __init__(
        self, rows: Iterable[Arrival], error: FeedError | None = None, now_ms: Callable[[], int] | None = None
    ) -> None:
        self.rows, self.error, self.now_ms = list(rows), error, now_ms
        self.forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1

    async def close(self) -> None:
        return None

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        for arrival in self.rows:
            if self.now_ms is not None:
                await asyncio.sleep((arrival.at_ms - self.now_ms()) / 1000)
            yield arrival
        if self.error is not None:
            raise self.error


class Failing:
    """A bus that dies with a message of a stream in hand."""

    def __init__(self, bus: Bus, stream: str, after: int) -> None:
        self.bus, self.stream, self.left = bus, stream, after

    async def publish_many(self, stream: str, items: Iterable[tuple[str, bytes]]) -> None:
        rows = list(items)
        if stream == self.stream and len(rows) > self.left:
            await self.bus.publish_many(stream, rows[: self.left])
            raise FeedError("bus_down", "the test says so")
        self.left -= len(rows) * (stream == self.stream)
        await self.bus.publish_many(stream, rows)

    def replay(self, stream: str, *, key: str | None = None) -> AsyncIterator[Message]:
        return self.bus.replay(stream, key=key)


def single(recorded: Recorded) -> LiveMatch:
    return LiveMatch(MATCH_ID, [Feed("only", ADAPTERS["statsperform"], recorded.info.match_id)])


def documents(recorded: Recorded, *counts: int) -> list[Arrival]:
    rows = [row.doc for row in recorded.rows if row.withdrawn is None]
    bodies = [orjson.dumps({"matchInfo": recorded.raw_info, "liveData": {"event": rows[:count]}}) for count in counts]
    return [Arrival(AT_MS + n, ArrivalKind.DOCUMENT, body) for n, body in enumerate(bodies)]


def memory() -> Bus:
    return Bus(Memory(), streams())


async def records_of(bus: Bus) -> list[Record]:
    return [decode(message.value) async for message in bus.replay(EVENTS, key=MATCH_ID)]


async def fragments_of(bus: Bus) -> set[str]:
    return {wire.decode(message.value).raw async for message in bus.replay(RAW, key=MATCH_ID)}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FileJournal]:
    kept = FileJournal(tmp_path / "matches" / "feed.jsonl")
    yield kept
    kept.close()


async def test_a_feed_goes_to_the_journal_first_and_to_the_bus_second(hsv: Recorded, journal: FileJournal) -> None:
    sizes: list[int] = []

    class Watching(Failing):
        async def publish_many(self, stream: str, items: Iterable[tuple[str, bytes]]) -> None:
            sizes.append(journal.path.stat().st_size)
            await super().publish_many(stream, items)

    async with memory() as bus:
        match, seen, told = single(hsv), list[Happened](), Told()
        out = Watching(bus, "", 0)
        source = Given([*documents(hsv, 40), Arrival(AT_MS, ArrivalKind.UNCHANGED), *documents(hsv, 45)])
        assert await run(match, {"only": source}, journal, out, lambda: AT_MS, told, seen.append) is told
        records = await records_of(bus)
        assert {record.raw for record in records} <= await fragments_of(bus)
    assert sizes[0] == sizes[1] < sizes[2] == sizes[3]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert (told.arrivals, told.records, told.problems) == (3, len(records), 0)
    assert sum(len(entry.records) for done in seen for entry in done.entries) == len(records)
    assert len(read_feed(journal.path)[1]) == 45
    assert source.forgotten == 0


async def test_after_half_a_document_the_source_is_told_to_forget_what_it_has(
    hsv: Recorded, journal: FileJournal
) -> None:
    async with memory() as bus:
        source = Given(documents(hsv, 60, 20))
        told = await run(single(hsv), {"only": source}, journal, bus, lambda: AT_MS)
    assert (source.forgotten, told.problems) == (1, 1)


@pytest.mark.parametrize("stream", [RAW, EVENTS])
@pytest.mark.parametrize("after", [0, 17, 70])
async def test_what_a_death_on_the_way_to_the_bus_left_is_published_by_the_next_start_and_nothing_twice(
    hsv: Recorded, tmp_path: Path, stream: str, after: int
) -> None:
    async with memory() as bus, memory() as other:
        dying = FileJournal(tmp_path / "feed.jsonl")
        with pytest.raises(FeedError, match="the test says so"):
            await run(single(hsv), {"only": Given(documents(hsv, 60, 90))}, dying, Failing(bus, stream, after), int)
        dying.close()
        again, match = FileJournal(tmp_path / "feed.jsonl"), single(hsv)
        before = len(await records_of(bus))
        assert await take_up(match, again, bus) == before
        await run(match, {"only": Given(documents(hsv, 60, 90))}, again, bus, int)
        again.close()
        records = await records_of(bus)
        whole = FileJournal(tmp_path / "whole.jsonl")
        await run(single(hsv), {"only": Given(documents(hsv, 60, 90))}, whole, other, int)
        whole.close()
        straight = await records_of(other)
        assert {record.raw for record in records} <= await fragments_of(bus)
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert [record.change for record in records] == [record.change for record in straight]


async def test_a_new_match_takes_up_nothing_and_a_lost_journal_is_not_begun_anew(
    hsv: Recorded, tmp_path: Path, journal: FileJournal
) -> None:
    async with memory() as bus:
        assert await take_up(single(hsv), journal, bus) == 0
        await run(single(hsv), {"only": Given(documents(hsv, 60))}, journal, bus, lambda: AT_MS)
        empty = FileJournal(tmp_path / "other.jsonl")
        with pytest.raises(FeedError) as caught:
            await take_up(single(hsv), empty, bus)
        empty.close()
    assert caught.value.code == "journal_short"


# Several feeds


@pytest.fixture(scope="module")
def w() -> World:
    return world(load("statsperform"), 3, Sibling())


def follow(w: World, tmp_path: Path, errors: dict[str, FeedError], end_ms: int = 120_000) -> tuple[Told, list[Record]]:
    """Both feeds in virtual time up to ``end_ms``; those with an error end in it after 90 s."""

    async def main() -> tuple[Told, list[Record]]:
        shift_ms = virtualtime.now_ms() - w.start_unix_ms

        def now_ms() -> int:
            return virtualtime.now_ms() - shift_ms

        rows = arrivals(w, end_ms)
        early = w.start_unix_ms + 90_000
        sources = {
            name: Given(
                [row for of, row in rows if of == name and (name not in errors or row.at_ms < early)],
                errors.get(name),
                now_ms,
            )
            for name in (PRIMARY, SIBLING)
        }
        journal = FileJournal(tmp_path / "feed.jsonl")
        async with Bus(Memory(now_ms=now_ms), streams(), now_ms=now_ms) as bus:
            try:
                told = await run(live(w), sources, journal, bus, now_ms)
            finally:
                journal.close()
            return told, await records_of(bus)

    return virtualtime.run(main())


def test_one_feed_that_fails_leaves_the_other(w: World, tmp_path: Path) -> None:
    told, records = follow(w, tmp_path, {PRIMARY: FeedError("refused", "the credentials of the primary are refused")})
    assert told.switches == 1
    assert records[-1].at_ms > w.start_unix_ms + 110_000
    timeline = Timeline()
    timeline.apply(record.change for record in records)
    assert {event.event_id.split(":")[0] for event in timeline.events()} == {PRIMARY, SIBLING}


def test_when_every_feed_has_failed_the_first_error_is_raised_and_nothing_is_lost(w: World, tmp_path: Path) -> None:
    errors = {PRIMARY: FeedError("refused", "the first"), SIBLING: FeedError("gone", "the second")}
    with pytest.raises(FeedError) as caught:
        follow(w, tmp_path, errors)
    assert caught.value.code == "refused"
    assert len(read_feed(tmp_path / "feed.jsonl")[1]) > 150


def test_in_real_order_of_things_the_service_gives_what_the_core_gives(w: World, tmp_path: Path) -> None:
    _, records = follow(w, tmp_path, {}, end_ms=100_000)
    core = Life(live(w)).follow(ticked(arrivals(w, 100_000)))
    assert [encode(record) for record in records] == core.bytes


async def test_a_row_too_large_for_the_bus_is_told_and_stops_nothing(hsv: Recorded, journal: FileJournal) -> None:
    rows = [row.doc for row in hsv.rows[:3]]
    huge = {**rows[1], "qualifier": [{"id": 1, "qualifierId": 1, "value": "x" * MAX_VALUE_BYTES}]}
    body = orjson.dumps({"matchInfo": hsv.raw_info, "liveData": {"event": [rows[0], huge, rows[2]]}})
    came = [Arrival(AT_MS, ArrivalKind.DOCUMENT, body), Arrival(AT_MS, ArrivalKind.FRAGMENTS, orjson.dumps(huge))]
    async with memory() as bus:
        told = await run(single(hsv), {"only": Given(came)}, journal, bus, lambda: AT_MS)
        assert len(await fragments_of(bus)) == 2
    assert told.problems == 2


async def test_a_match_that_is_over_before_its_standby_told_who_plays_is_kept(
    hsv: Recorded, journal: FileJournal
) -> None:
    match_id = hsv.info.match_id
    match = LiveMatch(MATCH_ID, [Feed(name, ADAPTERS["statsperform"], match_id) for name in ("a", "b")])
    async with memory() as bus:
        told = await run(match, {"a": Given(documents(hsv, 60)), "b": Given([])}, journal, bus, lambda: AT_MS)
        assert len(await records_of(bus)) == told.records > 50
    assert len(read_feed(journal.path)[1]) == 60


async def test_a_source_faster_than_a_bus_that_fails_does_not_hang_the_end(hsv: Recorded, journal: FileJournal) -> None:
    beats = [Arrival(AT_MS + n, ArrivalKind.HEARTBEAT) for n in range(1_000)]
    async with memory() as bus, asyncio.timeout(5):
        with pytest.raises(FeedError, match="the test says so"):
            await run(
                single(hsv),
                {"only": Given([*documents(hsv, 60), *beats])},
                journal,
                Failing(bus, RAW, 0),
                lambda: AT_MS,
            )


# The journal's file


def test_half_a_last_line_was_never_written(tmp_path: Path) -> None:
    path, header = tmp_path / "feed.jsonl", FeedHeader.make("statsperform", "m", 0, 0, {}).line
    line = b'{"at_ms":1,"doc":{"id":1}}\n'
    for torn, whole in ((b"", b""), (header[:9], b""), (header + line + line[:-1], header + line)):
        path.write_bytes(torn)
        journal = FileJournal(path)
        found = journal.read()
        assert (found is None) == (whole == b"")
        assert path.read_bytes() == whole
        journal.append([line])
        journal.close()
        assert path.read_bytes() == whole + line


@pytest.mark.parametrize("data", [b"somebody's notes", b"a line\nand half a", b'{"feed":"futstar/1"}\n\xff\nhalf'])
def test_a_file_that_is_no_journal_keeps_its_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(data)
    journal = FileJournal(path)
    with pytest.raises(FeedError):
        journal.read()
    journal.close()
    assert path.read_bytes() == data


@pytest.mark.parametrize(("data", "where"), [(b"{}\n", "first line"), (b"HEADER{}\n", "line 2")])
def test_a_file_that_is_no_journal_is_refused_with_its_line(tmp_path: Path, data: bytes, where: str) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(data.replace(b"HEADER", FeedHeader.make("statsperform", "m", 0, 0, {}).line))
    journal = FileJournal(path)
    with pytest.raises(FeedError, match=f"feed.jsonl.*{where}"):
        journal.read()
    journal.close()


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    first = FileJournal(tmp_path / "feed.jsonl")
    with pytest.raises(FeedError) as caught:
        FileJournal(tmp_path / "feed.jsonl")
    assert caught.value.code == "journal_busy"
    first.close()
    FileJournal(tmp_path / "feed.jsonl").close()


def test_a_folder_or_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FeedError) as caught:
        FileJournal(tmp_path / "file" / "feed.jsonl")
    assert caught.value.code == "journal_unwritable"
    full = FileJournal(tmp_path / "feed.jsonl")
    os.close(full._file)
    full._file = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(FeedError, match="No space left") as caught:
        full.append([b"line\n"])
    assert caught.value.code == "journal_unwritable"
    full.close()


# A real server


async def test_on_valkey_a_killed_match_goes_on_without_a_hole_or_a_double(w: World, tmp_path: Path) -> None:
    valkey = pytest.importorskip("backend.engines.valkey")
    rows = arrivals(w, 200_000, [Outage(PRIMARY, 120_000, 130_000)])
    straight = Life(live(w)).follow(rows)
    at = random.Random(4).randrange(len(rows) // 2, len(rows))
    # A socket's path must be short, which the test's own folder need not be.
    with tempfile.TemporaryDirectory(prefix="vk") as folder, valkey.Valkey(Path(folder) / "data") as server:
        for part in (rows[:at], rows):
            async with open_bus(server.url, streams()) as bus:
                match, journal = live(w), FileJournal(tmp_path / "feed.jsonl")
                before = await take_up(match, journal, bus)
                assert (before > 0) == (part is rows)
                rest = part[at:] if part is rows else part
                for name, arrival in rest:  # one by one: two sources would be merged in no certain order
                    await run(match, {name: Given([arrival])}, journal, bus, lambda at_ms=arrival.at_ms: at_ms)
                journal.close()
        async with open_bus(server.url, streams()) as bus:
            records = await records_of(bus)
            assert {r.raw for r in records if r.raw != "0" * 64} <= await fragments_of(bus)
    assert [encode(record) for record in records] == straight.bytes
