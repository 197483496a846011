"""The JSON-RPC surface: codes, encodings, duplicates, ages, batches."""

from __future__ import annotations

import base64
import json
from typing import Any

import aiohttp
import pytest
from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    advance_nonce_account,
    create_nonce_account,
)
from solders.transaction import VersionedTransaction

from chain import base58
from chain.localnet.errors import error_text
from chain.localnet.params import Params
from chain.localnet.protocol import answer
from chain.localnet.server import Server
from tests.chain.offline import CONFIRMED, SKIP, SOL, Chain, b64

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


def test_a_duplicate_is_refused_by_preflight_and_silent_without_it(chain: Chain) -> None:
    wire = b64(chain.sign(chain.pay()))
    signature = chain.ask("sendTransaction", wire, CONFIRMED)
    refused = chain.error("sendTransaction", wire, CONFIRMED)
    assert refused["code"] == -32002
    assert refused["message"] == "Transaction simulation failed: This transaction has already been processed"
    assert refused["data"]["err"] == "AlreadyProcessed"
    count = chain.ask("getTransactionCount")
    assert chain.ask("sendTransaction", wire, SKIP) == signature
    assert chain.ask("getTransactionCount") == count


def test_a_blockhash_lives_for_150_blocks(chain: Chain) -> None:
    blockhash, last_valid = chain.ledger.latest_blockhash()
    wire = b64(chain.sign(chain.pay(), blockhash=blockhash))
    chain.pass_slots(150)
    assert chain.ask("getBlockHeight", {"commitment": "processed"}) == last_valid
    assert chain.ask("isBlockhashValid", str(blockhash), {"commitment": "processed"})["value"] is True
    simulated = chain.ask("simulateTransaction", wire, {"encoding": "base64"})
    assert simulated["value"]["err"] is None
    chain.pass_slots(1)
    assert chain.ask("isBlockhashValid", str(blockhash), {"commitment": "processed"})["value"] is False
    refused = chain.error("sendTransaction", wire, CONFIRMED)
    assert refused["message"] == "Transaction simulation failed: Blockhash not found"
    signature = chain.ask("sendTransaction", wire, SKIP)
    assert chain.ask("getSignatureStatuses", [signature])["value"] == [None]
    chain.pass_slots(10_000)
    assert chain.ledger.slots.slot_of(chain.ledger.latest_blockhash()[0]) is not None


def test_a_durable_nonce_outlives_blockhashes_and_works_once(chain: Chain) -> None:
    nonce = Keypair()
    create = create_nonce_account(chain.payer.pubkey(), nonce.pubkey(), chain.payer.pubkey(), 2_000_000)
    message = Message.new_with_blockhash(list(create), chain.payer.pubkey(), chain.ledger.latest_blockhash()[0])
    assert chain.ledger.process(VersionedTransaction(message, [chain.payer, nonce])).err is None
    account = chain.ledger.account(nonce.pubkey())
    assert account is not None
    stored = Hash(account.data[40:72])
    advance = advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=chain.payer.pubkey())
    )
    first = b64(chain.sign(advance, chain.pay(), blockhash=stored))
    second = b64(chain.sign(advance, chain.pay(), blockhash=stored))
    chain.pass_slots(400)
    chain.ask("sendTransaction", first, CONFIRMED)
    assert chain.error("sendTransaction", second, CONFIRMED)["data"]["err"] == "BlockhashNotFound"


