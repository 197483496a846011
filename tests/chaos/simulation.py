"""A day of matches in virtual time, and what must be true at its end."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.bus import Bus, Stream
from ingest.feeds import ADAPTERS, Recorded
from ingest.service import EVENTS, RAW
from ingest.twin.faults import Fault, Faults
from ingest.twin.script import unversioned
from tests.chaos.accounting import unaccounted
from tests.chaos.consumer import GROUP, Store, consume
from tests.chaos.loop import run
from tests.chaos.match import Fixture, Match
from tests.chaos.process import Crashes, End, Engine, Kernel

SPREAD_MS = 60 * 60_000
LEASE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Rules:
    """How a day is played. ``crash`` is the probability of a death at each point where a process may die."""

    faults: Faults
    matches: int = 10
    poll_ms: int = 20_000
    crash: float = 0.001
    consumers: int = 2
    publisher_life_s: float = 3_600.0
    consumer_life_s: float = 1_200.0


@dataclass(frozen=True, slots=True)
class Day:
    """What a day came to. ``wrong`` holds a sentence for everything that is not as it must be."""

    seed: int
    matches: int
    faults: Counter[Fault]
    crashes: Counter[str]
    counted: Counter[str]
    records: int
    events: int
    dropped: int
    requests: int
    wrong: tuple[str, ...]
    digest: str


class _Log(logging.Handler):
    """Everything that anyone logs, at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it as it would be written."""
        self.lines.append(self.format(record))


def play(recordings: Sequence[Recorded], rules: Rules, seed: int) -> Day:
    """One day. Deterministic in its arguments."""
    log = _Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        return run(_day(recordings, rules, seed, log))
    finally:
        root.removeHandler(log)
        root.setLevel(level)


async def _day(recordings: Sequence[Recorded], rules: Rules, seed: int, log: _Log) -> Day:
    rng = random.Random(f"day {seed}")
    loop = asyncio.get_running_loop()
    kernel = Kernel()

    def now_ms() -> int:
        return round(loop.time() * 1000)

    matches: list[Match] = []

    def calm() -> bool:
        return bool(matches) and all(match.calm() for match in matches)

    consuming = Crashes(random.Random(f"consumers {seed}"), rules.crash, calm)
    publishing: list[Crashes] = []
    for number, fixture in enumerate(_fixtures(recordings, rules, rng)):
        crashes = Crashes(random.Random(f"publisher {seed} {number}"), rules.crash, lambda n=number: matches[n].calm())
        publishing.append(crashes)
        matches.append(Match(fixture, rules.faults, rules.poll_ms, now_ms, crashes))
    engine = Engine(LEASE_MS, now_ms)
    streams = (Stream(EVENTS, groups=(GROUP,), keep=10_000_000), Stream(RAW, keep=1_000))
    store = Store()
    async with Bus(engine, streams, now_ms=now_ms) as watch:
        consumers = [
            asyncio.create_task(_keep_consuming(kernel, engine, streams, store, consuming, rules, seed, n))
            for n in range(rules.consumers)
        ]
        await asyncio.gather(
            *(
                _keep_publishing(kernel, engine, streams, match, crashes, rules)
                for match, crashes in zip(matches, publishing, strict=True)
            )
        )
        async with asyncio.timeout(600):
            while any(any(lags) for lags in (await watch.lag(EVENTS)).values()):
                for task in consumers:
                    if task.done():
                        task.result()  # raises: a consumer's process ends only with an error
                await asyncio.sleep(1)
        for task in consumers:
            task.cancel()
        await asyncio.gather(*consumers, return_exceptions=True)
        letters = await watch.dead_letters(EVENTS, GROUP)
    wrong = [f"{len(letters)} dead letters: {letters[0].reason}"] if letters else []
    for match in matches:
        wrong += _compared(match, store)
        wrong += [f"{match.fixture.key}: {text}" for text in unaccounted(match)]
        wrong += _leaks(match, log)
    crashes_total: Counter[str] = sum((c.counts for c in (consuming, *publishing)), Counter())
    counted: Counter[str] = Counter()
    for match in matches:
        counted.update(match.accounts.network + match.accounts.session + match.accounts.arrivals)
        counted["stale"] += match.accounts.stale
    return Day(
        seed,
        len(matches),
        sum((match.ledger.counts() for match in matches), Counter()),
        crashes_total,
        counted,
        sum(map(len, store.records.values())),
        sum(len(match.script.truth()) for match in matches),
        store.dropped,
        sum(match.twin.requests for match in matches),
        tuple(wrong),
        _digest(matches, store),
    )


def _fixtures(recordings: Sequence[Recorded], rules: Rules, rng: random.Random) -> list[Fixture]:
    """Matches of the day: the recordings in turn, from one that the seed picks; half of what is versioned is pushed."""
    first = rng.randrange(len(recordings))
    fixtures: list[Fixture] = []
    pushed = polled = 0
    for number in range(rules.matches):
        recorded = recordings[(first + number) % len(recordings)]
        versioned = ADAPTERS[recorded.info.provider].versioned
        push = versioned and pushed <= polled
        pushed, polled = pushed + push, polled + (versioned and not push)
        kickoff_ms = rng.randrange(SPREAD_MS)
        key = f"{number:02d}-{recorded.info.provider}"
        fixtures.append(Fixture(key, recorded, push, kickoff_ms, rng.getrandbits(48)))
    return fixtures


async def _keep_publishing(
    kernel: Kernel, engine: Engine, streams: Sequence[Stream], match: Match, crashes: Crashes, rules: Rules
) -> None:
    """The supervisor of one match: start its process again whenever it dies."""
    await asyncio.sleep(match.fixture.kickoff_ms / 1000)
    while True:

        async def body() -> None:
            bus = Bus(engine, streams)
            await bus.__aenter__()
            await match.run(bus)
            await bus.close()

        end = await kernel.run(body, crashes.life_s(rules.publisher_life_s))
        if end is End.DONE:
            return
        crashes.counts["publisher killed from outside"] += end is End.KILLED
        await asyncio.sleep(1)


async def _keep_consuming(
    kernel: Kernel,
    engine: Engine,
    streams: Sequence[Stream],
    store: Store,
    crashes: Crashes,
    rules: Rules,
    seed: int,
    number: int,
) -> None:
    """The supervisor of one consumer. Each life has a name of its own, so that leases are told apart."""
    rng = random.Random(f"consumer {seed} {number}")
    life = 0
    while True:
        life += 1

        async def body(name: str = f"consumer-{number}-{life:05d}") -> None:
            bus = Bus(engine, streams)
            await bus.__aenter__()
            await consume(bus, name, store, crashes, rng)

        end = await kernel.run(body, crashes.life_s(rules.consumer_life_s))
        crashes.counts["consumer killed from outside"] += end is End.KILLED
        await asyncio.sleep(rng.uniform(0, 5))


def _compared(match: Match, store: Store) -> list[str]:
    """Sentences about what the consumers hold otherwise than the provider meant, and about the order of records."""
    key, truth = match.fixture.key, match.script.truth()
    held = unversioned(store.timeline(key).events())
    wrong = []
    if held != truth:
        lost, extra = set(truth) - set(held), set(held) - set(truth)
        one = sorted(event.event_id for event in lost | extra)[0] if lost | extra else "the order"
        wrong.append(f"{key}: {len(lost)} of {len(truth)} events lost or different, {len(extra)} too many, as {one}")
    records = store.records.get(key, [])
    if any(record.raw not in match.fragments for record in records):
        wrong.append(f"{key}: a record names a raw fragment that is not on the bus")
    seqs = [record.seq for record in records]
    if seqs != list(range(1, len(seqs) + 1)):
        wrong.append(f"{key}: the numbers of its records have holes or run back")
    if match.twin.refused:
        wrong.append(f"{key}: {match.twin.refused} requests without credentials")
    return wrong


def _leaks(match: Match, log: _Log) -> list[str]:
    return [f"a secret of {match.fixture.key} is in the log: {line[:80]}" for line in log.lines if match.secret in line]


def _digest(matches: Sequence[Match], store: Store) -> str:
    """Over everything injected and everything that came of it."""
    digest = hashlib.sha256()
    for match in matches:
        digest.update(repr(match.ledger.entries).encode())
        digest.update(repr(store.records.get(match.fixture.key)).encode())
    return digest.hexdigest()
