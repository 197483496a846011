"""Runs a match from its feeds to the bus: journal first, bus second, so that a crash anywhere loses nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingest.bus import Bus, Stream
from ingest.bus.tasks import end
from ingest.events import FeedError
from ingest.feed import FeedHeader, FeedMessage, parse_header, parse_message
from ingest.history import wire
from ingest.history.journal import Entry
from ingest.live import TICK_MS, Happened, LiveMatch
from ingest.net.arrival import Arrival, Source
from ingest.net.fleet import Fleet
from ingest.record import decode, encode

EVENTS, RAW = "events", "raw"
"""The streams: canonical records, and the raw fragments that they name."""
QUEUED = 64


class Lines(Protocol):
    """Where the journal's lines are kept."""

    def append(self, lines: Iterable[bytes]) -> None:
        """Keep the lines; a process that dies after this returns has not lost them."""
        ...


class FileJournal:
    """A ``feed.jsonl``. Its lines survive the process, and a power cut up to the operating system's last write."""

    def __init__(self, path: Path) -> None:
        """Raises FeedError ``journal_unwritable``."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise FeedError(
                "journal_unwritable", f"cannot write the journal {path} ({error.strerror}): choose another folder"
            ) from error

    def read(self) -> tuple[FeedHeader, list[FeedMessage]] | None:
        """What is in it; None when it is new. A last line that is not whole was never written, and is cut off.

        Raises FeedError for a file that is no journal, with the line's number.
        """
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._file, whole)
        lines = data[:whole].splitlines(keepends=True)
        if not lines:
            return None
        messages = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                messages.append(parse_message(line))
            except FeedError as error:
                raise FeedError(error.code, f"{self.path} line {number}: {error}") from error
        return parse_header(lines[0]), messages

    def append(self, lines: Iterable[bytes]) -> None:
        """See `Lines`."""
        data = memoryview(b"".join(lines))
        while data:
            data = data[os.write(self._file, data) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


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


async def take_up(match: LiveMatch, journal: FileJournal, bus: Bus) -> int:
    """Resume the match's journal, if there is one, and publish what the bus lacks. Returns how many records it had."""
    found = journal.read()
    if found is None:
        return 0
    published = 0
    async for message in bus.replay(EVENTS, key=match.match_id):
        published = max(published, decode(message.value).seq)
    await _publish(bus, match.match_id, match.resume(*found, published))
    return published


async def run(
    match: LiveMatch,
    sources: Mapping[str, Source],
    journal: Lines,
    bus: Bus,
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
    try:
        while True:
            try:
                async with asyncio.timeout(TICK_MS / 1000):
                    item = await queue.get()
            except TimeoutError:
                happened = match.tick(now_ms())
            else:
                if item is None:
                    break
                name, arrival = item
                if isinstance(arrival, FeedError):
                    failed[name] = arrival
                    continue
                told.arrivals += 1
                happened = match.arrived(name, arrival)
                forget = getattr(sources[name], "forget", None)
                if happened.doubtful and forget is not None:
                    forget()
            if happened.lines:
                journal.append(happened.lines)
            await _publish(bus, match.match_id, happened.entries)
            told.records += sum(len(entry.records) for entry in happened.entries)
            told.problems += len(happened.problems)
            told.switches += len(happened.switches)
            if watch is not None:
                watch(happened)
        reader.result()
    finally:
        await end(reader)
        await fleet.close()
    if len(failed) == len(sources):
        raise next(iter(failed.values()))
    return told


async def _read(fleet: Fleet, queue: asyncio.Queue[tuple[str, Arrival | FeedError] | None]) -> None:
    try:
        async for item in fleet.arrivals():
            await queue.put(item)
    finally:
        await queue.put(None)


async def _publish(bus: Bus, match_id: str, entries: Iterable[Entry]) -> None:
    """Fragments first: a record on the bus names a fragment that is there."""
    entries = tuple(entries)
    raw = [(match_id, wire.encode(entry.fragment)) for entry in entries if entry.fragment is not None]
    records = [(match_id, encode(record)) for entry in entries for record in entry.records]
    if raw:
        await bus.publish_many(RAW, raw)
    if records:
        await bus.publish_many(EVENTS, records)
