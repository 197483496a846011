"""Attacks that take the vault apart: whatever was gained elsewhere, winnings leave at a bounded pace."""

from __future__ import annotations

from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Trader
from tests.programs.market_scene import Scene
from tests.programs.svm import Rejected

HOUR_S = 3_600


def winners(scene: Scene, count: int) -> list[Trader]:
    """Traders who have deposited 500 USDC each and gained by a jump that they should not have known of."""
    venue = scene.venue
    found = [venue.trader(1_000, 500) for _ in range(count)]
    for trader in found:
        venue.trade(trader, scene.window, LONG, 10)
    for x in (60.0, 80.0, 95.0):
        venue.tick(venue.now_s + 1, x)
    for trader in found:
        venue.trade(trader, scene.window, SHORT, 10, x=95.0, flags=REDUCE_ONLY)
        assert venue.get_margin(trader).free_e6 > 850 * USDC
    return found


def take(scene: Scene, trader: Trader, amount: int, times: int) -> tuple[int, int | None]:
    """Withdraw `amount` up to `times` times; return what left and the error that stopped it."""
    taken = 0
    for _ in range(times):
        try:
            scene.venue.withdraw(trader, amount)
        except Rejected as refused:
            return taken, refused.code
        taken += amount
    return taken, None


def test_many_small_withdrawals_by_many_accounts_take_no_more_than_the_hour_allows() -> None:
    """Whoever found a way to win wrongly comes with many accounts and small amounts: one ceiling counts them all."""
    scene = Scene.make(outflow_hour_e6=400 * USDC, outflow_day_e6=600 * USDC)
    thieves = winners(scene, 3)
    for trader in thieves:
        assert take(scene, trader, 100 * USDC, 5) == (500 * USDC, None), "principal always leaves"
    stolen, stopped = 0, None
    for trader in thieves:
        taken, stopped = take(scene, trader, 10 * USDC, 100)
        stolen += taken
    assert stopped == ErrorCode.OUTFLOW_HOUR
    assert stolen == 400 * USDC
    scene.venue.at(scene.venue.now_s + 2 * HOUR_S)
    stolen, stopped = 0, None
    for trader in thieves:
        taken, stopped = take(scene, trader, 10 * USDC, 100)
        stolen += taken
    assert stopped == ErrorCode.OUTFLOW_DAY, "the day's ceiling holds in the next hour"
    assert stolen == 200 * USDC
    check(scene.venue)


def test_a_full_ceiling_keeps_nobody_from_the_principal() -> None:
    """The thief fills the hour; everybody who deposited still gets the deposit out at once."""
    scene = Scene.make(outflow_hour_e6=50 * USDC, outflow_day_e6=50 * USDC)
    (thief,) = winners(scene, 1)
    take(scene, thief, 500 * USDC, 1)
    assert take(scene, thief, 10 * USDC, 100) == (50 * USDC, ErrorCode.OUTFLOW_HOUR)
    assert take(scene, scene.ann, 500 * USDC, 1) == (500 * USDC, None)


def test_the_same_winnings_in_and_out_do_not_fill_the_ceiling_for_others() -> None:
    """He brings his winnings back and takes them again, to lock the others' in: they count once."""
    scene = Scene.make(outflow_hour_e6=400 * USDC, outflow_day_e6=400 * USDC)
    spoiler, honest = winners(scene, 2)
    take(scene, spoiler, 500 * USDC, 1)
    for _ in range(10):
        assert take(scene, spoiler, 100 * USDC, 1) == (100 * USDC, None)
        scene.venue.deposit(spoiler, 100 * USDC)
    take(scene, honest, 500 * USDC, 1)
    assert take(scene, honest, 100 * USDC, 1) == (100 * USDC, None)
