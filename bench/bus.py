"""The bus: events a second through memory, Valkey and Kafka, and the delay from a provider's bytes to a consumer.

The events are those of the complete real match of the installed `kloppy` package, as many matches as are needed.
Throughput: records are encoded, published, consumed, decoded and acknowledged in one process, while the server takes
the other core. Delay: 2,000 fragments a second are parsed from bytes, go through `Session.fragment`, are published one
by one and consumed in the same process; it is the time from the bytes to the decoded record. Kafka is left out, with
the reason, where its jars are not fetched (`make test-bus` fetches them).
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import uvloop

from backend.engines.valkey import Valkey
from bench.harness import Result, percentile, result
from ingest.bus import Bus, Stream, open_bus
from ingest.bus.records import publish_records, read_record
from ingest.bus.tasks import end
from ingest.feeds import adapter, default_match_paths
from ingest.record import Record
from ingest.session import Delivery, Session
from scripts.engines import kafka

PROVIDER = "statsperform"
RATE_PER_S = 2_000
MATCHES = 20
PUBLISH = 500
"""Records in one call: what a poll of many matches brings together, and what a replay sends."""


class Feed:
    """The match's fragments as bytes, and sessions that turn them into records."""

    def __init__(self) -> None:
        self.source = adapter(PROVIDER)
        recorded = self.source.load(default_match_paths(PROVIDER))
        self.info = recorded.info
        self.fragments = [orjson.dumps(row.doc) for row in recorded.rows]

    def sessions(self) -> list[tuple[str, Session]]:
        """One session for each of the matches."""
        return [(f"match-{n}", Session(self.source, self.info.match_id, self.info)) for n in range(MATCHES)]

    def records(self) -> list[Record]:
        """All records of one match."""
        session, found = Session(self.source, self.info.match_id, self.info), []
        for at_ms, fragment in enumerate(self.fragments):
            found += _records("match-0", session.fragment(orjson.loads(fragment), at_ms), at_ms, len(found))
        return found


def _records(match_id: str, delivery: Delivery, at_ms: int, before: int) -> list[Record]:
    changes = [(item.raw, change) for item in delivery.items for change in item.changes]
    return [
        Record(match_id, PROVIDER, before + n, at_ms, raw, change) for n, (raw, change) in enumerate(changes, start=1)
    ]


def _stream(name: str, backlog: int) -> Stream:
    return Stream(name, groups=("bench",), shards=4, backlog=backlog, batch=PUBLISH, keep=10_000)


async def _throughput(bus: Bus, stream: str, feed: list[Record], count: int) -> tuple[float, float]:
    """Events a second from the first publish to the last acknowledgement, by the wall and by our own processor time.

    By the processor: on a busy machine the wall tells of other people's work.
    """
    batches = []
    for at in range(0, count, PUBLISH):
        some = [feed[n % len(feed)] for n in range(at, min(count, at + PUBLISH))]
        batches.append(
            [Record(f"match-{n % MATCHES}", r.provider, r.seq, r.at_ms, r.raw, r.change) for n, r in enumerate(some)]
        )

    async def publish() -> None:
        waiting: set[asyncio.Task[None]] = set()
        for batch in batches:
            waiting.add(asyncio.create_task(publish_records(bus, stream, batch)))
            if len(waiting) >= 4:
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*waiting)

    done = 0
    async with bus.consume(stream, "bench", "one") as subscription:
        begun, used = time.perf_counter(), time.process_time()
        publishing = asyncio.create_task(publish())
        async for messages in subscription:
            for message in messages:
                read_record(message)
            subscription.ack(messages[-1])
            done += len(messages)
            if done >= count:
                break
        await subscription.flush()
        taken, used = time.perf_counter() - begun, time.process_time() - used
        await publishing
    return count / taken, count / used


async def _delays_ms(bus: Bus, stream: str, feed: Feed, count: int) -> list[float]:
    """Milliseconds from bytes to the decoded record, each of ``count`` fragments."""
    begun: dict[tuple[str, int], float] = {}
    delays: list[float] = []

    async def consume() -> None:
        async with bus.consume(stream, "bench", "one") as subscription:
            ready.set()
            async for messages in subscription:
                for message in messages:
                    record = read_record(message)
                    delays.append((time.perf_counter() - begun[record.match_id, record.seq]) * 1e3)
                subscription.ack(messages[-1])

    ready = asyncio.Event()
    consumer = asyncio.create_task(consume())
    await ready.wait()
    sessions = feed.sessions()
    seqs = dict.fromkeys((match for match, _ in sessions), 0)
    waiting: set[asyncio.Task[None]] = set()
    start = time.perf_counter()
    for n in range(count):
        await asyncio.sleep(max(0.0, start + n / RATE_PER_S - time.perf_counter()))
        at = time.perf_counter()
        match, session = sessions[n % MATCHES]
        doc = orjson.loads(feed.fragments[n // MATCHES % len(feed.fragments)])
        records = _records(match, session.fragment(doc, n), n, seqs[match])
        seqs[match] += len(records)
        begun.update({(match, record.seq): at for record in records})
        task = asyncio.create_task(publish_records(bus, stream, records))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)
    while len(delays) < len(begun):
        await asyncio.sleep(0.01)
    await end(consumer)
    return delays


@contextmanager
def _engine(name: str) -> Iterator[str]:
    """The address of a running engine."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "memory":
            yield "memory://"
        elif name == "Valkey":
            with Valkey(Path(folder) / "data") as server:
                yield server.url
        else:
            with kafka.Kafka(Path(folder) / "data") as broker:
                yield broker.url


async def _measure(url: str, name: str, feed: Feed, quick: bool) -> list[Result]:
    runs, count, delayed = (2, 20_000, 4_000) if quick else (5, 100_000, 20_000)
    if name == "memory":
        count *= 2
    records = feed.records()
    rates, owns, p50, p99 = [], [], [], []
    streams = [_stream(f"rate-{n}", 20_000) for n in range(runs + 1)] + [
        _stream(f"delay-{n}", 20_000) for n in range(runs)
    ]
    async with open_bus(url, streams) as bus:
        await _throughput(bus, "rate-0", records, count // 2)  # not counted
        for n in range(runs):
            rate, own = await _throughput(bus, f"rate-{n + 1}", records, count)
            rates.append(rate)
            owns.append(own)
        for n in range(runs):
            delays = await _delays_ms(bus, f"delay-{n}", feed, delayed)
            p50.append(percentile(delays, 50))
            p99.append(percentile(delays, 99))
    return [
        result(f"{name}: canonical events through", "events/s", rates),
        result(f"{name}: events a second of our processor", "events/s", owns),
        result(f"{name}: bytes to consumer at {RATE_PER_S:,}/s, p50", "ms", p50),
        result(f"{name}: bytes to consumer at {RATE_PER_S:,}/s, p99", "ms", p99),
    ]


def run(quick: bool) -> list[Result]:
    """See the module."""
    feed, results = Feed(), []
    names = ["memory", "Valkey"]
    reason = kafka.missing()
    if reason:
        print(f"Kafka is left out: {reason}")
    else:
        names.append("Kafka")
    for name in names:
        with _engine(name) as url:
            results += uvloop.run(_measure(url, name, feed, quick))
    return results
