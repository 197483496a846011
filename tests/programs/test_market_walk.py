"""A seeded random walk through a whole match: books checked after every step, all money gone at the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_books import assert_empty, check, tokens_everywhere
from tests.programs.market_kit import ANY_HIGH, ANY_LOW, LONG, REDUCE_ONLY, USDC, Trader, Venue
from tests.programs.svm import Rejected

STEPS = 2_000
BROKEN = {ErrorCode.INVARIANT_BROKEN, ErrorCode.OVERFLOW, ErrorCode.UNDERFLOW}
FILLED, SUSPENDED = 0, 2


class Walk:
    """The walker: a venue, a random source and what has happened."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.venue = Venue.make(cap_user_bps=900, cap_match_bps=2_500, dispute_ms=30_000)
        self.lp = self.venue.trader(50_000)
        self.crowd = [self.venue.trader(2_000, 600) for _ in range(5)]
        self.everything = tokens_everywhere(self.venue)
        self.venue.add_liquidity(self.lp, 8_000 * USDC)
        for window_id in range(9):
            self.venue.open_window(window_id, k=self.rng.choice((50, 500, 5_000)))
        self.pending: list[tuple[Trader, int]] = []
        self.x = 50.0
        self.period, self.play_s, self.pause_s = 1, 0, 0
        self.done: Counter[str] = Counter()
        self.venue.tick(0)

    @property
    def over(self) -> bool:
        """Whether the match has ended."""
        return self.period == 2 and self.play_s >= 2_760

    def step(self) -> None:
        """Do one random thing; a refusal must be one a user could understand."""
        actions: list[tuple[int, Callable[[], object]]] = [
            (40, self.tick),
            (25, self.submit),
            (30, self.crank),
            (8, self.liquidate),
            (3, self.collateral),
            (2, self.liquidity),
            (3, self.finalise),
            (6, self.settle),
            (1, self.distribute),
            (1, self.pause),
        ]
        action = self.rng.choices([a for _, a in actions], [w for w, _ in actions])[0]
        try:
            action()
            self.done[action.__name__] += 1
        except Rejected as error:
            if error.code is None or error.code < 6_000 or error.code in BROKEN:
                raise
            self.done[f"refused {ErrorCode(error.code).name}"] += 1

    def tick(self) -> None:
        """Let play go on by up to 8 s; sometimes a suspension, at the end of the half a break."""
        if self.over:
            self.venue.at(self.venue.chain.unix_s + 5 - 1_750_000_000)
            return
        self.x = min(100.0, max(0.0, self.x + self.rng.gauss(0, 6)))
        self.play_s += self.rng.randint(1, 8)
        flags = 1 if self.rng.random() < 0.06 else 0
        ends = self.play_s >= 2_760
        self.venue.tick(
            self.play_s,
            self.x,
            period=self.period,
            flags=flags | (4 if ends else 0),
            conf_e4=self.rng.randint(0, 5_000),
        )
        if ends and self.period == 1:
            self.period, self.play_s = 2, 0

    def submit(self) -> None:
        """Commit an order of any kind, most of them reasonable."""
        trader, window = self.rng.choice(self.crowd), self.window()
        side, qty = self.rng.randint(0, 1), self.rng.choice((0.01, 0.5, 1, 3, 7.123456))
        limit = ANY_HIGH if side == LONG else ANY_LOW
        if self.rng.random() < 0.3:
            limit = min(100_000_000, max(0, round(self.x * 1e6) + self.rng.randint(-2_000_000, 2_000_000)))
        client_id = self.venue.submit(
            trader,
            window,
            side,
            qty,
            limit_e6=limit,
            flags=self.rng.choice((0, 0, REDUCE_ONLY)),
            expiry_ms=self.rng.choice((0, 5_000, 120_000)),
        )
        self.pending.append((trader, client_id))

    def crank(self) -> None:
        """End any pending order; a fill must obey I8 and its limit."""
        if not self.pending:
            return
        trader, client_id = item = self.rng.choice(self.pending)
        order = m.Order.from_account(self.venue.chain.data(pda.order(trader.margin, client_id)))
        event = self.venue.crank(trader, client_id)
        self.pending.remove(item)
        self.done[f"end {event.reason}"] += 1
        if event.reason != FILLED:
            assert event.refund_e6 == order.collateral_e6 + order.fee_reserve_e6
            return
        assert event.data_ms >= event.commit_ms + 5_000
        assert event.suspend_epoch == order.suspend_epoch
        assert event.suspend_epoch % 2 == 0
        assert event.price_e6 <= order.limit_e6 if order.side == LONG else event.price_e6 >= order.limit_e6

    def liquidate(self) -> None:
        """Try to liquidate somebody, perhaps oneself."""
        trader, window = self.rng.choice(self.crowd), self.window()
        if self.venue.get_position(trader, window) is None:
            return
        event = self.venue.liquidate(trader, window, self.rng.choice(self.crowd))
        self.done["liquidated"] += 1
        assert event.loss_e6 + event.fee_e6 + event.reward_e6 + event.returned_e6 == event.collateral_e6 + event.gain_e6

    def collateral(self) -> None:
        """Deposit or withdraw."""
        trader = self.rng.choice(self.crowd)
        amount = self.rng.randint(1, 50 * USDC)
        if self.rng.random() < 0.5 and self.venue.tokens(trader.tokens) >= amount:
            self.venue.deposit(trader, amount)
        else:
            self.venue.withdraw(trader, amount)

    def liquidity(self) -> None:
        """Add or remove liquidity: mostly refused, because something is at stake."""
        if self.rng.random() < 0.5:
            self.venue.add_liquidity(self.lp, self.rng.randint(1, 100 * USDC))
        else:
            self.venue.remove_liquidity(self.lp, self.rng.randint(1, 100 * USDC))

    def finalise(self) -> None:
        """Try to finalise any window."""
        self.venue.finalise(self.window())

    def settle(self) -> None:
        """Try to settle any position (I5)."""
        trader, window = self.rng.choice(self.crowd), self.window()
        if self.venue.get_position(trader, window) is None:
            return
        event = self.venue.settle(trader, window)
        assert 0 <= event.payout_e6 <= event.collateral_e6 + event.reserved_e6

    def distribute(self) -> None:
        """Try to distribute the fees of any window."""
        self.venue.distribute(self.window())

    def pause(self) -> None:
        """Pause and lift the pause, with a look at the books in between."""
        level = self.rng.randint(1, 3)
        self.venue.pause(level, self.venue.operator)
        check(self.venue)
        self.venue.pause(0)

    def window(self) -> Pubkey:
        """Return any window."""
        return self.rng.choice(list(self.venue.windows.values()))

    def finish(self) -> None:
        """Play to the end and let everybody leave."""
        while not self.over:
            self.tick()
        self.venue.at(self.venue.now_s + 200)
        for trader, client_id in self.pending:
            self.venue.crank(trader, client_id)
        for window in self.venue.windows.values():
            if self.venue.get_window(window).state == 0:
                self.venue.finalise(window)
        self.venue.at(self.venue.now_s + 300)
        for window in self.venue.windows.values():
            for trader in self.crowd:
                if self.venue.get_position(trader, window) is not None:
                    self.venue.settle(trader, window)
            if not self.venue.get_window(window).fees_done:
                self.venue.distribute(window)
            check(self.venue)
        for trader in self.crowd:
            if free := self.venue.get_margin(trader).free_e6:
                self.venue.withdraw(trader, free)
        self.venue.remove_liquidity(self.lp, self.venue.tokens(self.lp.shares))


@pytest.mark.parametrize("seed", [3])
def test_the_books_add_up_after_every_step_of_a_random_match(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
        check(walk.venue)
    walk.finish()
    check(walk.venue)
    assert_empty(walk.venue)
    assert tokens_everywhere(walk.venue) == walk.everything
    print(walk.done)
    ends = {name for name in walk.done if name.startswith("end ")}
    assert {"end 0", "end 1", "end 2"} <= ends
    assert walk.done["liquidated"] > 0
    assert walk.done["settle"] > 0
