"""Founds the venue on an empty chain: test money, multisig, oracle, exchange, and the match with its windows.

Every admin power ends with the treasury's executor. The operator, who may list matches, is appointed by a proposal
that two of three members approve and that waits its 48 hours on the match clock like any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import (
    create_associated_token_account,
    get_associated_token_address,
    initialize_mint2,
    mint_to,
)
from spl.token.models import InitializeMint2Params, MintToParams

from backend.feedstore import chain_id
from chain import pda
from chain.clients import market, oracle, treasury
from chain.confirm import Timing
from chain.rpc import RpcPool
from chain.sender import Sender
from ingest.events import MatchInfo
from momentum.methodology import SPEC_DECAY
from oracle import listing

SOL = 1_000_000_000
USDC = 1_000_000
SLOW = 1
SET_ID = 1
DELAY_S = 48 * 3600
WINDOW_IDS = range(9)
K_E6 = 80 * 1_000_000
"""Contracts that move a window's price by one point: the pool's depth for a venue of this size."""

PARAMS = market.ExchangeParams(
    delay_ms=5_000,
    order_expiry_ms=30_000,
    dispute_ms=60_000,
    fee_e6=50_000,
    initial_margin_e6=15_000_000,
    lp_bps=6_000,
    insurance_bps=2_000,
    protocol_bps=2_000,
    cap_pool_bps=8_000,
    cap_match_bps=2_000,
    cap_user_bps=200,
    tip_lamports=15_000,
    orders_per_minute=0,
    borrow_kink_bps=0,
    borrow_kink_e12=0,
    borrow_max_e12=0,
    liquidation_dust_e6=0,
    challenge_bond_e6=0,
    challenge_ms=0,
    lp_cooldown_s=0,
    outflow_hour_e6=0,
    outflow_day_e6=0,
)

FAST = Timing(poll_s=0.0)
"""The embedded chain confirms on arrival: ask at once."""


@dataclass(frozen=True, slots=True)
class Venue:
    """Addresses of what was founded."""

    mint: Pubkey
    treasury: Pubkey
    executor: Pubkey
    config: Pubkey
    exchange: Pubkey
    feed: Pubkey
    market: Pubkey
    windows: tuple[Pubkey, ...]


class Founder:
    """Sends the founding transactions. ``key`` makes a named key; ``move`` moves match time forward by seconds."""

    def __init__(self, rpc: RpcPool, key: Callable[[str], Keypair], move: Callable[[int], Awaitable[None]]) -> None:
        self._rpc = rpc
        self._key = key
        self._move = move
        self._sender = Sender(rpc, timing=FAST)
        self.admin = key("admin")
        self.operator = key("operator")
        self.members = tuple(key(f"member {n}") for n in (1, 2, 3))

    async def airdrop(self, address: Pubkey, sol: int = 10) -> None:
        """Test lamports from the chain's faucet."""
        await self._rpc.call("requestAirdrop", [str(address), sol * SOL])

    async def send(self, instructions: Sequence[Instruction], *signers: Keypair) -> None:
        """Send and confirm; raises TransactionFailedError with the program's own words."""
        sent = await self._sender.send_instructions(instructions, signers[0], signers[1:])
        sent.raise_for_failure()

    async def found(self, info: MatchInfo, start_unix_ms: int, publishers: Sequence[Keypair], quorum: int) -> Venue:
        """Everything up to open windows, for one match."""
        for key in (self.admin, self.operator, *self.members, *publishers):
            await self.airdrop(key.pubkey())
        mint = await self._mint()
        creator = self.admin.pubkey()
        multisig, executor = await self._treasury(mint)
        config, exchange = pda.config(creator), pda.exchange(creator)
        nobody = creator  # operates nothing: replaced by the proposals below before any match is listed
        await self.send([oracle.ix_init_config(creator=creator, authority=executor, operator=nobody)], self.admin)
        init = market.ix_init_exchange(
            creator=creator,
            payer=creator,
            authority=executor,
            operator=nobody,
            oracle_config=config,
            collateral_mint=mint,
            treasury_vault=pda.fees(multisig),
            params=PARAMS,
        )
        await self.send([init], self.admin)
        pool = market.ix_init_pool(
            payer=creator,
            exchange=exchange,
            collateral_mint=mint,
            pool=pda.pool(exchange),
            vault=pda.vault(exchange),
            lp_mint=pda.lp_mint(exchange),
        )
        await self.send([pool], self.admin)
        appoint = [
            oracle.ix_set_operator(authority=executor, config=config, operator=self.operator.pubkey()),
            market.ix_set_operator(authority=executor, exchange=exchange, operator=self.operator.pubkey()),
        ]
        await self.airdrop(executor)  # it pays for what it registers
        appoint += listing.register(
            authority=executor,
            payer=executor,
            config=config,
            set_id=SET_ID,
            publishers=[key.pubkey() for key in publishers],
            min_publishers=quorum,
            methodology=SPEC_DECAY.hash,
            name=SPEC_DECAY.name,
        )
        await self._govern(multisig, executor, appoint)
        feed = await self._feed(info, config, start_unix_ms)
        listed = await self._market(exchange, feed)
        return Venue(
            mint=mint,
            treasury=multisig,
            executor=executor,
            config=config,
            exchange=exchange,
            feed=feed,
            market=listed,
            windows=tuple(pda.window(listed, window_id) for window_id in WINDOW_IDS),
        )

    async def _mint(self) -> Pubkey:
        key = self._key("usdc mint")
        rent = await self._rpc.rent_exempt_lamports(MINT_LEN)
        payer = self.admin.pubkey()
        create = create_account(
            CreateAccountParams(
                from_pubkey=payer, to_pubkey=key.pubkey(), lamports=rent, space=MINT_LEN, owner=TOKEN_PROGRAM_ID
            )
        )
        params = InitializeMint2Params(
            decimals=6, program_id=TOKEN_PROGRAM_ID, mint=key.pubkey(), mint_authority=payer, freeze_authority=None
        )
        await self.send([create, initialize_mint2(params)], self.admin, key)
        return key.pubkey()

    async def _treasury(self, mint: Pubkey) -> tuple[Pubkey, Pubkey]:
        create_key = self._key("treasury")
        members = tuple(m.pubkey() for m in self.members)
        unused = (Pubkey.default(),) * (8 - len(members))
        init = treasury.ix_init_treasury(
            create_key=create_key.pubkey(),
            payer=self.admin.pubkey(),
            mint=mint,
            members=(*members, *unused),
            n_members=len(members),
            threshold=2,
        )
        await self.send([init], self.admin, create_key)
        multisig = pda.treasury(create_key.pubkey())
        return multisig, pda.executor(multisig)

    async def _govern(self, multisig: Pubkey, executor: Pubkey, actions: Sequence[Instruction]) -> None:
        """Propose, approve by two members, wait 48 hours of match time, execute."""
        first = self.members[0]
        for number, action in enumerate(actions):
            accounts = tuple(
                treasury.ProposalAccount(address=m.pubkey, flags=int(m.is_signer) | int(m.is_writable) << 1)
                for m in action.accounts
            )
            create = treasury.ix_create_proposal(
                creator=first.pubkey(),
                payer=first.pubkey(),
                treasury=multisig,
                id=number,
                class_=SLOW,
                program_id=action.program_id,
                accounts=accounts,
                data=bytes(action.data),
            )
            await self.send([create], first)
            for member in self.members[:2]:
                approve = treasury.ix_approve(
                    member=member.pubkey(), treasury=multisig, proposal=pda.proposal(multisig, number)
                )
                await self.send([approve], member)
        await self._move(DELAY_S + 60)
        for number, action in enumerate(actions):
            metas = [
                type(m)(m.pubkey, is_signer=m.is_signer and m.pubkey != executor, is_writable=m.is_writable)
                for m in action.accounts
            ]
            program = type(metas[0])(action.program_id, is_signer=False, is_writable=False)
            execute = treasury.ix_execute(
                treasury=multisig, proposal=pda.proposal(multisig, number), remaining_accounts=[*metas, program]
            )
            await self.send([execute], self.members[2])

    async def _feed(self, info: MatchInfo, config: Pubkey, start_unix_ms: int) -> Pubkey:
        operator = self.operator.pubkey()
        match_id = chain_id(info.match_id)
        listed = listing.list_feed(
            operator=operator,
            payer=self.admin.pubkey(),
            rent_receiver=operator,
            config=config,
            set_id=SET_ID,
            methodology=SPEC_DECAY.hash,
            match_id=match_id,
            start_unix_ms=start_unix_ms,
        )
        await self.send(listed, self.admin, self.operator)
        return pda.feed(config, match_id)

    async def _market(self, exchange: Pubkey, feed: Pubkey) -> Pubkey:
        operator = self.operator.pubkey()
        listed = pda.market(exchange, feed)
        create = market.ix_create_market(operator=operator, payer=operator, exchange=exchange, feed=feed)
        await self.send([create], self.operator)
        for window_id in WINDOW_IDS:
            opened = market.ix_open_window(
                operator=operator,
                payer=operator,
                exchange=exchange,
                market=listed,
                feed=feed,
                window=pda.window(listed, window_id),
                window_id=window_id,
                k_e6=K_E6,
            )
            await self.send([opened], self.operator)
        return listed

    async def fund(self, mint: Pubkey, address: Pubkey, usdc: int) -> None:
        """Test USDC into the person's associated token account, which is created."""
        admin = self.admin.pubkey()
        account = get_associated_token_address(address, mint)
        params = MintToParams(
            program_id=TOKEN_PROGRAM_ID, mint=mint, dest=account, mint_authority=admin, amount=usdc * USDC, signers=[]
        )
        create = create_associated_token_account(payer=admin, owner=address, mint=mint)
        await self.send([create, mint_to(params)], self.admin)

    async def open_margin(self, venue: Venue, owner: Keypair) -> None:
        """A margin account without collateral: where a keeper's liquidation rewards go."""
        create = market.ix_create_margin(
            owner=owner.pubkey(),
            payer=owner.pubkey(),
            exchange=venue.exchange,
            margin=pda.margin(venue.exchange, owner.pubkey()),
        )
        await self.send([create], owner)

    async def finalise_feed(self, venue: Venue) -> None:
        """The operator declares the feed final after the last whistle."""
        final = oracle.ix_finalise_feed(operator=self.operator.pubkey(), config=venue.config, feed=venue.feed)
        await self.send([final], self.operator)
