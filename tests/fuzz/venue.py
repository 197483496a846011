"""One exchange with its matches: keys, ledger, and the accounts of the chain as they were last read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import market as m
from chain.clients import oracle
from tests.fuzz import invariants
from tests.fuzz.feeds import Feedhouse
from tests.fuzz.ledger.books import Bond, LpRequest, Margin, Market, Order, Pool, Position, Session, Window
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.world import Violation, World

TYPES: dict[type[Any], Any] = {
    Bond: oracle.PublisherBond,
    LpRequest: m.LpRequest,
    Margin: m.Margin,
    Market: m.Market,
    Order: m.Order,
    Pool: m.Pool,
    Position: m.Position,
    Session: m.Session,
    Window: m.Window,
}
KNOWN_OTHERWISE = {"feed", "parts", "source"}
"""Fields of the ledger that no account holds under that name."""
COMPARED = {book: [f.name for f in fields(book) if f.name not in KNOWN_OTHERWISE] for book in TYPES}


@dataclass
class Person:
    """A wallet with tokens, LP shares and a margin account."""

    key: Keypair
    tokens: Pubkey
    shares: Pubkey
    margin: Pubkey
    style: str
    next_id: int = 1
    next_request: int = 1


@dataclass
class Venue:
    """Everything of one exchange."""

    world: World
    ledger: Ledger
    creator: Keypair
    authority: Keypair
    operator: Keypair
    mint: Pubkey
    config: Pubkey
    exchange: Pubkey
    pool: Pubkey
    lp_mint: Pubkey
    publishers: list[Keypair]
    oracle_authority: Keypair
    lister: Keypair
    """Pays the rent of markets and windows, and gets it back."""
    retention_s: int = 0
    attestor: Keypair | None = None
    delegates: dict[Pubkey, tuple[Person, Keypair]] = field(default_factory=dict)
    """Sessions ever created: whose, and by whom they are used."""
    sets: int = 1
    """Publisher sets registered so far."""
    guardian: Keypair | None = None
    pending_authority: Keypair | None = None
    people: list[Person] = field(default_factory=list)
    lps: list[Person] = field(default_factory=list)
    feeds: dict[Pubkey, Feedhouse] = field(default_factory=dict)
    shut: set[Pubkey] = field(default_factory=set)
    """Accounts that requests name and that were closed."""
    view: dict[Pubkey, Any] = field(default_factory=dict)
    """Accounts of the market as last read, by address."""
    minted_e6: int = 0
    """All tokens of the collateral mint."""
    share_price: tuple[int, int] = (0, 0)
    payouts: dict[Pubkey, int] = field(default_factory=dict)
    """What each position must be paid, as computed when its window became final (I11)."""

    # --- reading ---------------------------------------------------------------------------------------------------

    def before(self) -> None:
        """Remember the share price (I6) and the time."""
        self.ledger.unix_s = self.world.chain.unix_s
        self.share_price = (self.ledger.pool.cash_e6, self.ledger.supply)

    def read(self, touched: Sequence[Pubkey]) -> None:
        """Read what a step could write; what is gone is forgotten."""
        for key in touched:
            book = self.book(key)
            if self.world.exists(key) and (key in self.view or book is not None):
                kind = TYPES[type(book)] if book is not None else type(self.view[key])
                self.view[key] = kind.from_account(self._data(key))
            else:
                self.view.pop(key, None)

    def compare(self, touched: Sequence[Pubkey]) -> None:
        """Compare what a step could write with the ledger."""
        for key in touched:
            if key in self.feeds:
                self._compare_feed(self.feeds[key])
            elif key == self.exchange:
                self._compare_exchange()
            elif key == self.lp_mint:
                self._equal("LP mint", "supply", int.from_bytes(self._data(key)[36:44], "little"), self.ledger.supply)
            elif key in self.ledger.tokens:
                self._equal("token account", str(key), self._amount(key), self.ledger.tokens[key])
            elif key in self.ledger.shares:
                self._equal("share account", str(key), self._amount(key), self.ledger.shares[key])
            else:
                self._compare(key)

    def check(self, name: str) -> None:
        """Assert the invariants."""
        invariants.check(self, name)

    def book(self, key: Pubkey) -> Any:
        """Return the ledger's book of an account, or None."""
        if key == self.pool:
            return self.ledger.pool
        for books in (
            self.ledger.margins,
            self.ledger.positions,
            self.ledger.orders,
            self.ledger.windows,
            self.ledger.requests,
            self.ledger.bonds,
            self.ledger.sessions,
        ):
            if key in books:
                return books[key]
        return self.ledger.markets.get(key)

    def _compare(self, key: Pubkey) -> None:
        book = self.book(key)
        if book is None:
            if key in self.view:
                raise Violation("I9", f"account {key} should be closed and is not")
            return
        kind = TYPES[type(book)]
        if key not in self.view:
            raise Violation("ledger", f"{kind.__name__} {key} is gone, the ledger has {book}")
        for name in COMPARED[type(book)]:
            self._equal(f"{kind.__name__} {key}", name, getattr(self.view[key], name), getattr(book, name))

    def _compare_exchange(self) -> None:
        found = m.Exchange.from_account(self._data(self.exchange))
        self._equal("exchange", "pause", found.pause, self.ledger.authority_pause)
        for name in ("open_windows", "guardian_pause", "guardian_until_unix", "outflow_raised_unix"):
            self._equal("exchange", name, getattr(found, name), getattr(self.ledger, name))
        for name in ("authority", "operator", "guardian", "pending_authority", "attestor"):
            key = getattr(self, name)
            self._equal("exchange", name, getattr(found, name), key.pubkey() if key else Pubkey.default(), "signer")
        for name, value in self.ledger.params.items():
            self._equal("exchange", name, getattr(found, name), value)

    def _compare_feed(self, house: Feedhouse) -> None:
        if house.closed:
            if self.world.exists(house.address):
                raise Violation("I9", f"feed {house.address} should be closed and is not")
            return
        twin, found = house.twin, oracle.Feed.from_account(self._data(house.address))
        names = ("period", "in_break", "tick", "data_ms", "play_ms", "left_out_ms", "suspend_epoch", "suspended_ms")
        for name in (*names, "revised", "hash_chain", "suspend_reason", "suspended_since_ms"):
            self._equal("feed", name, getattr(found, name), getattr(twin, name), "I7")
        self._equal("feed", "hold", found.hold, int(twin.hold), "I7")
        self._equal("feed", "status", found.status, int(twin.final), "I7")
        self._equal("feed", "samples", found.samples, len(twin.samples), "I7")
        for row, mark in enumerate(twin.periods):
            self._equal("feed", f"period {row + 1}", found.periods[row], mark, "I7")
        row = max(0, twin.period - 1)
        self._equal("feed", "minute areas", found.minute_area[row].tolist(), twin.minute_area[row], "I7")
        out = found.minute_left_out_ms[row].tolist()
        self._equal("feed", "minutes left out", out, twin.minute_left_out_ms[row], "I7")
        if twin.samples:
            last = found.ring[(len(twin.samples) - 1) % 512]
            for name in ("area", "x_e6", "mu_e6", "s_e4", "conf_e4", "data_ms", "play_ms", "suspend_epoch"):
                self._equal("feed's newest sample", name, int(last[name]), getattr(twin.samples[-1], name), "I7")
        for number, quote in twin.quotes.items():
            slot, score = found.quotes[number], twin.scores[number]
            self._equal("publisher's slot", "tick", slot.tick, quote.tick, "I7")
            told = (slot.accepted, slot.late, slot.used, slot.scored, slot.deviation_e6)
            kept = (score.accepted, score.late, score.used, score.scored, score.deviation_e6)
            self._equal("publisher's slot", "score", told, kept, "I7")

    def _equal(self, what: str, name: str, found: Any, kept: Any, invariant: str = "ledger") -> None:
        if found != kept:
            raise Violation(invariant, f"{what}: {name} is {found} on chain, {kept} by the rules")

    def _data(self, key: Pubkey) -> bytes:
        return self.world.chain.data(key)

    def _amount(self, key: Pubkey) -> int:
        return int.from_bytes(self._data(key)[64:72], "little")
