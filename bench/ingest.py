"""Feeds: a polled document unchanged and changed, and two hundred live matches by push in one process.

The rows are those of the complete real match in the kloppy package. A changed document differs from the one before it
in three rows of 1,737, as a poll a few seconds later does. The live matches are its replays: every message is decoded
from its bytes, all sessions advance together on one core, and memory is that of the whole process.

From feed to bus: the service as it runs, with its journal in a file and the bus in memory. An arrival's time is from
when its source hands it over until the bus has acknowledged its raw fragments and its records.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import orjson
import psutil

from bench.harness import Result, percentile, result, seconds
from ingest.bus import Bus
from ingest.bus.memory import Memory
from ingest.feeds import adapter, default_match_paths
from ingest.live import Feed, Happened, LiveMatch
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.service import FileJournal, streams
from ingest.service import run as serve
from ingest.session import Outcome, Session

ROOT = Path(__file__).parents[1]
STATSPERFORM = adapter("statsperform")
EVERY_S = 20  # changed documents a second
MATCHES = 200
PLAYED_S = 5_700
AT_MS = 1_700_000_000_000


def _changed(body: bytes, number: int) -> bytes:
    """The document with another place for three of its rows, a second newer."""
    axis = b'"x":' if body.lstrip()[:1] == b"{" else b' x="'
    for share in (3, 5, 7):
        at = body.index(axis, len(body) * share // 10) + len(axis)
        gap = len(body[at:]) - len(body[at:].lstrip())
        end = min(found for sign in (b",", b'"', b"\n") if (found := body.find(sign, at + gap)) > 0)
        body = body[: at + gap] + str(number % 90 + share).encode() + body[end:]
    return body.replace(b"2024-03-14T21:27:20Z", f"2024-03-14T22:{number // 60:02d}:{number % 60:02d}Z".encode())


def _polls(bodies: Sequence[bytes]) -> tuple[list[float], float]:
    """Milliseconds of each changed document after the first, and the CPU seconds of all."""
    session = Session(STATSPERFORM, "71pif9hi2vwzp6q0xzilyxst0")
    session.document(bodies[0], AT_MS)
    gc.collect()
    runs = []
    cpu = time.process_time()
    for number, body in enumerate(bodies[1:]):
        began = time.perf_counter()
        delivery = session.document(body, AT_MS + number)
        runs.append((time.perf_counter() - began) * 1e3)
        if delivery.outcome is not Outcome.CHANGED or len(delivery.items) != 3:
            raise RuntimeError(f"{len(delivery.items)} rows changed where three did")
    return runs, time.process_time() - cpu


def _polled(form: str, count: int) -> Iterator[Result]:
    path = default_match_paths()[1].with_suffix(f".{form}")
    bodies = [_changed(path.read_bytes(), number) for number in range(count + 1)]
    size = f"{form.upper()}, {len(bodies[0]) / 1e6:.1f} MB"
    runs, cpu = _polls(bodies)
    yield result(f"changed document parsed and diffed ({size})", "ms", runs)
    yield result(f"{EVERY_S} of them a second, share of a core ({form.upper()})", "%", [100 * cpu / count * EVERY_S])


def _unchanged(repeats: int) -> Result:
    session = Session(STATSPERFORM, "71pif9hi2vwzp6q0xzilyxst0")
    body = default_match_paths()[1].read_bytes()
    session.document(body, AT_MS)
    runs = seconds(lambda: session.document(body, AT_MS), repeats)
    return result("unchanged document (1.8 MB)", "ms", _ms(runs))


def _ms(runs: Sequence[float]) -> list[float]:
    return [run * 1e3 for run in runs]


def live(matches: int) -> dict[str, float]:
    """Replays pushed into so many sessions of this process: what it took."""
    replays = [STATSPERFORM.replay(default_match_paths(), seed) for seed in range(KEPT_FEEDS)]
    streams = [[message.line for message in messages] for _, messages in replays]
    header = replays[0][0]
    del replays
    sessions = [Session(STATSPERFORM, header.match_id, STATSPERFORM.info(header.info)) for _ in range(matches)]
    gc.collect()
    before_mb = psutil.Process().memory_info().rss / 1e6
    times: list[int] = []
    cpu = time.process_time()
    for number in range(max(map(len, streams))):
        for index, session in enumerate(sessions):
            stream = streams[index % KEPT_FEEDS]
            if number < len(stream):
                began = time.perf_counter_ns()
                row = orjson.loads(stream[number])
                session.fragment(row["doc"], AT_MS + row["at_ms"])
                times.append(time.perf_counter_ns() - began)
    cpu_s = time.process_time() - cpu
    gc.collect()
    rss_mb = psutil.Process().memory_info().rss / 1e6
    if any(len(session.timeline) != len(sessions[0].timeline) for session in sessions):
        raise RuntimeError("the sessions do not end alike")
    return {
        "mb": rss_mb,
        "sessions_mb": rss_mb - before_mb,
        "messages": len(times),
        "p50_us": percentile(times, 50) / 1e3,
        "p99_us": percentile(times, 99) / 1e3,
        "cpu_s": cpu_s,
    }


class _OneByOne:
    """A source that hands over the next arrival when the one before it is on the bus."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        self._arrivals = arrivals
        self._done = asyncio.Event()
        self._began = 0.0
        self.runs_ms: list[float] = []
        self.records: list[int] = []

    def watch(self, happened: Happened) -> None:
        """The bus has acknowledged what ``happened``."""
        if len(self.runs_ms) < len(self._arrivals):
            self.runs_ms.append((time.perf_counter() - self._began) * 1e3)
            self.records.append(sum(len(entry.records) for entry in happened.entries))
        self._done.set()

    def forget(self) -> None:
        """Nothing is polled."""

    async def close(self) -> None:
        """Nothing is open."""

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        for arrival in self._arrivals:
            self._done.clear()
            self._began = time.perf_counter()
            yield arrival
            await self._done.wait()


