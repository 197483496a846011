"""The pool against local HTTP twins that fail in every way a node can."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.endpoints import Endpoints
from chain.errors import RpcError, RpcUnavailableError
from chain.localnet.server import Server
from chain.rpc import RpcPool

Answer = Callable[[Any], Awaitable[web.Response] | web.Response]


class Twin:
    """One fake endpoint; `answer` decides what it does, `seen` are the request bodies."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.answer: Answer = lambda body: ok(body, "fine")
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.seen.append(body)
        reply = self.answer(body)
        return reply if isinstance(reply, web.Response) else await reply


def ok(body: Any, result: Any) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": body["id"], "result": result})


def refuse(body: Any, code: int, message: str) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": body["id"], "error": {"code": code, "message": message}})


@pytest.fixture
async def twins() -> AsyncIterator[list[Twin]]:
    made, runners = [Twin(), Twin()], []
    for twin in made:
        app = web.Application()
        app.router.add_post("/", twin.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        twin.url = f"http://127.0.0.1:{port}/"
        runners.append(runner)
    yield made
    for runner in runners:
        await runner.cleanup()


def pool_of(twins: list[Twin], **options: Any) -> RpcPool:
    return RpcPool([twin.url for twin in twins], **options)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_failing_endpoint_is_passed_over_and_rests(twins: list[Twin], status: int) -> None:
    twins[0].answer = lambda _body: web.Response(status=status, headers={"Retry-After": "30"})
    async with pool_of(twins) as pool:
        assert await pool.call("getHealth") == "fine"
        assert await pool.call("getHealth") == "fine"
        assert len(twins[0].seen) == 1
        assert str(status) in pool.endpoints.items[0].last_failure
        assert pool.endpoints.items[0].resting_until_s > 0


async def test_an_endpoint_that_does_not_answer_in_time_is_passed_over(twins: list[Twin]) -> None:
    async def slow(body: Any) -> web.Response:
        await asyncio.sleep(5)
        return ok(body, "late")

    twins[0].answer = slow
    async with pool_of(twins, timeout_s=0.2) as pool:
        assert await pool.call("getHealth") == "fine"
        assert pool.endpoints.items[0].last_failure == "no answer within 0.2 s"


async def test_a_closed_port_is_passed_over(twins: list[Twin]) -> None:
    async with RpcPool(["http://127.0.0.1:1/", twins[1].url]) as pool:
        assert await pool.call("getHealth") == "fine"


async def test_when_nothing_answers_every_reason_is_told(twins: list[Twin]) -> None:
    for twin in twins:
        twin.answer = lambda _body: web.Response(status=503, text="busy")
    async with pool_of(twins, rounds=2) as pool:
        with pytest.raises(RpcUnavailableError, match="getHealth: no RPC endpoint answered") as caught:
            await pool.call("getHealth")
        assert len(caught.value.reasons) == 4
        assert "HTTP 503" in caught.value.reasons[0]


async def test_a_refusal_is_an_answer_and_no_other_endpoint_is_asked(twins: list[Twin]) -> None:
    twins[0].answer = lambda body: refuse(body, -32602, "Invalid param: WrongSize")
    async with pool_of(twins) as pool:
        with pytest.raises(RpcError, match="WrongSize") as caught:
            await pool.call("getBalance", ["x"])
        assert caught.value.code == -32602
        assert twins[1].seen == []


@pytest.mark.parametrize("code", [-32005, -32016, 429])
async def test_a_node_that_is_behind_or_busy_is_passed_over(twins: list[Twin], code: int) -> None:
    twins[0].answer = lambda body: refuse(body, code, "not here")
    async with pool_of(twins) as pool:
        assert await pool.call("getSlot") == "fine"


async def test_an_answer_from_a_stale_node_is_not_used(twins: list[Twin]) -> None:
    def at(slot: int, lamports: int) -> Answer:
        return lambda body: ok(body, {"context": {"slot": slot}, "value": lamports})

    twins[0].answer = at(1_000, 1)
    async with pool_of(twins, max_slot_lag=50) as pool:
        key = Pubkey.new_unique()
        assert await pool.balance(key) == 1
        twins[0].answer = lambda _body: web.Response(status=500)
        twins[1].answer = at(2_000, 2)
        assert await pool.balance(key) == 2
        twins[0].answer = at(1_001, 1)
        pool.endpoints.items[0].resting_until_s = 0.0
        assert await pool.balance(key) == 2
        assert "the node is at slot 1001" in pool.endpoints.items[0].last_failure


async def test_a_cluster_that_was_set_back_is_believed_on_the_next_call(twins: list[Twin]) -> None:
    for twin in twins:
        twin.answer = lambda body: ok(body, {"context": {"slot": 10}, "value": 3})
    async with pool_of(twins) as pool:
        pool.endpoints.newest_slot = 5_000
        with pytest.raises(RpcUnavailableError, match="the node is at slot 10"):
            await pool.balance(Pubkey.new_unique())
        assert await pool.balance(Pubkey.new_unique()) == 3


async def test_a_batch_is_split_and_answers_are_matched_by_id(twins: list[Twin]) -> None:
    def shuffled(body: Any) -> web.Response:
        rows = [{"jsonrpc": "2.0", "id": item["id"], "result": item["params"][0]} for item in body]
        rows[0] = {"jsonrpc": "2.0", "id": body[0]["id"], "error": {"code": -32602, "message": "bad"}}
        return web.json_response(rows[::-1])

    twins[0].answer = shuffled
    async with pool_of(twins, max_batch=4) as pool:
        results = await pool.batch([("echo", [at]) for at in range(10)])
    assert [len(body) for body in twins[0].seen] == [4, 4, 2]
    assert [at for at, item in enumerate(results) if isinstance(item, RpcError)] == [0, 4, 8]
    assert results[1] == 1


async def test_a_batch_with_missing_answers_goes_to_the_next_endpoint(twins: list[Twin]) -> None:
    twins[0].answer = lambda body: web.json_response([{"jsonrpc": "2.0", "id": body[0]["id"], "result": 0}])
    twins[1].answer = lambda body: web.json_response(
        [{"jsonrpc": "2.0", "id": item["id"], "result": 1} for item in body]
    )
    async with pool_of(twins) as pool:
        assert await pool.batch([("a", []), ("b", [])]) == [1, 1]


async def test_min_context_slot_reaches_the_node_and_its_refusal_moves_on(twins: list[Twin]) -> None:
    twins[0].answer = lambda body: refuse(body, -32016, "Minimum context slot has not been reached")
    twins[1].answer = lambda body: ok(body, {"context": {"slot": 500}, "value": [None]})
    async with pool_of(twins) as pool:
        assert await pool.account(Pubkey.new_unique(), min_context_slot=400) is None
        assert twins[1].seen[0]["params"][1]["minContextSlot"] == 400


def test_rest_grows_with_failures_in_a_row_and_ends_with_a_success() -> None:
    endpoints = Endpoints.of(["a", "b"], 50)
    first = endpoints.items[0]
    ends = []
    for _ in range(9):
        endpoints.failed(first, 100.0, "down")
        ends.append(first.resting_until_s - 100.0)
    assert ends == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert [item.url for item in endpoints.order(101.0)] == ["b", "a"]
    assert [item.url for item in endpoints.order(131.0)] == ["a", "b"]
    endpoints.succeeded(first)
    assert [item.url for item in endpoints.order(101.0)] == ["a", "b"]
    with pytest.raises(ValueError, match="at least one endpoint"):
        Endpoints.of([], 50)


async def test_typed_requests_read_the_localnet(server: Server) -> None:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        key = Keypair().pubkey()
        airdrop = await pool.call("requestAirdrop", [str(key), 5_000_000])
        assert await pool.balance(key) == 5_000_000
        account = await pool.account(key)
        assert account is not None
        assert (account.lamports, account.data, account.slot) == (5_000_000, b"", server.node.ledger.slots.slot)
        many = await pool.accounts([key, *(Pubkey.new_unique() for _ in range(150))])
        assert len(many) == 151
        assert [row is None for row in many][:2] == [False, True]
        rows = await pool.signatures_for(key)
        assert [row["signature"] for row in rows] == [airdrop]
        blockhash = await pool.latest_blockhash()
        assert blockhash.last_valid_block_height == await pool.block_height() + 150
        assert await pool.slot() == blockhash.slot
        assert await pool.rent_exempt_lamports(0) == 890_880
