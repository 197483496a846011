"""The real solana-py clients drive the localnet."""

from __future__ import annotations

import asyncio

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.models import TokenAccountOpts, TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.rpc.config import RpcTransactionLogsFilter
from solders.signature import Signature
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import (
    create_associated_token_account,
    get_associated_token_address,
    initialize_mint2,
    mint_to,
    transfer_checked,
)
from spl.token.models import InitializeMint2Params, MintToParams, TransferCheckedParams

from chain.localnet.server import Server

SOL = 1_000_000_000


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.rpc_port}"


def ws(server: Server, port: int | None = None) -> str:
    return f"ws://127.0.0.1:{port or server.ws_port}"


def pass_slots(server: Server, slots: int) -> None:
    server.node.clock.set(server.node.clock.now_ms() + 400 * slots)
    server.node.tick()


async def signed_transfer(client: AsyncClient, payer: Keypair, to: Keypair, lamports: int) -> VersionedTransaction:
    blockhash = (await client.get_latest_blockhash(Confirmed)).value.blockhash
    pay = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to.pubkey(), lamports=lamports))
    return VersionedTransaction(MessageV0.try_compile(payer.pubkey(), [pay], [], blockhash), [payer])


async def send(
    client: AsyncClient, payer: Keypair, instructions: list[Instruction], signers: list[Keypair]
) -> Signature:
    blockhash = (await client.get_latest_blockhash(Confirmed)).value.blockhash
    message = MessageV0.try_compile(payer.pubkey(), instructions, [], blockhash)
    signed = VersionedTransaction(message, signers)
    return (await client.send_transaction(signed, opts=TxOpts(preflight_commitment=Confirmed))).value


async def test_a_transfer_is_sent_confirmed_and_found_again(server: Server) -> None:
    async with AsyncClient(url(server), commitment=Confirmed) as client:
        payer, to = Keypair(), Keypair()
        airdrop = (await client.request_airdrop(payer.pubkey(), SOL)).value
        assert (await client.confirm_transaction(airdrop, Confirmed)).value[0].err is None
        transaction = await signed_transfer(client, payer, to, 10_000_000)
        signature = (await client.send_transaction(transaction, opts=TxOpts(preflight_commitment=Confirmed))).value
        assert signature == transaction.signatures[0]
        assert (await client.get_balance(to.pubkey())).value == 10_000_000
        assert (await client.get_balance(payer.pubkey())).value == SOL - 10_000_000 - 5_000
        for encoding in ("json", "jsonParsed", "base64"):
            found = (await client.get_transaction(signature, encoding, Confirmed, 0)).value
            assert found is not None
            assert found.transaction.meta is not None
            assert found.transaction.meta.err is None
            assert found.transaction.meta.fee == 5_000
            assert found.transaction.meta.compute_units_consumed == 150
        rows = (await client.get_signatures_for_address(to.pubkey(), commitment=Confirmed)).value
        assert [row.signature for row in rows] == [signature]


async def test_finalized_reads_lag_by_thirty_two_slots(server: Server) -> None:
    async with AsyncClient(url(server)) as client:
        payer = Keypair()
        signature = (await client.request_airdrop(payer.pubkey(), SOL)).value
        assert (await client.get_balance(payer.pubkey(), Finalized)).value == 0
        assert (await client.get_balance(payer.pubkey(), Processed)).value == SOL
        status = (await client.get_signature_statuses([signature])).value[0]
        assert status is not None
        assert str(status.confirmation_status).endswith("Confirmed")
        pass_slots(server, 31)
        assert (await client.get_balance(payer.pubkey(), Finalized)).value == 0
        pass_slots(server, 1)
        assert (await client.get_balance(payer.pubkey(), Finalized)).value == SOL
        status = (await client.get_signature_statuses([signature])).value[0]
        assert status is not None
        assert status.confirmations is None


