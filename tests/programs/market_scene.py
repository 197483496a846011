"""A venue with one open window, ten seconds of play, a liquidity provider and two traders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from solders.pubkey import Pubkey

from chain.clients.market import ErrorCode
from tests.programs.market_kit import LONG, SHORT, USDC, Trader, Venue
from tests.programs.svm import Rejected

FILLED, LIMIT, SUSPENDED, NO_SAMPLE, WINDOW_OVER, BREAK, VOID, GONE, CANCELLED, LIQUIDATED, CAP, NOTHING = range(12)
RESTARTED, EXPIRED = 12, 13
SUSPEND, PERIOD_END = 1, 4
DELAY_S = 5


@dataclass
class Scene:
    """What most tests of orders start from."""

    venue: Venue
    window: Pubkey
    lp: Trader
    ann: Trader
    bob: Trader

    @staticmethod
    def make(window_id: int = 0, **params: int) -> Scene:
        """Build it; `params` change the exchange's parameters."""
        venue = Venue.make(**params)
        lp, ann, bob = venue.trader(20_000), venue.trader(1_000, 500), venue.trader(1_000, 500)
        venue.add_liquidity(lp, 10_000 * USDC)
        window = venue.open_window(window_id)
        venue.tick(0)
        venue.tick(10)
        return Scene(venue, window, lp, ann, bob)

    def refused(self, code: ErrorCode | int, action: Callable[[], object]) -> None:
        """Assert that `action` fails with `code` and changes nothing (I10)."""
        before = self.snapshot()
        with pytest.raises(Rejected) as caught:
            action()
        assert caught.value.code == int(code), str(caught.value)
        assert self.snapshot() == before

    def snapshot(self) -> list[bytes]:
        """Return the bytes of every account that books money."""
        venue = self.venue
        keys = [venue.exchange, venue.pool, venue.vault, venue.market, venue.treasury, venue.lp_mint]
        keys += [*venue.windows.values(), *(trader.margin for trader in venue.traders)]
        return [venue.chain.data(key) for key in keys]


def stakes(scene: Scene) -> Scene:
    """Open two positions: ann long ten contracts, bob short four."""
    assert scene.venue.trade(scene.ann, scene.window, LONG, 10).reason == FILLED
    assert scene.venue.trade(scene.bob, scene.window, SHORT, 4).reason == FILLED
    return scene


def later(scene: Scene, x: float = 50.0, seconds: int = DELAY_S + 2) -> None:
    """Let some seconds of play pass and mark the window."""
    scene.venue.tick(scene.venue.now_s + seconds, x)
    scene.venue.mark(scene.window)
