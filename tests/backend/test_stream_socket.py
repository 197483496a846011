"""The stream over a real WebSocket on a real server and a real database."""

from __future__ import annotations

import asyncio
import contextlib
import socket as socket_module
from collections.abc import AsyncIterator
from typing import Any

import orjson
import psycopg
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backend.api.app import create_app
from backend.api.context import Context
from backend.db.pool import Database, publish
from backend.edge.hub import Hub
from backend.feedstore import Score
from backend.serve import bind, server
from tests.backend.football import filled, live


@pytest.fixture
async def url(database: Database) -> AsyncIterator[str]:
    await filled(database, ticks=3)
    listener = bind("127.0.0.1", 0)
    running = server(create_app(Context(database, Hub(database))))
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    yield f"ws://127.0.0.1:{listener.getsockname()[1]}/v1/stream"
    running.should_exit = True
    await task
    listener.close()


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        found: dict[str, Any] = orjson.loads(await socket.recv())
        return found


async def deltas(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = await receive(socket)
        if frame["type"] == "delta":
            found.append(frame)
    return found


async def test_a_snapshot_and_then_every_delta(url: str, database: Database) -> None:
    store = await filled(database, ticks=3)
    async with connect(f"{url}?match=m1") as socket:
        snapshot = await receive(socket)
        assert snapshot["type"] == "snapshot"
        assert [tick["tick"] for tick in snapshot["data"]["momentum"]["data"]] == [1, 2, 3]
        assert snapshot["data"]["match"]["home_score"] == 1
        await store.tick("m1", live(4))
        await store.score("m1", Score(2, 0, 1, 4_000))
        found = await deltas(socket, 2)
        assert [frame["kind"] for frame in found] == ["tick", "match"]
        assert [frame["offset"] for frame in found] == [snapshot["offset"] + 1, snapshot["offset"] + 2]
        assert (found[0]["data"]["x"], found[0]["data"]["status"]) == ("50", "live")


async def test_a_client_that_comes_back_misses_nothing(url: str, database: Database) -> None:
    store = await filled(database, ticks=3)
    async with connect(f"{url}?match=m1") as socket:
        offset = (await receive(socket))["offset"]
    for number in range(4, 8):
        await store.tick("m1", live(number))
    async with connect(f"{url}?match=m1&offset={offset}") as socket:
        assert (await receive(socket))["type"] == "resumed"
        assert [frame["data"]["tick"] for frame in await deltas(socket, 4)] == [4, 5, 6, 7]
    async with connect(f"{url}?match=m1&offset=99999999") as socket:
        assert (await receive(socket))["type"] == "snapshot"


async def test_a_delta_too_large_for_a_notification_arrives_in_its_place(url: str, database: Database) -> None:
    store = await filled(database, ticks=3)
    async with connect(f"{url}?match=m1") as socket:
        await receive(socket)
        async with database.transaction() as connection:
            await publish(connection, "match:m1", [("event", {"text": "x" * 20_000})])
        await store.tick("m1", live(4))
        first, second = await deltas(socket, 2)
        assert len(first["data"]["text"]) == 20_000
        assert second["data"]["tick"] == 4


async def test_what_was_published_while_the_database_connection_was_lost_arrives(url: str, database: Database) -> None:
    store = await filled(database, ticks=3)
    async with connect(f"{url}?match=m1") as socket:
        await receive(socket)
        async with database.connection() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
            )
        await store.tick("m1", live(4))
        await store.tick("m1", live(5))
        assert [frame["data"]["tick"] for frame in await deltas(socket, 2)] == [4, 5]


async def test_many_clients_get_the_same_frames(url: str, database: Database) -> None:
    store = await filled(database, ticks=3)
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connect(f"{url}?match=m1")) for _ in range(20)]
        for socket in sockets:
            await receive(socket)
        for number in range(4, 14):
            await store.tick("m1", live(number))
        for socket in sockets:
            assert [frame["data"]["tick"] for frame in await deltas(socket, 10)] == list(range(4, 14))


async def test_a_client_that_reads_too_slowly_is_resynced(url: str, database: Database) -> None:
    await filled(database, ticks=3)
    raw = socket_module.socket()
    raw.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_RCVBUF, 65_536)
    raw.setblocking(False)
    host, port = url.split("/")[2].split(":")
    await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
    async with connect(f"{url}?match=m1", max_queue=1, sock=raw) as socket:
        snapshot = await receive(socket)
        for _ in range(30):  # more than the sockets' buffers hold
            async with database.transaction() as connection:
                await publish(connection, "match:m1", [("event", {"text": "y" * 6_000})] * 100)
        await asyncio.sleep(1.5)  # the server sends until the buffers are full, and then falls behind
        seen, again = snapshot["offset"], None
        while seen < snapshot["offset"] + 3_000:
            frame = await receive(socket)
            if frame["type"] == "snapshot":
                again = frame
            else:
                assert frame["offset"] == seen + 1
            seen = frame["offset"]
        assert again is not None


async def test_ping_and_wrong_requests_are_answered(url: str) -> None:
    async with connect(f"{url}?match=m1") as socket:
        await receive(socket)
        await socket.send('{"type":"ping"}')
        assert (await receive(socket))["type"] == "pong"
        await socket.send('{"type":"resync"}')
        assert (await receive(socket))["type"] == "snapshot"
        assert (await receive(socket))["type"] == "heartbeat"
    for query, code in (("match=nobody", 4404), ("match=m1&offset=x", 4400), ("", 4404)):
        async with connect(f"{url}?{query}") as socket:
            assert (await receive(socket))["type"] == "error"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code


async def test_a_pruned_log_leads_to_a_snapshot(url: str, database: Database, dsn: str) -> None:
    await filled(database, ticks=3)
    async with connect(f"{url}?match=m1") as socket:
        first = await receive(socket)
        with psycopg.connect(dsn) as connection:
            connection.execute(
                "INSERT INTO stream VALUES ('match:m1', 1) ON CONFLICT (channel) DO UPDATE"
                " SET last_offset = stream.last_offset + 5"
            )
            connection.execute("SELECT publish('match:m1', ARRAY['event'], ARRAY['{}'])")
        again = await receive(socket)
        while again["type"] == "heartbeat":
            again = await receive(socket)
        assert again["type"] == "snapshot"
        assert again["offset"] == first["offset"] + 6
