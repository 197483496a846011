"""Whoever reads a feed's transactions gets its samples, also when it was held: by its operator, or by a treasury."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import initialize_mint2
from spl.token.models import InitializeMint2Params

from backend.mirror.replay import ReplayError, samples_of
from chain import pda
from chain.clients import oracle, treasury
from chain.localnet.server import Server
from chain.rpc import RpcPool
from chain.sender import Sender
from oracle import listing, transcript

ARTIFACTS = Path(__file__).parents[2] / "programs" / "artifacts"
START_MS = 1_750_000_000_000
DELAY_MS = 48 * 3_600_000
KICK_OFF_MS = START_MS + DELAY_MS + 60_000
MATCH_ID = b"a-held-match".ljust(32, b"\0")


def quote(tick: int) -> oracle.Quote:
    return oracle.Quote(
        tick=tick,
        data_ms=tick * 1_000,
        play_ms=tick * 1_000,
        period=1,
        flags=0,
        suspend_reason=0,
        x_e6=50_000_000 + tick,
        mu_e6=50_000_000,
        s_e4=1 << 31,
        conf_e4=100,
        inputs_hash=bytes([tick]) * 32,
    )


def proposed(action: Instruction) -> dict[str, Any]:
    """What a proposal stores of an instruction."""
    accounts = tuple(
        treasury.ProposalAccount(address=m.pubkey, flags=int(m.is_signer) | int(m.is_writable) << 1)
        for m in action.accounts
    )
    return {"program_id": action.program_id, "accounts": accounts, "data": bytes(action.data)}


async def new_mint(pool: RpcPool, sender: Sender, payer: Keypair) -> Pubkey:
    """A token mint, which a treasury needs for its fees."""
    mint = Keypair()
    rent = await pool.rent_exempt_lamports(MINT_LEN)
    space = CreateAccountParams(
        from_pubkey=payer.pubkey(), to_pubkey=mint.pubkey(), lamports=rent, space=MINT_LEN, owner=TOKEN_PROGRAM_ID
    )
    made = InitializeMint2Params(
        decimals=6, program_id=TOKEN_PROGRAM_ID, mint=mint.pubkey(), mint_authority=payer.pubkey()
    )
    sent = await sender.send_instructions([create_account(space), initialize_mint2(made)], payer, [mint])
    sent.raise_for_failure()
    return mint.pubkey()


async def test_a_held_feed_is_rebuilt_from_its_transactions_whoever_held_it(server: Server, tmp_path: Path) -> None:
    for program in (oracle, treasury):
        name = program.__name__.rpartition(".")[2]
        server.node.ledger.add_program(program.PROGRAM_ID, (ARTIFACTS / f"{name}.so").read_bytes(), Keypair().pubkey())
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        sender = Sender(pool)
        boss, operator, publisher = Keypair(), Keypair(), Keypair()
        key = boss.pubkey()
        for funded in (boss, publisher):
            await pool.call("requestAirdrop", [str(funded.pubkey()), 10_000_000_000])

        async def send(*instructions: Instruction, signers: tuple[Keypair, ...] = ()) -> None:
            (await sender.send_instructions(list(instructions), boss, list(signers))).raise_for_failure()

        multisig = pda.treasury(key)
        executor = pda.executor(multisig)
        config, feed = pda.config(key), pda.feed(pda.config(key), MATCH_ID)
        mint = await new_mint(pool, sender, boss)
        members = (key, *[Pubkey.default()] * 7)
        await send(
            treasury.ix_init_treasury(create_key=key, payer=key, mint=mint, members=members, n_members=1, threshold=1),
            oracle.ix_init_config(creator=key, authority=key, operator=operator.pubkey()),
        )
        spec = bytes(32)
        registered = listing.register(
            authority=key, payer=key, config=config, set_id=1, publishers=[publisher.pubkey()], min_publishers=1,
            methodology=spec, name="test",
        )  # fmt: skip
        listed = listing.list_feed(
            operator=operator.pubkey(), payer=key, rent_receiver=key, config=config, set_id=1, methodology=spec,
            match_id=MATCH_ID, start_unix_ms=KICK_OFF_MS,
        )  # fmt: skip
        await send(*registered)
        await send(*listed, signers=(operator,))
        await send(oracle.ix_propose_authority(authority=key, config=config, new_authority=executor))
        accept = oracle.ix_accept_authority(pending_authority=executor, config=config)
        by_treasury = oracle.ix_set_hold(signer=executor, config=config, feed=feed, on=True)
        for number, action in enumerate((accept, by_treasury)):
            await send(
                treasury.ix_create_proposal(
                    creator=key, payer=key, treasury=multisig, id=number, class_=1, **proposed(action)
                )
            )
            await send(treasury.ix_approve(member=key, treasury=multisig, proposal=pda.proposal(multisig, number)))

        async def execute(number: int, action: Instruction) -> None:
            metas = [type(m)(m.pubkey, is_signer=False, is_writable=m.is_writable) for m in action.accounts]
            program = type(metas[0])(action.program_id, is_signer=False, is_writable=False)
            await send(
                treasury.ix_execute(
                    treasury=multisig, proposal=pda.proposal(multisig, number), remaining_accounts=[*metas, program]
                )
            )

        async def tick(number: int) -> None:
            server.node.clock.set(KICK_OFF_MS + number * 1_000 + 1_000)
            push = oracle.ix_push_quote(publisher=publisher.pubkey(), feed=feed, quote=quote(number))
            await send(push, signers=(publisher,))

        async def hold(*, on: bool) -> None:
            change = oracle.ix_set_hold(signer=operator.pubkey(), config=config, feed=feed, on=on)
            await send(change, signers=(operator,))

        server.node.clock.set(KICK_OFF_MS)
        await execute(0, accept)
        await tick(1)
        await hold(on=True)
        await tick(2)
        await hold(on=False)
        await tick(3)
        await execute(1, by_treasury)
        await tick(4)
        await hold(on=False)
        await tick(5)

        account = await pool.account(feed)
        assert account is not None
        state = oracle.Feed.from_account(account.data)
        epochs = [0, 1, 2, 3, 4]
        assert state.ring["suspend_epoch"][:5].tolist() == epochs
        server.node.clock.set(KICK_OFF_MS + 120_000)  # everything is finalized
        await transcript.collect(pool, feed, tmp_path / "chain.jsonl.gz")
        rebuilt = transcript.aggregate(transcript.read(tmp_path / "chain.jsonl.gz"))
        assert [item.sample.suspend_epoch for item in rebuilt] == epochs

        history = (await pool.call("getSignaturesForAddress", [str(feed), {"limit": 100}]))[::-1]
        form = {"encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
        found = [await pool.call("getTransaction", [row["signature"], form]) for row in history]
        assert [row.suspend_epoch for row in samples_of(state, str(feed), found)] == epochs
        for transaction in found:
            transaction["meta"]["innerInstructions"] = []
        with pytest.raises(ReplayError, match="hash chains differ"):
            samples_of(state, str(feed), found)
