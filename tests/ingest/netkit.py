"""What the tests of the network clients share: plans, scripted servers in process, and a collector."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import httpx

from ingest.net.arrival import Arrival, Source
from ingest.net.network import Network
from ingest.net.plan import Address, Auth, BudgetSpec, Cadence, Endpoint, FeedPlan, Push, Span, Transport
from tests.ingest import virtualtime

KICKOFF_MS = virtualtime.EPOCH_MS
FREE = BudgetSpec("test", per_s=1000.0, burst=1000)
JSON = {"content-type": "application/json"}
Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


def plan_of(url: str = "https://feed.test/doc", **changes: Any) -> FeedPlan:
    """A polled plan of one document, in play from the loop's start."""
    endpoint = Endpoint("doc", Address(url), changes.pop("cadence", Cadence(60_000, 1_000, 10_000)))
    values: dict[str, Any] = {
        "provider": "test",
        "match_id": "m1",
        "transport": Transport.POLL,
        "span": Span(KICKOFF_MS, lead_ms=600_000, play_ms=7_200_000, after_ms=600_000),
        "budget": FREE,
        "auth": Auth(),
        "documents": (endpoint,),
    }
    return FeedPlan(**(values | changes))


def push_plan(url: str = "https://feed.test/stream", doc: str = "https://feed.test/doc", **changes: Any) -> FeedPlan:
    """A plan of a long response with heartbeats every 5 s."""
    push = Push(Address(url), changes.pop("hosts", ("push.test",)), changes.pop("beat_ms", 5_000))
    return plan_of(doc, **({"transport": Transport.STREAM, "push": push} | changes))


class Script(httpx.AsyncBaseTransport):
    """Answers in order, the last one for ever; keeps what was asked and when (loop time, s)."""

    def __init__(self, *answers: httpx.Response | Exception | Handler) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(request)
        self.times.append(asyncio.get_running_loop().time())
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return _fresh(answer)
        found = answer(request)
        return _fresh(await found if isinstance(found, Awaitable) else found)


def _fresh(answer: httpx.Response) -> httpx.Response:
    """The answer as a transport gives it: its body not read yet."""
    if not answer.is_stream_consumed:
        return answer
    return httpx.Response(answer.status_code, headers=answer.headers, stream=Chunks([(0, answer.content)]))


class Chunks(httpx.AsyncByteStream):
    """A body that comes in pieces with pauses: ``(seconds before, bytes or an exception)``; then it ends or hangs."""

    def __init__(self, pieces: Iterable[tuple[float, bytes | Exception]], hang: bool = False) -> None:
        self._pieces = list(pieces)
        self._hang = hang
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for pause, piece in self._pieces:
            await asyncio.sleep(pause)
            if isinstance(piece, Exception):
                raise piece
            yield piece
        if self._hang:
            await asyncio.sleep(10**6)

    async def aclose(self) -> None:
        self.closed = True


def ok(body: bytes = b"{}", **headers: str) -> httpx.Response:
    """A whole JSON document."""
    return httpx.Response(200, headers=JSON | headers, content=body)


def network(transport: httpx.AsyncBaseTransport, seed: int = 7, **changes: Any) -> Network:
    """A network on the virtual clock."""
    return Network(virtualtime.now_ms, random.Random(seed), transport, **changes)


async def collect(source: Source, seconds: float = 10**9, count: int = 10**9) -> list[Arrival]:
    """What ``source`` brings within that time, or until so many came."""
    found: list[Arrival] = []

    async def read() -> None:
        async for arrival in source:
            found.append(arrival)
            if len(found) >= count:
                return

    try:
        async with asyncio.timeout(seconds):
            await read()
    except TimeoutError:
        pass
    finally:
        await source.close()
    return found


def kinds(arrivals: Iterable[Arrival]) -> list[str]:
    """Their kinds."""
    return [arrival.kind.value for arrival in arrivals]