def test_a_failing_transaction_lands_without_preflight_and_pays_its_fee(chain: Chain) -> None:
    before = chain.ask("getBalance", str(chain.payer.pubkey()), {"commitment": "confirmed"})["value"]
    wire = b64(chain.sign(chain.pay(1_000 * SOL)))
    refused = chain.error("sendTransaction", wire, CONFIRMED)
    assert refused["message"].endswith("Error processing Instruction 0: custom program error: 0x1")
    assert refused["data"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert any("insufficient lamports" in line for line in refused["data"]["logs"])
    signature = chain.ask("sendTransaction", wire, SKIP)
    after = chain.ask("getBalance", str(chain.payer.pubkey()), {"commitment": "confirmed"})["value"]
    assert before - after == 5_000
    found = chain.ask("getTransaction", signature, {"commitment": "confirmed", "maxSupportedTransactionVersion": 0})
    assert found["meta"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert found["meta"]["preBalances"][0] - found["meta"]["postBalances"][0] == 5_000


def test_a_wrong_signature_is_an_error_with_preflight_and_never_lands(chain: Chain) -> None:
    good = VersionedTransaction.from_bytes(chain.sign(chain.pay()))
    bad = VersionedTransaction.populate(good.message, [Keypair().sign_message(b"x")])
    assert chain.error("sendTransaction", b64(bytes(bad)), CONFIRMED)["code"] == -32003
    signature = chain.ask("sendTransaction", b64(bytes(bad)), SKIP)
    assert chain.ask("getSignatureStatuses", [signature])["value"] == [None]
    assert (
        chain.error("simulateTransaction", b64(bytes(bad)), {"encoding": "base64", "sigVerify": True})["code"] == -32003
    )


def test_simulation_shows_accounts_afterwards_and_changes_nothing(chain: Chain) -> None:
    to = Keypair().pubkey()
    wire = b64(chain.sign(chain.pay(7_000_000, to), blockhash=Hash.default()))
    config = {
        "encoding": "base64",
        "replaceRecentBlockhash": True,
        "innerInstructions": True,
        "accounts": {"encoding": "base64", "addresses": [str(to), str(MEMO)]},
    }
    value = chain.ask("simulateTransaction", wire, config)["value"]
    assert value["err"] is None
    assert value["accounts"][0]["lamports"] == 7_000_000
    assert value["accounts"][1]["executable"] is True
    assert value["innerInstructions"] == []
    assert value["replacementBlockhash"]["blockhash"] == str(chain.ledger.latest_blockhash()[0])
    assert chain.ask("getAccountInfo", str(to), {"commitment": "confirmed"})["value"] is None
    assert chain.ask("simulateTransaction", wire, {"encoding": "base64"})["value"]["err"] == "BlockhashNotFound"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        ([], -32600),
        ({"id": 1, "method": "getSlot"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "nope"}, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "getBalance"}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": ["0"]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": {"a": 1}}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": [{"commitment": "soon"}]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": [{"minContextSlot": 99_999_999}]}, -32016),
        ({"jsonrpc": "2.0", "id": 1, "method": "getBlock", "params": [5]}, -32004),
        ({"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": ["AA=", {"encoding": "base64"}]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": ["A" * 1700]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": ["AAAA", {"encoding": "hex"}]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": ["l0"]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "getMultipleAccounts", "params": [["x"] * 101]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "getSignatureStatuses", "params": ["x"]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "localnet_setClock", "params": [{"unix_ms": 5}]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "localnet_setSpeed", "params": [{"speed": -1}]}, -32602),
    ],
)  # fmt: skip
def test_a_bad_request_gets_the_code_a_node_gives(chain: Chain, body: Any, code: int) -> None:
    assert chain.raw(body)["error"]["code"] == code


def test_batches_answer_in_order_and_notifications_are_not_answered(chain: Chain) -> None:
    replies = chain.raw(
        [
            {"jsonrpc": "2.0", "id": "a", "method": "getHealth"},
            {"jsonrpc": "2.0", "method": "getHealth"},
            {"jsonrpc": "2.0", "id": 7, "method": "nope"},
        ]
    )
    assert [reply["id"] for reply in replies] == ["a", 7]
    assert replies[0]["result"] == "ok"
    assert chain.raw({"jsonrpc": "2.0", "method": "getHealth"}) is None


def test_accounts_are_written_in_every_encoding_and_sliced(chain: Chain) -> None:
    key, owner = Keypair().pubkey(), Keypair().pubkey()
    chain.ledger.set_account(key, Account(5_000_000, bytes(range(100)), owner))
    chain.ledger.set_account(Keypair().pubkey(), Account(5_000_000, bytes(200), owner))
    at = {"commitment": "confirmed"}
    whole = chain.ask("getAccountInfo", str(key), {**at, "encoding": "base64"})["value"]
    assert base64.b64decode(whole["data"][0]) == bytes(range(100))
    assert (whole["space"], whole["owner"]) == (100, str(owner))
    part = chain.ask(
        "getAccountInfo", str(key), {**at, "encoding": "base58", "dataSlice": {"offset": 10, "length": 3}}
    )["value"]
    assert base58.decode(part["data"][0]) == bytes([10, 11, 12])
    assert isinstance(chain.ask("getAccountInfo", str(key), at)["value"]["data"], str)
    assert chain.error("getProgramAccounts", str(owner), at)["code"] == -32600
    memcmp = {"memcmp": {"offset": 1, "bytes": base58.encode(bytes([1, 2]))}}
    base = {**at, "encoding": "base64"}
    rows = chain.ask("getProgramAccounts", str(owner), {**base, "filters": [{"dataSize": 100}, memcmp]})
    assert [row["pubkey"] for row in rows] == [str(key)]
    wrapped = chain.ask("getProgramAccounts", str(owner), {**base, "withContext": True})
    assert len(wrapped["value"]) == 2
    memcmp = {"memcmp": {"offset": 0, "bytes": b64(bytes([9])), "encoding": "base64"}}
    assert chain.ask("getProgramAccounts", str(owner), {**base, "filters": [memcmp]}) == []
    assert chain.error("getProgramAccounts", str(owner), {**base, "filters": [{"what": 1}]})["code"] == -32602
    assert chain.error("getAccountInfo", str(key), {**at, "encoding": "base64+zstd"})["code"] == -32602


