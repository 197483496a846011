"""A twin on a real socket: polling, a long chunked response and a WebSocket, for trying the product and its clients.

Every address is answered; one with ``/push`` opens a line. The credential may stand anywhere in the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import WSMsgType, web

from ingest.events import FeedError
from ingest.feeds import adapter, default_match_paths
from ingest.twin.core import Answer, Request, Twin
from ingest.twin.faults import Ledger, preset
from ingest.twin.script import write

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Served:
    """A twin that listens. Addresses are ``url`` and anything after it."""

    url: str
    twin: Twin
    clock: Clock

    @property
    def now_ms(self) -> int:
        """The match's time."""
        return self.clock.now_ms()


class Clock:
    """The match's time on the loop's clock: ``speed`` times as fast, from ``start_ms`` on."""

    def __init__(self, speed: float, start_ms: int) -> None:
        if speed <= 0:
            raise FeedError("bad_speed", f"speed {speed} does not move: give a number above 0")
        self._speed = speed
        self._start_ms = start_ms
        self._began_s = asyncio.get_running_loop().time()

    def now_ms(self) -> int:
        """Ms since the script's start."""
        return self._start_ms + int((asyncio.get_running_loop().time() - self._began_s) * 1000 * self._speed)

    async def until(self, at_ms: int) -> None:
        """Wait for a time of the match."""
        await self.sleep(at_ms - self.now_ms())

    async def sleep(self, wait_ms: int) -> None:
        """Wait for a span of the match's time."""
        if wait_ms > 0:
            await asyncio.sleep(wait_ms / 1000 / self._speed)


def open_twin(
    provider: str,
    paths: Sequence[Path] = (),
    *,
    match: str | None = None,
    faults: str = "rough",
    seed: int = 7,
    secret: str = "",
) -> Twin:
    """A twin of ``provider`` that plays the recording at ``paths`` (default: the installed one) with a preset of
    faults. Raises FeedError for an unknown provider, preset or recording.
    """
    chosen = preset(faults)
    found = adapter(provider)
    recorded = found.load(list(paths) or list(default_match_paths(provider)), match)
    ledger = Ledger()
    return Twin(write(found, recorded, chosen, seed, ledger), chosen, seed, ledger, secret, packed=True)


@asynccontextmanager
async def serve(
    twin: Twin, *, host: str = LOOPBACK, port: int = 0, speed: float = 1.0, start_ms: int = 0
) -> AsyncIterator[Served]:
    """Listen until the context ends. ``port`` 0 takes a free one. Raises FeedError ``twin_port`` when it is taken."""
    clock = Clock(speed, start_ms)

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = twin.answer(Request(request.path_qs, headers), clock.now_ms())
        await clock.sleep(answer.wait_ms)
        if answer.frames is None:
            return await _whole(request, answer)
        if headers.get("upgrade", "").lower() == "websocket":
            return await _socket(request, answer, clock)
        return await _chunks(request, answer, clock)

    app = web.Application()
    app.router.add_route("GET", "/{anything:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            text = f"cannot listen on {host}:{port} ({error.strerror}): choose another port"
            raise FeedError("twin_port", text) from error
        yield Served(f"http://{host}:{runner.addresses[0][1]}", twin, clock)
    finally:
        await runner.cleanup()


async def _whole(request: web.Request, answer: Answer) -> web.StreamResponse:
    if answer.cut_at is None:
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: answer.cut_at])
    _hang_up(request)
    return response


async def _chunks(request: web.Request, answer: Answer, clock: Clock) -> web.StreamResponse:
    """The line as one response in chunks."""
    assert answer.frames is not None
    response = web.StreamResponse(status=200, headers=answer.headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    for frame in answer.frames:
        await clock.until(frame.at_ms)
        try:
            if frame.body:  # an empty chunk would end the response
                await response.write(frame.body)
        except (ConnectionError, RuntimeError):  # the listener hung up
            break
        if frame.ends:
            _hang_up(request)
            break
    return response


async def _socket(request: web.Request, answer: Answer, clock: Clock) -> web.StreamResponse:
    """The line as a WebSocket, one message a text frame."""
    assert answer.frames is not None
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    hung_up = asyncio.create_task(_closed(socket))
    try:
        for frame in answer.frames:
            waiting = asyncio.create_task(clock.until(frame.at_ms))
            await asyncio.wait((waiting, hung_up), return_when=asyncio.FIRST_COMPLETED)
            if hung_up.done():
                waiting.cancel()
                break
            for line in frame.body.splitlines():
                await socket.send_str(line.decode("utf-8", "replace"))
            if frame.ends:
                _hang_up(request)
                break
    except ConnectionError:
        pass
    finally:
        hung_up.cancel()
    return socket


async def _closed(socket: web.WebSocketResponse) -> None:
    """Read what the listener says (subscriptions, pings) until it closes."""
    while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
        pass


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
