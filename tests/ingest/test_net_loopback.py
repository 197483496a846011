"""Every transport against a real server on the loopback, in real time (short)."""

from __future__ import annotations

import asyncio
import gzip
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from ingest.events import FeedError
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.net.backoff import Backoff
from ingest.net.fleet import MatchSource, open_source
from ingest.net.network import Network
from ingest.net.plan import Address, Auth, Cadence, Endpoint, FeedPlan, Push, Span, Transport
from ingest.net.push import Message, PushSource
from ingest.net.secret import Secret
from tests.ingest.netkit import FREE, collect, kinds

QUICK = Cadence(60_000, 50, 1_000)


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect within hundredths of a second."""
    monkeypatch.setattr(Backoff, "next_ms", lambda self: self.rng.randint(0, 30))


def now_ms() -> int:
    return int(time.time() * 1000)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The app's address on the loopback."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(talk: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that writes bytes of its own choice."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def plan(documents: tuple[Endpoint, ...], **changes: Any) -> FeedPlan:
    values: dict[str, Any] = {
        "provider": "test",
        "match_id": "m1",
        "transport": Transport.POLL,
        "span": Span(now_ms()),
        "budget": FREE,
        "documents": documents,
    }
    return FeedPlan(**(values | changes))


def endpoint(host: str, path: str = "/doc", **changes: Any) -> Endpoint:
    return Endpoint(path[1:], Address(f"http://{host}{path}"), QUICK, **changes)


async def run(plan_: FeedPlan, seconds: float, count: int = 10**9) -> tuple[list[Arrival], Network]:
    async with Network(now_ms, random.Random(1)) as net:
        return await collect(open_source(plan_, net, classify), seconds, count), net


def classify(doc: object, match_id: str) -> str:
    assert isinstance(doc, dict)
    return Message.HEARTBEAT if "heartbeat" in doc else Message.FRAGMENT


async def test_a_document_is_polled_compressed_and_conditional() -> None:
    body = orjson.dumps({"rows": list(range(5_000))})
    asked: list[str] = []

    async def doc(request: web.Request) -> web.Response:
        asked.append(request.headers.get("If-None-Match", ""))
        if asked[-1] == '"1"':
            return web.Response(status=304)
        headers = {"ETag": '"1"', "Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=gzip.compress(body), headers=headers)

    app = web.Application()
    app.router.add_get("/doc", doc)
    async with served(app) as host:
        arrivals, _ = await run(plan((endpoint(host),)), 5, count=3)
    assert kinds(arrivals) == ["document", "unchanged", "unchanged"]
    assert arrivals[0].body == body
    assert asked[:2] == ["", '"1"']


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n"
        + gzip.compress(b"{}" * 99)[:-5],
    ],
)
async def test_half_a_body_is_no_document(answer: bytes) -> None:
    calls = 0

    async def talk(writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        good = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\nconnection: close\r\n\r\n"
        writer.write(answer if calls <= 2 else good + b'{"ok":1}')
        await writer.drain()

    async with raw_server(talk) as host:
        arrivals, net = await run(plan((endpoint(host),)), 5, count=1)
    assert arrivals[0].body == b'{"ok":1}'
    assert net.counts["half_body"] == 2


async def test_a_server_that_is_not_there_and_one_that_talks_nonsense_are_failures_like_others() -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ftp ready\r\n")
        await writer.drain()

    async with raw_server(talk) as host:
        _, net = await run(plan((endpoint(host),)), 0.3)
        assert net.counts["half_body"] + net.counts["protocol_error"] >= 1
    _, net = await run(plan((endpoint("127.0.0.1:1"),)), 0.3)
    assert net.counts["connect_failed"] >= 1


async def test_two_documents_of_a_match_come_as_one_source_and_an_extra_one_may_fail() -> None:
    app = web.Application()
    app.router.add_get("/doc", _answers(b'{"events":1}'))
    app.router.add_get("/extra", _answers(b"", 403))
    app.router.add_get("/lineups", _answers(b'{"lineups":1}'))
    async with served(app) as host, Network(now_ms, random.Random(1)) as net:
        documents = (endpoint(host), endpoint(host, "/extra", vital=False), endpoint(host, "/lineups", vital=False))
        source = MatchSource(plan(documents), net)
        arrivals = await collect(source, 0.5)
        source.forget()
        assert {arrival.body for arrival in arrivals} == {b'{"events":1}', b'{"lineups":1}'}
        assert net.counts["extra_document_refused"] == 1
        with pytest.raises(FeedError, match="nothing that carries events"):
            MatchSource(plan((documents[1],)), net)
        with pytest.raises(FeedError) as caught:
            await collect(MatchSource(plan((endpoint(host, "/extra"),)), net), 2)
        assert caught.value.code == "credentials_refused"


def _answers(body: bytes, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type="application/json")

    return answer


async def test_a_chunked_push_line_follows_its_redirect_survives_a_cut_and_recovers() -> None:
    connections = 0
    elsewhere: list[str] = []

    async def stream(request: web.Request) -> web.StreamResponse:
        nonlocal connections
        connections += 1
        assert request.headers["x-api-key"] == "the-key-itself"
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for number in range(4):
            text = orjson.dumps({"id": connections * 10 + number}) + b"\n"
            await response.write(text[:4])
            await asyncio.sleep(0.02)
            await response.write(text[4:] + b'{"heartbeat":{}}\n')
        if connections == 1:
            assert request.transport is not None
            request.transport.close()  # in the middle of a chunked body
        await asyncio.sleep(30)
        return response

    async def subscribe(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"http://{elsewhere[0]}/stream"})

    far = web.Application()
    far.router.add_get("/stream", stream)
    near = web.Application()
    near.router.add_get("/subscribe", subscribe)
    near.router.add_get("/doc", _answers(b'{"document":1}'))
    async with served(far) as push_host, served(near) as host:
        elsewhere.append(push_host)
        push = Push(Address(f"http://{host}/subscribe"), (push_host,), beat_ms=1_000, settle_ms=50)
        auth = Auth(headers={"x-api-key": Secret("the-key-itself")})
        pushed = plan((endpoint(host),), transport=Transport.STREAM, push=push, auth=auth)
        arrivals, _ = await run(pushed, 1.0)
    found = kinds(arrivals)
    ids = [
        orjson.loads(t)["id"]
        for a in arrivals
        if a.kind is ArrivalKind.FRAGMENTS and not a.note
        for t in a.body.splitlines()
    ]
    assert ids == [10, 11, 12, 13, 20, 21, 22, 23]
    assert found.count("lost") == found.count("restored") == 1
    assert "document" in found[found.index("lost") : found.index("restored")]


async def test_a_push_line_that_falls_silent_is_opened_again() -> None:
    opened = 0

    async def talk(writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(5)

    app = web.Application()
    app.router.add_get("/doc", _answers(b"{}"))
    async with raw_server(talk) as line_host, served(app) as host:
        push = Push(Address(f"http://{line_host}/stream"), (), beat_ms=80, settle_ms=10)
        arrivals, net = await run(plan((endpoint(host),), transport=Transport.STREAM, push=push), 0.7)
    assert opened >= 2
    assert net.counts["heartbeat_lost"] >= 2
    assert "lost" in kinds(arrivals)


async def test_a_websocket_subscribes_survives_a_break_and_recovers() -> None:
    subscribed: list[str | bytes] = []

    async def talk(socket: ServerConnection) -> None:
        subscribed.append(await socket.recv())
        assert socket.request is not None
        assert socket.request.headers["Authorization"] == "Bearer the-key-itself"
        assert socket.request.path == "/live?token=query-key"
        await socket.send(orjson.dumps({"id": len(subscribed)}))
        await socket.send(orjson.dumps({"heartbeat": 1}).decode())
        await asyncio.sleep(0.1)
        if len(subscribed) == 1:
            socket.transport.abort()
        await socket.wait_closed()

    app = web.Application()
    app.router.add_get("/doc", _answers(b"{}"))
    async with serve(talk, "127.0.0.1", 0) as server, served(app) as host:
        port = next(iter(server.sockets)).getsockname()[1]
        push = Push(Address(f"ws://127.0.0.1:{port}/live"), (), 1_000, subscribe='{"match":"m1"}', settle_ms=20)
        auth = Auth(headers={"Authorization": Secret("Bearer the-key-itself")}, query={"token": Secret("query-key")})
        arrivals, _ = await run(plan((endpoint(host),), transport=Transport.WEBSOCKET, push=push, auth=auth), 0.9)
    assert subscribed == ['{"match":"m1"}'] * 2
    found = kinds(arrivals)
    assert found.count("lost") == found.count("restored") == 1
    assert {"document", "fragments", "heartbeat"} <= set(found)


@pytest.mark.parametrize("status", [403, 302, 503])
async def test_a_websocket_that_is_refused_or_sent_elsewhere_is_not_followed(status: int) -> None:
    seen: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=status, headers={"Location": "/other"} if status == 302 else {})

    app = web.Application()
    app.router.add_get("/doc", _answers(b"{}"))
    app.router.add_get("/live", refuse)
    app.router.add_get("/other", refuse)
    async with served(app) as host:
        push = Push(Address(f"ws://{host}/live"), (), 1_000)
        refused = plan((endpoint(host),), transport=Transport.WEBSOCKET, push=push)
        if status == 403:
            with pytest.raises(FeedError, match="refuses the push line"):
                await run(refused, 2)
        else:
            arrivals, _ = await run(refused, 0.3)
            assert kinds(arrivals) == ["lost"]
    assert "/other" not in seen


async def test_a_quiet_websocket_without_heartbeats_is_pinged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.net.line.PING_MS", 50)
    monkeypatch.setattr("ingest.net.plan.PING_MS", 200)

    async def quiet(socket: ServerConnection) -> None:
        await socket.wait_closed()

    app = web.Application()
    app.router.add_get("/doc", _answers(b"{}"))
    async with serve(quiet, "127.0.0.1", 0) as server, served(app) as host:
        port = next(iter(server.sockets)).getsockname()[1]
        push = Push(Address(f"ws://127.0.0.1:{port}/"), (), beat_ms=0)
        arrivals, _ = await run(plan((endpoint(host),), transport=Transport.WEBSOCKET, push=push), 0.5)
    assert kinds(arrivals).count("heartbeat") >= 3
    assert "lost" not in kinds(arrivals)


async def test_closing_hangs_up() -> None:
    gone = asyncio.Event()

    async def talk(socket: ServerConnection) -> None:
        await socket.wait_closed()
        gone.set()

    app = web.Application()
    app.router.add_get("/doc", _answers(b"{}"))
    async with serve(talk, "127.0.0.1", 0) as server, served(app) as host, Network(now_ms, random.Random(1)) as net:
        port = next(iter(server.sockets)).getsockname()[1]
        push = Push(Address(f"ws://127.0.0.1:{port}/"), (), 5_000)
        source = PushSource(plan((endpoint(host),), transport=Transport.WEBSOCKET, push=push), net, classify)
        source.forget()
        async for _ in source:
            await source.close()
        await source.close()
        await asyncio.wait_for(gone.wait(), 2)


@pytest.mark.parametrize("status", [302, 500])
async def test_a_line_that_is_sent_in_circles_or_refused_is_lost(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/stream"})

    app = web.Application()
    app.router.add_get("/stream", answer)
    app.router.add_get("/doc", _answers(b"{}"))
    async with served(app) as host:
        push = Push(Address(f"http://{host}/stream"), (), 1_000)
        arrivals, _ = await run(plan((endpoint(host),), transport=Transport.STREAM, push=push), 0.3)
    assert kinds(arrivals) == ["lost"]


async def test_a_line_to_nobody_is_lost() -> None:
    for address in ("http://127.0.0.1:1/stream", "ws://127.0.0.1:1/"):
        transport = Transport.WEBSOCKET if address.startswith("ws") else Transport.STREAM
        push = Push(Address(address), (), 1_000)
        arrivals, _ = await run(plan((endpoint("127.0.0.1:1"),), transport=transport, push=push), 0.3)
        assert kinds(arrivals) == ["lost"]


async def test_a_websocket_that_answers_no_ping_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.net.line.PING_MS", 60)
    monkeypatch.setattr("ingest.net.plan.PING_MS", 2_000)

    async def deaf(socket: ServerConnection) -> None:
        socket.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    app = web.Application()
    app.router.add_get("/doc", _answers(b"{}"))
    async with serve(deaf, "127.0.0.1", 0, close_timeout=0.1) as server, served(app) as host:
        port = next(iter(server.sockets)).getsockname()[1]
        push = Push(Address(f"ws://127.0.0.1:{port}/"), (), beat_ms=0)
        made = plan((endpoint(host),), transport=Transport.WEBSOCKET, push=push)
        arrivals, _ = await run(made, 0.8)
    assert "lost" in kinds(arrivals)
