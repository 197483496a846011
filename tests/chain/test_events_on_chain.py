"""Money moves through the real programs, and the events are read from the inner instructions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import (
    create_associated_token_account,
    get_associated_token_address,
    initialize_mint2,
    mint_to,
)
from spl.token.models import InitializeMint2Params, MintToParams

from backend.demo import founding
from chain import pda
from chain.clients import market, oracle, treasury
from chain.codec import DecodeError
from chain.events import called_programs, events_of
from chain.localnet.server import Server
from chain.rpc import RpcPool
from chain.sender import Sender

ARTIFACTS = Path(__file__).parents[2] / "programs" / "artifacts"
NAMES = {"oracle": oracle.PROGRAM_ID, "market": market.PROGRAM_ID, "treasury": treasury.PROGRAM_ID}
USDC = 1_000_000

pytestmark = pytest.mark.skipif(
    not all((ARTIFACTS / f"{name}.so").exists() for name in NAMES), reason="the programs are not built"
)

PARAMS = replace(founding.PARAMS, insurance_bps=1_000, protocol_bps=3_000, tip_lamports=10_000)


class Desk:
    """An exchange with its treasury, a pool and one funded trader."""

    def __init__(self, pool: RpcPool) -> None:
        self.pool = pool
        self.sender = Sender(pool)
        self.payer, self.trader, self.mint = Keypair(), Keypair(), Keypair()
        self.creator, self.member = Keypair(), Keypair()
        self.exchange = pda.exchange(self.creator.pubkey())
        self.treasury = pda.treasury(self.creator.pubkey())
        self.wallet = get_associated_token_address(self.trader.pubkey(), self.mint.pubkey())
        self.margin = pda.margin(self.exchange, self.trader.pubkey())

    async def send(self, *instructions: Instruction, signers: tuple[Keypair, ...] = ()) -> dict[str, Any]:
        sent = await self.sender.send_instructions(list(instructions), self.payer, signers)
        found = await self.pool.transaction(sent.raise_for_failure().signature)
        assert found is not None
        return found

    async def open(self) -> None:
        payer, mint = self.payer.pubkey(), self.mint.pubkey()
        await self.pool.call("requestAirdrop", [str(payer), 100_000_000_000])
        rent = await self.pool.rent_exempt_lamports(82)
        new = CreateAccountParams(from_pubkey=payer, to_pubkey=mint, lamports=rent, space=82, owner=TOKEN_PROGRAM_ID)
        made = InitializeMint2Params(decimals=6, program_id=TOKEN_PROGRAM_ID, mint=mint, mint_authority=payer)
        coins = MintToParams(
            program_id=TOKEN_PROGRAM_ID, mint=mint, dest=self.wallet, mint_authority=payer, amount=1_000 * USDC
        )
        await self.send(
            create_account(new),
            initialize_mint2(made),
            create_associated_token_account(payer, self.trader.pubkey(), mint),
            mint_to(coins),
            signers=(self.mint,),
        )
        members = (self.member.pubkey(), *[Pubkey.default()] * 7)
        await self.send(
            treasury.ix_init_treasury(
                create_key=self.creator.pubkey(), payer=payer, mint=mint, members=members, n_members=1, threshold=1
            ),
            signers=(self.creator,),
        )
        await self.pool.call("requestAirdrop", [str(self.creator.pubkey()), 1_000_000_000])
        await self.send(
            oracle.ix_init_config(
                creator=self.creator.pubkey(),
                authority=pda.executor(self.treasury),
                operator=Keypair().pubkey(),
            ),
            market.ix_init_exchange(
                creator=self.creator.pubkey(),
                payer=payer,
                authority=pda.executor(self.treasury),
                operator=Keypair().pubkey(),
                oracle_config=pda.config(self.creator.pubkey()),
                collateral_mint=mint,
                treasury_vault=pda.fees(self.treasury),
                params=PARAMS,
            ),
            signers=(self.creator,),
        )
        await self.send(market.ix_init_pool(payer=payer, exchange=self.exchange, collateral_mint=mint))
        await self.send(
            market.ix_create_margin(owner=self.trader.pubkey(), payer=payer, exchange=self.exchange),
            signers=(self.trader,),
        )

    async def deposit(self, amount_e6: int) -> dict[str, Any]:
        return await self.send(
            market.ix_deposit_collateral(
                depositor=self.trader.pubkey(),
                exchange=self.exchange,
                pool=pda.pool(self.exchange),
                margin=self.margin,
                vault=pda.vault(self.exchange),
                source=self.wallet,
                amount_e6=amount_e6,
            ),
            signers=(self.trader,),
        )


async def opened(server: Server, pool: RpcPool) -> Desk:
    for name, program_id in NAMES.items():
        server.node.ledger.add_program(program_id, (ARTIFACTS / f"{name}.so").read_bytes(), None)
    desk = Desk(pool)
    await desk.open()
    return desk


async def test_a_deposit_is_told_by_an_event_and_kept_in_the_accounts(server: Server) -> None:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        desk = await opened(server, pool)
        found = await desk.deposit(250 * USDC)
        (told,) = events_of(found)
        assert (told.program, told.name, told.outer) == ("market", "CollateralChanged", 0)
        assert told.signature == found["transaction"]["signatures"][0]
        event = told.event
        assert (event.margin, event.owner) == (desk.margin, desk.trader.pubkey())
        assert (event.deposit, event.amount_e6, event.free_e6) == (1, 250 * USDC, 250 * USDC)
        books, vault, margin = await pool.accounts([pda.pool(desk.exchange), pda.vault(desk.exchange), desk.margin])
        assert books is not None
        assert vault is not None
        assert margin is not None
        assert market.Pool.from_account(books.data).margin_e6 == 250 * USDC
        assert int.from_bytes(vault.data[64:72], "little") == 250 * USDC
        assert market.Margin.from_account(margin.data).owner == desk.trader.pubkey()
        assert market.PROGRAM_ID in called_programs(found)


async def test_an_event_this_client_does_not_know_is_an_error_not_silence(server: Server) -> None:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        desk = await opened(server, pool)
        found = await desk.deposit(1 * USDC)
        older = {market.PROGRAM_ID: type(market.PROGRAM)("market", market.PROGRAM_ID, {}, {}, {}, {})}
        with pytest.raises(DecodeError, match="unknown event"):
            events_of(found, older)
        assert events_of(found, {}) == []
        found["meta"]["err"] = {"InstructionError": [0, {"Custom": 1}]}
        assert events_of(found) == []


async def test_a_refusal_of_the_program_comes_with_its_sentence(server: Server) -> None:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        desk = await opened(server, pool)
        withdraw = market.ix_withdraw_collateral(
            owner=desk.trader.pubkey(),
            exchange=desk.exchange,
            pool=pda.pool(desk.exchange),
            margin=desk.margin,
            vault=pda.vault(desk.exchange),
            destination=desk.wallet,
            amount_e6=5 * USDC,
        )
        sent = await desk.sender.send_instructions([withdraw], desk.payer, [desk.trader])
        assert sent.failure is not None
        assert sent.failure.program == "market"
        assert sent.failure.code in market.ERRORS
        assert len(sent.failure.message) > 10


async def test_a_proposal_carries_accounts_and_data_to_the_treasury(server: Server) -> None:
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        desk = await opened(server, pool)
        inner = market.ix_set_pause(signer=pda.executor(desk.treasury), exchange=desk.exchange, level=1)
        metas = tuple(
            treasury.ProposalAccount(address=meta.pubkey, flags=int(meta.is_signer) + 2 * int(meta.is_writable))
            for meta in inner.accounts
        )
        await desk.send(
            treasury.ix_create_proposal(
                creator=desk.member.pubkey(),
                payer=desk.payer.pubkey(),
                treasury=desk.treasury,
                id=0,
                class_=0,
                program_id=market.PROGRAM_ID,
                accounts=metas,
                data=bytes(inner.data),
            ),
            signers=(desk.member,),
        )
        account = await pool.account(pda.proposal(desk.treasury, 0))
        assert account is not None
        proposal = treasury.Proposal.from_account(account.data)
        assert proposal.program_id == market.PROGRAM_ID
        assert proposal.accounts[: proposal.n_accounts] == metas
        assert proposal.data[: proposal.data_len] == bytes(inner.data)
