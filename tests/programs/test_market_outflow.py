"""Winnings leave the vault at a limited pace; principal always leaves."""

from __future__ import annotations

import pytest

from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, USDC, Trader, Venue
from tests.programs.market_scene import FILLED, Scene

HOUR_S, DAY_S = 3_600, 86_400
HALTED = 3


@pytest.fixture
def scene() -> Scene:
    """Ann and Bob deposited 500 USDC each and have won some 150 each; 40 may leave an hour, 100 a day."""
    scene = Scene.make(outflow_hour_e6=40 * USDC, outflow_day_e6=100 * USDC)
    venue = scene.venue
    for trader in (scene.ann, scene.bob):
        assert venue.trade(trader, scene.window, LONG, 8).reason == FILLED
    venue.play(60, 900, 70.0)
    venue.finalise(scene.window)
    venue.at(961)
    for trader in (scene.ann, scene.bob):
        venue.settle(trader, scene.window)
        assert won(venue, trader) > 100 * USDC
    return scene


def won(venue: Venue, trader: Trader) -> int:
    """Return what of the free margin is not principal."""
    margin = venue.get_margin(trader)
    return margin.free_e6 - max(margin.deposits_e6 - margin.withdrawals_e6, 0)


def test_principal_leaves_whatever_the_limits_say(scene: Scene) -> None:
    venue = scene.venue
    for trader in (scene.ann, scene.bob):
        venue.withdraw(trader, 500 * USDC)
        check(venue)
    assert venue.get_pool().outflow_hour_e6 == 0


def test_an_hour_lets_no_more_winnings_out_than_its_limit_from_all_traders_together(scene: Scene) -> None:
    venue = scene.venue
    venue.withdraw(scene.ann, 525 * USDC)  # 500 of it principal
    scene.refused(ErrorCode.OUTFLOW_HOUR, lambda: venue.withdraw(scene.bob, 515 * USDC + 1))
    venue.withdraw(scene.bob, 515 * USDC)
    for trader in (scene.ann, scene.bob):
        scene.refused(ErrorCode.OUTFLOW_HOUR, lambda t=trader: venue.withdraw(t, 1))  # type: ignore[misc]
    pool = venue.get_pool()
    assert (pool.outflow_hour_e6, pool.outflow_day_e6) == (40 * USDC, 40 * USDC)
    check(venue)
    venue.at(961 + HOUR_S - 1)
    scene.refused(ErrorCode.OUTFLOW_HOUR, lambda: venue.withdraw(scene.ann, 1))
    venue.at(961 + HOUR_S)
    venue.withdraw(scene.ann, 40 * USDC)
    assert venue.get_pool().outflow_day_e6 == 80 * USDC


def test_a_day_lets_no_more_winnings_out_than_its_limit(scene: Scene) -> None:
    venue = scene.venue
    venue.withdraw(scene.ann, 540 * USDC)
    venue.at(961 + HOUR_S)
    venue.withdraw(scene.ann, 40 * USDC)
    venue.at(961 + 2 * HOUR_S)
    scene.refused(ErrorCode.OUTFLOW_DAY, lambda: venue.withdraw(scene.ann, 20 * USDC + 1))
    venue.withdraw(scene.ann, 20 * USDC)
    venue.at(961 + DAY_S - 1)
    scene.refused(ErrorCode.OUTFLOW_DAY, lambda: venue.withdraw(scene.ann, 1))
    venue.at(961 + DAY_S)
    venue.withdraw(scene.ann, 40 * USDC)
    check(venue)


def test_many_small_withdrawals_drain_no_more_than_one_large_one(scene: Scene) -> None:
    venue = scene.venue
    venue.withdraw(scene.ann, 500 * USDC)
    for _ in range(40):
        venue.withdraw(scene.ann, USDC)
    scene.refused(ErrorCode.OUTFLOW_HOUR, lambda: venue.withdraw(scene.ann, 1))


def test_winnings_that_return_count_no_longer_and_may_leave_once_more(scene: Scene) -> None:
    venue = scene.venue
    venue.withdraw(scene.ann, 540 * USDC)
    for _ in range(5):  # the same money sent round uses the limit up only once
        venue.deposit(scene.ann, 100 * USDC)
        # 600 deposited, 540 withdrawn: 60 are principal, and the 40 of winnings are back in the vault.
        scene.refused(ErrorCode.OUTFLOW_HOUR, lambda: venue.withdraw(scene.ann, 100 * USDC + 1))
        venue.withdraw(scene.ann, 100 * USDC)
        assert venue.get_pool().outflow_hour_e6 == 40 * USDC


def test_a_halt_keeps_winnings_and_lets_principal_go(scene: Scene) -> None:
    venue = scene.venue
    venue.pause(HALTED)
    scene.refused(ErrorCode.PAUSED, lambda: venue.withdraw(scene.ann, 500 * USDC + 1))
    venue.withdraw(scene.ann, 500 * USDC)
    scene.refused(ErrorCode.PAUSED, lambda: venue.withdraw(scene.ann, 1))


def test_without_limits_all_winnings_leave_at_once() -> None:
    free = Scene.make()
    assert free.venue.trade(free.ann, free.window, LONG, 8).reason == FILLED
    free.venue.play(60, 900, 70.0)
    free.venue.finalise(free.window)
    free.venue.at(961)
    free.venue.settle(free.ann, free.window)
    free.venue.withdraw(free.ann, free.venue.get_margin(free.ann).free_e6)
    assert free.venue.get_margin(free.ann).free_e6 == 0
