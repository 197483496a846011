"""A twin as the transport of an `httpx` client: no socket, any clock. What simulations run on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

import httpx

from ingest.twin.core import Answer, Request, Twin
from ingest.twin.faults import Fault
from ingest.twin.stream import Frame


class TwinTransport(httpx.AsyncBaseTransport):
    """Give it to ``httpx.AsyncClient(transport=...)``. ``now_ms`` is the time since the script's start.

    Waiting is `asyncio.sleep`, and the client's own read time-out is kept, so that both follow the loop's clock.
    """

    def __init__(self, twin: Twin, now_ms: Callable[[], int]) -> None:
        self.twin = twin
        self.abandoned: Counter[Fault] = Counter()  # answers nobody waited for any more
        self._now_ms = now_ms

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.twin.answer(Request(request.url.raw_path.decode("ascii"), headers), self._now_ms())
        patience_s: float | None = (request.extensions.get("timeout") or {}).get("read")
        in_time = patience_s is None or answer.wait_ms < patience_s * 1000
        try:
            await asyncio.sleep(answer.wait_ms / 1000 if in_time else patience_s or 0)
        except asyncio.CancelledError:
            if answer.fault is not None:
                self.abandoned[answer.fault] += 1
            raise
        if not in_time:
            raise httpx.ReadTimeout("the twin does not answer", request=request)
        if answer.frames is not None:
            line = _Line(answer.frames, self._now_ms)
            return httpx.Response(answer.status, headers=answer.headers, stream=line, request=request)
        sent = {**answer.headers, "Content-Length": str(len(answer.body))}
        return httpx.Response(answer.status, headers=sent, stream=_Body(answer), request=request)


class _Body(httpx.AsyncByteStream):
    """The body in pieces, up to where the connection breaks."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body, cut = self._answer.body, self._answer.cut_at
        yield body if cut is None else body[:cut]
        if cut is not None:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


class _Line(httpx.AsyncByteStream):
    """A push line: each frame when it is due."""

    def __init__(self, frames: Iterator[Frame], now_ms: Callable[[], int]) -> None:
        self._frames = frames
        self._now_ms = now_ms

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for frame in self._frames:
            wait_ms = frame.at_ms - self._now_ms()
            if wait_ms > 0:
                await asyncio.sleep(wait_ms / 1000)
            if frame.body:
                yield frame.body
            if frame.ends:
                raise httpx.RemoteProtocolError("peer closed connection inside a chunk")
