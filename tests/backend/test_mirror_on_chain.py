"""The mirror against a real localnet with the real programs and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from backend.api.app import create_app
from backend.api.context import Context
from backend.db.pool import Database
from backend.edge.hub import Hub
from backend.mirror.digest import state_hash, table_hashes
from backend.mirror.mirror import Mirror
from backend.trading.desk import Desk
from chain.pubsub import PubSub
from chain.rpc import RpcPool
from tests.backend.venue import MATCH_ID, Person, Venue


@asynccontextmanager
async def running(rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue) -> AsyncIterator[Mirror]:
    mirror = Mirror(rpc, pubsub, database, venue.exchange, sync_s=0.05)
    await mirror.start()
    try:
        yield mirror
    finally:
        await mirror.stop()


def api(database: Database, rpc: RpcPool, venue: Venue) -> httpx.AsyncClient:
    context = Context(database, Hub(database), str(venue.exchange), Desk(rpc, venue.exchange, database))
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(context)), base_url="http://test")


async def play(venue: Venue, first: int, last: int) -> None:
    for second in range(first, last + 1):
        await venue.tick(second, 50 + second % 7)


async def trade(venue: Venue, http: httpx.AsyncClient) -> Person:
    """Liquidity, a margin account, one filled and one pending order."""
    provider, trader = Person(http), Person(http)
    await venue.fund(provider.key, 100_000)
    await provider.do("deposit_liquidity", amount="100000")
    await venue.fund(trader.key, 1_000)
    await trader.do("create_margin")
    await trader.do("deposit_collateral", amount="1000")
    await play(venue, 1, 20)
    window = str(venue.windows[0])
    await trader.do("submit_order", window=window, side="long", qty="10", limit="99", client_id="1")
    await play(venue, 21, 30)
    await venue.crank(trader.key.pubkey(), 1, 0, 26)
    await trader.do("submit_order", window=window, side="short", qty="2", limit="1", client_id="2", reduce_only=True)
    return trader


async def test_what_the_chain_confirms_is_in_the_database(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror, api(database, rpc, venue) as http:
        trader = await trade(venue, http)
        await mirror.caught_up()
        ticks = (await http.get(f"/v1/matches/{MATCH_ID}/momentum")).json()["data"]
        assert [tick["tick"] for tick in ticks] == list(range(1, 31))
        assert [tick["second"] for tick in ticks] == list(range(1, 31))
        assert ticks[4]["x"] == "55"
        assert {tick["status"] for tick in ticks} <= {"confirmed", "finalized"}
        assert all(tick["slot"] for tick in ticks)
        positions = (await http.get("/v1/positions", params={"owner": trader.address})).json()["data"]
        assert positions[0]["qty"] == "10"
        assert positions[0]["window"] == "0-15"
        assert positions[0]["mark"] is not None
        trades = (await http.get("/v1/trades", params={"owner": trader.address})).json()["data"]
        assert [(item["reason"], item["qty"], item["window"]) for item in trades] == [("filled", "10", "0-15")]
        assert trades[0]["play_ms"] == 27_000
        orders = (await http.get("/v1/orders", params={"owner": trader.address})).json()["data"]
        assert [item["status"] for item in orders] == ["pending", "filled"]
        pool = (await http.get("/v1/pool")).json()["data"]
        assert float(pool["cash"]) > 100_000 - 10
        account = (await http.get(f"/v1/accounts/{trader.address}")).json()
        assert account["margin"]["last_client_id"] == "2"
        markets = (await http.get("/v1/markets", params={"match": MATCH_ID})).json()["data"]
        assert len(markets) == 9
        assert markets[0]["oi_long"] == "10"
        assert float(markets[0]["bid"]) < float(markets[0]["mark"]) < float(markets[0]["ask"])
        vault = await database.row("SELECT sum(vault_delta_e6) AS total FROM chain_transactions")
        assert vault is not None
        assert vault["total"] == 101_000_000_000


async def test_a_rebuild_from_scratch_gives_the_same_state(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue, dsn: str
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror:
        async with api(database, rpc, venue) as http:
            await trade(venue, http)
        await mirror.caught_up()
        async with database.connection() as connection:
            before, tables = await state_hash(connection), await table_hashes(connection)
            await connection.execute(
                "TRUNCATE chain_transactions, samples, feeds, covered_slots, windows, markets, positions, margins,"
                " pools, exchanges, treasuries CASCADE"
            )
    async with running(rpc, pubsub, database, venue) as mirror:
        await mirror.caught_up()
        async with database.connection() as connection:
            assert await table_hashes(connection) == tables
            assert await state_hash(connection) == before
