"""A venue on a localnet over RPC: oracle, exchange, one match with windows, and people who trade."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import httpx
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import (
    create_associated_token_account,
    get_associated_token_address,
    initialize_mint2,
    mint_to,
)
from spl.token.models import InitializeMint2Params, MintToParams

from backend.demo.founding import PARAMS
from backend.feedstore import chain_id
from chain import pda
from chain.clients import market, oracle, treasury
from chain.confirm import Timing
from chain.localnet.ledger import Ledger
from chain.rpc import RpcPool
from chain.sender import Sender
from oracle import listing

START_MS = 1_750_000_000_000
MATCH_ID = "match-1"
USDC = 1_000_000
BIAS = 1 << 31
ARTIFACTS = Path(__file__).resolve().parents[2] / "programs" / "artifacts"


def add_programs(ledger: Ledger) -> None:
    """Deploy the committed programs."""
    for client in (oracle, market, treasury):
        name = client.__name__.rpartition(".")[2]
        ledger.add_program(client.PROGRAM_ID, (ARTIFACTS / f"{name}.so").read_bytes(), None)


class Venue:
    """Founds a venue; publishes ticks; moves the clock."""

    def __init__(self, rpc: RpcPool) -> None:
        self.rpc = rpc
        self.sender = Sender(rpc, timing=Timing(poll_s=0.0))
        self.admin, self.mint_key = Keypair(), Keypair()
        self.publishers = [Keypair() for _ in range(3)]
        self.mint = self.mint_key.pubkey()
        creator = self.admin.pubkey()
        self.config, self.exchange = pda.config(creator), pda.exchange(creator)
        self.feed = pda.feed(self.config, chain_id(MATCH_ID))
        self.market = pda.market(self.exchange, self.feed)
        self.windows = [pda.window(self.market, number) for number in range(9)]
        self.tick_no = 0
        self.now_ms = START_MS

    async def send(self, instructions: list[Instruction], *signers: Keypair) -> None:
        sent = await self.sender.send_instructions(instructions, signers[0], signers[1:])
        sent.raise_for_failure()

    async def at(self, unix_ms: int) -> None:
        """Move the clock, never back."""
        if unix_ms > self.now_ms:
            self.now_ms = unix_ms
            await self.rpc.call("localnet_setClock", [unix_ms])

    async def pause(self, ms: int = 400) -> None:
        """Let match time pass."""
        await self.at(self.now_ms + ms)

    async def found(self) -> None:
        creator = self.admin.pubkey()
        for key in (self.admin, *self.publishers):
            await self.rpc.call("requestAirdrop", [str(key.pubkey()), 100_000_000_000])
        rent = await self.rpc.rent_exempt_lamports(MINT_LEN)
        created = create_account(
            CreateAccountParams(
                from_pubkey=creator, to_pubkey=self.mint, lamports=rent, space=MINT_LEN, owner=TOKEN_PROGRAM_ID
            )
        )
        params = InitializeMint2Params(
            decimals=6, program_id=TOKEN_PROGRAM_ID, mint=self.mint, mint_authority=creator, freeze_authority=None
        )
        own = get_associated_token_address(creator, self.mint)
        ata = create_associated_token_account(payer=creator, owner=creator, mint=self.mint)
        await self.send([created, initialize_mint2(params), ata], self.admin, self.mint_key)
        await self.send([oracle.ix_init_config(creator=creator, authority=creator, operator=creator)], self.admin)
        init = market.ix_init_exchange(
            creator=creator,
            payer=creator,
            authority=creator,
            operator=creator,
            oracle_config=self.config,
            collateral_mint=self.mint,
            treasury_vault=own,
            params=PARAMS,
        )
        pool = market.ix_init_pool(
            payer=creator,
            exchange=self.exchange,
            collateral_mint=self.mint,
            pool=pda.pool(self.exchange),
            vault=pda.vault(self.exchange),
            lp_mint=pda.lp_mint(self.exchange),
        )
        await self.send([init, pool], self.admin)
        registered = listing.register(
            authority=creator,
            payer=creator,
            config=self.config,
            set_id=1,
            publishers=[p.pubkey() for p in self.publishers],
            min_publishers=2,
            methodology=bytes(32),
            name="test",
        )
        await self.send(registered, self.admin)
        feed = listing.list_feed(
            operator=creator,
            payer=creator,
            rent_receiver=creator,
            config=self.config,
            set_id=1,
            methodology=bytes(32),
            match_id=chain_id(MATCH_ID),
            start_unix_ms=START_MS,
        )
        await self.send(feed, self.admin)
        listed = market.ix_create_market(operator=creator, payer=creator, exchange=self.exchange, feed=self.feed)
        await self.send([listed], self.admin)
        for number in range(9):
            opened = market.ix_open_window(
                operator=creator,
                payer=creator,
                exchange=self.exchange,
                market=self.market,
                feed=self.feed,
                window=self.windows[number],
                window_id=number,
                k_e6=150_000_000,
            )
            await self.send([opened], self.admin)

    async def tick(self, second: int, x: float = 50.0, *, period: int = 1, flags: int = 0, publishers: int = 2) -> None:
        """Publish second `second` of a period; the clock stands one second after it."""
        self.tick_no += 1
        base = 0 if period == 1 else 3_600_000
        data_ms = base + second * 1000
        await self.at(START_MS + data_ms + 1000)
        quote = oracle.Quote(
            tick=self.tick_no,
            data_ms=data_ms,
            play_ms=second * 1000,
            period=period,
            flags=flags,
            suspend_reason=flags & 1,
            x_e6=round(x * 1e6),
            mu_e6=round(x * 1e6),
            s_e4=BIAS,
            conf_e4=100,
            inputs_hash=bytes(32),
        )
        for publisher in self.publishers[:publishers]:
            push = oracle.ix_push_quote(publisher=publisher.pubkey(), feed=self.feed, quote=quote)
            await self.send([push], publisher)

    async def fund(self, owner: Keypair, usdc: int) -> None:
        """SOL and test USDC for a person."""
        await self.rpc.call("requestAirdrop", [str(owner.pubkey()), 10_000_000_000])
        creator = self.admin.pubkey()
        account = get_associated_token_address(owner.pubkey(), self.mint)
        params = MintToParams(
            program_id=TOKEN_PROGRAM_ID,
            mint=self.mint,
            dest=account,
            mint_authority=creator,
            amount=usdc * USDC,
            signers=[],
        )
        create = create_associated_token_account(payer=creator, owner=owner.pubkey(), mint=self.mint)
        await self.send([create, mint_to(params)], self.admin)

    async def crank(self, owner: Pubkey, client_id: int, window: int, sample_index: int) -> None:
        """End an order at a sample."""
        margin = pda.margin(self.exchange, owner)
        ix = market.ix_crank_order(
            cranker=self.admin.pubkey(),
            exchange=self.exchange,
            pool=pda.pool(self.exchange),
            market=self.market,
            window=self.windows[window],
            feed=self.feed,
            margin=margin,
            position=pda.position(margin, self.windows[window]),
            order=pda.order(margin, client_id),
            rent_payer=owner,
            sample_index=sample_index,
        )
        await self.send([ix], self.admin)


class Person:
    """Somebody with a key and the public API."""

    def __init__(self, http: httpx.AsyncClient, key: Keypair | None = None) -> None:
        self.http, self.key = http, key or Keypair()

    @property
    def address(self) -> str:
        return str(self.key.pubkey())

    async def build(self, kind: str, *, simulate: bool = True, headers: Any = None, **params: Any) -> httpx.Response:
        body = {"kind": kind, "owner": self.address, "params": params, "simulate": simulate}
        return await self.http.post("/v1/transactions/build", json=body, headers=headers)

    def sign(self, built: dict[str, Any]) -> str:
        message = VersionedTransaction.from_bytes(base64.b64decode(built["transaction"])).message
        return base64.b64encode(bytes(VersionedTransaction(message, [self.key]))).decode()

    async def do(self, kind: str, *, simulate: bool = True, **params: Any) -> dict[str, Any]:
        built = await self.build(kind, simulate=simulate, **params)
        assert built.status_code == 200, built.text
        sent = await self.http.post("/v1/transactions", json={"transaction": self.sign(built.json())})
        assert sent.status_code == 200, sent.text
        return {**built.json(), **sent.json()}
