"""One pool on one chain, match after match: every sample is pushed, every order goes through the real programs.

The clock runs on data time, so the feed has no lag and orders wait the shortest time the rules allow. Samples between
two actions go into common transactions, in order; the programs see each of them. Keepers are perfect: every order is
ended at its sample, every position is liquidated at the first sample that allows it.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from chain import pda
from chain.clients import market as m
from chain.clients import oracle
from momentum.evaluation.match import WINDOWS, Match
from momentum.evaluation.strategies import Strategy
from momentum.forecast.model import biased
from momentum.pricing import maintenance_margin
from oracle import listing
from oracle.aggregate import FLAG_PERIOD_END, FLAG_SUSPENDED
from tests.programs.market_kit import LONG, SHORT, USDC, Trader, Venue, events
from tests.programs.svm import START_UNIX_S, Rejected

QTY = 5
COLLATERAL_POINTS = 15
K_CONTRACTS = 1_000
POOL_USDC = 1_000_000
STAKE_USDC = 2_000_000
BATCH = 7
"""Samples a transaction carries: more do not fit its 1,232 bytes."""
FILLED = 0
FINAL = 1
RULES = {"cap_match_bps": 2_000, "cap_user_bps": 200, "dispute_ms": 60_000}


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade that changed a position. Points in 1e-6; a liquidation counts as a trade of its owner."""

    match: int
    strategy: str
    window: int
    tick: int
    sign: int
    qty_e6: int
    price_e6: int
    forward_e6: int
    conf_e6: int
    fee_e6: int
    left_s: int
    lead_s: int
    liquidation: bool = False
    reward_e6: int = 0


@dataclass
class Played:
    """What a match did to the pool, by the pool's own books, in 1e-6 USDC."""

    name: str
    cash_change_e6: int = 0
    lp_fees_e6: int = 0
    bad_debt_e6: int = 0
    insurance_e6: int = 0
    settlements: dict[int, int] = field(default_factory=dict)
    """Mean in 1e-6 points by window; void windows are missing."""
    fills: list[Fill] = field(default_factory=list)
    ended: dict[tuple[str, str], int] = field(default_factory=dict)
    """Orders by (strategy, how they ended)."""

    def count(self, strategy: str, how: str) -> None:
        """Note the end of an order."""
        self.ended[strategy, how] = self.ended.get((strategy, how), 0) + 1


@dataclass(order=True)
class _Due:
    tick: int
    rank: int
    """0 crank, 1 liquidation, 2 new order."""
    number: int
    what: Any = field(compare=False)


class Season(Venue):
    """A venue with one margin account for each strategy and one for the liquidator."""

    players: dict[str, Trader]
    keeper: Trader
    k_contracts: int
    matches: int
    start_s: int

    @classmethod
    def found(cls, strategies: Sequence[Strategy], k_contracts: int = K_CONTRACTS) -> Season:
        """Found the venue and give everybody money."""
        season = cls.make(**RULES)
        # Signatures, history and repeated hashes are other tests' subject and would double the time.
        season.chain.svm = season.chain.svm.with_sigverify(False).with_transaction_history(0)
        season.players = {s.name: season.trader(STAKE_USDC, STAKE_USDC) for s in strategies}
        season.keeper = season.trader(0)
        season.add_liquidity(season.trader(POOL_USDC), POOL_USDC * USDC)
        season.k_contracts, season.matches, season.start_s = k_contracts, 0, START_UNIX_S + 3600
        return season

    def fire(self, instructions: list[Instruction], payer: Keypair) -> TransactionMetadata:
        """Send without the cost of signing; raises `Rejected`."""
        self.chain.svm.expire_blockhash()
        message = Message.new_with_blockhash(instructions, payer.pubkey(), self.chain.svm.latest_blockhash())
        result = self.chain.svm.send_transaction(Transaction.new_unsigned(message))
        if isinstance(result, FailedTransactionMetadata):
            raise Rejected(result)
        return result

    def open_match(self, name: str) -> None:
        """Create feed, market and its six windows."""
        self.matches += 1
        match_id = f"economics-{self.matches}".encode().ljust(32, b"\0")
        payer, operator = self.chain.payer.pubkey(), self.operator.pubkey()
        self.feed = pda.feed(self.config, match_id)
        self.market = pda.market(self.exchange, self.feed)
        self.chain.clock(self.start_s)
        listed = listing.list_feed(
            operator=operator,
            payer=payer,
            rent_receiver=self.creator.pubkey(),
            config=self.config,
            set_id=1,
            methodology=bytes(32),
            match_id=match_id,
            start_unix_ms=self.start_s * 1000,
        )
        self.chain.send(listed, self.operator)
        self.chain.send(
            m.ix_create_market(operator=operator, payer=payer, exchange=self.exchange, feed=self.feed), self.operator
        )
        self.windows = {}
        for window in range(WINDOWS):
            self.open_window(window, self.k_contracts)

    def play_match(self, match: Match, strategies: Sequence[Strategy], seed: int) -> Played:
        """Play a match from kick-off to the last settlement."""
        self.open_match(match.name)
        run = _Run(self, match, self.matches - 1)
        before = self.get_pool()
        for strategy in strategies:
            rng = random.Random(f"{seed} {match.name} {strategy.name}")
            for tick, window, sign in strategy.orders(match, rng):
                run.add(tick, 2, (strategy.name, window, sign))
        run.all()
        run.settle()
        after = self.get_pool()
        assert after.open_positions == 0
        run.played.cash_change_e6 = after.cash_e6 - before.cash_e6
        run.played.insurance_e6 = after.insurance_e6 - before.insurance_e6
        self.start_s = self.chain.unix_s + 3600
        return run.played


