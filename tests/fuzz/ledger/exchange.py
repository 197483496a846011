"""All books of one exchange, the pause in force, and the few ways in which money moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from momentum import pricing
from momentum.pricing import Side
from tests.fuzz.ledger.books import Bond, LpRequest, Margin, Market, Order, Pool, Position, Session, Window
from tests.fuzz.ledger.rules import GUARDIAN_PAUSE_MAX_S, HALTED, NOBODY, need


@dataclass(slots=True)
class Reduction:
    """What closing a part of a position moves."""

    gain: int
    loss: int
    bad_debt: int
    returned: int
    insured: int = 0
    """Of the bad debt, paid by the insurance."""


@dataclass(slots=True)
class Ledger:
    """All books of one exchange. Keys are account addresses."""

    params: dict[str, int]
    vault: Pubkey
    treasury_vault: Pubkey
    lp_escrow: Pubkey
    authority_pause: int = 0
    guardian_pause: int = 0
    guardian_until_unix: int = 0
    outflow_raised_unix: int = 0
    open_windows: int = 0
    unix_s: int = 0
    """The cluster's time of the step under way."""
    supply: int = 0
    fees_of_closed_e6: int = 0
    """Fees that windows now closed have charged; the pool still counts them."""
    pool: Pool = field(default_factory=Pool)
    margins: dict[Pubkey, Margin] = field(default_factory=dict)
    markets: dict[Pubkey, Market] = field(default_factory=dict)
    windows: dict[Pubkey, Window] = field(default_factory=dict)
    positions: dict[Pubkey, Position] = field(default_factory=dict)
    orders: dict[Pubkey, Order] = field(default_factory=dict)
    requests: dict[Pubkey, LpRequest] = field(default_factory=dict)
    bonds: dict[Pubkey, Bond] = field(default_factory=dict)
    sessions: dict[Pubkey, Session] = field(default_factory=dict)
    attestor: Pubkey = NOBODY
    attestations: dict[Pubkey, tuple[Pubkey, int]] = field(default_factory=dict)
    """Attestor and end of each."""
    tokens: Counter[Pubkey] = field(default_factory=Counter)
    shares: Counter[Pubkey] = field(default_factory=Counter)

    # --- powers ----------------------------------------------------------------------------------------------------

    @property
    def pause(self) -> int:
        """Return the pause in force: the authority's, or the guardian's while it holds."""
        held = self.unix_s < self.guardian_until_unix
        return max(self.authority_pause, self.guardian_pause) if held else self.authority_pause

    def guard(self, level: int, seconds: int) -> dict[str, int]:
        """Let the guardian tighten the pause for a while."""
        need(1 <= level <= HALTED and 1 <= seconds <= GUARDIAN_PAUSE_MAX_S, "bad pause")
        before = self.pause
        need(level > before, "only tighten")
        if self.unix_s >= self.guardian_until_unix:
            rested = self.unix_s - self.guardian_until_unix >= GUARDIAN_PAUSE_MAX_S
            need(rested or self.guardian_until_unix == 0, "the guardian rests")
            self.guardian_until_unix = self.unix_s + seconds
        self.guardian_pause = level
        return {"before": before, "after": level}

    def clear_guard(self) -> dict[str, int]:
        """Let the authority end the guardian's pause."""
        before = self.pause
        self.guardian_until_unix = min(self.guardian_until_unix, self.unix_s)
        return {"before": before, "after": self.pause}

    # --- how money moves -------------------------------------------------------------------------------------------

    def move(self, source: Pubkey, target: Pubkey, amount: int) -> None:
        """Move tokens from one account to another."""
        self.tokens[source] -= amount
        self.tokens[target] += amount

    def free(self, margin: Pubkey, amount: int) -> None:
        """Change a trader's free margin."""
        self.margins[margin].free_e6 += amount
        self.pool.margin_e6 += amount

    def charge(self, position: Position, fee: int) -> None:
        """Book a fee of a position into the escrow of its window and of the pool."""
        window = self.windows[position.window]
        position.fees_e6 += fee
        for book in (window, self.pool):
            book.fee_escrow_e6 += fee
            book.fees_charged_e6 += fee

    def count(self, position: Position, by: int) -> None:
        """Count a position that opens (1) or closes (-1)."""
        window = self.windows[position.window]
        for book in (self.pool, window, self.margins[position.margin]):
            book.open_positions += by
        if by > 0 and window.open_positions == 1:
            self.pool.live_windows += 1
        if by < 0 and window.open_positions == 0:
            self.pool.live_windows -= 1

    def unmark(self, window: Window) -> None:
        """Take a window's mark out of the round under way."""
        if window.mark_round and window.mark_round == self.pool.mark_round:
            self.pool.mark_gain_e6 -= window.mark_gain_e6
            self.pool.mark_loss_e6 -= window.mark_loss_e6
            self.pool.marked_windows -= 1
        window.mark_round = 0

    def reserve(self, position: Position, amount: int) -> None:
        """Let a position reserve so much, no longer what it did; its window needs another mark."""
        window = self.windows[position.window]
        self.unmark(window)
        for book in (self.pool, self.markets[window.market], window, self.margins[position.margin]):
            book.reserved_e6 += amount - position.reserved_e6
        position.reserved_e6 = amount

    def reduce(self, position: Position, qty: int, price: int) -> Reduction:
        """Close a part at a price: its share of collateral comes free, a loss beyond it is taken from the rest."""
        side, whole = Side(position.side), qty == position.qty_e6
        part = pricing.part_ceil if side is Side.LONG else pricing.part_floor
        cost = position.entry_cost_e6 if whole else part(position.entry_cost_e6, qty, position.qty_e6)
        freed = position.collateral_e6 * qty // position.qty_e6
        pnl = pricing.pnl(side, qty, cost, price)
        loss = min(pnl.loss_e6, position.collateral_e6)
        taken = max(freed, loss)
        done = Reduction(pnl.gain_e6, loss, pnl.loss_e6 - loss, taken - loss)
        position.qty_e6 -= qty
        position.entry_cost_e6 -= cost
        position.collateral_e6 -= taken
        self.reserve(position, pricing.reservation(side, position.qty_e6, position.entry_cost_e6))
        self.windows[position.window].turn(position.side, -qty, -cost)
        if whole:
            self.count(position, -1)
        pool = self.pool
        pool.position_collateral_e6 -= taken
        done.insured = min(done.bad_debt, pool.insurance_e6)
        pool.insurance_e6 -= done.insured
        pool.cash_e6 += loss - pnl.gain_e6 + done.insured
        pool.bad_debt_e6 += done.bad_debt
        return done

    def drop(self, position: Position, done: Reduction) -> None:
        """Release a position of a void window: its collateral goes back."""
        self.pool.position_collateral_e6 -= done.returned
        self.reserve(position, 0)
        self.windows[position.window].turn(position.side, -position.qty_e6, -position.entry_cost_e6)
        self.count(position, -1)