def test_program_accounts_at_the_root_are_those_of_the_root(chain: Chain) -> None:
    owner = Pubkey.from_string("11111111111111111111111111111111")
    to = Keypair().pubkey()
    chain.ask("sendTransaction", b64(chain.sign(chain.pay(8_000_000, to))), CONFIRMED)
    config = {"encoding": "base64", "commitment": "finalized"}
    assert str(to) not in {row["pubkey"] for row in chain.ask("getProgramAccounts", str(owner), config)}
    chain.pass_slots(32)
    assert str(to) in {row["pubkey"] for row in chain.ask("getProgramAccounts", str(owner), config)}


def test_a_version_0_transaction_needs_a_client_that_knows_it(chain: Chain) -> None:
    new = chain.ask("sendTransaction", b64(chain.sign(chain.pay())), CONFIRMED)
    old = chain.ask("sendTransaction", b64(chain.sign(chain.pay(), legacy=True)), CONFIRMED)
    assert chain.error("getTransaction", new, {"commitment": "confirmed"})["code"] == -32015
    assert "version" not in chain.ask("getTransaction", old, {"commitment": "confirmed"})
    config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    assert chain.ask("getTransaction", old, config)["version"] == "legacy"
    assert chain.ask("getTransaction", new, config)["version"] == 0
    assert chain.ask("getTransaction", new, {"maxSupportedTransactionVersion": 0}) is None
    for encoding in ("base58", "base64", "jsonParsed"):
        found = chain.ask("getTransaction", new, {**config, "encoding": encoding})
        assert found["meta"]["err"] is None
    parsed = found["transaction"]["message"]
    assert parsed["instructions"][0]["parsed"]["type"] == "transfer"
    assert parsed["accountKeys"][0]["signer"] is True


def test_a_lookup_table_is_resolved_and_reported(chain: Chain) -> None:
    table, to = Keypair().pubkey(), Keypair().pubkey()
    meta = (1).to_bytes(4, "little") + b"\xff" * 8 + bytes(8) + b"\0" + b"\0" + bytes(32) + bytes(2)
    program = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
    chain.ledger.set_account(table, Account(10_000_000, meta + bytes(to), program))
    blockhash, _ = chain.ledger.latest_blockhash()
    lookup = [AddressLookupTableAccount(table, [to])]
    message = MessageV0.try_compile(chain.payer.pubkey(), [chain.pay(9_000_000, to)], lookup, blockhash)
    wire = bytes(VersionedTransaction(message, [chain.payer]))
    signature = chain.ask("sendTransaction", b64(wire), CONFIRMED)
    config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    found = chain.ask("getTransaction", signature, config)
    assert found["meta"]["loadedAddresses"] == {"writable": [str(to)], "readonly": []}
    assert found["meta"]["postBalances"][-1] == 9_000_000
    parsed = chain.ask("getTransaction", signature, {**config, "encoding": "jsonParsed"})
    assert parsed["transaction"]["message"]["accountKeys"][-1]["source"] == "lookupTable"
    gone = MessageV0.try_compile(
        chain.payer.pubkey(), [chain.pay(1, to)], [AddressLookupTableAccount(Keypair().pubkey(), [to])], blockhash
    )
    wire = bytes(VersionedTransaction(gone, [chain.payer]))
    assert chain.error("sendTransaction", b64(wire), CONFIRMED)["data"]["err"] == "AddressLookupTableNotFound"