class _Run:
    """One match under way."""

    def __init__(self, season: Season, match: Match, number: int) -> None:
        self.season, self.match, self.number = season, match, number
        self.played = Played(match.name)
        self._due: list[_Due] = []
        self._count = self._pushed = 0
        self._sleeping: dict[tuple[str, int], int] = {}
        self._flags = np.where(match.suspended, FLAG_SUSPENDED, 0)
        for period in (1, 2):
            self._flags[np.flatnonzero(match.period == period)[-1]] |= FLAG_PERIOD_END
        left = match.left_s
        self._maintenance = np.array([maintenance_margin(int(s) * 1000) for s in left]) / 1e6

    def add(self, tick: int, rank: int, what: Any) -> None:
        """Something to do once `tick` has been pushed."""
        self._count += 1
        heapq.heappush(self._due, _Due(tick, rank, self._count, what))

    def all(self) -> None:
        """Everything in order, to the last sample."""
        while self._due:
            due = heapq.heappop(self._due)
            self._push_to(due.tick)
            (self._crank, self._liquidate, self._submit)[due.rank](due.tick, *due.what)
        self._push_to(len(self.match.period) - 1)

    def _push_to(self, tick: int) -> None:
        """Push all samples up to `tick`, in few transactions."""
        match, season = self.match, self.season
        while self._pushed <= tick:
            rows = range(self._pushed, min(tick + 1, self._pushed + BATCH))
            # A batch lies within the ten seconds that a sample may be ahead of the clock, and in one period.
            rows = range(rows[0], next((r for r in rows if match.period[r] != match.period[rows[0]]), rows[-1] + 1))
            season.chain.clock(season.start_s + int(match.data_s[rows[-1]]))
            season.fire([self._quote(row) for row in rows], season.publisher)
            self._pushed = rows[-1] + 1

    def _quote(self, row: int) -> Instruction:
        match, season = self.match, self.season
        quote = oracle.Quote(
            tick=row + 1,
            data_ms=int(match.data_s[row]) * 1000,
            play_ms=int(match.second[row]) * 1000,
            period=int(match.period[row]),
            flags=int(self._flags[row]),
            suspend_reason=int(match.reason[row]),
            x_e6=int(match.x_e6[row]),
            mu_e6=int(match.mu_e6[row]),
            s_e4=biased(int(match.s_e4[row])),
            conf_e4=int(match.conf_e4[row]),
            inputs_hash=bytes(32),
        )
        return oracle.ix_push_quote(publisher=season.publisher.pubkey(), feed=season.feed, quote=quote)

    # --- orders ----------------------------------------------------------------------------------------------------

    def _submit(self, tick: int, name: str, window: int, sign: int) -> None:
        season, match = self.season, self.match
        trader, side = season.players[name], LONG if sign > 0 else SHORT
        ix = season.ix_submit(
            trader,
            season.windows[window],
            side,
            QTY,
            collateral_e6=QTY * COLLATERAL_POINTS * USDC,
            client_id=trader.next_id,
        )
        try:
            season.fire([ix], trader.key)
        except Rejected as refused:
            self.played.count(name, f"refused: {_name(refused)}")
            return
        address = pda.order(trader.margin, trader.next_id)
        trader.next_id += 1
        # The clock has whole seconds: the commit counts from the second's end, so the sample is 6 s later.
        ripe = int(np.searchsorted(match.data_s, match.data_s[tick] + 6))
        last = int(np.flatnonzero(match.period == match.period[tick])[-1])
        self.add(min(ripe, last), 0, (name, window, address, ripe))

    def _crank(self, tick: int, name: str, window: int, address: Pubkey, ripe: int) -> None:
        season = self.season
        trader = season.players[name]
        order = m.Order.from_account(season.chain.data(address))
        season.chain.clock(season.chain.unix_s)
        ix = season.ix_crank(address, order, season.keeper.key.pubkey(), ripe)
        event: m.OrderEnded = events(season.fire([ix], season.keeper.key))[0]
        self.played.count(name, END_REASONS[event.reason])
        if event.reason != FILLED:
            return
        fill = self._fill(name, window, tick, 1 if event.side == LONG else -1, event)
        self.played.fills.append(fill)
        self._watch(trader, name, window, tick + 1)

    def _fill(self, name: str, window: int, tick: int, sign: int, event: Any) -> Fill:
        match = self.match
        running = int(match.window[tick]) == window
        liquidation = isinstance(event, m.PositionLiquidated)
        return Fill(
            match=self.number,
            strategy=name,
            window=window,
            tick=tick,
            sign=sign,
            qty_e6=event.qty_e6 if liquidation else event.filled_e6,
            price_e6=event.price_e6,
            forward_e6=event.mark_e6 if liquidation else event.forward_e6,
            conf_e6=int(match.conf_e4[tick]) * 100,
            fee_e6=event.fee_e6,
            left_s=int(match.left_s[tick]) if running else 900,
            lead_s=0 if running else 1,
            liquidation=liquidation,
            reward_e6=event.reward_e6 if liquidation else 0,
        )

    # --- liquidation -----------------------------------------------------------------------------------------------

    def _watch(self, trader: Trader, name: str, window: int, first: int) -> None:
        """Find the first sample at which the position may be liquidated, if it stays as it is."""
        season, match = self.season, self.match
        self._sleeping.pop((name, window), None)
        position = season.get_position(trader, season.windows[window])
        if position is None or position.qty_e6 == 0:
            return
        forward = match.forward[window, first:]
        sign = 1 if position.side == LONG else -1
        qty = position.qty_e6 / 1e6
        equity = position.collateral_e6 / 1e6 + sign * (qty * forward - position.entry_cost_e6 / 1e6)
        running = match.window[first:] == window
        before = (match.period[first:] < window // 3 + 1) | (
            (match.period[first:] == window // 3 + 1) & (match.second[first:] < window % 3 * 900)
        )
        least = np.where(before, self._maintenance.max(), self._maintenance[first:]) * qty
        found = np.flatnonzero((running | before) & ~match.suspended[first:] & (equity < least - 1e-4 * qty))
        if len(found):
            tick = first + int(found[0])
            self._sleeping[name, window] = tick
            self.add(tick, 1, (name, window))

    def _liquidate(self, tick: int, name: str, window: int) -> None:
        if self._sleeping.get((name, window)) != tick:
            return
        season = self.season
        trader = season.players[name]
        try:
            event = season.liquidate(trader, season.windows[window], season.keeper)
        except Rejected as refused:
            if refused.code != m.ErrorCode.MARGIN_SUFFICIENT:
                raise
            self._watch(trader, name, window, tick + 1)
            return
        self.played.count(name, "position liquidated")
        self.played.bad_debt_e6 += event.bad_debt_e6
        self.played.fills.append(self._fill(name, window, tick, -1 if event.side == LONG else 1, event))
        self._watch(trader, name, window, tick + 1)  # a stage may leave a part

    # --- the end ---------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Finalise all windows, pay everybody, split the fees."""
        season = self.season
        for window, address in season.windows.items():
            event = season.finalise(address)
            if event.state == FINAL:
                self.played.settlements[window] = event.settlement_e6
        season.chain.clock(season.chain.unix_s + 61)
        for address in season.windows.values():
            for trader in season.players.values():
                if season.get_position(trader, address) is not None:
                    self.played.bad_debt_e6 += season.settle(trader, address).bad_debt_e6
            self.played.lp_fees_e6 += season.distribute(address).lp_e6


END_REASONS = (
    "filled",
    "limit not met",
    "suspended",
    "no sample",
    "window over",
    "period break",
    "window void",
    "sample gone",
    "cancelled",
    "liquidated",
    "cap",
    "nothing to reduce",
)


def _name(refused: Rejected) -> str:
    """Name of a program's error."""
    return str(refused) if refused.code is None else m.ErrorCode(refused.code).name.lower().replace("_", " ")
