"""The books as they should be: an independent account of everybody's money, kept beside the programs.

Every rule either raises `Refused` before it changes anything, or books the outcome. Field names are those of the
accounts on chain, so that the two can be compared name by name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from momentum import pricing
from momentum.pricing import Side
from oracle.windows import Part
from tests.fuzz.feeds import Feedhouse
from tests.fuzz.timing import RING, Pricing, chargeable_ms, outcome, stood_still, window_ms

BPS = 10_000
OPEN, FINAL, VOID = 0, 1, 2
ACTIVE, REDUCE_ONLY_LEVEL, NO_NEW_ORDERS, HALTED = range(4)
(
    FILLED,
    LIMIT,
    SUSPENDED,
    NO_SAMPLE,
    OVER,
    BREAK,
    IS_VOID,
    GONE,
    CANCELLED,
    LIQUIDATED,
    CAP,
    NOTHING,
    RESTARTED,
    EXPIRED,
) = range(14)
REDUCE_ONLY = 1
NOBODY = Pubkey.default()
GUARDIAN_PAUSE_MAX_S = 259_200
EXPIRY_GRACE_MS, COMMIT_CLOSE_MS, LIQUIDATION_MAX_AGE_MS = 60_000, 20_000, 5_000
TRIGGER_LIFE_MS = 30_000
ABANDONED_MS = 6 * 3_600_000
DEPOSIT, WITHDRAWAL = 0, 1
MAX_SESSION_S = 30 * 86_400
MARKET_ORDER, LIMIT_ORDER, STOP_LOSS, TAKE_PROFIT = range(4)
MIN_QTY_E6, MAX_QTY_E6, MAX_EXPIRY_MS = 10_000, 10**12, 120_000


class Refused(Exception):  # noqa: N818 - an outcome, not a fault
    """The rules forbid the step; `invariant` names what an acceptance would break."""

    def __init__(self, why: str, invariant: str = "rule") -> None:
        self.why, self.invariant = why, invariant
        super().__init__(why)


def need(condition: bool, why: str, invariant: str = "rule") -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise Refused(why, invariant)


@dataclass(slots=True)
class Margin:
    """A trader's collateral."""

    owner: Pubkey
    free_e6: int = 0
    deposits_e6: int = 0
    withdrawals_e6: int = 0
    reserved_e6: int = 0
    last_client_id: int = 0
    open_orders: int = 0
    open_positions: int = 0
    rate_unix: int = 0
    rate_count: int = 0


@dataclass(slots=True)
class Position:
    """A net position."""

    margin: Pubkey
    window: Pubkey
    rent_payer: Pubkey
    side: int = 0
    qty_e6: int = 0
    entry_cost_e6: int = 0
    collateral_e6: int = 0
    reserved_e6: int = 0
    fees_e6: int = 0
    opened_ms: int = 0
    pending_orders: int = 0
    generation: int = 0
    borrow_index_e12: int = 0


@dataclass(slots=True)
class Bond:
    """What a publisher has put at stake, and its score."""

    publisher: Pubkey
    lamports: int = 0
    release_unix_s: int = 0
    slashed_lamports: int = 0
    feeds: int = 0
    due: int = 0
    accepted: int = 0
    late: int = 0
    used: int = 0
    scored: int = 0
    deviation_e6: int = 0


@dataclass(slots=True)
class Session:
    """What a delegate may do with a margin account."""

    margin: Pubkey
    owner: Pubkey
    delegate: Pubkey
    expires_unix: int
    max_qty_e6: int
    budget_e6: int
    spent_e6: int = 0


@dataclass(slots=True)
class LpRequest:
    """A liquidity provider's wish that waits."""

    owner: Pubkey
    source: Pubkey
    """Where tokens or shares came from, and where they go when it is cancelled."""
    destination: Pubkey
    rent_payer: Pubkey
    kind: int
    id: int
    amount: int
    minimum: int
    ready_unix: int = 0
    marks_from_ms: int = 0
    tip_lamports: int = 0


@dataclass(slots=True)
class Order:
    """A committed order."""

    margin: Pubkey
    window: Pubkey
    position: Pubkey
    rent_payer: Pubkey
    client_id: int
    side: int
    flags: int
    period: int
    suspend_epoch: int
    qty_e6: int
    collateral_e6: int
    fee_reserve_e6: int
    commit_ms: int
    commit_slot: int
    commit_samples: int
    tip_lamports: int
    delay_ms: int
    expiry_ms: int
    limit_e6: int
    generation: int
    kind: int = 0
    trigger_e6: int = 0
    until_ms: int = 0
    cancelled: int = 0

    @property
    def escrow(self) -> int:
        """Return what the order holds."""
        return self.collateral_e6 + self.fee_reserve_e6


@dataclass(slots=True)
class Window:
    """One contract; ``feed`` is the twin of its match's feed."""

    window_id: int
    feed: Feedhouse
    market: Pubkey
    parts: tuple[Part, ...]
    k_e6: int
    state: int = OPEN
    fees_done: int = 0
    oi_long_e6: int = 0
    oi_short_e6: int = 0
    reserved_e6: int = 0
    fee_escrow_e6: int = 0
    fees_charged_e6: int = 0
    fees_returned_e6: int = 0
    finalised_unix: int = 0
    open_positions: int = 0
    pending_orders: int = 0
    settlement_e6: int = 0
    left_out_ms: int = 0
    positions: int = 0
    dispute_until_ms: int = 0
    challenger: Pubkey = NOBODY
    challenge_bond_e6: int = 0
    challenge: int = 0
    entry_long_e6: int = 0
    entry_short_e6: int = 0
    mark_gain_e6: int = 0
    mark_loss_e6: int = 0
    borrow_index_e12: int = 0
    borrow_rate_e12: int = 0
    borrow_ms: int = 0
    mark_round: int = 0

    def turn(self, side: int, qty: int, cost: int) -> None:
        """Change the open interest of a side and what it cost."""
        if side == Side.LONG:
            self.oi_long_e6 += qty
            self.entry_long_e6 += cost
        else:
            self.oi_short_e6 += qty
            self.entry_short_e6 += cost


