"""The real clients against a twin on a real socket: one test for each transport."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from ingest.events import FeedError
from ingest.feeds import ADAPTERS, Recorded
from ingest.live import Feed, LiveMatch
from ingest.net.arrival import ArrivalKind, Source
from ingest.net.network import Network
from ingest.net.plan import Address, BudgetSpec, Cadence, Endpoint, FeedPlan, Phase, Push, Span, Transport
from ingest.net.poll import PollSource
from ingest.net.push import Message, PushSource
from ingest.net.secret import Secret
from ingest.session import Session
from ingest.twin.core import Twin
from ingest.twin.faults import Faults, Ledger
from ingest.twin.script import unversioned, write
from ingest.twin.server import LOOPBACK, Served, open_twin, serve
from ingest.twin.stream import BEAT_MS

SPEED = 60.0
SECRET = "twin-key-41f7"
SOME = Faults(
    server_error=0.1, connection_cut=0.1, bytes_cut=0.1, empty_body=0.05, html_page=0.05,
    duplicated=0.1, reordered=0.1, garbled=0.05, stream_cut=0.02,
)  # fmt: skip


def twin_of(recorded: Recorded, start_ms: int, span_ms: int) -> Twin:
    """A twin whose match is over ``span_ms`` after ``start_ms``."""
    ledger = Ledger()
    script = write(ADAPTERS[recorded.info.provider], recorded, replace(SOME, vanished=0.02), 5, ledger)
    script = replace(script, steps=tuple(step for step in script.steps if step.at_ms <= start_ms + span_ms))
    return Twin(script, SOME, 5, ledger, SECRET, calm_ms=script.end_ms, packed=True)


def plan_of(twin: Twin, served: Served, transport: Transport) -> FeedPlan:
    secrets = {"key": Secret(SECRET)}
    path = served.url + "/{key}/"
    push = None
    if transport is not Transport.POLL:
        url = path.replace("http://", "ws://") if transport is Transport.WEBSOCKET else path
        beat_ms = int(BEAT_MS / SPEED) * 4
        push = Push(Address(url + "push", secrets), (LOOPBACK,), beat_ms, audit_ms=700, settle_ms=50)
    return FeedPlan(
        twin.script.adapter.name,
        twin.script.info.match_id,
        transport,
        Span(0),
        BudgetSpec("twin", 500.0, 50),
        documents=(Endpoint("events", Address(path + "events", secrets), Cadence(100, 100, 100)),),
        push=push,
    )


def classify(message: object, match_id: str) -> str:
    if isinstance(message, dict) and "id" in message:
        return Message.FRAGMENT
    return Message.HEARTBEAT if message == {"heartbeat": True} else Message.UNKNOWN


async def follow(twin: Twin, transport: Transport, start_ms: int) -> tuple[Session, Counter[str], Network]:
    """Follow a served twin with the real client until its match is over and the feed has settled."""
    info = twin.script.info
    match = LiveMatch("canonical-7", [Feed("twin", twin.script.adapter, info.match_id, raw_info=twin.script.raw_info)])
    arrivals: Counter[str] = Counter()
    async with (
        serve(twin, speed=SPEED, start_ms=start_ms) as served,
        Network(lambda: time.time_ns() // 1_000_000, random.Random(1)) as network,
    ):
        plan = plan_of(twin, served, transport)

        def phase(_: int) -> Phase | None:
            return Phase.IN_PLAY if served.now_ms < twin.script.end_ms + 100_000 else None

        source: Source
        if transport is Transport.POLL:
            source = PollSource(plan, plan.documents[0], network, phase)
        else:
            source = PushSource(plan, network, classify, phase)
        async with asyncio.timeout(60):
            async for arrival in source:
                arrivals[arrival.kind] += 1
                match.arrived("twin", arrival)
        return match.sessions["twin"], arrivals, network


@pytest.mark.parametrize("transport", [Transport.POLL, Transport.STREAM, Transport.WEBSOCKET])
async def test_a_real_client_on_a_real_socket_ends_with_the_truth(hsv: Recorded, transport: Transport) -> None:
    twin = twin_of(hsv, start_ms=1_200_000, span_ms=150_000)
    session, arrivals, network = await follow(twin, transport, 1_200_000)
    assert unversioned(session.timeline.events()) == twin.script.truth()
    assert twin.refused == 0
    assert arrivals[ArrivalKind.DOCUMENT] > 0
    assert network.counts["status_200"] > 0
    if transport is not Transport.POLL:
        assert arrivals[ArrivalKind.FRAGMENTS] > 20
        assert arrivals[ArrivalKind.HEARTBEAT] > 0


async def test_a_twin_without_the_credential_answers_nothing_else() -> None:
    twin = open_twin("statsperform", secret=SECRET, faults="calm")
    async with serve(twin, start_ms=600_000) as served, httpx.AsyncClient() as client:
        assert (await client.get(served.url + "/events")).status_code == 401
        answer = await client.get(served.url + "/events", headers={"Authorization": f"Bearer {SECRET}"})
        assert answer.status_code == 200
        assert answer.headers["Content-Encoding"] == "gzip"
        again = await client.get(f"{served.url}/{SECRET}/events", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code in (200, 304)


async def test_a_port_that_is_taken_and_a_clock_that_stands_are_told() -> None:
    twin = open_twin("wyscout", faults="calm")
    async with serve(twin) as served:
        port = int(served.url.rsplit(":", 1)[1])
        with pytest.raises(FeedError) as taken:
            async with serve(twin, port=port):
                pass
    assert taken.value.code == "twin_port"
    with pytest.raises(FeedError) as stands:
        async with serve(twin, speed=0):
            pass
    assert stands.value.code == "bad_speed"
