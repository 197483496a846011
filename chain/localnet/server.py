"""The aiohttp shell: JSON-RPC by POST and PubSub by WebSocket, both on both ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from chain.localnet.hub import Hub
from chain.localnet.methods import METHODS, Node
from chain.localnet.params import Params
from chain.localnet.protocol import answer, unknown
from chain.tasks import stop

_MAX_BODY_BYTES = 2 * 1024 * 1024
_MAX_QUEUED = 20_000
_SHORTEST_SLEEP_S = 0.004
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
    "Access-Control-Allow-Headers": "content-type, solana-client",
    "Access-Control-Max-Age": "86400",
}


class PortInUseError(OSError):
    """The port to listen on is taken; the message says which and what to do."""


class _Connection:
    """One WebSocket: a bounded queue between the hub, which never waits, and the socket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(_MAX_QUEUED)

    def push(self, text: str) -> None:
        """Queue a message; a client that does not read loses the connection, as at a real node."""
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            with contextlib.suppress(asyncio.QueueEmpty):
                while True:
                    self._queue.get_nowait()
            self._queue.put_nowait(None)

    async def write(self) -> None:
        """Send what is queued until the client is gone or too slow."""
        while (text := await self._queue.get()) is not None:
            try:
                await self.socket.send_str(text)
            except (ConnectionError, RuntimeError):
                return
        await self.socket.close(code=1013, message=b"client too slow")


class Server:
    """Serves one ledger. `start` binds the ports, `stop` releases them."""

    def __init__(self, node: Node, host: str, rpc_port: int, ws_port: int | None) -> None:
        """`ws_port` None serves PubSub only on the RPC port; port 0 picks a free one."""
        self.node = node
        self.hub = Hub(node)
        self._host, self._wanted_ports = host, (rpc_port, ws_port)
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        self._kick = asyncio.Event()
        self.rpc_port = rpc_port
        self.ws_port = rpc_port if ws_port is None else ws_port

    async def start(self) -> None:
        """Bind and serve; raises `PortInUseError`."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_post("/", self._post)
        app.router.add_get("/", self._get)
        app.router.add_get("/health", self._health)
        app.router.add_options("/", self._options)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        rpc_port, ws_port = self._wanted_ports
        try:
            self.rpc_port = await self._listen(rpc_port, "--rpc-port")
            self.ws_port = self.rpc_port if ws_port is None else await self._listen(ws_port, "--ws-port")
        except PortInUseError:
            await self._runner.cleanup()
            raise
        self._pump = asyncio.create_task(self._run_clock())

    async def stop(self) -> None:
        """Close every connection and both ports."""
        await stop(self._pump)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, port: int, option: str) -> int:
        assert self._runner is not None
        site = web.TCPSite(self._runner, self._host, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            raise PortInUseError(
                f"cannot listen on {self._host}:{port} ({reason}): stop the process that uses it "
                f"or choose another port with {option}"
            ) from None
        assert site._server is not None
        return int(site._server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]

    async def _run_clock(self) -> None:
        """Move the ledger when a slot begins, so that subscribers hear of slots while nobody sends anything."""
        while True:
            slots = self.node.ledger.slots
            wait = self.node.clock.wall_seconds_until(slots.time_ms(slots.slot + 1))
            self._kick.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if wait is None else max(wait, _SHORTEST_SLEEP_S)):
                    await self._kick.wait()
            self.node.tick()

    # --- HTTP -----------------------------------------------------------------------------------

    def _call(self, method: str, params: Params) -> Any:
        handler = METHODS.get(method)
        if handler is None:
            raise unknown(method)
        self.node.tick()
        result = handler(self.node, params)
        if method == "localnet_setSpeed":
            self._kick.set()
        return result

    async def _post(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text="request body too large", headers=_CORS)
        reply = answer(body, self._call)
        return web.Response(body=reply or b"", content_type="application/json", headers=_CORS)

    async def _options(self, _request: web.Request) -> web.Response:
        return web.Response(status=204, headers=_CORS)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok", headers=_CORS)

    # --- WebSocket ------------------------------------------------------------------------------

    async def _get(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=_MAX_BODY_BYTES, heartbeat=None, compress=False)
        if not socket.can_prepare(request):
            text = "This is a Solana JSON-RPC endpoint: POST a request here, or open a WebSocket for PubSub.\n"
            return web.Response(status=405, text=text, headers={**_CORS, "Allow": "POST, OPTIONS"})
        await socket.prepare(request)
        connection = _Connection(socket)
        writer = asyncio.create_task(connection.write())
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    self._message(connection, message.data)
        finally:
            self.hub.drop(connection)
            await stop(writer)
        return socket

    def _message(self, connection: _Connection, data: bytes | str) -> None:
        afterwards: list[Callable[[], None]] = []

        def call(method: str, params: Params) -> Any:
            if not self.hub.handles(method):
                raise unknown(method)
            self.node.tick()
            result, then = self.hub.call(method, params, connection)
            if then is not None:
                afterwards.append(then)
            return result

        reply = answer(data, call)
        if reply is not None:
            connection.push(reply.decode())
        # A signature that has landed already is notified after the client knows the subscription's number.
        for then in afterwards:
            then()
