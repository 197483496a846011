"""A venue founded on a chain in this process, and how to read its accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from chain import pda
from chain.clients import market as m
from chain.clients import oracle
from chain.program import EVENT_TAG
from oracle import listing
from tests.programs.svm import START_UNIX_S, Chain

BIAS = 1 << 31
USDC = 1_000_000
LONG, SHORT = 0, 1
REDUCE_ONLY = 1
MARKET, LIMIT, STOP_LOSS, TAKE_PROFIT = range(4)
ANY_HIGH, ANY_LOW = 100_000_000, 0
TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
RENT = 2_039_280
HALF_TIME_S = 900
"""Data time between the end of the first half and the second kick-off in these tests."""

PARAMS: dict[str, int] = {
    "delay_ms": 5_000,
    "order_expiry_ms": 30_000,
    "dispute_ms": 60_000,
    "fee_e6": 50_000,
    "initial_margin_e6": 15_000_000,
    "lp_bps": 7_000,
    "insurance_bps": 1_000,
    "protocol_bps": 2_000,
    "cap_pool_bps": 8_000,
    "cap_match_bps": 6_000,
    "cap_user_bps": 3_000,
    "tip_lamports": 15_000,
    "orders_per_minute": 0,
    "borrow_kink_bps": 0,
    "borrow_kink_e12": 0,
    "borrow_max_e12": 0,
    "liquidation_dust_e6": 0,
    "challenge_bond_e6": 0,
    "challenge_ms": 0,
    "lp_cooldown_s": 0,
    "outflow_hour_e6": 0,
    "outflow_day_e6": 0,
}


def events(meta: TransactionMetadata) -> list[Any]:
    """Return the market's events of a transaction, in order."""
    found = []
    for group in meta.inner_instructions():
        for inner in group:
            data = bytes(inner.instruction().data)
            if data.startswith(EVENT_TAG):
                found.append(m.PROGRAM.decode_event(data))
    return found


def token_account(mint: Pubkey, owner: Pubkey, amount: int = 0) -> Account:
    """Return the bytes of an SPL token account."""
    data = bytes(mint) + bytes(owner) + amount.to_bytes(8, "little") + bytes(36) + b"\x01" + bytes(56)
    return Account(RENT, data, TOKEN_PROGRAM)


def mint_account(authority: Pubkey, supply: int) -> Account:
    """Return the bytes of an SPL mint with 6 decimals."""
    data = (1).to_bytes(4, "little") + bytes(authority) + supply.to_bytes(8, "little") + b"\x06\x01" + bytes(36)
    return Account(RENT, data, TOKEN_PROGRAM)


@dataclass
class Trader:
    """A wallet with tokens, LP shares and a margin account."""

    key: Keypair
    tokens: Pubkey
    shares: Pubkey
    margin: Pubkey
    next_id: int = 1
    next_request: int = 1


