"""One match of the simulation: a twin that goes wrong, the real client and service, and the accounts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from ingest.bus import Bus
from ingest.feeds import ADAPTERS, Recorded
from ingest.live import Feed, LiveMatch
from ingest.net.arrival import Arrival
from ingest.net.network import Network
from ingest.net.plan import Address, BudgetSpec, Cadence, Endpoint, FeedPlan, Phase, Push, Span, Transport
from ingest.net.poll import PollSource
from ingest.net.push import Message, PushSource
from ingest.net.secret import Secret
from ingest.service import run, take_up
from ingest.twin.core import Twin
from ingest.twin.faults import Faults, Ledger
from ingest.twin.script import write
from ingest.twin.stream import BEAT_MS
from ingest.twin.transport import TwinTransport
from tests.chaos.process import Crashes, Disk, Out

SETTLE_MS = 8 * 60_000
"""After the last change the twin is calm for so long, in which the feed must come right by itself."""
AUDIT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Fixture:
    """A recorded match that is played on a simulated day. ``key`` is its canonical id, ``kickoff_ms`` on that day."""

    key: str
    recorded: Recorded
    push: bool
    kickoff_ms: int
    seed: int


@dataclass(slots=True)
class Accounts:
    """What the processes of one match counted in all their lives."""

    network: Counter[str] = field(default_factory=Counter)
    session: Counter[str] = field(default_factory=Counter)
    arrivals: Counter[str] = field(default_factory=Counter)
    stale: int = 0
    lives: int = 0


class Match:
    """A fixture under way. ``run`` is the body of its publisher process; it is started again after each death."""

    def __init__(
        self, fixture: Fixture, faults: Faults, poll_ms: int, now_ms: Callable[[], int], crashes: Crashes
    ) -> None:
        """``now_ms`` is the day's clock: ms since its beginning."""
        self.fixture = fixture
        self.ledger = Ledger()
        adapter = ADAPTERS[fixture.recorded.info.provider]
        self.script = write(adapter, fixture.recorded, faults, fixture.seed, self.ledger)
        self.secret = f"key-{random.Random(fixture.seed).getrandbits(64):016x}"
        calm_ms = self.script.end_ms
        self.twin = Twin(self.script, faults, fixture.seed, self.ledger, self.secret, calm_ms)
        self.transport = TwinTransport(self.twin, lambda: now_ms() - fixture.kickoff_ms)
        self.end_ms = fixture.kickoff_ms + calm_ms + SETTLE_MS
        self.accounts = Accounts()
        self._now_ms = now_ms
        self._rng = random.Random(f"match {fixture.seed}")
        self._crashes = crashes
        self._poll_ms = poll_ms
        self.fragments: set[str] = set()
        self.disk = Disk(crashes, random.Random(f"disk {fixture.seed}"))

    def calm(self) -> bool:
        """Whether nothing goes wrong any more."""
        return self._now_ms() >= self.fixture.kickoff_ms + self.script.end_ms

    async def run(self, bus: Bus) -> None:
        """One life: take up the journal, publish what the bus lacks, follow the feed to its end."""
        self.accounts.lives += 1
        key = self.fixture.key
        recorded = self.fixture.recorded
        feed = Feed("twin", self.script.adapter, recorded.info.match_id, raw_info=recorded.raw_info)
        match = LiveMatch(key, [feed])
        session = match.sessions["twin"]
        network = Network(self._now_ms, random.Random(self._rng.getrandbits(64)), self.transport)
        out = Out(bus, self._crashes, self.fragments)
        try:
            await take_up(match, self.disk, out)
            source = _Counting(self._source(network), self.accounts.arrivals)
            await run(match, {"twin": source}, self.disk, out, self._now_ms)
            await network.close()
        finally:
            self.accounts.network.update(network.counts)
            self.accounts.session.update(session.counts)
            self.accounts.stale += session.timeline.stale
            network.redactor.release()

    def _source(self, network: Network) -> PollSource | PushSource:
        plan = self._plan()
        if plan.push is not None:
            return PushSource(plan, network, _classify, self._phase)
        return PollSource(plan, plan.documents[0], network, self._phase)

    def _phase(self, now_ms: int) -> Phase | None:
        return Phase.IN_PLAY if now_ms < self.end_ms else None

    def _plan(self) -> FeedPlan:
        provider = self.script.adapter.name
        secrets = {"key": Secret(self.secret)}
        address = "https://feed.example/{key}/"
        cadence = Cadence(self._poll_ms, self._poll_ms, self._poll_ms)
        push = None
        if self.fixture.push:
            push = Push(Address(address + "push", secrets), (), BEAT_MS, audit_ms=AUDIT_MS)
        return FeedPlan(
            provider,
            self.fixture.recorded.info.match_id,
            Transport.STREAM if push else Transport.POLL,
            Span(0),
            BudgetSpec(f"{provider} {self.fixture.key}", 5.0, 5),
            documents=(
                Endpoint("events", Address(address + "events", secrets), cadence, (self.twin.form.content_type,)),
            ),
            push=push,
        )


def _classify(message: object, match_id: str) -> str:
    if isinstance(message, dict) and "id" in message:
        return Message.FRAGMENT
    return Message.HEARTBEAT if message == {"heartbeat": True} else Message.UNKNOWN


class _Counting:
    """A source that counts what comes by."""

    def __init__(self, source: PollSource | PushSource, counts: Counter[str]) -> None:
        self._source = source
        self._counts = counts

    def forget(self) -> None:
        self._source.forget()

    async def close(self) -> None:
        await self._source.close()

    async def __aiter__(self) -> AsyncIterator[Arrival]:
        async for arrival in self._source:
            self._counts[arrival.kind] += 1
            yield arrival
