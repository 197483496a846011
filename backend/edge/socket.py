"""The WebSocket shell around the protocol core."""

from __future__ import annotations

import asyncio
import contextlib
import time

from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.db.pool import Database
from backend.edge.core import Client, NeedSnapshot, frame
from backend.edge.hub import Hub
from chain.tasks import stop

SEND_TIMEOUT_S = 30.0
"""A socket that takes nothing for this long is closed."""
CLOSE_NOT_FOUND, CLOSE_BAD_REQUEST, CLOSE_SLOW = 4404, 4400, 4408


async def stream(socket: WebSocket, database: Database, hub: Hub) -> None:
    """Serve one socket until it closes: `?match=ID`, optionally `&offset=N` to go on after delta N."""
    await socket.accept()
    match_id, offset = socket.query_params.get("match", ""), socket.query_params.get("offset")
    if offset is not None and not (offset.isascii() and offset.isdigit() and len(offset) < 19):
        await _refuse(socket, CLOSE_BAD_REQUEST, "bad_offset", "offset must be the number of the last delta you have.")
        return
    if await database.row("SELECT 1 AS ok FROM matches WHERE match_id = %s", [match_id]) is None:
        detail = "There is no such match: ask /v1/matches for the ids and give one as ?match=ID."
        await _refuse(socket, CLOSE_NOT_FOUND, "match_not_found", detail)
        return
    wake = asyncio.Event()
    client = await hub.join(match_id, int(offset) if offset is not None else None, wake)
    reader = asyncio.create_task(_read(socket, client, wake))
    writer = asyncio.create_task(_write(socket, hub, client, wake))
    try:
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.leave(client, wake)
        await stop(reader, writer, quiet=True)
    for task in (reader, writer):
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect | RuntimeError | OSError):
            raise error


async def _refuse(socket: WebSocket, close: int, code: str, detail: str) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(frame("error", code=code, detail=detail))
        await socket.close(close, code)


async def _read(socket: WebSocket, client: Client, wake: asyncio.Event) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        client.receive(message.get("text") or "")
        wake.set()


async def _write(socket: WebSocket, hub: Hub, client: Client, wake: asyncio.Event) -> None:
    while True:
        wake.clear()
        what = client.take(time.monotonic())
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                if isinstance(what, NeedSnapshot):
                    offset, text = await hub.snapshot_frame(client.channel.match_id)
                    await socket.send_text(text)
                    client.snapshot_sent(offset, time.monotonic())
                    continue
                for text in what:
                    await socket.send_text(text)
        except TimeoutError:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await socket.close(CLOSE_SLOW, "too slow")
            return
        if not what:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), client.wait_s(time.monotonic()) + 0.01)