async def _to_bus(match: LiveMatch, arrivals: Sequence[Arrival]) -> list[float]:
    """Milliseconds from source to bus of each arrival that made a record."""
    source = _OneByOne(arrivals)
    with tempfile.TemporaryDirectory() as folder:
        journal = FileJournal(Path(folder) / "feed.jsonl")
        try:
            async with Bus(Memory(), streams()) as bus:
                await serve(match, {"only": source}, journal, bus, lambda: AT_MS, watch=source.watch)
        finally:
            journal.close()
    if len(source.runs_ms) != len(arrivals):
        raise RuntimeError(f"{len(source.runs_ms)} of {len(arrivals)} arrivals came to the bus")
    return [ms for ms, records in zip(source.runs_ms, source.records, strict=True) if records]


def _from_feed_to_bus(count: int, repeats: int) -> Iterator[Result]:
    """A message of a pushed match, and a changed document, from the source to the acknowledgement of the bus."""
    header, messages = STATSPERFORM.replay(default_match_paths(), 1)
    pushed = [Arrival(AT_MS + m.at_ms, ArrivalKind.FRAGMENTS, orjson.dumps(m.doc) + b"\n") for m in messages]
    body = default_match_paths()[1].read_bytes()
    polled = [Arrival(AT_MS + n, ArrivalKind.DOCUMENT, _changed(body, n)) for n in range(count + 1)]
    for name, arrivals, raw_info, first in (
        ("a pushed message", pushed, header.info, 0),
        ("a changed MA3 document (JSON)", polled, None, 1),  # the first one is the whole match
    ):
        runs = []
        for _ in range(repeats):
            match = LiveMatch("bench", [Feed("only", STATSPERFORM, header.match_id, raw_info)])
            gc.collect()
            runs.append(asyncio.run(_to_bus(match, arrivals))[first:])
        for share in (50, 99):
            values = [percentile(one, share) for one in runs]
            yield result(f"{name} to its event on the bus, p{share}", "ms", values)


KEPT_FEEDS = 8
"""So many different replays, each pushed into every eighth session: the feeds' own bytes are not to be measured."""


def _live(matches: int) -> dict[str, float]:
    """`live` in a process of its own, whose memory is nobody else's."""
    code = f"import json; from bench.ingest import live; print(json.dumps(live({matches})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(quick: bool = False) -> list[Result]:
    """Fifty changed documents of each form, three matches from feed to bus and three runs of 200 matches (quick: ten,
    one, and 40 matches once)."""
    count, matches, repeats = (10, 40, 1) if quick else (50, MATCHES, 3)
    body = default_match_paths()[1].read_bytes()
    results = [
        result(
            "json.loads of the same document, for scale",
            "ms",
            [s * 1e3 for s in seconds(lambda: json.loads(body), count)],
        ),
        _unchanged(5 * count),
        *_polled("json", count),
        *_polled("xml", count),
        *_from_feed_to_bus(count, 1 if quick else 3),
    ]
    runs = [_live(matches) for _ in range(repeats)]
    name = f"{matches} live matches by push"
    return [
        *results,
        result(f"{name}: memory of the process", "MB", [one["mb"] for one in runs]),
        result(f"{name}: memory of the sessions", "MB", [one["sessions_mb"] for one in runs]),
        result(f"{name}: messages", "messages", [one["messages"] for one in runs]),
        result(f"{name}: a message, p50", "us", [one["p50_us"] for one in runs]),
        result(f"{name}: a message, p99", "us", [one["p99_us"] for one in runs]),
        result(f"{name}: share of a core", "%", [100 * one["cpu_s"] / PLAYED_S for one in runs]),
    ]