@dataclass
class Founded:
    """Oracle config, feed, exchange, pool and market, and how to read them."""

    chain: Chain
    creator: Keypair
    authority: Keypair
    operator: Keypair
    publisher: Keypair
    mint: Pubkey
    treasury: Pubkey
    config: Pubkey
    feed: Pubkey
    exchange: Pubkey
    pool: Pubkey
    vault: Pubkey
    lp_mint: Pubkey
    market: Pubkey
    guardian: Keypair
    params: dict[str, int]
    traders: list[Trader] = field(default_factory=list)
    windows: dict[int, Pubkey] = field(default_factory=dict)
    orders: set[Pubkey] = field(default_factory=set)
    """Addresses of pending orders."""
    requests: set[Pubkey] = field(default_factory=set)
    """Addresses of waiting liquidity requests."""
    last_tick: int = 0
    """Number of the newest tick."""
    now_s: int = 0
    """Data time in seconds since the feed's start."""

    @classmethod
    def make(cls, **params: int) -> Self:
        """Create oracle config, feed, exchange, pool and market; no window and no play yet."""
        chain = Chain()
        chain.load(oracle.PROGRAM_ID, "oracle")
        chain.load(m.PROGRAM_ID, "market")
        creator, authority, operator, publisher = (chain.wallet() for _ in range(4))
        mint, treasury = Pubkey.new_unique(), Pubkey.new_unique()
        chain.svm.set_account(mint, mint_account(creator.pubkey(), 0))
        chain.svm.set_account(treasury, token_account(mint, authority.pubkey()))
        config = pda.config(creator.pubkey())
        match_id = b"match-1".ljust(32, b"\0")
        feed, exchange = pda.feed(config, match_id), pda.exchange(creator.pubkey())
        venue = cls(
            chain=chain,
            creator=creator,
            authority=authority,
            operator=operator,
            publisher=publisher,
            mint=mint,
            treasury=treasury,
            config=config,
            feed=feed,
            exchange=exchange,
            pool=pda.pool(exchange),
            vault=pda.vault(exchange),
            lp_mint=pda.lp_mint(exchange),
            market=pda.market(exchange, feed),
            guardian=chain.wallet(),
            params=PARAMS | params,
        )
        venue._create(match_id, m.ExchangeParams(**venue.params))
        return venue

    def _create(self, match_id: bytes, params: m.ExchangeParams) -> None:
        payer = self.chain.payer.pubkey()
        operator = self.operator.pubkey()
        self.chain.send(
            oracle.ix_init_config(creator=self.creator.pubkey(), authority=self.authority.pubkey(), operator=operator),
            self.creator,
        )
        registered = listing.register(
            authority=self.authority.pubkey(),
            payer=payer,
            config=self.config,
            set_id=1,
            publishers=[self.publisher.pubkey()],
            min_publishers=1,
            methodology=bytes(32),
            name="test",
        )
        self.chain.send(registered, self.authority)
        listed = listing.list_feed(
            operator=operator,
            payer=payer,
            rent_receiver=self.creator.pubkey(),
            config=self.config,
            set_id=1,
            methodology=bytes(32),
            match_id=match_id,
            start_unix_ms=START_UNIX_S * 1000,
        )
        self.chain.send(listed, self.operator)
        self.chain.send(
            m.ix_init_exchange(
                creator=self.creator.pubkey(),
                payer=payer,
                authority=self.authority.pubkey(),
                operator=operator,
                oracle_config=self.config,
                collateral_mint=self.mint,
                treasury_vault=self.treasury,
                params=params,
            ),
            self.creator,
        )
        self.chain.send(m.ix_init_pool(payer=payer, exchange=self.exchange, collateral_mint=self.mint))
        self.chain.send(
            m.ix_create_market(operator=operator, payer=payer, exchange=self.exchange, feed=self.feed), self.operator
        )

    def set_params(self, key: Keypair | None = None, /, **changes: int) -> None:
        """Change some of the exchange's parameters."""
        signer = key or self.authority
        params = m.ExchangeParams(**(self.params | changes))
        self.chain.send(m.ix_set_params(authority=signer.pubkey(), exchange=self.exchange, params=params), signer)
        self.params |= changes

    def get_feed(self) -> oracle.Feed:
        """Return the feed."""
        return oracle.Feed.from_account(self.chain.data(self.feed))

    def get_pool(self) -> m.Pool:
        """Return the pool."""
        return m.Pool.from_account(self.chain.data(self.pool))

    def get_window(self, window: Pubkey) -> m.Window:
        """Return a window."""
        return m.Window.from_account(self.chain.data(window))

    def get_margin(self, trader: Trader) -> m.Margin:
        """Return a margin account."""
        return m.Margin.from_account(self.chain.data(trader.margin))

    def get_position(self, trader: Trader, window: Pubkey) -> m.Position | None:
        """Return a position, or None when its account does not exist."""
        found = self.chain.svm.get_account(pda.position(trader.margin, window))
        return m.Position.from_account(bytes(found.data)) if found and found.data else None

    def tokens(self, address: Pubkey) -> int:
        """Return the amount of a token account."""
        return int.from_bytes(self.chain.data(address)[64:72], "little")

    def supply(self) -> int:
        """Return the number of pool shares."""
        return int.from_bytes(self.chain.data(self.lp_mint)[36:44], "little")