@dataclass(slots=True)
class Pool:
    """The vault's balances and counters."""

    cash_e6: int = 0
    reserved_e6: int = 0
    margin_e6: int = 0
    position_collateral_e6: int = 0
    order_escrow_e6: int = 0
    fee_escrow_e6: int = 0
    protocol_fees_e6: int = 0
    insurance_e6: int = 0
    claimable_e6: int = 0
    open_positions: int = 0
    bad_debt_e6: int = 0
    fees_charged_e6: int = 0
    fees_distributed_e6: int = 0
    fees_returned_e6: int = 0
    outflow_hour_unix: int = 0
    outflow_hour_e6: int = 0
    outflow_day_unix: int = 0
    outflow_day_e6: int = 0
    live_windows: int = 0
    lp_requests: int = 0
    mark_gain_e6: int = 0
    mark_loss_e6: int = 0
    mark_data_ms: int = 0
    mark_unix: int = 0
    mark_round: int = 0
    marked_windows: int = 0


@dataclass(slots=True)
class Market:
    """One match: what it reserves."""

    reserved_e6: int = 0
    windows: int = 0


@dataclass(slots=True)
class Now:
    """The cluster's time of a step."""

    unix_s: int
    slot: int
    restart_slot: int = 0
    """Slot of the cluster's last restart."""


