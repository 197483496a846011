"""The mirror against a real localnet with the real programs and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from backend.api.app import create_app
from backend.api.context import Context
from backend.db.pool import Database
from backend.edge.hub import Hub
from backend.mirror.digest import state_hash, table_hashes
from backend.mirror.mirror import Mirror
from backend.mirror.records import EventRow
from backend.trading.desk import Desk
from chain.clients import market
from chain.codec import DecodeError
from chain.localnet.server import Server
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


async def hashes(database: Database) -> dict[str, str]:
    async with database.connection() as connection:
        return await table_hashes(connection)


async def test_duplicate_notifications_and_a_second_mirror_change_nothing(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue, server: Server
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror:
        async with (
            api(database, rpc, venue) as http,
            PubSub([f"ws://127.0.0.1:{server.ws_port}"]) as second,
            running(rpc, second, database, venue),
        ):
            await trade(venue, http)
            await mirror.caught_up()
        before = await hashes(database)
        told = await database.row("SELECT count(*) AS n FROM chain_events")
        for item in await database.rows("SELECT signature FROM chain_transactions WHERE program = 'market'"):
            mirror.announce("market", item["signature"])
        await mirror.caught_up()
        assert await hashes(database) == before
        assert await database.row("SELECT count(*) AS n FROM chain_events") == told


async def test_a_lost_connection_in_the_middle_loses_nothing(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue, dsn: str
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror, api(database, rpc, venue) as http:
        trader = await trade(venue, http)
        pubsub.restart("test")
        await play(venue, 31, 40)
        await venue.crank(trader.key.pubkey(), 2, 0, 36)
        while pubsub.connections < 2:
            await asyncio.sleep(0.01)
        await play(venue, 41, 45)
        await mirror.caught_up()
        ticks = await database.rows("SELECT tick, sample_index FROM samples ORDER BY tick")
        assert [(row["tick"], row["sample_index"]) for row in ticks] == [(n, n - 1) for n in range(1, 46)]
        trades = (await http.get("/v1/trades", params={"owner": trader.address})).json()["data"]
        assert [(item["reason"], item["closed"]) for item in trades] == [("filled", "2"), ("filled", "0")]
        positions = (await http.get("/v1/positions", params={"owner": trader.address})).json()["data"]
        assert positions[0]["qty"] == "8"


async def test_a_feed_whose_ring_does_not_reach_back_is_rebuilt_from_transactions(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue
) -> None:
    await play(venue, 1, 530)
    await venue.tick(530, 50 + 530 % 7, flags=4)
    await venue.tick(0, 51, period=2)
    await play_second_half(venue, 1, 20)
    async with running(rpc, pubsub, database, venue) as mirror:
        await mirror.caught_up()
        rows = await database.rows("SELECT tick, sample_index, period, second, slot FROM samples ORDER BY tick")
        assert [row["sample_index"] for row in rows] == list(range(552))
        assert (rows[530]["period"], rows[530]["second"]) == (1, 530)
        assert [(row["period"], row["second"]) for row in rows[531:]] == [(2, n) for n in range(21)]
        assert all(row["slot"] for row in rows)
        feed = await database.row("SELECT samples, in_break, period FROM feeds")
        assert feed == {"samples": 552, "in_break": False, "period": 2}


async def play_second_half(venue: Venue, first: int, last: int) -> None:
    for second in range(first, last + 1):
        await venue.tick(second, 50, period=2)


async def test_a_transaction_that_cannot_be_read_goes_to_the_dead_letters_and_comes_back(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_transaction: object) -> list[EventRow]:
        raise DecodeError("market: unknown event 00; the client is older than the program")

    async with running(rpc, pubsub, database, venue) as mirror, api(database, rpc, venue) as http:
        person = Person(http)
        await venue.fund(person.key, 10)
        await mirror.caught_up()
        with monkeypatch.context() as patched:
            patched.setattr("backend.mirror.reader.event_rows", broken)
            await person.do("create_margin")
            await person.do("deposit_collateral", amount="10")
            await venue.pause()
            await mirror.caught_up()
            letters = await database.rows("SELECT stage, error, payload FROM dead_letters")
            assert [letter["stage"] for letter in letters] == ["decode", "decode"]
            assert "older than the program" in letters[0]["error"]
            assert letters[0]["payload"]
            assert mirror.status()["dead_letters"] == 2
            covered = mirror.status()["covered"]["market"]
        await person.do("withdraw_collateral", amount="4")
        await venue.pause()
        await mirror.caught_up()
        assert mirror.status()["covered"]["market"] > covered  # poison does not hold up the others
        await mirror.sync.retry_dead()
        await mirror.caught_up()
        assert await database.rows("SELECT * FROM dead_letters") == []
        changes = await database.rows("SELECT amount_e6, deposit FROM collateral_changes ORDER BY amount_e6")
        assert [(row["amount_e6"], row["deposit"]) for row in changes] == [(4_000_000, False), (10_000_000, True)]


async def test_a_transaction_the_database_refuses_does_not_stop_the_others(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue
) -> None:
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE collateral_changes ADD CHECK (amount_e6 <> 3000000)")
    async with running(rpc, pubsub, database, venue) as mirror, api(database, rpc, venue) as http:
        person = Person(http)
        await venue.fund(person.key, 10)
        await person.do("create_margin")
        for amount in ("1", "3", "2"):
            await person.do("deposit_collateral", amount=amount)
        await venue.pause()
        await mirror.caught_up()
        kept = await database.rows("SELECT amount_e6 FROM collateral_changes ORDER BY amount_e6")
        assert [row["amount_e6"] for row in kept] == [1_000_000, 2_000_000]
        assert [row["stage"] for row in await database.rows("SELECT stage FROM dead_letters")] == ["store"]
        margin = await database.row("SELECT free_e6 FROM margins")
        assert margin == {"free_e6": 6_000_000}  # accounts are the truth


async def test_what_the_finalized_chain_lacks_is_removed_with_all_it_caused(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror:
        await mirror.caught_up()
        before = await hashes(database)
        slot = await rpc.slot()
        async with database.transaction() as connection:
            await connection.execute(
                "INSERT INTO chain_transactions (signature, slot, program, fee_payer, failed)"
                " VALUES ('dead', %s, 'market', 'x', false)",
                [slot],
            )
            await connection.execute(
                "INSERT INTO collateral_changes VALUES ('m', 'o', true, 1, 1, 'dead', 0, 0, 0, %s, NULL)", [slot]
            )
        await venue.pause(40 * 400)
        await mirror.caught_up()
        assert await hashes(database) == before
        final = await database.row("SELECT bool_and(finalized) AS all FROM chain_transactions")
        assert final == {"all": True}


async def test_failed_transactions_are_kept_with_the_programs_words(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror, api(database, rpc, venue) as http:
        person = Person(http)
        await venue.fund(person.key, 10)
        await person.do("create_margin")
        built = await person.build("withdraw_collateral", simulate=False, amount="5")
        body = {"transaction": person.sign(built.json())}
        refused = await http.post("/v1/transactions", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_margin")
        again = await http.post("/v1/transactions", json=body)
        assert again.json()["signature"] == refused.json()["signature"]
        await venue.pause()
        await mirror.caught_up()
        row = await database.row("SELECT error_name, error_code, vault_delta_e6 FROM chain_transactions WHERE failed")
        assert row is not None
        assert (row["error_name"], row["error_code"]) == ("InsufficientMargin", 6015)
        assert not row["vault_delta_e6"]


async def test_a_position_is_settled_and_its_account_forgotten(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror, api(database, rpc, venue) as http:
        trader = await trade(venue, http)
        for second in range(40, 901, 20):
            await venue.tick(second, 60)
        await venue.crank(trader.key.pubkey(), 2, 0, 30)
        finalise = market.ix_finalise_window(exchange=venue.exchange, window=venue.windows[0], feed=venue.feed)
        await venue.send([finalise], venue.admin)
        await venue.pause(61_000)
        await trader.do("settle_position", window=str(venue.windows[0]))
        await venue.pause()
        await mirror.caught_up()
        assert (await http.get("/v1/positions", params={"owner": trader.address})).json()["data"] == []
        settled = (await http.get("/v1/settlements", params={"owner": trader.address})).json()["data"]
        assert settled[0]["window"] == "0-15"
        assert float(settled[0]["payout"]) == pytest.approx(float(settled[0]["collateral"]) + float(settled[0]["pnl"]))
        windows = (await http.get("/v1/markets")).json()["data"]
        assert (windows[0]["state"], windows[0]["settlement"]) == ("final", settled[0]["settlement"])
        assert windows[0]["mark"] is None
        tape = await stream_kinds(database)
        assert {"tick", "window", "order", "trade", "settlement", "pool", "match"} <= tape


async def stream_kinds(database: Database) -> set[str]:
    return {row["kind"] for row in await database.rows("SELECT DISTINCT kind FROM stream_log")}


async def test_a_database_of_another_chain_is_built_anew(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue
) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO mirror_state VALUES ('genesis', 'another')")
        await connection.execute("INSERT INTO covered_slots VALUES ('market', 0, 999999999)")
    async with running(rpc, pubsub, database, venue) as mirror:
        await mirror.caught_up()
        windows = await database.row("SELECT count(*) AS n FROM windows")
        assert windows == {"n": 9}
        assert mirror.status()["healthy"]


async def test_reconciling_forgets_closed_accounts_and_prunes_the_log(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.mirror.mirror.KEEP_DELTAS", 3)
    async with running(rpc, pubsub, database, venue) as mirror:
        await play(venue, 1, 5)
        await mirror.caught_up()
        async with database.connection() as connection:
            await connection.execute(
                "INSERT INTO treasuries (address, kind, body, slot) VALUES ('gone', 'proposal', '{}', 1)"
            )
        before = await hashes(database)
        await mirror.reconcile()
        after = await hashes(database)
        assert {name for name in before if before[name] != after[name]} == {"treasuries"}
        assert await database.rows("SELECT * FROM treasuries") == []
        left = await database.row("SELECT count(*) AS n FROM stream_log")
        assert left == {"n": 3}
