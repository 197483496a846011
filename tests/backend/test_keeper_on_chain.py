"""The keeper against the real programs: what waits on chain is carried out without its owner."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from backend.db.pool import Database
from chain.rpc import RpcPool
from oracle.books import read_books
from oracle.keeper import Cranker
from tests.backend.test_mirror_on_chain import api, play, trade
from tests.backend.venue import Person, Venue


@pytest.fixture
async def http(database: Database, rpc: RpcPool, venue: Venue) -> AsyncIterator[httpx.AsyncClient]:
    async with api(database, rpc, venue) as client:
        yield client


async def test_the_keeper_marks_windows_and_carries_out_a_deposit_that_waits(
    rpc: RpcPool, venue: Venue, http: httpx.AsyncClient
) -> None:
    await trade(venue, http)
    provider = Person(http)
    await venue.fund(provider.key, 1_000)
    await provider.do("deposit_liquidity", amount="1000")
    books = await read_books(rpc, venue.exchange)
    (request,) = books.requests.values()
    assert (books.pool.live_windows, books.pool.claimable_e6) == (1, 1_000_000_000)
    cranker = Cranker(rpc, venue.exchange, venue.feed, venue.admin, lambda: venue.now_ms)
    await play(venue, 31, 31)
    await cranker.step()  # too early: a mark must be of a sample that the provider could not know
    assert cranker.stats.done["request"] == 0
    assert cranker.stats.refused.total() == 0
    await play(venue, 32, 38)
    assert venue.now_ms > request.marks_from_ms
    after = await cranker.step()
    assert cranker.stats.refused.total() == 0, cranker.stats.refused
    assert cranker.stats.done["request"] == 1  # with the marks, in one transaction
    assert after.requests == {}
    assert after.pool.claimable_e6 == 0
    assert after.pool.cash_e6 >= books.pool.cash_e6 + 1_000_000_000  # a trader lost something meanwhile
