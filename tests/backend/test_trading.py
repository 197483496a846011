"""Building and sending transactions through the API, against the real programs."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from backend.api import models
from backend.api.writes import BuildAnswer, SendAnswer
from backend.db.pool import Database
from backend.trading.build import BadParameterError, Params
from backend.trading.desk import snake
from chain.pubsub import PubSub
from chain.rpc import RpcPool
from tests.backend.test_mirror_on_chain import api, play, running, trade
from tests.backend.venue import Person, Venue


@pytest.fixture
async def http(database: Database, rpc: RpcPool, venue: Venue) -> AsyncIterator[httpx.AsyncClient]:
    async with api(database, rpc, venue) as client:
        yield client


@pytest.fixture
async def trader(http: httpx.AsyncClient, venue: Venue) -> Person:
    """Somebody who can trade: liquidity, margin, play."""
    provider, person = Person(http), Person(http)
    await venue.fund(provider.key, 100_000)
    await provider.do("deposit_liquidity", amount="100000")
    await venue.fund(person.key, 1_000)
    await person.do("create_margin")
    await person.do("deposit_collateral", amount="1000")
    await play(venue, 1, 5)
    return person


def order(venue: Venue, **more: Any) -> dict[str, Any]:
    return {"window": str(venue.windows[0]), "side": "long", "qty": "1", "limit": "99", **more}


def code_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return models.Problem.model_validate_json(response.content).code


async def test_every_trading_answer_has_its_declared_shape(
    rpc: RpcPool, pubsub: PubSub, database: Database, venue: Venue, http: httpx.AsyncClient
) -> None:
    async with running(rpc, pubsub, database, venue) as mirror:
        person = await trade(venue, http)
        await mirror.caught_up()
    shapes: list[tuple[str, type[BaseModel]]] = [
        ("/v1/markets", models.Page[models.Window]),
        ("/v1/positions", models.Page[models.Position]),
        ("/v1/orders", models.Page[models.Order]),
        ("/v1/orders?status=ended", models.Page[models.Order]),
        ("/v1/trades?filled=true", models.Page[models.Trade]),
        ("/v1/matches", models.Page[models.Match]),
        ("/v1/pool", models.PoolAnswer),
        (f"/v1/accounts/{person.address}", models.Account),
    ]
    for path, shape in shapes:
        response = await http.get(path)
        shape.model_validate_json(response.content)
        assert response.json().get("data", [1]), path
    pages = await http.get("/v1/orders", params={"limit": 1})
    following = await http.get("/v1/orders", params={"limit": 1, "cursor": pages.json()["next_cursor"]})
    ids = [pages.json()["data"][0]["client_id"], following.json()["data"][0]["client_id"]]
    assert ids == ["2", "1"]
    assert following.json()["next_cursor"] is None


async def test_a_built_transaction_says_what_it_does_and_sends_once(trader: Person, venue: Venue) -> None:
    built = await trader.build("submit_order", **order(venue))
    answer = BuildAnswer.model_validate_json(built.content)
    assert answer.summary.text == "Buy 1 contracts at 99 or less, 15.00 USDC collateral."
    assert answer.summary.fee_payer == trader.address
    assert answer.summary.compute_units
    assert answer.summary.client_id == "1"
    body = {"transaction": trader.sign(built.json()), "last_valid_block_height": answer.last_valid_block_height}
    first = await trader.http.post("/v1/transactions", json=body)
    again = await trader.http.post("/v1/transactions", json=body)
    assert SendAnswer.model_validate_json(first.content) == SendAnswer.model_validate_json(again.content)
    at_once = await trader.http.post("/v1/transactions", json={**body, "wait": False})
    assert at_once.json()["status"] == "sent"


async def test_the_same_name_never_becomes_a_second_order(trader: Person, venue: Venue) -> None:
    numbers = []
    for headers, more in (({}, {"client_order_id": "mine"}), ({"Idempotency-Key": "mine"}, {}), ({}, {})):
        built = await trader.build("submit_order", headers=headers, **order(venue, **more))
        numbers.append(built.json()["summary"]["client_id"])
    assert numbers == ["1", "1", "2"]
    other = await trader.build("submit_order", **order(venue, qty="2", client_order_id="mine"))
    assert (other.status_code, code_of(other)) == (409, "idempotency_conflict")
    sent = await trader.do("submit_order", **order(venue, client_order_id="mine"))
    assert sent["summary"]["client_id"] == "1"
    retry = await trader.build("submit_order", **order(venue, client_order_id="mine"))
    assert code_of(retry) in ("client_id_used", "account_already_in_use")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"qty": 1}, "bad_parameter"),
        ({"qty": "1.0000001"}, "bad_parameter"),
        ({"qty": None}, "bad_parameter"),
        ({"side": "up"}, "bad_parameter"),
        ({"limit": "101"}, "bad_parameter"),
        ({"limmit": "1"}, "bad_parameter"),
        ({"expiry_ms": 999_999}, "bad_parameter"),
        ({"reduce_only": "yes"}, "bad_parameter"),
        ({"client_id": "-1"}, "bad_parameter"),
        ({"client_order_id": ""}, "bad_parameter"),
        ({"window": "nowhere"}, "bad_parameter"),
        ({"window": str(Keypair().pubkey())}, "window_not_found"),
        ({"collateral": "14"}, "collateral_too_low"),
        ({"qty": "500"}, "insufficient_margin"),
        ({"expiry_ms": 1}, "bad_parameter"),
    ],
)
async def test_a_wrong_order_is_refused_with_a_reason(
    trader: Person, venue: Venue, change: dict[str, Any], code: str
) -> None:
    response = await trader.build("submit_order", **(order(venue) | change))
    assert response.status_code in (404, 422)
    assert code_of(response) == code
    assert response.json()["detail"]


async def test_the_programs_refusal_carries_its_own_words(trader: Person, venue: Venue) -> None:
    await venue.tick(6, flags=1)
    response = await trader.build("submit_order", **order(venue))
    error = response.json()["program_error"]
    assert code_of(response) == "suspended"
    assert (error["program"], error["name"], error["code"]) == ("market", "Suspended", 6008)
    assert "suspended" in response.json()["detail"]


async def test_liquidity_goes_out_again(trader: Person, http: httpx.AsyncClient, venue: Venue) -> None:
    provider = Person(http)
    await venue.fund(provider.key, 50)
    await provider.do("deposit_liquidity", amount="50", min_shares="0")
    sent = await provider.do("withdraw_liquidity", shares="10", min_amount="0")
    assert sent["status"] == "confirmed"
    await trader.do("withdraw_collateral", amount="1000")


async def test_what_is_missing_is_named(http: httpx.AsyncClient, venue: Venue) -> None:
    person = Person(http)
    await venue.fund(person.key, 1)
    assert code_of(await person.build("submit_order", **order(venue))) == "margin_missing"
    response = await person.build("settle_position", window=str(venue.windows[0]))
    assert (response.status_code, code_of(response)) == (404, "position_not_found")
    assert code_of(await person.build("deposit_collateral", amount="1")) == "margin_missing"
    response = await http.post("/v1/transactions/build", json={"kind": "steal", "owner": person.address})
    assert code_of(response) == "invalid_request"
    response = await http.post("/v1/transactions/build", json={"kind": "create_margin", "owner": "1" * 44})
    assert code_of(response) == "bad_address"


async def test_only_whole_signed_transactions_of_ours_are_forwarded(http: httpx.AsyncClient, venue: Venue) -> None:
    person = Person(http)
    await venue.fund(person.key, 1)
    built = (await person.build("create_margin")).json()
    blockhash = Hash.from_string(built["blockhash"])
    pay = transfer(TransferParams(from_pubkey=person.key.pubkey(), to_pubkey=venue.admin.pubkey(), lamports=1))
    message = MessageV0.try_compile(person.key.pubkey(), [pay], [], blockhash)
    foreign = bytes(VersionedTransaction(message, [person.key]))
    signed = bytearray(base64.b64decode(person.sign(built)))
    signed[5] ^= 1
    cases = {
        "not_signed": base64.b64decode(built["transaction"]),
        "wrong_signature": bytes(signed),
        "foreign_transaction": foreign,
        "not_a_transaction": b"\1\2\3",
        "too_large": bytes(1_300),
    }
    for code, wire in cases.items():
        response = await http.post("/v1/transactions", json={"transaction": base64.b64encode(wire).decode()})
        assert (response.status_code, code_of(response)) == (422, code)
    response = await http.post("/v1/transactions", json={"transaction": "***"})
    assert code_of(response) == "not_a_transaction"


def test_parameters_are_read_strictly() -> None:
    params = Params({"a": "12.5", "n": 7, "b": True, "t": "x", "rest": 1})
    assert params.amount_e6("a") == 12_500_000
    assert params.amount_e6("missing", 3) == 3
    assert params.whole("n", 0, 10) == 7
    assert params.whole("missing", 4, 10) == 4
    assert params.flag("b")
    assert params.text("t", 3) == "x"
    with pytest.raises(BadParameterError, match="rest"):
        params.done()
    for bad in ({"n": True}, {"n": 11}, {"n": "x"}):
        with pytest.raises(BadParameterError):
            Params(bad).whole("n", 0, 10)
    with pytest.raises(BadParameterError):
        Params({"t": "long"}).text("t", 3)


def test_error_names_become_codes() -> None:
    assert snake("CollateralTooLow") == "collateral_too_low"
    assert snake("Expired") == "expired"
