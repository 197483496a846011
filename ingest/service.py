"""Runs a match from its feeds to the bus: journal first, bus second, so that a crash anywhere loses nothing."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingest.bus import Message, Stream
from ingest.bus.tasks import end
from ingest.events import FeedError
from ingest.feed import FeedHeader, FeedMessage, parse_header, parse_message
from ingest.history import wire
from ingest.history.journal import Entry
from ingest.live import TICK_MS, Happened, LiveMatch, journal_short
from ingest.net.arrival import Arrival, ArrivalKind, Source
from ingest.net.fleet import Fleet
from ingest.record import Record, decode, encode

EVENTS, RAW = "events", "raw"
"""The streams: canonical records, and the raw fragments that they name."""
QUEUED = 64
HEAD = b'{"feed":'
"""How a journal begins, be it cut in its first line."""


class Lines(Protocol):
    """Where the journal's lines are kept."""

    def read(self) -> tuple[FeedHeader, list[FeedMessage]] | None:
        """What is kept; None when nothing is. A last line that is not whole was never written, and is cut off."""
        ...

    def append(self, lines: Iterable[bytes]) -> None:
        """Keep the lines; a process that dies after this returns has not lost them."""
        ...


class Out(Protocol):
    """The part of a bus (`ingest.bus.Bus`) that is needed here."""

    async def publish_many(self, stream: str, items: Iterable[tuple[str, bytes]]) -> None:
        """When it returns the messages are kept, in order; after a failure, some of the first may be."""
        ...

    def replay(self, stream: str, *, key: str | None = None) -> AsyncIterator[Message]:
        """What the stream holds of a key."""
        ...


def read_journal(data: bytes, name: str) -> tuple[FeedHeader, list[FeedMessage]] | None:
    """A journal's whole lines. Raises FeedError for what is no journal, with ``name`` and the line's number."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return None
    messages = []
    try:
        header = parse_header(lines[0])
    except FeedError as error:
        raise FeedError(error.code, f"{name}: {error}") from error
    for number, line in enumerate(lines[1:], start=2):
        try:
            messages.append(parse_message(line))
        except FeedError as error:
            raise FeedError(error.code, f"{name} line {number}: {error}") from error
    return header, messages


class FileJournal:
    """A ``feed.jsonl``. Its lines survive the process, and a power cut up to the operating system's last write."""

    def __init__(self, path: Path) -> None:
        """Raises FeedError ``journal_unwritable``, and ``journal_busy`` while another process writes it."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        try:  # two processes on one journal would give one number to two records
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise FeedError(
                "journal_busy", f"the journal {path} is being written by another process: stop that one first"
            ) from error

    def read(self) -> tuple[FeedHeader, list[FeedMessage]] | None:
        """See `Lines`. Raises FeedError for a file that is no journal, with the line's number."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if not whole and not data.startswith(HEAD[: len(data)]):
            raise FeedError("not_a_feed_file", f"{self.path} is no journal: choose another folder")
        found = read_journal(data[:whole], str(self.path))
        if whole < len(data):  # last: a file that is none of ours keeps its bytes
            os.ftruncate(self._file, whole)
        return found

    def append(self, lines: Iterable[bytes]) -> None:
        """See `Lines`. Raises FeedError ``journal_unwritable``; what is torn then is cut off by the next `read`."""
        data = memoryview(b"".join(lines))
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _unwritable(self, error: OSError) -> FeedError:
        return FeedError(
            "journal_unwritable",
            f"cannot write the journal {self.path} ({error.strerror}): make room or choose another folder",
        )


@dataclass(slots=True)
class Told:
    """What a run has done so far."""

    arrivals: int = 0
    records: int = 0
    problems: int = 0
    switches: int = 0


def streams(groups: tuple[str, ...] = ()) -> tuple[Stream, Stream]:
    """The two streams with the consumer groups that must not miss anything."""
    return Stream(EVENTS, groups=groups), Stream(RAW, groups=groups)


async def take_up(match: LiveMatch, journal: Lines, bus: Out) -> int:
    """Resume the match's journal, if there is one, and publish what the bus lacks. Returns how many records it had.

    Raises FeedError like `LiveMatch.resume`, and ``journal_short`` when the bus knows the match and no journal does.
    """
    found = journal.read()
    published: Record | None = None
    async for message in bus.replay(EVENTS, key=match.match_id):
        record = decode(message.value)
        if published is None or record.seq > published.seq:
            published = record
    seq = published.seq if published is not None else 0
    if found is not None:
        await _publish(bus, match.match_id, match.resume(*found, published))
    elif seq:
        raise journal_short(match.match_id, seq, 0)
    return seq


async def run(
    match: LiveMatch,
    sources: Mapping[str, Source],
    journal: Lines,
    bus: Out,
    now_ms: Callable[[], int],
    told: Told | None = None,
    watch: Callable[[Happened], None] | None = None,
) -> Told:
    """Until every source has ended. Raises FeedError when each of them ended in one, and what journal or bus raise."""
    told = told if told is not None else Told()
    queue: asyncio.Queue[tuple[str, Arrival | FeedError] | None] = asyncio.Queue(QUEUED)
    fleet = Fleet(dict(sources))
    reader = asyncio.create_task(_read(fleet, queue))
    failed: dict[str, FeedError] = {}

    async def keep(happened: Happened) -> None:
        if happened.lines:
            journal.append(happened.lines)
        await _publish(bus, match.match_id, happened.entries)
        told.records += sum(len(entry.records) for entry in happened.entries)
        told.problems += len(happened.problems)
        told.switches += len(happened.switches)
        if watch is not None:
            watch(happened)

    try:
        while True:
            try:
                async with asyncio.timeout(TICK_MS / 1000 if match.timed else None):
                    item = await queue.get()
            except TimeoutError:
                await keep(match.tick(now_ms()))
                continue
            if item is None:
                break
            name, arrival = item
            if isinstance(arrival, FeedError):
                failed[name] = arrival
                arrival = Arrival(now_ms(), ArrivalKind.LOST, note=arrival.code)
            else:
                told.arrivals += 1
            happened = match.arrived(name, arrival)
            if happened.doubtful:
                sources[name].forget()
            await keep(happened)
        await keep(match.ended(now_ms()))
    finally:
        await end(reader)
        await fleet.close()
    if len(failed) == len(sources):
        raise next(iter(failed.values()))
    return told


async def _read(fleet: Fleet, queue: asyncio.Queue[tuple[str, Arrival | FeedError] | None]) -> None:
    """One that is cancelled puts nothing: nobody takes from the queue any more, and it may be full."""
    async for item in fleet.arrivals():
        await queue.put(item)
    await queue.put(None)


async def _publish(bus: Out, match_id: str, entries: Iterable[Entry]) -> None:
    """Fragments first: a record on the bus names a fragment that is there."""
    entries = tuple(entries)
    raw = [(match_id, wire.encode(entry.fragment)) for entry in entries if entry.fragment is not None]
    records = [(match_id, encode(record)) for entry in entries for record in entry.records]
    if raw:
        await bus.publish_many(RAW, raw)
    if records:
        await bus.publish_many(EVENTS, records)
