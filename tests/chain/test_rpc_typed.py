"""Typed requests of the pool and the parsed form of token instructions, on a real token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction
from spl.token import instructions as token
from spl.token import models
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.errors import RpcError
from chain.localnet.server import Server
from chain.rpc import RpcPool
from chain.sender import Sender


class Mint:
    """A token with a million units in the payer's account."""

    def __init__(self, pool: RpcPool) -> None:
        self.pool = pool
        self.payer, self.mint, self.friend = Keypair(), Keypair(), Keypair()
        self.mine, self.theirs = (
            token.get_associated_token_address(who.pubkey(), self.mint.pubkey()) for who in (self.payer, self.friend)
        )

    async def send(self, *instructions: Instruction) -> Signature:
        sent = await Sender(self.pool).send_instructions(list(instructions), self.payer, [self.mint])
        return sent.raise_for_failure().signature

    async def make(self) -> Signature:
        payer, mint = self.payer.pubkey(), self.mint.pubkey()
        await self.pool.call("requestAirdrop", [str(payer), 10_000_000_000])
        new = CreateAccountParams(
            from_pubkey=payer, to_pubkey=mint, lamports=2_000_000, space=82, owner=TOKEN_PROGRAM_ID
        )
        return await self.send(
            create_account(new),
            token.initialize_mint2(
                models.InitializeMint2Params(decimals=2, program_id=TOKEN_PROGRAM_ID, mint=mint, mint_authority=payer)
            ),
            token.create_associated_token_account(payer, payer, mint),
            token.create_associated_token_account(payer, self.friend.pubkey(), mint),
            token.mint_to(
                models.MintToParams(
                    program_id=TOKEN_PROGRAM_ID, mint=mint, dest=self.mine, mint_authority=payer, amount=1_000_000
                )
            ),
        )

    def transfer(self, amount: int, checked: bool) -> Instruction:
        payer = self.payer.pubkey()
        if checked:
            return token.transfer_checked(
                models.TransferCheckedParams(
                    program_id=TOKEN_PROGRAM_ID,
                    source=self.mine,
                    mint=self.mint.pubkey(),
                    dest=self.theirs,
                    owner=payer,
                    amount=amount,
                    decimals=2,
                )
            )
        return token.transfer(
            models.TransferParams(
                program_id=TOKEN_PROGRAM_ID, source=self.mine, dest=self.theirs, owner=payer, amount=amount
            )
        )

    def burn(self, amount: int) -> Instruction:
        return token.burn(
            models.BurnParams(
                program_id=TOKEN_PROGRAM_ID,
                account=self.mine,
                mint=self.mint.pubkey(),
                owner=self.payer.pubkey(),
                amount=amount,
            )
        )

    async def wire(self, *instructions: Instruction) -> bytes:
        blockhash = await self.pool.latest_blockhash()
        message = MessageV0.try_compile(self.payer.pubkey(), list(instructions), [], blockhash.blockhash)
        return bytes(VersionedTransaction(message, [self.payer]))


@pytest.fixture
async def mint(server: Server) -> AsyncIterator[Mint]:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        made = Mint(pool)
        await made.make()
        yield made


async def parsed(pool: RpcPool, signature: Signature) -> list[dict[str, Any]]:
    config = {"encoding": "jsonParsed", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    found = await pool.call("getTransaction", [str(signature), config])
    return [item["parsed"] for item in found["transaction"]["message"]["instructions"] if "parsed" in item]


async def test_token_instructions_are_parsed_with_their_amounts(mint: Mint) -> None:
    signature = await mint.send(mint.transfer(150, False), mint.transfer(250, True), mint.burn(100))
    rows = await parsed(mint.pool, signature)
    assert [row["type"] for row in rows] == ["transfer", "transferChecked", "burn"]
    assert rows[0]["info"]["amount"] == "150"
    assert rows[1]["info"]["tokenAmount"]["uiAmountString"] == "2.5"
    owned = await mint.pool.call(
        "getTokenAccountsByOwner",
        [
            str(mint.friend.pubkey()),
            {"programId": str(TOKEN_PROGRAM_ID)},
            {"encoding": "jsonParsed", "commitment": "confirmed"},
        ],
    )
    assert owned["value"][0]["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"] == "400"


async def test_a_mint_transaction_shows_its_creation_and_inner_instructions(server: Server) -> None:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        made = Mint(pool)
        signature = await made.make()
        rows = await parsed(pool, signature)
        assert [row["type"] for row in rows] == ["createAccount", "mintTo"]
        found = await pool.transaction(signature)
        assert found is not None
        assert {group["index"] for group in found["meta"]["innerInstructions"]} == {2, 3}
        assert all(
            item["stackHeight"] == 2 for group in found["meta"]["innerInstructions"] for item in group["instructions"]
        )


async def test_a_simulation_returns_the_accounts_it_would_leave(mint: Mint) -> None:
    simulated = await mint.pool.simulate(await mint.wire(mint.transfer(700, False)), after=[mint.theirs])
    assert simulated.err is None
    assert simulated.units > 0
    (account,) = simulated.accounts
    assert account is not None
    assert int.from_bytes(account.data[64:72], "little") == 700
    failed = await mint.pool.simulate(await mint.wire(mint.transfer(10**9, False)))
    assert failed.err == {"InstructionError": [0, {"Custom": 1}]}
    assert any("failed" in line for line in failed.logs)


async def test_program_accounts_and_many_transactions_are_read_at_once(mint: Mint) -> None:
    filters = [{"dataSize": 165}, {"memcmp": {"offset": 32, "bytes": str(mint.friend.pubkey())}}]
    slot = await mint.pool.slot()
    rows = await mint.pool.program_accounts(TOKEN_PROGRAM_ID, filters, min_context_slot=slot)
    assert [row.address for row in rows] == [mint.theirs]
    sent = [await mint.send(mint.transfer(amount, False)) for amount in (1, 2, 3)]
    found = await mint.pool.transactions([*sent, Signature.default()])
    assert [row["slot"] if row else None for row in found] == [slot, slot, slot, None]
    newest = await mint.pool.signatures_for(mint.theirs, limit=2, before=sent[2], min_context_slot=slot)
    assert [row["signature"] for row in newest] == [str(sent[1]), str(sent[0])]
    since = await mint.pool.signatures_for(mint.theirs, until=sent[0])
    assert [row["signature"] for row in since] == [str(sent[2]), str(sent[1])]


async def test_token_questions_about_other_accounts_are_refused(mint: Mint) -> None:
    questions = [
        ("getTokenAccountBalance", mint.payer.pubkey()),
        ("getTokenAccountBalance", mint.mint.pubkey()),
        ("getTokenSupply", mint.mine),
        ("getTokenSupply", Pubkey.new_unique()),
    ]
    for method, address in questions:
        with pytest.raises(RpcError) as caught:
            await mint.pool.call(method, [str(address), {"commitment": "confirmed"}])
        assert caught.value.code == -32602
    with pytest.raises(RpcError, match="exactly one of mint and programId"):
        await mint.pool.call("getTokenAccountsByOwner", [str(mint.mine), {}])
    with pytest.raises(RpcError, match="unrecognized Token program"):
        await mint.pool.call("getTokenAccountsByOwner", [str(mint.mine), {"programId": str(mint.mine)}])
