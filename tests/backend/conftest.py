"""A real PostgreSQL for the session, a fresh database for each test, and a localnet with the real programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from backend.db.migrate import migrate
from backend.db.pool import Database
from backend.engines.postgres import Postgres
from chain.localnet.clock import MatchClock
from chain.localnet.ledger import Ledger
from chain.localnet.methods import Node
from chain.localnet.server import Server
from chain.pubsub import PubSub
from chain.rpc import RpcPool
from tests.backend.venue import START_MS, Venue, add_programs

_names = iter(range(1_000_000))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("pg") / "data", database="template") as running:
        migrate(running.dsn)
        yield running


@pytest.fixture
def dsn(postgres: Postgres) -> Iterator[str]:
    """The address of a migrated, empty database."""
    name = f"test_{next(_names)}"
    with psycopg.connect(postgres.dsn_of("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template").format(sql.Identifier(name)))
        yield postgres.dsn_of(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    async with Database(dsn) as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A localnet whose clock the test moves."""
    ledger = Ledger(START_MS)
    add_programs(ledger)
    running = Server(Node(ledger, MatchClock(START_MS, None)), "127.0.0.1", 0, 0)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def rpc(server: Server) -> AsyncIterator[RpcPool]:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        yield pool


@pytest.fixture
async def pubsub(server: Server) -> AsyncIterator[PubSub]:
    async with PubSub([f"ws://127.0.0.1:{server.ws_port}"]) as client:
        yield client


@pytest.fixture
async def venue(rpc: RpcPool, tmp_path: Path) -> Venue:
    """An exchange with one match and its windows."""
    made = Venue(rpc)
    await made.found()
    return made
