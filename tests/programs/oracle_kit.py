"""One feed on a chain in this process, with its publishers."""

from __future__ import annotations

from dataclasses import dataclass

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import oracle
from tests.programs.svm import START_UNIX_S, Chain

START_MS = START_UNIX_S * 1000
BIAS = 1 << 31
ZERO = Pubkey.default()


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
        chain.send(kit.ix_create(match_id, minimum), operator)
        return kit

    def ix_create(self, match_id: bytes, minimum: int, **changes: object) -> list[object]:
        """Return the two instructions that create a feed."""
        keys = [key.pubkey() for key in self.publishers]
        fields: dict[str, object] = {
            "operator": self.operator.pubkey(),
            "payer": self.chain.payer.pubkey(),
            "rent_receiver": self.receiver,
            "config": self.config,
            "match_id": match_id,
            "methodology": bytes(range(32)),
            "publishers": tuple(keys + [ZERO] * (8 - len(keys))),
            "n_publishers": len(keys),
            "min_publishers": minimum,
            "start_unix_ms": START_MS,
        }
        feed = oracle.pda_feed(self.config, match_id)[0]
        create = oracle.ix_create_feed(**(fields | changes))  # type: ignore[arg-type]
        return [create, oracle.ix_grow_feed(payer=self.chain.payer.pubkey(), feed=feed)]

    def push(self, who: int, value: oracle.Quote, *, key: Keypair | None = None) -> int:
        """Push one quote at its own data time and return the compute units."""
        signer = key or self.publishers[who]
        self.chain.clock(max(self.chain.unix_s, START_UNIX_S + value.data_ms // 1000))
        ix = oracle.ix_push_quote(publisher=signer.pubkey(), feed=self.address, quote=value)
        return self.chain.cu(ix, signer)

    def tick(self, value: oracle.Quote, *, publishers: int = 2) -> None:
        """Push the same quote from the first `publishers` publishers."""
        for who in range(publishers):
            self.push(who, value)

    def feed(self) -> oracle.Feed:
        """Return the feed's account."""
        return oracle.Feed.from_account(self.chain.data(self.address))