def test_a_lookup_table_is_made_and_filled_by_its_program_and_used_a_slot_later(chain: Chain) -> None:
    program = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
    payer, to = chain.payer.pubkey(), Keypair().pubkey()
    chain.pass_slots(2)
    recent = chain.ledger.slots.slot - 1
    seeds = [bytes(payer), recent.to_bytes(8, "little")]
    table, bump = Pubkey.find_program_address(seeds, program)
    metas = [AccountMeta(table, False, True), AccountMeta(payer, True, False), AccountMeta(payer, True, True),
             AccountMeta(Pubkey.default(), False, False)]  # fmt: skip
    create = Instruction(program, (0).to_bytes(4, "little") + recent.to_bytes(8, "little") + bytes([bump]), metas)
    extend = Instruction(program, (2).to_bytes(4, "little") + (1).to_bytes(8, "little") + bytes(to), metas)
    chain.ask("sendTransaction", b64(chain.sign(create, extend)), CONFIRMED)
    chain.pass_slots(1)
    blockhash, _ = chain.ledger.latest_blockhash()
    lookup = [AddressLookupTableAccount(table, [to])]
    message = MessageV0.try_compile(payer, [chain.pay(9_000_000, to)], lookup, blockhash)
    chain.ask("sendTransaction", b64(bytes(VersionedTransaction(message, [chain.payer]))), CONFIRMED)
    assert chain.ask("getBalance", str(to), {"commitment": "confirmed"})["value"] == 9_000_000


def test_fees_rent_and_versions_are_told(chain: Chain) -> None:
    message = VersionedTransaction.from_bytes(chain.sign(chain.pay())).message
    encoded = b64(to_bytes_versioned(message))
    assert chain.ask("getFeeForMessage", encoded, {"commitment": "confirmed"})["value"] == 5_000
    assert chain.ask("getMinimumBalanceForRentExemption", 165) == 2_039_280
    assert "solana-core" in chain.ask("getVersion")
    fees = chain.ask("getRecentPrioritizationFees", [str(chain.payer.pubkey())])
    assert fees[-1] == {"slot": chain.ledger.slots.slot, "prioritizationFee": 0}
    info = chain.ask("getEpochInfo", {"commitment": "confirmed"})
    assert info["absoluteSlot"] - info["blockHeight"] == 100
    for method in ("getHealth", "getIdentity", "getSlotLeader", "getGenesisHash", "getFirstAvailableBlock",
                   "minimumLedgerSlot", "getEpochSchedule", "getRecentPerformanceSamples"):  # fmt: skip
        assert chain.ask(method) is not None


def test_logs_and_memos_come_from_the_program(chain: Chain) -> None:
    memo = Instruction(MEMO, b"hello", [AccountMeta(chain.payer.pubkey(), True, False)])
    signature = chain.ask("sendTransaction", b64(chain.sign(memo)), CONFIRMED)
    config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0, "encoding": "jsonParsed"}
    found = chain.ask("getTransaction", signature, config)
    assert any("hello" in line for line in found["meta"]["logMessages"])
    assert found["transaction"]["message"]["instructions"][0]["parsed"] == "hello"


async def test_http_speaks_to_browsers_and_says_what_it_is(server: Server) -> None:
    base = f"http://127.0.0.1:{server.rpc_port}/"
    async with aiohttp.ClientSession() as session:
        async with session.options(base) as reply:
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
        async with session.get(base) as reply:
            assert reply.status == 405
            assert "JSON-RPC" in await reply.text()
        async with session.get(base + "health") as reply:
            assert await reply.text() == "ok"
        async with session.post(base, data=b"x" * 3_000_000) as reply:
            assert reply.status == 413


def test_a_panic_or_a_mistake_in_a_handler_is_an_internal_error_and_nothing_more() -> None:
    panic = type("PanicException", (BaseException,), {})

    def broken(method: str, _params: Params) -> Any:
        raise {"panic": panic("rust"), "slip": ZeroDivisionError()}.get(method, KeyboardInterrupt())

    for method in ("panic", "slip"):
        reply = answer(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode(), broken)
        assert reply is not None
        assert json.loads(reply)["error"]["code"] == -32603
    with pytest.raises(KeyboardInterrupt):
        answer(b'{"jsonrpc":"2.0","id":1,"method":"stop"}', broken)


def test_error_sentences_are_those_of_a_node() -> None:
    assert error_text("AccountInUse") == "Account in use"
    assert error_text("ClusterMaintenance") == "Cluster Maintenance"
    assert error_text({"InstructionError": [2, "InvalidSeeds"]}).startswith("Error processing Instruction 2: Provided")
    assert "rent" in error_text({"InsufficientFundsForRent": {"account_index": 3}})
    assert error_text({"Other": 1}) == "{'Other': 1}"
