"""The sender against the localnet: confirmed, failed with words, expired, signed anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.confirm import Expired, Landed, Timing
from chain.errors import RpcError, explain
from chain.localnet.server import Server
from chain.program import ErrorInfo, Program
from chain.rpc import RpcPool
from chain.sender import Sender, TransactionFailedError

SOL = 1_000_000_000


def pool_of(server: Server) -> RpcPool:
    return RpcPool([f"http://127.0.0.1:{server.rpc_port}"])


async def funded(pool: RpcPool) -> Keypair:
    payer = Keypair()
    await pool.call("requestAirdrop", [str(payer.pubkey()), SOL])
    return payer


def pay(payer: Keypair, lamports: int) -> Any:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=Keypair().pubkey(), lamports=lamports))


async def test_instructions_are_signed_sent_and_confirmed(server: Server) -> None:
    async with pool_of(server) as pool:
        payer = await funded(pool)
        sent = await Sender(pool).send_instructions([pay(payer, 10_000_000)], payer, compute_units=1_000)
        assert sent.ok
        assert sent.raise_for_failure().slot == server.node.ledger.slots.slot
        assert await pool.balance(payer.pubkey()) == SOL - 10_000_000 - 5_000


async def test_a_failure_is_told_in_words(server: Server) -> None:
    async with pool_of(server) as pool:
        payer = await funded(pool)
        sent = await Sender(pool).send_instructions([pay(payer, 10 * SOL)], payer)
        assert not sent.ok
        assert isinstance(sent.outcome, Landed)
        with pytest.raises(TransactionFailedError, match="system: ResultWithNegativeLamports: Not enough SOL"):
            sent.raise_for_failure()


async def test_a_finalized_wish_waits_for_the_root(server: Server) -> None:
    async with pool_of(server) as pool:
        payer = await funded(pool)
        sender = Sender(pool, timing=Timing(poll_s=0.01, longest_poll_s=0.02))
        task = asyncio.create_task(sender.send_instructions([pay(payer, 10_000_000)], payer, wanted="finalized"))
        await asyncio.sleep(0.1)
        assert not task.done()
        server.node.clock.set(server.node.clock.now_ms() + 400 * 32)
        assert (await asyncio.wait_for(task, 2)).ok


class LossyPool(RpcPool):
    """Loses the first `lose` transactions it is given."""

    lose = 0
    sends = 0

    async def send(self, wire: bytes, **options: Any) -> Signature:
        self.sends += 1
        if self.sends <= self.lose:
            return VersionedTransaction.from_bytes(wire).signatures[0]
        return await super().send(wire, **options)


@pytest.mark.parametrize("versions", [1, 2])
async def test_only_an_expired_transaction_is_signed_anew(server: Server, versions: int) -> None:
    async with LossyPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        payer = await funded(pool)
        pool.lose = 1
        timing = Timing(resend_s=10.0, poll_s=0.01, longest_poll_s=0.02, height_s=0.05, versions=versions)
        task = asyncio.create_task(Sender(pool, timing=timing).send_instructions([pay(payer, 10_000_000)], payer))
        await asyncio.sleep(0.15)
        assert not task.done()
        server.node.clock.set(server.node.clock.now_ms() + 400 * 152)
        sent = await asyncio.wait_for(task, 3)
        assert sent.ok == (versions == 2)
        assert pool.sends == versions
        if versions == 1:
            assert isinstance(sent.outcome, Expired)
            assert str(sent.failure).startswith("Expired: The transaction did not land")


async def test_lost_bytes_are_sent_again_and_land_once(server: Server) -> None:
    async with LossyPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        payer = await funded(pool)
        pool.lose = 3
        timing = Timing(resend_s=0.05, poll_s=0.02, longest_poll_s=0.05)
        sent = await Sender(pool, timing=timing).send_instructions([pay(payer, 10_000_000)], payer)
        assert sent.ok
        assert pool.sends == 4
        assert await pool.balance(payer.pubkey()) == SOL - 10_000_000 - 5_000


async def test_a_wallet_signed_transaction_is_confirmed_and_never_signed_anew(server: Server) -> None:
    async with pool_of(server) as pool:
        payer = await funded(pool)
        blockhash = await pool.latest_blockhash()
        message = MessageV0.try_compile(payer.pubkey(), [pay(payer, 10_000_000)], [], blockhash.blockhash)
        wire = bytes(VersionedTransaction(message, [payer]))
        assert (await Sender(pool).send_signed(wire, blockhash.last_valid_block_height)).ok
        again = await Sender(pool).send_signed(wire, blockhash.last_valid_block_height)
        assert again.ok
        assert await pool.balance(payer.pubkey()) == SOL - 10_000_000 - 5_000


async def test_bytes_no_node_can_read_are_an_error_at_once(server: Server) -> None:
    async with LossyPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        payer = await funded(pool)
        data = bytes(1_300)
        instruction = pay(payer, 1)
        too_long = type(instruction)(instruction.program_id, data, instruction.accounts)
        with pytest.raises(RpcError, match="too large"):
            await Sender(pool).send_instructions([too_long], payer)


def failing(err: Any, called: Sequence[Pubkey] = (), logs: Sequence[str] = ()) -> str:
    own = Program("market", OWN, {}, {}, {}, {6001: ErrorInfo(6001, "Paused", "Trading is paused.")})
    return str(explain(err, {OWN: own}, called=called, logs=logs))


OWN = Pubkey.from_string("HsmqMHbomNoaCcqJcwJSxVMMd3pw1xF6P4tguJepRDD6")
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")


def custom(code: int) -> dict[str, Any]:
    return {"InstructionError": [0, {"Custom": code}]}


def test_errors_are_named_by_the_program_that_failed() -> None:
    assert failing(custom(6001), [OWN]) == "market: Paused: Trading is paused."
    assert failing(custom(2006), [OWN]).startswith("market: ConstraintSeeds")
    assert failing(custom(9999), [OWN]) == "market: UnknownError: The program gave code 9999"
    log = f"Program {TOKEN} failed: custom program error: 0x1"
    assert failing(custom(1), [OWN], ["Program log: x", log]) == "spl-token: InsufficientFunds: Not enough tokens"
    assert "code 7" in failing(custom(7), [Pubkey.new_unique()])
    assert failing({"InstructionError": [0, "Immutable"]}, [OWN]) == "market: Immutable"
    assert failing({"InstructionError": [0, "InvalidArgument"]}, [OWN]).endswith("An argument is not acceptable")
    assert failing("BlockhashNotFound").startswith("BlockhashNotFound: The transaction is too old")
    assert failing({"InsufficientFundsForRent": {"account_index": 1}}) == "InsufficientFundsForRent"