@dataclass(slots=True)
class Reduction:
    """What closing a part of a position moves."""

    gain: int
    loss: int
    bad_debt: int
    returned: int


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

    # --- collateral and liquidity ----------------------------------------------------------------------------------

    def deposit(self, margin: Pubkey, source: Pubkey, amount: int) -> None:
        """Tokens become free margin."""
        need(self.pause <= NO_NEW_ORDERS, "halted")
        need(0 < amount <= self.tokens[source], "no such amount")
        self._move(source, self.vault, amount)
        book = self.margins[margin]
        book.free_e6 += amount
        book.deposits_e6 += amount
        self.pool.margin_e6 += amount

    def withdraw(self, margin: Pubkey, target: Pubkey, amount: int) -> None:
        """Free margin becomes tokens."""
        book = self.margins[margin]
        need(0 < amount <= book.free_e6, "more than is free", "I1")
        winnings = max(0, amount - max(0, book.deposits_e6 - book.withdrawals_e6))
        if winnings:
            need(self.pause < HALTED, "winnings stay while halted")
            self._count_outflow(winnings)
        self._move(self.vault, target, amount)
        book.free_e6 -= amount
        book.withdrawals_e6 += amount
        self.pool.margin_e6 -= amount

    def _count_outflow(self, winnings: int) -> None:
        pool = self.pool
        left: dict[str, int] = {}
        for name, seconds in (("hour", 3_600), ("day", 86_400)):
            start, sum_e6 = getattr(pool, f"outflow_{name}_unix"), getattr(pool, f"outflow_{name}_e6")
            if self.unix_s >= start + seconds:
                start, sum_e6 = self.unix_s, 0
            limit = self.params[f"outflow_{name}_e6"]
            need(limit == 0 or sum_e6 + winnings <= limit, f"over the limit of the {name}", "outflow")
            left |= {f"outflow_{name}_unix": start, f"outflow_{name}_e6": sum_e6 + winnings}
        for field_name, value in left.items():
            setattr(pool, field_name, value)

    def request(self, address: Pubkey, asked: LpRequest) -> dict[str, int]:
        """Let a liquidity provider's tokens or shares wait."""
        deposit = asked.kind == DEPOSIT
        need(self.pause <= (ACTIVE if deposit else NO_NEW_ORDERS), "paused")
        need(address not in self.requests, "id used")
        held = self.tokens if deposit else self.shares
        need(0 < asked.amount <= held[asked.source], "no such amount", "I6")
        target = self.vault if deposit else self.lp_escrow
        held[asked.source] -= asked.amount
        held[target] += asked.amount
        self.pool.claimable_e6 += asked.amount if deposit else 0
        self.pool.lp_requests += 1
        asked.ready_unix = self.unix_s + (0 if deposit else self.params["lp_cooldown_s"])
        asked.marks_from_ms = asked.ready_unix * 1000 + 999 + self.params["delay_ms"]
        asked.tip_lamports = self.params["tip_lamports"]
        self.requests[address] = asked
        return {"kind": asked.kind, "amount": asked.amount, "ready_unix": asked.ready_unix}

    def cancel_request(self, address: Pubkey) -> dict[str, int]:
        """Give what waits back."""
        need(address in self.requests, "no such request", "I4")
        asked = self.requests.pop(address)
        held, source = (self.tokens, self.vault) if asked.kind == DEPOSIT else (self.shares, self.lp_escrow)
        held[source] -= asked.amount
        held[asked.source] += asked.amount
        self.pool.claimable_e6 -= asked.amount if asked.kind == DEPOSIT else 0
        self.pool.lp_requests -= 1
        return {"kind": asked.kind, "amount": asked.amount}

    def execute_request(self, address: Pubkey) -> dict[str, int]:
        """Turn tokens into shares, or shares into tokens, at cash and the traders' marks."""
        need(address in self.requests, "no such request", "I4")
        asked, pool = self.requests[address], self.pool
        deposit = asked.kind == DEPOSIT
        need(self.pause <= (ACTIVE if deposit else NO_NEW_ORDERS), "paused")
        need(self.unix_s >= asked.ready_unix, "cooling down", "I6")
        if pool.live_windows:
            need(pool.marked_windows == pool.live_windows, "a live window has no mark", "I6")
            age_ms = self.unix_s * 1000 - pool.mark_data_ms
            need(age_ms <= 30_000 and pool.mark_data_ms >= asked.marks_from_ms, "marks too old", "I6")
        if deposit:
            value = pool.cash_e6 + (pool.mark_loss_e6 if pool.live_windows else 0)
            value += -(-pool.fee_escrow_e6 * self.params["lp_bps"] // BPS)
            shares, tokens = pricing.shares_for_deposit(asked.amount, value, self.supply), asked.amount
            need(shares > 0, "too little")
            need(shares >= asked.minimum, "slippage")
            pool.claimable_e6 -= tokens
            pool.cash_e6 += tokens
            self.shares[asked.destination] += shares
            self.supply += shares
        else:
            value = max(0, pool.cash_e6 - (pool.mark_gain_e6 if pool.live_windows else 0))
            shares, last = asked.amount, asked.amount == self.supply
            need(not last or pool.live_windows == 0, "the last shares", "I6")
            tokens = value if last else pricing.amount_for_shares(shares, value, self.supply)
            need(tokens > 0, "too little")
            need(tokens >= asked.minimum, "slippage")
            fits = pool.reserved_e6 * BPS <= (pool.cash_e6 - tokens) * self.params["cap_pool_bps"]
            need(fits, "reservations need it", "I3")
            pool.cash_e6 -= tokens
            self.shares[self.lp_escrow] -= shares
            self.supply -= shares
            self._move(self.vault, asked.destination, tokens)
        pool.lp_requests -= 1
        del self.requests[address]
        return {"amount_e6": tokens, "shares": shares, "value_e6": value, "supply_after": self.supply}

    # --- marks and the borrow fee ----------------------------------------------------------------------------------

    def mark(self, address: Pubkey, now: Now) -> None:
        """Measure what the traders of a window gain and lose."""
        window, pool = self.windows[address], self.pool
        need(window.open_positions > 0, "nothing to mark")
        now_ms = now.unix_s * 1000
        price, data_ms = window.settlement_e6, now_ms
        if window.state == OPEN:
            feed = window.feed.twin
            need(not window.feed.closed, "no feed")
            sample = feed.samples[-1]
            data_ms = feed.start_unix_ms + sample.data_ms
            need(now_ms - data_ms <= 30_000, "stale mark", "stale price")
            need(sample.suspend_epoch % 2 == 0, "suspended", "I8")
            self._accrue(window)
            self._set_rate(window)
            price = Pricing.of(feed, sample, window.parts).forward_e6
        count = window.open_positions
        long = pricing.mark_side(Side.LONG, window.oi_long_e6, window.entry_long_e6, price, count)
        short = pricing.mark_side(Side.SHORT, window.oi_short_e6, window.entry_short_e6, price, count)
        void = window.state == VOID
        gain, loss = (0, 0) if void else (long.gain_e6 + short.gain_e6, long.loss_e6 + short.loss_e6)
        if pool.mark_round == 0 or now.unix_s > pool.mark_unix + 10:
            pool.mark_round += 1
            pool.mark_gain_e6 = pool.mark_loss_e6 = pool.marked_windows = 0
        self._unmark(window)
        if pool.marked_windows == 0:
            pool.mark_unix, pool.mark_data_ms = now.unix_s, (1 << 64) - 1
        pool.mark_gain_e6 += gain
        pool.mark_loss_e6 += loss
        pool.marked_windows += 1
        pool.mark_data_ms = min(pool.mark_data_ms, data_ms)
        window.mark_round, window.mark_gain_e6, window.mark_loss_e6 = pool.mark_round, gain, loss

    def _unmark(self, window: Window) -> None:
        if window.mark_round and window.mark_round == self.pool.mark_round:
            self.pool.mark_gain_e6 -= window.mark_gain_e6
            self.pool.mark_loss_e6 -= window.mark_loss_e6
            self.pool.marked_windows -= 1
        window.mark_round = 0

    def _grown(self, window: Window) -> tuple[int, int]:
        """Return (index, play) to which the borrow index of a window grows by now."""
        now_ms = chargeable_ms(window.feed.twin, window.parts)
        passed = max(0, now_ms - window.borrow_ms)
        growth = pricing.borrow_growth(window.borrow_rate_e12, passed) if passed else 0
        return window.borrow_index_e12 + growth, max(now_ms, window.borrow_ms)

    def _accrue(self, window: Window) -> None:
        window.borrow_index_e12, window.borrow_ms = self._grown(window)

    def _set_rate(self, window: Window) -> None:
        pool, params = self.pool, self.params
        kink, kink_e12, most = (params[f"borrow_{name}"] for name in ("kink_bps", "kink_e12", "max_e12"))
        window.borrow_rate_e12 = pricing.borrow_rate(pool.reserved_e6, pool.cash_e6, kink, kink_e12, most)

    def owed(self, position: Position, index: int) -> int:
        """Return the borrow fee of a position up to an index."""
        growth = index - position.borrow_index_e12
        return min(pricing.borrow_owed(position.reserved_e6, growth), position.collateral_e6) if growth > 0 else 0

    def _take_borrow(self, position: Position) -> int:
        window = self.windows[position.window]
        owed = self.owed(position, window.borrow_index_e12)
        position.borrow_index_e12 = window.borrow_index_e12
        position.collateral_e6 -= owed
        self.pool.position_collateral_e6 -= owed
        self._charge(position, owed)
        return owed

    # --- orders ----------------------------------------------------------------------------------------------------

    def submit(
        self, address: Pubkey, order: Order, now: Now, signer: Pubkey, session: Pubkey | None, attested: Pubkey | None
    ) -> None:
        """Commit an order; ``order`` carries what was asked, the rest is filled in here."""
        margin, window = self.margins[order.margin], self.windows[order.window]
        feed, reduce_only = window.feed.twin, order.flags & REDUCE_ONLY != 0
        market = order.kind == MARKET_ORDER
        need(self.pause <= (REDUCE_ONLY_LEVEL if reduce_only else ACTIVE), "paused")
        expiry = order.expiry_ms == 0 or self.params["delay_ms"] <= order.expiry_ms <= (
            MAX_EXPIRY_MS if market else (1 << 32) - 1
        )
        need(expiry and MIN_QTY_E6 <= order.qty_e6 <= MAX_QTY_E6 and order.limit_e6 <= 100_000_000, "bad order")
        stops = order.kind in (STOP_LOSS, TAKE_PROFIT)
        need(order.trigger_e6 == 0 or stops, "bad trigger")
        need(not stops or (reduce_only and order.trigger_e6 <= 100_000_000), "bad stop")
        need(order.client_id > margin.last_client_id and address not in self.orders, "client id used", "I4")
        need(window.state == OPEN and not feed.final and not window.feed.closed, "window not open")
        if market:
            need(not feed.suspended, "suspended", "I8")
            need(not feed.in_break, "no play")
        need(bool(feed.samples) or not market, "no sample")
        if feed.samples:
            left = Pricing.of(feed, feed.samples[-1], window.parts).at.left_ms
            need(left >= COMMIT_CLOSE_MS, "window closing")
        if not reduce_only and self.attestor != NOBODY:
            by, until = self.attestations.get(attested, (NOBODY, 0)) if attested else (NOBODY, 0)
            need(by == self.attestor and self.unix_s < until, "not attested", "attestation")
        rate = self._rate(margin)
        fee = pricing.fee(order.qty_e6, self.params["fee_e6"])
        if reduce_only:
            fee = min(fee, max(0, margin.free_e6 - order.collateral_e6))
        else:
            least = pricing.margin_required(order.qty_e6, self.params["initial_margin_e6"])
            need(order.collateral_e6 >= least, "collateral too low", "I5")
        need(order.collateral_e6 + fee <= margin.free_e6, "more than is free", "I1")
        if signer != margin.owner:
            need(session in self.sessions, "not the owner", "signer")
            self._spend(self.sessions[session], order, signer, order.collateral_e6 + fee)  # type: ignore[index]

        margin.rate_unix, margin.rate_count = rate
        margin.free_e6 -= order.collateral_e6 + fee
        self.pool.margin_e6 -= order.collateral_e6 + fee
        self.pool.order_escrow_e6 += order.collateral_e6 + fee
        if order.position not in self.positions:
            self.positions[order.position] = Position(order.margin, order.window, order.rent_payer)
            window.positions += 1
        position = self.positions[order.position]
        for book in (position, window):
            book.pending_orders += 1
        margin.open_orders += 1
        margin.last_client_id = order.client_id
        order.fee_reserve_e6 = fee
        order.period, order.suspend_epoch = feed.period, feed.suspend_epoch
        order.commit_ms = max(now.unix_s * 1000 + 999, feed.start_unix_ms + feed.data_ms)
        order.commit_slot, order.commit_samples = now.slot, len(feed.samples)
        order.tip_lamports, order.delay_ms = self.params["tip_lamports"], self.params["delay_ms"]
        if market:
            order.expiry_ms = order.expiry_ms or self.params["order_expiry_ms"]
        else:
            order.until_ms = order.commit_ms + order.expiry_ms if order.expiry_ms else 0
        order.generation = position.generation
        self.orders[address] = order

    def _rate(self, margin: Margin) -> tuple[int, int]:
        limit = self.params["orders_per_minute"]
        if limit == 0:
            return margin.rate_unix, margin.rate_count
        start, count = margin.rate_unix, margin.rate_count
        if self.unix_s >= start + 60:
            start, count = self.unix_s, 0
        need(count < limit, "too many orders this minute", "rate")
        return start, count + 1

    def _spend(self, session: Session, order: Order, signer: Pubkey, escrow: int) -> None:
        need(session.delegate == signer and session.margin == order.margin, "another's session", "session")
        need(self.unix_s < session.expires_unix, "the session is over", "session")
        need(order.qty_e6 <= session.max_qty_e6, "larger than the session allows", "session")
        need(session.spent_e6 + escrow <= session.budget_e6, "the session's budget is spent", "session")
        session.spent_e6 += escrow

    def cancel(self, address: Pubkey, signer: Pubkey, session: Pubkey | None, now: Now) -> dict[str, int]:
        """Ask for the end of a resting order."""
        need(address in self.orders, "no such order")
        order = self.orders[address]
        if signer != self.margins[order.margin].owner:
            need(session in self.sessions, "not the owner", "signer")
            held = self.sessions[session]  # type: ignore[index]
            need(held.delegate == signer and held.margin == order.margin, "another's session", "session")
            need(self.unix_s < held.expires_unix, "the session is over", "session")
        need(order.kind != MARKET_ORDER, "a market order cannot be cancelled", "free look")
        need(not order.cancelled, "cancelled already")
        house = self.windows[order.window].feed
        known = 0 if house.closed else house.twin.start_unix_ms + house.twin.data_ms
        until = max(now.unix_s * 1000 + 999, known) + order.delay_ms
        if order.until_ms == 0 or until < order.until_ms:
            order.until_ms, order.cancelled = until, 1
        return {"until_ms": order.until_ms}

    def _resting(
        self, order: Order, window: Window, position: Position, index: int, now: Now
    ) -> tuple[dict[str, int], tuple[int, int, int] | None]:
        """Judge an order that waits for its price: a fill, its end, or it rests on."""
        feed = window.feed.twin
        number = self._triggered(order, window, position, index)
        if number is not None:
            said, fill = self._execute(order, window, position, number)
            closes = position.qty_e6 > 0 and position.side != order.side
            if fill is not None and (closes or self.pause == ACTIVE):
                return said, fill
            if said["reason"] == NOTHING:
                return said, None
        if order.until_ms:
            closed = order.until_ms + order.delay_ms + 5_000
            newest = feed.start_unix_ms + feed.samples[-1].data_ms if feed.samples else 0
            if newest >= closed or now.unix_s * 1000 > closed + EXPIRY_GRACE_MS:
                return {"reason": CANCELLED if order.cancelled else EXPIRED}, None
        over = bool(feed.samples) and Pricing.of(feed, feed.samples[-1], window.parts).at.left_ms == 0
        need(over or feed.final, "rests on", "I8")
        return {"reason": OVER}, None

    def _triggered(self, order: Order, window: Window, position: Position, index: int) -> int | None:
        """Return the sample at which a trigger fills, or None where sample ``index`` is no trigger."""
        feed, count = window.feed.twin, len(window.feed.twin.samples)
        if not max(order.commit_samples, count - RING) <= index < count:
            return None
        start, trigger = feed.start_unix_ms, feed.samples[index]
        at_ms = start + trigger.data_ms
        ripe_ms = at_ms + order.delay_ms
        if at_ms < order.commit_ms or (order.until_ms and at_ms >= order.until_ms) or trigger.suspend_epoch % 2:
            return None
        if start + feed.samples[-1].data_ms > ripe_ms + TRIGGER_LIFE_MS:
            return None
        number = next((i for i in range(index + 1, count) if start + feed.samples[i].data_ms >= ripe_ms), None)
        if number is None or feed.samples[number].suspend_epoch != trigger.suspend_epoch:
            return None
        periods = window.feed.period_at
        if periods[number] != periods[index]:
            return None
        priced, side = Pricing.of(feed, trigger, window.parts), Side(order.side)
        if order.kind == LIMIT_ORDER:
            closes = position.qty_e6 > 0 and position.side != order.side
            qty = min(order.qty_e6, position.qty_e6) if closes else order.qty_e6
            price = priced.fill(side, qty, window.oi_long_e6, window.oi_short_e6, window.k_e6)
            return number if (price <= order.limit_e6 if side is Side.LONG else price >= order.limit_e6) else None
        falling = (order.kind == STOP_LOSS) == (side is Side.SHORT)
        forward = priced.forward_e6
        return number if (forward <= order.trigger_e6 if falling else forward >= order.trigger_e6) else None

    def crank(self, address: Pubkey, index: int, now: Now) -> dict[str, int]:
        """End an order; return what its event must say."""
        need(address in self.orders, "no such order", "I4")
        need(self.pause <= NO_NEW_ORDERS, "halted")
        order = self.orders[address]
        said, fill = self._judge(order, index, now)
        if fill is not None:
            need(order.kind == MARKET_ORDER or not self._capped(order, fill[0], fill[1]), "rests on: cap", "I3")
            said |= self._fill(order, *fill)
        if said["reason"] != FILLED:
            said["refund_e6"] = order.escrow
            self._free(order.margin, order.escrow)
            self.pool.order_escrow_e6 -= order.escrow
        self.positions[order.position].pending_orders -= 1
        self.windows[order.window].pending_orders -= 1
        self.margins[order.margin].open_orders -= 1
        del self.orders[address]
        return said

    def _judge(self, order: Order, index: int, now: Now) -> tuple[dict[str, int], tuple[int, int, int] | None]:
        """Return the end of an order and, if it may fill, (quantity, price, data time)."""
        window, position = self.windows[order.window], self.positions[order.position]
        feed = window.feed.twin
        if window.state != OPEN:
            return {"reason": OVER if window.state == FINAL else IS_VOID}, None
        if now.restart_slot > order.commit_slot:
            return {"reason": RESTARTED}, None
        if order.generation != position.generation:
            return {"reason": LIQUIDATED}, None
        need(not window.feed.closed, "the feed has gone")
        if order.kind != MARKET_ORDER:
            return self._resting(order, window, position, index, now)
        need(now.slot > order.commit_slot, "same slot", "I8")
        ripe = order.commit_ms + order.delay_ms - feed.start_unix_ms
        oldest = max(0, len(feed.samples) - 512)
        newest = feed.samples[-1] if len(feed.samples) > order.commit_samples else None
        if newest is None or newest.data_ms < ripe:
            if feed.final or feed.period != order.period or feed.in_break:
                return {"reason": BREAK}, None
            need(now.unix_s * 1000 > order.commit_ms + order.expiry_ms + EXPIRY_GRACE_MS, "not ripe", "I8")
            return {"reason": NO_SAMPLE}, None
        if oldest > order.commit_samples and feed.samples[oldest].data_ms >= ripe:
            return {"reason": GONE}, None
        first = next(
            i for i in range(max(oldest, order.commit_samples), len(feed.samples)) if feed.samples[i].data_ms >= ripe
        )
        need(index == first, "not the determined sample", "I8")
        need(first + 1 < len(feed.samples) or window.feed.last_slot > order.commit_slot, "same slot", "I8")
        return self._decide(order, window, position, first)

    def _decide(
        self, order: Order, window: Window, position: Position, index: int
    ) -> tuple[dict[str, int], tuple[int, int, int] | None]:
        feed = window.feed.twin
        sample = feed.samples[index]
        said = {"sample_index": index, "data_ms": feed.start_unix_ms + sample.data_ms}
        said |= {"suspend_epoch": sample.suspend_epoch, "conf_e6": sample.conf_e4 * 100}
        if window.feed.period_at[index] != order.period:
            return said | {"reason": BREAK}, None
        if said["data_ms"] > order.commit_ms + order.expiry_ms:
            return said | {"reason": NO_SAMPLE}, None
        if sample.suspend_epoch % 2 or sample.suspend_epoch != order.suspend_epoch:
            return said | {"reason": SUSPENDED}, None
        return self._execute(order, window, position, index)

    def _execute(
        self, order: Order, window: Window, position: Position, index: int
    ) -> tuple[dict[str, int], tuple[int, int, int] | None]:
        """Return what an order does at its fill sample."""
        feed = window.feed.twin
        sample = feed.samples[index]
        said = {"sample_index": index, "data_ms": feed.start_unix_ms + sample.data_ms}
        said |= {"suspend_epoch": sample.suspend_epoch, "conf_e6": sample.conf_e4 * 100}
        priced = Pricing.of(feed, sample, window.parts)
        if priced.at.left_ms == 0:
            return said | {"reason": OVER}, None
        closes = position.qty_e6 > 0 and position.side != order.side
        if order.flags & REDUCE_ONLY and not closes:
            return said | {"reason": NOTHING}, None
        qty = min(order.qty_e6, position.qty_e6) if closes else order.qty_e6
        price = priced.fill(Side(order.side), qty, window.oi_long_e6, window.oi_short_e6, window.k_e6)
        if price > order.limit_e6 if order.side == Side.LONG else price < order.limit_e6:
            return said | {"reason": LIMIT}, None
        said |= {"reason": FILLED, "forward_e6": priced.forward_e6, "price_e6": price}
        return said, (qty, price, said["data_ms"])

    def _fill(self, order: Order, qty: int, price: int, data_ms: int) -> dict[str, int]:
        position = self.positions[order.position]
        window, side = self.windows[order.window], Side(order.side)
        closes = position.qty_e6 > 0 and position.side != order.side
        borrow = self.params["borrow_max_e12"] > 0 or window.borrow_rate_e12 > 0 or window.borrow_index_e12 > 0
        if closes:
            taken = self._borrow_first(position, borrow)
            said = self._close(order, position, qty, price)
            if borrow:
                self._set_rate(window)
            return said | {"borrow_e6": taken}
        cost = pricing.entry_cost(side, qty, price)
        if self._capped(order, qty, price):
            return {"reason": CAP}
        taken = self._borrow_first(position, borrow)
        if position.qty_e6 == 0:
            position.opened_ms = data_ms
            self._count(position, 1)
        position.side = order.side
        position.qty_e6 += qty
        position.entry_cost_e6 += cost
        position.collateral_e6 += order.collateral_e6
        self._reserve(position, pricing.reservation(side, position.qty_e6, position.entry_cost_e6))
        window.turn(order.side, qty, cost)
        self.pool.order_escrow_e6 -= order.escrow
        self.pool.position_collateral_e6 += order.collateral_e6
        self._charge(position, order.fee_reserve_e6)
        if borrow:
            self._set_rate(window)
        said = {"filled_e6": qty, "fee_e6": order.fee_reserve_e6, "collateral_in_e6": order.collateral_e6}
        return said | {"borrow_e6": taken}

    def _capped(self, order: Order, qty: int, price: int) -> bool:
        """Whether a fill that opens would go beyond a cap of pool, match or user."""
        position, side = self.positions[order.position], Side(order.side)
        if position.qty_e6 > 0 and position.side != order.side:
            return False
        added = pricing.reservation(side, qty, pricing.entry_cost(side, qty, price))
        market = self.markets[self.windows[order.window].market]
        sums = {
            "cap_pool_bps": self.pool.reserved_e6,
            "cap_match_bps": market.reserved_e6,
            "cap_user_bps": self.margins[order.margin].reserved_e6,
        }
        return any((sum_e6 + added) * BPS > self.pool.cash_e6 * self.params[cap] for cap, sum_e6 in sums.items())

    def _borrow_first(self, position: Position, on: bool) -> int:
        if on:
            self._accrue(self.windows[position.window])
        return self._take_borrow(position)  # whatever is owed from before, and nothing for the time before it opened

    def _close(self, order: Order, position: Position, qty: int, price: int) -> dict[str, int]:
        done = self._reduce(position, qty, price)
        purse = order.fee_reserve_e6 + done.returned + done.gain
        fee = min(pricing.fee(qty, self.params["fee_e6"]), purse)
        self.pool.order_escrow_e6 -= order.escrow
        self._charge(position, fee)
        self._free(order.margin, purse - fee + order.collateral_e6)
        said = {"filled_e6": qty, "closed_e6": qty, "fee_e6": fee, "gain_e6": done.gain, "loss_e6": done.loss}
        return said | {"bad_debt_e6": done.bad_debt, "collateral_out_e6": done.returned}

    # --- the end of positions --------------------------------------------------------------------------------------

    def liquidate(self, address: Pubkey, liquidator: Pubkey, now: Now) -> dict[str, int]:
        """Close a position for lack of margin."""
        need(address in self.positions, "no such position", "I4")
        need(self.pause <= NO_NEW_ORDERS, "halted")
        position = self.positions[address]
        window = self.windows[position.window]
        need(position.qty_e6 > 0 and window.state == OPEN, "nothing to liquidate")
        priced = self._fresh(window, now)
        need(priced.at.left_ms > 0, "window over")
        side = Side(position.side)
        owed = self.owed(position, self._grown(window)[0])
        equity = self._equity(position, priced, position.collateral_e6 - owed)
        least = pricing.margin_required(position.qty_e6, pricing.maintenance_margin(priced.at.left_ms))
        need(equity < least, "enough margin")
        self._accrue(window)
        self._take_borrow(position)
        collateral, dust, qty = position.collateral_e6, self.params["liquidation_dust_e6"], position.qty_e6
        if dust and qty > dust and equity >= least // 2:
            qty = max(-(-qty // 2), dust)
        price = priced.fill(side.opposite, qty, window.oi_long_e6, window.oi_short_e6, window.k_e6)
        done = self._reduce(position, qty, price)
        self._set_rate(window)
        position.generation += 1
        rest = done.returned + done.gain
        fee = min(pricing.fee(qty, self.params["fee_e6"]), rest)
        self._charge(position, fee)
        reward = (rest - fee) * 100 // BPS
        self._free(liquidator, reward)
        rest -= fee + reward
        kept = rest if position.qty_e6 else 0
        position.collateral_e6 += kept
        self.pool.position_collateral_e6 += kept
        self._free(position.margin, rest - kept)
        said = {"qty_e6": qty, "price_e6": price, "mark_e6": priced.forward_e6, "collateral_e6": collateral}
        said |= {"gain_e6": done.gain, "loss_e6": done.loss, "bad_debt_e6": done.bad_debt, "fee_e6": fee}
        said |= {"left_e6": position.qty_e6, "kept_e6": kept, "borrow_e6": owed}
        return said | {"reward_e6": reward, "returned_e6": rest - kept}

    def _fresh(self, window: Window, now: Now) -> Pricing:
        """Price a window at the newest sample, if margin may be measured on it."""
        feed = window.feed.twin
        need(not window.feed.closed and bool(feed.samples), "no feed")
        sample = feed.samples[-1]
        age = now.unix_s * 1000 - feed.start_unix_ms - sample.data_ms
        need(age <= LIQUIDATION_MAX_AGE_MS, f"the newest sample is {age} ms old", "stale price")
        need(window.feed.last_slot > now.restart_slot, "the cluster was restarted since", "stale price")
        need(sample.suspend_epoch % 2 == 0, "suspended", "I8")
        return Pricing.of(feed, sample, window.parts)

    def _equity(self, position: Position, priced: Pricing, collateral: int) -> int:
        side = Side(position.side)
        pnl = pricing.pnl(side, position.qty_e6, position.entry_cost_e6, priced.forward_e6)
        return pnl.equity(collateral)

    def add_margin(self, address: Pubkey, amount: int) -> dict[str, int]:
        """Move free margin into a position."""
        need(address in self.positions, "no such position")
        position = self.positions[address]
        need(self.windows[position.window].state == OPEN, "window not open")
        need(position.qty_e6 > 0, "empty position")
        need(0 < amount <= self.margins[position.margin].free_e6, "more than is free", "I1")
        return self._shift(position, amount)

    def remove_margin(self, address: Pubkey, amount: int, now: Now) -> dict[str, int]:
        """Move collateral beyond the initial margin to free margin."""
        need(address in self.positions, "no such position")
        position = self.positions[address]
        window = self.windows[position.window]
        need(self.pause <= REDUCE_ONLY_LEVEL, "paused")
        need(window.state == OPEN and position.qty_e6 > 0, "nothing there")
        priced = self._fresh(window, now)
        left = position.collateral_e6 - self.owed(position, self._grown(window)[0]) - amount
        need(amount > 0 and left >= 0, "more than there is", "I5")
        least = pricing.margin_required(position.qty_e6, self.params["initial_margin_e6"])
        need(left >= least and self._equity(position, priced, left) >= least, "below initial margin", "I5")
        self._accrue(window)
        self._take_borrow(position)
        return self._shift(position, -amount)

    def _shift(self, position: Position, amount: int) -> dict[str, int]:
        position.collateral_e6 += amount
        self.pool.position_collateral_e6 += amount
        self._free(position.margin, -amount)
        free = self.margins[position.margin].free_e6
        return {"amount_e6": abs(amount), "collateral_e6": position.collateral_e6, "free_e6": free}

    def finalise(self, address: Pubkey, now: Now) -> dict[str, int]:
        """Fix a window's settlement."""
        window = self.windows[address]
        need(self.pause <= NO_NEW_ORDERS, "halted")
        need(window.state == OPEN, "already final", "I11")
        feed, length = window.feed.twin, window_ms(window.parts)
        area, out = 0, length
        if not window.feed.closed:
            silent = bool(feed.samples)
            if silent:
                silent = now.unix_s * 1000 > feed.start_unix_ms + feed.samples[-1].data_ms + ABANDONED_MS
            found = outcome(feed, window.parts, feed.final or silent)
            need(found is not None, "not ended", "I11")
            area, out = found or (0, 0)
            self._accrue(window)
            if stood_still(feed, window.parts):
                out = length
        settlement = pricing.settlement(area, length, out)
        window.state = VOID if settlement is None else FINAL
        window.settlement_e6 = settlement or 0
        window.left_out_ms = out
        window.finalised_unix = now.unix_s
        window.dispute_until_ms = now.unix_s * 1000 + self.params["dispute_ms"]
        self.open_windows -= 1
        return {"state": window.state, "settlement_e6": window.settlement_e6, "area": area, "left_out_ms": out}

    def challenge(self, address: Pubkey, challenger: Pubkey, source: Pubkey, now: Now) -> dict[str, int]:
        """Doubt a settlement with a bond: its dispute gets longer."""
        window, bond = self.windows[address], self.params["challenge_bond_e6"]
        need(self.params["challenge_ms"] > 0, "no challenges")
        need(window.state == FINAL, "not final")
        need(now.unix_s * 1000 < window.dispute_until_ms, "dispute over", "I11")
        need(window.challenge == 0, "challenged already", "I4")
        need(self.tokens[source] >= bond, "not enough tokens")
        self._move(source, self.vault, bond)
        self.pool.claimable_e6 += bond
        window.challenge, window.challenger, window.challenge_bond_e6 = 1, challenger, bond
        window.dispute_until_ms += self.params["challenge_ms"]
        return {"bond_e6": bond, "dispute_until_ms": window.dispute_until_ms}

    def void(self, address: Pubkey, now: Now) -> dict[str, int]:
        """Undo a settlement inside its dispute."""
        window = self.windows[address]
        need(window.state == FINAL, "not final", "I11")
        need(now.unix_s * 1000 < window.dispute_until_ms, "dispute over", "I11")
        said = {"settlement_e6": window.settlement_e6}
        window.state, window.settlement_e6, window.dispute_until_ms = VOID, 0, now.unix_s * 1000
        return said

    def resolve(self, address: Pubkey, target: Pubkey, owner: Pubkey, now: Now) -> dict[str, int]:
        """Give the bond of a challenge back, or to the insurance."""
        window = self.windows[address]
        self._need_ended(window, now)
        need(window.challenge == 1, "no open challenge", "I4")
        need(owner == window.challenger, "not the challenger's tokens", "I4")
        bond, upheld = window.challenge_bond_e6, window.state == VOID
        window.challenge = 2
        self.pool.claimable_e6 -= bond
        if upheld:
            self._move(self.vault, target, bond)
        else:
            self.pool.insurance_e6 += bond
        return {"bond_e6": bond, "upheld": int(upheld)}

    def settle(self, address: Pubkey, now: Now) -> dict[str, int]:
        """Pay a position out and close it."""
        need(address in self.positions, "no such position", "I5")
        position = self.positions[address]
        window = self.windows[position.window]
        self._need_ended(window, now)
        need(position.pending_orders == 0, "orders pending")
        borrow = 0 if window.state == VOID else self._take_borrow(position)
        qty, collateral, reserved = position.qty_e6, position.collateral_e6, position.reserved_e6
        done = Reduction(0, 0, 0, collateral)
        returned = 0
        if window.state == VOID:
            returned = position.fees_e6
            if qty:
                self._drop(position, done)
        elif qty:
            done = self._reduce(position, qty, window.settlement_e6)
        payout = done.returned + done.gain
        need(0 <= payout <= collateral + reserved, "payout out of bounds", "I5")
        window.fee_escrow_e6 -= returned
        window.fees_returned_e6 += returned
        self.pool.fee_escrow_e6 -= returned
        self.pool.fees_returned_e6 += returned
        self._free(position.margin, payout + returned)
        window.positions -= 1
        del self.positions[address]
        said = {"qty_e6": qty, "collateral_e6": collateral, "reserved_e6": reserved, "payout_e6": payout}
        return said | {"fees_returned_e6": returned, "loss_e6": done.loss, "gain_e6": done.gain, "borrow_e6": borrow}

    def distribute(self, address: Pubkey, now: Now) -> dict[str, int]:
        """Split a window's fees."""
        need(self.pause <= NO_NEW_ORDERS, "halted")
        window = self.windows[address]
        self._need_ended(window, now)
        need(not window.fees_done, "fees are done", "I12")
        need(window.pending_orders == 0 and window.positions == 0, "somebody is still in")
        fees = window.fee_escrow_e6
        lp = fees * self.params["lp_bps"] // BPS if self.supply else 0
        protocol = fees * self.params["protocol_bps"] // BPS
        window.fee_escrow_e6, window.fees_done = 0, 1
        self.pool.fee_escrow_e6 -= fees
        self.pool.fees_distributed_e6 += fees
        self.pool.cash_e6 += lp
        self.pool.insurance_e6 += fees - lp - protocol
        self._move(self.vault, self.treasury_vault, protocol)
        return {"lp_e6": lp, "insurance_e6": fees - lp - protocol, "protocol_e6": protocol}

    # --- how money moves -------------------------------------------------------------------------------------------

    def _need_ended(self, window: Window, now: Now) -> None:
        need(window.state != OPEN, "not final", "I11")
        need(now.unix_s * 1000 >= window.dispute_until_ms, "in dispute", "I11")

    def _move(self, source: Pubkey, target: Pubkey, amount: int) -> None:
        self.tokens[source] -= amount
        self.tokens[target] += amount

    def _free(self, margin: Pubkey, amount: int) -> None:
        self.margins[margin].free_e6 += amount
        self.pool.margin_e6 += amount

    def _charge(self, position: Position, fee: int) -> None:
        window = self.windows[position.window]
        position.fees_e6 += fee
        for book in (window, self.pool):
            book.fee_escrow_e6 += fee
            book.fees_charged_e6 += fee

    def _count(self, position: Position, by: int) -> None:
        window = self.windows[position.window]
        for book in (self.pool, window, self.margins[position.margin]):
            book.open_positions += by
        if by > 0 and window.open_positions == 1:
            self.pool.live_windows += 1
        if by < 0 and window.open_positions == 0:
            self.pool.live_windows -= 1
            self._unmark(window)

    def _reserve(self, position: Position, amount: int) -> None:
        window = self.windows[position.window]
        for book in (self.pool, self.markets[window.market], window, self.margins[position.margin]):
            book.reserved_e6 += amount - position.reserved_e6
        position.reserved_e6 = amount

    def _reduce(self, position: Position, qty: int, price: int) -> Reduction:
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
        self._reserve(position, pricing.reservation(side, position.qty_e6, position.entry_cost_e6))
        self.windows[position.window].turn(position.side, -qty, -cost)
        if whole:
            self._count(position, -1)
        pool = self.pool
        pool.position_collateral_e6 -= taken
        pool.cash_e6 += loss - pnl.gain_e6
        pool.bad_debt_e6 += done.bad_debt
        return done

    def _drop(self, position: Position, done: Reduction) -> None:
        """Release a position of a void window: its collateral goes back."""
        self.pool.position_collateral_e6 -= done.returned
        self._reserve(position, 0)
        self.windows[position.window].turn(position.side, -position.qty_e6, -position.entry_cost_e6)
        self._count(position, -1)
