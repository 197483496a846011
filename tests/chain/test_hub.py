"""Subscriptions without sockets: who hears what, and when."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import initialize_mint2
from spl.token.models import InitializeMint2Params

from chain.localnet.clock import MatchClock
from chain.localnet.errors import RpcError
from chain.localnet.hub import Hub
from chain.localnet.ledger import Ledger
from chain.localnet.methods import Node
from chain.localnet.params import Params

START_MS = 1_750_000_000_000
CONFIRMED = {"commitment": "confirmed", "encoding": "base64"}


class Ear:
    """A sink that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def push(self, text: str) -> None:
        self.heard.append(json.loads(text))

    def results(self, subscription: int) -> list[Any]:
        return [item["params"]["result"] for item in self.heard if item["params"]["subscription"] == subscription]


class World:
    def __init__(self) -> None:
        self.ledger = Ledger(START_MS)
        self.node = Node(self.ledger, MatchClock(START_MS, None))
        self.hub = Hub(self.node)
        self.ear = Ear()

    def subscribe(self, method: str, *params: Any) -> int:
        result, then = self.hub.call(method, Params(list(params)), self.ear)
        if then:
            then()
        return int(result)

    def pass_slots(self, slots: int) -> None:
        self.ledger.advance(self.ledger.slots.unix_ms + 400 * slots)


@pytest.fixture
def world() -> World:
    return World()


def test_a_finalized_subscriber_hears_when_the_slot_is_rooted(world: World) -> None:
    key = Keypair().pubkey()
    soon = world.subscribe("accountSubscribe", str(key), CONFIRMED)
    late = world.subscribe("accountSubscribe", str(key), {"encoding": "base64"})
    landed = world.ledger.airdrop(key, 3_000_000)
    done = world.subscribe("signatureSubscribe", str(landed.signature))
    assert len(world.ear.results(soon)) == 1
    world.pass_slots(31)
    assert world.ear.results(late) == []
    assert world.ear.results(done) == []
    world.pass_slots(1)
    assert world.ear.results(late)[0]["value"]["lamports"] == 3_000_000
    assert world.ear.results(late)[0]["context"]["slot"] == landed.slot
    assert world.ear.results(done) == [
        {"context": {"apiVersion": "3.0.0", "slot": landed.slot}, "value": {"err": None}}
    ]


def test_a_signature_is_notified_once_and_first_as_received(world: World) -> None:
    key = Keypair()
    world.ledger.airdrop(key.pubkey(), 10_000_000)
    pay = transfer(TransferParams(from_pubkey=key.pubkey(), to_pubkey=Keypair().pubkey(), lamports=5_000_000))
    blockhash, _ = world.ledger.latest_blockhash()
    transaction = VersionedTransaction(MessageV0.try_compile(key.pubkey(), [pay], [], blockhash), [key])
    config = {"commitment": "confirmed", "enableReceivedNotification": True}
    subscription = world.subscribe("signatureSubscribe", str(transaction.signatures[0]), config)
    world.ledger.process(transaction)
    values = [result["value"] for result in world.ear.results(subscription)]
    assert values == ["receivedSignature", {"err": None}]
    assert len(world.hub) == 0


def test_program_subscribers_hear_accounts_that_pass_their_filters(world: World) -> None:
    payer, mint = Keypair(), Keypair()
    world.ledger.airdrop(payer.pubkey(), 1_000_000_000)
    wide = world.subscribe("programSubscribe", str(TOKEN_PROGRAM_ID), {**CONFIRMED, "encoding": "jsonParsed"})
    narrow = world.subscribe("programSubscribe", str(TOKEN_PROGRAM_ID), {**CONFIRMED, "filters": [{"dataSize": 165}]})
    sliced = world.subscribe(
        "accountSubscribe", str(mint.pubkey()), {**CONFIRMED, "dataSlice": {"offset": 44, "length": 1}}
    )
    make = [
        create_account(
            CreateAccountParams(
                from_pubkey=payer.pubkey(),
                to_pubkey=mint.pubkey(),
                lamports=2_000_000,
                space=82,
                owner=TOKEN_PROGRAM_ID,
            )
        ),
        initialize_mint2(
            InitializeMint2Params(
                decimals=6, program_id=TOKEN_PROGRAM_ID, mint=mint.pubkey(), mint_authority=payer.pubkey()
            )
        ),
    ]
    blockhash, _ = world.ledger.latest_blockhash()
    message = MessageV0.try_compile(payer.pubkey(), make, [], blockhash)
    assert world.ledger.process(VersionedTransaction(message, [payer, mint])).err is None
    (found,) = world.ear.results(wide)
    assert found["value"]["pubkey"] == str(mint.pubkey())
    assert found["value"]["account"]["data"]["parsed"]["info"]["decimals"] == 6
    assert world.ear.results(narrow) == []
    (part,) = world.ear.results(sliced)
    assert base64.b64decode(part["value"]["data"][0]) == b"\x06"