async def test_a_token_is_created_minted_and_transferred(server: Server) -> None:
    async with AsyncClient(url(server), commitment=Confirmed) as client:
        payer, friend = Keypair(), Keypair()
        await client.request_airdrop(payer.pubkey(), 10 * SOL)
        mint = Keypair()
        mine, theirs = (get_associated_token_address(who.pubkey(), mint.pubkey()) for who in (payer, friend))
        rent = (await client.get_minimum_balance_for_rent_exemption(82)).value
        create = create_account(
            CreateAccountParams(
                from_pubkey=payer.pubkey(),
                to_pubkey=mint.pubkey(),
                lamports=rent,
                space=82,
                owner=TOKEN_PROGRAM_ID,
            )
        )
        setup = [
            create,
            initialize_mint2(
                InitializeMint2Params(
                    decimals=6, program_id=TOKEN_PROGRAM_ID, mint=mint.pubkey(), mint_authority=payer.pubkey()
                )
            ),
            create_associated_token_account(payer.pubkey(), payer.pubkey(), mint.pubkey()),
            create_associated_token_account(payer.pubkey(), friend.pubkey(), mint.pubkey()),
            mint_to(
                MintToParams(
                    program_id=TOKEN_PROGRAM_ID,
                    mint=mint.pubkey(),
                    dest=mine,
                    mint_authority=payer.pubkey(),
                    amount=5_000_000,
                )
            ),
        ]
        await send(client, payer, setup, [payer, mint])
        move = transfer_checked(
            TransferCheckedParams(
                amount=1_250_000,
                decimals=6,
                dest=theirs,
                mint=mint.pubkey(),
                owner=payer.pubkey(),
                program_id=TOKEN_PROGRAM_ID,
                source=mine,
            )
        )
        sent = await send(client, payer, [move], [payer])
        balance = (await client.get_token_account_balance(theirs)).value
        assert (balance.amount, balance.decimals, balance.ui_amount_string) == ("1250000", 6, "1.25")
        found = (await client.get_transaction(sent, "json", Confirmed, 0)).value
        assert found is not None
        meta = found.transaction.meta
        assert meta is not None
        after = {row.account_index: row.ui_token_amount.amount for row in meta.post_token_balances or []}
        assert sorted(after.values()) == ["1250000", "3750000"]
        owned = await client.get_token_accounts_by_owner_json_parsed(
            friend.pubkey(), TokenAccountOpts(mint=mint.pubkey()), Confirmed
        )
        assert owned.value[0].account.data.parsed["info"]["tokenAmount"]["amount"] == "1250000"
        supply = (await client.get_token_supply(mint.pubkey())).value
        assert supply.amount == "5000000"


async def test_subscriptions_hear_of_accounts_logs_signatures_and_slots(server: Server) -> None:
    async with AsyncClient(url(server), commitment=Confirmed) as client, SolanaWsClient(ws(server)) as socket:
        payer, to = Keypair(), Keypair()
        await client.request_airdrop(payer.pubkey(), SOL)
        transaction = await signed_transfer(client, payer, to, 10_000_000)
        account = await socket.account_subscribe(pubkey=to.pubkey(), commitment=Confirmed)
        logs = await socket.logs_subscribe(filter_=RpcTransactionLogsFilter.All, commitment=Confirmed)
        signature = await socket.signature_subscribe(signature=transaction.signatures[0], commitment=Confirmed)
        slot = await socket.slot_subscribe()
        await client.send_transaction(transaction, opts=TxOpts(preflight_commitment=Confirmed))
        heard = {}
        for _ in range(3):
            item = await asyncio.wait_for(socket.recv(), 2)
            heard[item.subscription] = item.result
        assert heard[account.subscription_id].value.lamports == 10_000_000
        assert heard[logs.subscription_id].value.signature == transaction.signatures[0]
        assert heard[signature.subscription_id].value.err is None
        pass_slots(server, 1)
        item = await asyncio.wait_for(socket.recv(), 2)
        assert item.subscription == slot.subscription_id
        assert item.result.slot == server.node.ledger.slots.slot
        await socket.unsubscribe(account)


@pytest.mark.parametrize("same_port", [True, False])
async def test_pubsub_answers_on_its_own_port_and_on_the_rpc_port(server: Server, same_port: bool) -> None:
    async with SolanaWsClient(ws(server, server.rpc_port if same_port else server.ws_port)) as socket:
        await socket.root_subscribe()
        pass_slots(server, 33)
        item = await asyncio.wait_for(socket.recv(), 2)
        assert item.result <= server.node.ledger.slots.root
