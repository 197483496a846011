"""One feed on a chain in this process, with its publishers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from chain import pda
from chain.clients import oracle
from oracle import listing
from tests.programs.svm import START_UNIX_S, Chain, Rejected

START_MS = START_UNIX_S * 1000
BIAS = 1 << 31
ZERO = Pubkey.default()
METHODOLOGY = bytes(range(32))


def quote(tick: int, **changes: object) -> oracle.Quote:
    """Return a quote of a quiet first half: one tick a second, index 50."""
    fields: dict[str, object] = {
        "tick": tick,
        "data_ms": (tick - 1) * 1000,
        "play_ms": (tick - 1) * 1000,
        "period": 1,
        "flags": 0,
        "suspend_reason": 0,
        "_pad": 0,
        "x_e6": 50_000_000,
        "mu_e6": 50_000_000,
        "s_e4": BIAS,
        "conf_e4": 2_000,
        "inputs_hash": bytes([tick % 256]) * 32,
    }
    return oracle.Quote(**(fields | changes))  # type: ignore[arg-type]


def rejected(code: oracle.ErrorCode) -> AbstractContextManager[object]:
    """Expect the program's error `code`."""
    return pytest.raises(Rejected, match=f"{hex(code)}$|Custom\\({int(code)}\\)")


@dataclass
class FeedKit:
    """A grown feed and everyone who may act on it."""

    chain: Chain
    creator: Keypair
    authority: Keypair
    operator: Keypair
    receiver: Pubkey
    publishers: list[Keypair]
    config: Pubkey
    address: Pubkey

    @staticmethod
    def make(n: int = 3, minimum: int = 2, *, match_id: bytes = b"match-1".ljust(32, b"\0")) -> FeedKit:
        """Load the oracle, create a config and a feed with `n` publishers."""
        chain = Chain()
        chain.load(oracle.PROGRAM_ID, "oracle")
        creator, authority, operator = chain.wallet(), chain.wallet(), chain.wallet()
        publishers = [chain.wallet() for _ in range(n)]
        config = oracle.pda_config(creator.pubkey())[0]
        feed = oracle.pda_feed(config, match_id)[0]
        kit = FeedKit(chain, creator, authority, operator, Keypair().pubkey(), publishers, config, feed)
        init = oracle.ix_init_config(creator=creator.pubkey(), authority=authority.pubkey(), operator=operator.pubkey())
        chain.send(init, creator)
        chain.send(kit.ix_register(1, publishers, minimum), authority)
        chain.send(kit.ix_create(match_id), operator)
        return kit

    def ix_register(self, set_id: int, publishers: Sequence[Keypair], minimum: int) -> list[Instruction]:
        """Return the instructions that register a publisher set and, for set 1, the methodology."""
        both = listing.register(
            authority=self.authority.pubkey(),
            payer=self.chain.payer.pubkey(),
            config=self.config,
            set_id=set_id,
            publishers=[key.pubkey() for key in publishers],
            min_publishers=minimum,
            methodology=METHODOLOGY,
            name="test",
        )
        return both if set_id == 1 else both[:1]

    def ix_create(self, match_id: bytes, **changes: object) -> list[Instruction]:
        """Return the two instructions that list a match with set 1."""
        fields: dict[str, object] = {
            "operator": self.operator.pubkey(),
            "payer": self.chain.payer.pubkey(),
            "rent_receiver": self.receiver,
            "config": self.config,
            "set_id": 1,
            "methodology": METHODOLOGY,
            "match_id": match_id,
            "start_unix_ms": START_MS,
        }
        return listing.list_feed(**(fields | changes))  # type: ignore[arg-type]

    def push(self, who: int, value: oracle.Quote, *, key: Keypair | None = None) -> int:
        """Push one quote at its own data time and return the compute units."""
        signer = key or self.publishers[who]
        self.chain.clock(max(self.chain.unix_s, START_UNIX_S + value.data_ms // 1000))
        ix = oracle.ix_push_quote(publisher=signer.pubkey(), feed=self.address, quote=value)
        return self.chain.cu(ix, signer)

    def wait(self, seconds: int) -> None:
        """Let cluster time pass."""
        self.chain.clock(self.chain.unix_s + seconds)

    def bond(self, who: int) -> oracle.PublisherBond:
        """Return a publisher's bond account."""
        address = pda.bond(self.config, self.publishers[who].pubkey())
        return oracle.PublisherBond.from_account(self.chain.data(address))

    def ix_open_bond(self, who: int) -> Instruction:
        """Open a publisher's bond account."""
        return oracle.ix_open_bond(
            payer=self.chain.payer.pubkey(), publisher=self.publishers[who].pubkey(), config=self.config
        )

    def ix_post(self, who: int, lamports: int) -> list[Instruction]:
        """Transfer lamports into a bond account and book them."""
        publisher = self.publishers[who].pubkey()
        bond = pda.bond(self.config, publisher)
        params = TransferParams(from_pubkey=publisher, to_pubkey=bond, lamports=lamports)
        return [transfer(params), oracle.ix_post_bond(publisher=publisher, bond=bond, lamports=lamports)]

    def ix_params(self, **changes: object) -> Instruction:
        """Set the config's rules: slashed bonds go to `receiver`."""
        fields: dict[str, object] = {
            "authority": self.authority.pubkey(),
            "config": self.config,
            "bond_receiver": self.receiver,
            "min_bond_lamports": 0,
            "retention_s": 7 * 86_400,
        }
        return oracle.ix_set_params(**(fields | changes))  # type: ignore[arg-type]

    def tick(self, value: oracle.Quote, *, publishers: int = 2) -> None:
        """Push the same quote from the first `publishers` publishers."""
        for who in range(publishers):
            self.push(who, value)

    def feed(self) -> oracle.Feed:
        """Return the feed's account."""
        return oracle.Feed.from_account(self.chain.data(self.address))