def test_logs_go_to_those_who_asked_for_all_or_for_the_address(world: World) -> None:
    key, other = Keypair().pubkey(), Keypair().pubkey()
    everything = world.subscribe("logsSubscribe", "all", {"commitment": "confirmed"})
    mine = world.subscribe("logsSubscribe", {"mentions": [str(key)]}, {"commitment": "confirmed"})
    world.ledger.airdrop(key, 3_000_000)
    world.ledger.airdrop(other, 3_000_000)
    assert len(world.ear.results(everything)) == 2
    assert len(world.ear.results(mine)) == 1
    assert world.ear.results(mine)[0]["value"]["err"] is None


def test_slots_and_roots_are_told_one_by_one_and_a_long_jump_is_cut(world: World) -> None:
    slot = world.subscribe("slotSubscribe")
    root = world.subscribe("rootSubscribe")
    before = world.ledger.slots.slot
    world.pass_slots(3)
    assert [item["slot"] for item in world.ear.results(slot)] == [before + 1, before + 2, before + 3]
    assert all(item["parent"] == item["slot"] - 1 for item in world.ear.results(slot))
    assert world.ear.results(root) == [before - 31, before - 30, before - 29]
    world.pass_slots(648_000)
    assert len(world.ear.results(slot)) == 3 + 150
    assert world.ear.results(slot)[-1]["slot"] == world.ledger.slots.slot


def test_blocks_are_told_when_their_slot_is_over(world: World) -> None:
    key = Keypair().pubkey()
    config = {"commitment": "confirmed", "transactionDetails": "signatures", "maxSupportedTransactionVersion": 0}
    everything = world.subscribe("blockSubscribe", "all", config)
    mine = world.subscribe("blockSubscribe", {"mentionsAccountOrProgram": str(key)}, config)
    landed = world.ledger.airdrop(key, 3_000_000)
    assert world.ear.results(everything) == []
    world.pass_slots(1)
    world.ledger.airdrop(Keypair().pubkey(), 3_000_000)
    world.pass_slots(1)
    assert len(world.ear.results(everything)) == 2
    (block,) = world.ear.results(mine)
    assert block["value"]["block"]["signatures"] == [str(landed.signature)]


def test_unsubscribing_and_disconnecting_end_the_notifications(world: World) -> None:
    key = Keypair().pubkey()
    first = world.subscribe("accountSubscribe", str(key), CONFIRMED)
    world.subscribe("accountSubscribe", str(key), CONFIRMED)
    assert world.hub.call("accountUnsubscribe", Params([first]), world.ear) == (True, None)
    for wrong in (first, 999, "x"):
        with pytest.raises(RpcError, match="Invalid subscription id"):
            world.hub.call("accountUnsubscribe", Params([wrong]), world.ear)
    world.hub.drop(world.ear)
    world.ledger.airdrop(key, 3_000_000)
    assert world.ear.heard == []
    assert len(world.hub) == 0


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("accountSubscribe", []),
        ("accountSubscribe", ["nonsense"]),
        ("logsSubscribe", [{"mentions": []}]),
        ("logsSubscribe", ["some"]),
        ("signatureSubscribe", ["abc"]),
        ("blockSubscribe", [{"mentionsAccountOrProgram": 5}]),
        ("programSubscribe", [str(TOKEN_PROGRAM_ID), {"encoding": "hex"}]),
    ],
)
def test_a_bad_subscription_is_refused(world: World, method: str, params: list[Any]) -> None:
    with pytest.raises(RpcError) as caught:
        world.subscribe(method, *params)
    assert caught.value.code == -32602
    assert len(world.hub) == 0


def test_data_too_long_for_base58_is_given_in_base64(world: World) -> None:
    payer, big = Keypair(), Keypair()
    world.ledger.airdrop(payer.pubkey(), 1_000_000_000)
    subscription = world.subscribe("accountSubscribe", str(big.pubkey()), {"commitment": "confirmed"})
    make = create_account(
        CreateAccountParams(
            from_pubkey=payer.pubkey(), to_pubkey=big.pubkey(), lamports=3_000_000, space=200, owner=Pubkey.default()
        )
    )
    blockhash, _ = world.ledger.latest_blockhash()
    message = MessageV0.try_compile(payer.pubkey(), [make], [], blockhash)
    world.ledger.process(VersionedTransaction(message, [payer, big]))
    assert world.ear.results(subscription)[0]["value"]["data"][1] == "base64"
    assert world.ledger.history.get(Signature.default()) is None
