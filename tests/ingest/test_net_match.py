"""A whole recorded match, polled while it grows, through seeded faults, on a virtual clock."""

from __future__ import annotations

import asyncio
import random

import httpx
import orjson
import pytest

from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import Replay
from ingest.net.arrival import ArrivalKind
from ingest.net.plan import Cadence
from ingest.net.poll import PollSource
from ingest.session import Outcome, Session
from tests.ingest import virtualtime
from tests.ingest.netkit import Script, network, ok, plan_of

SOURCE = adapter("statsperform")


@pytest.fixture(scope="module")
def replay() -> Replay:
    """The match with its edits and deletions."""
    return SOURCE.replay(default_match_paths(), seed=5)


class Growing:
    """The provider: the document as it is now, or, two times in five until the last change, a fault."""

    def __init__(self, replay: Replay, seed: int) -> None:
        self.header, self.messages = replay
        self._rng = random.Random(seed)
        self._rows: dict[object, dict[str, object]] = {}
        self._next = 0
        self.faults = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        now_ms = asyncio.get_running_loop().time() * 1000
        while self._next < len(self.messages) and self.messages[self._next].at_ms <= now_ms:
            doc = self.messages[self._next].doc
            self._rows[doc["id"]] = doc
            self._next += 1
        body = orjson.dumps({"matchInfo": self.header.info, "liveData": {"event": list(self._rows.values())}})
        if self._next < len(self.messages) and self._rng.random() < 0.4:
            self.faults += 1
            return self._fault(body)
        tag = f'"{self._next}"'
        return httpx.Response(304) if request.headers.get("if-none-match") == tag else ok(body, etag=tag)

    def _fault(self, body: bytes) -> httpx.Response:
        kind = self._rng.randrange(6)
        if kind == 0:
            raise httpx.ConnectError("down")
        if kind == 1:
            return ok(body[: self._rng.randrange(len(body))], etag='"half"')  # whole by length, half by content
        if kind == 2:
            return httpx.Response(200, headers={"content-type": "text/html"}, content=b"<h1>busy</h1>")
        if kind == 3:
            return httpx.Response(429, headers={"retry-after": "20"})
        return httpx.Response(self._rng.choice([404, 500, 502, 503]))


@pytest.mark.parametrize("seed", range(1))
def test_a_match_polled_through_any_faults_ends_as_the_match(replay: Replay, seed: int) -> None:
    provider = Growing(replay, seed)
    kinds: list[str] = []

    async def main() -> Session:
        session = Session(SOURCE, provider.header.match_id)
        async with network(Script(provider.answer), seed) as net:
            plan = plan_of(cadence=Cadence(90_000, 90_000, 60_000))
            source = PollSource(plan, plan.documents[0], net)
            async for arrival in source:
                kinds.append(arrival.kind.value)
                if arrival.kind is ArrivalKind.DOCUMENT:
                    delivery = session.document(arrival.body, arrival.at_ms)
                    if delivery.outcome is Outcome.BROKEN or delivery.problems:
                        source.forget()
        return session

    session = virtualtime.run(main())
    expected = Session(SOURCE, provider.header.match_id, SOURCE.info(provider.header.info))
    for message in provider.messages:
        expected.fragment(message.doc, message.at_ms)
    assert session.timeline.events() == expected.timeline.events()
    assert provider.faults > 10
    state = [kind for kind in kinds if kind in ("lost", "restored")]
    assert state == ["lost", "restored"] * (len(state) // 2)
    assert session.counts[Outcome.BROKEN] > 0
