"""The borrow fee: paid for reserved liquidity while play runs, out of collateral, like any other fee."""

from __future__ import annotations

from contextlib import suppress

import pytest

from chain.clients import market as m
from momentum import pricing
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Trader, Venue
from tests.programs.market_scene import FILLED, SUSPEND, Scene
from tests.programs.svm import Rejected
from tests.programs.test_market_margin import add, remove

KINK_BPS, KINK_E12, MAX_E12 = 5_000, 10_000_000, 27_000_000
BORROW = {"borrow_kink_bps": KINK_BPS, "borrow_kink_e12": KINK_E12, "borrow_max_e12": MAX_E12}


@pytest.fixture
def scene() -> Scene:
    """Ann is long ten contracts since second 17, and pays a borrow fee."""
    scene = Scene.make(**BORROW)
    assert scene.venue.trade(scene.ann, scene.window, LONG, 10).reason == FILLED
    return scene


def rate(venue: Venue) -> int:
    """Return the pool's borrow rate of now."""
    pool = venue.get_pool()
    return pricing.borrow_rate(pool.reserved_e6, pool.cash_e6, KINK_BPS, KINK_E12, MAX_E12)


def owed(reserved_e6: int, rate_e12: int, ms: int) -> int:
    """Return the fee of a reservation over some play."""
    return pricing.borrow_owed(reserved_e6, pricing.borrow_growth(rate_e12, ms))


def held(venue: Venue, trader: Trader, scene: Scene) -> m.Position:
    """Return a position that must exist."""
    position = venue.get_position(trader, scene.window)
    assert position is not None
    return position


def test_a_close_pays_for_the_play_since_the_opening(scene: Scene) -> None:
    venue = scene.venue
    before, rate_e12 = held(venue, scene.ann, scene), rate(venue)
    assert venue.get_window(scene.window).borrow_rate_e12 == rate_e12 > 0
    venue.play(30, 600)
    order = venue.submit(scene.ann, scene.window, SHORT, 10, flags=REDUCE_ONLY)
    venue.tick(607)
    done = venue.crank(scene.ann, order)
    assert done.borrow_e6 == owed(before.reserved_e6, rate_e12, (607 - 17) * 1000) > 0
    assert done.collateral_out_e6 == before.collateral_e6 - done.borrow_e6 - done.loss_e6
    assert venue.get_window(scene.window).fee_escrow_e6 == 2 * 500_000 + done.borrow_e6
    check(venue)


def test_a_change_pays_and_the_new_rate_holds_from_there(scene: Scene) -> None:
    venue = scene.venue
    first, rate_e12 = held(venue, scene.ann, scene), rate(venue)
    venue.play(30, 300)
    order = venue.submit(scene.ann, scene.window, LONG, 5)
    venue.tick(307)
    done = venue.crank(scene.ann, order)
    assert done.borrow_e6 == owed(first.reserved_e6, rate_e12, 290_000)
    second, higher = held(venue, scene.ann, scene), rate(venue)
    assert higher > rate_e12
    assert second.borrow_index_e12 == venue.get_window(scene.window).borrow_index_e12
    venue.play(330, 900)
    venue.finalise(scene.window)
    venue.at(961)
    paid = venue.settle(scene.ann, scene.window)
    assert paid.borrow_e6 == owed(second.reserved_e6, higher, 593_000)
    check(venue)


def test_no_fee_runs_while_trading_is_suspended(scene: Scene) -> None:
    venue = scene.venue
    before, rate_e12 = held(venue, scene.ann, scene), rate(venue)
    venue.tick(100)
    venue.tick(101, flags=SUSPEND)
    venue.play(130, 400, 50.0)
    suspended = venue.get_feed().suspended_ms
    assert suspended >= 29_000
    order = venue.submit(scene.ann, scene.window, SHORT, 10, flags=REDUCE_ONLY)
    venue.tick(407)
    assert venue.crank(scene.ann, order).borrow_e6 == owed(before.reserved_e6, rate_e12, 390_000 - suspended)


def test_no_fee_runs_in_the_break_and_none_after_the_windows_end() -> None:
    scene = Scene.make(window_id=8, **BORROW)  # FT
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 1).reason == FILLED
    before, rate_e12 = held(venue, scene.ann, scene), rate(venue)
    venue.play(60, 2700, step_s=60)
    venue.tick(2760, flags=4)  # a minute of added time, then fifteen of a break
    venue.play(0, 2700, period=2, step_s=60)
    venue.tick(2820, period=2)  # two minutes after the end
    venue.finalise(scene.window)
    venue.at(venue.now_s + 61)
    paid = venue.settle(scene.ann, scene.window)
    assert paid.borrow_e6 == owed(before.reserved_e6, rate_e12, (2760 - 17 + 2700) * 1000)
    check(venue)


def test_a_position_that_comes_later_pays_from_its_own_opening(scene: Scene) -> None:
    venue = scene.venue
    venue.play(30, 600)
    assert venue.trade(scene.bob, scene.window, SHORT, 4).reason == FILLED
    late, rate_e12 = held(venue, scene.bob, scene), rate(venue)
    assert late.borrow_index_e12 == venue.get_window(scene.window).borrow_index_e12 > 0
    venue.play(630, 900)
    venue.finalise(scene.window)
    venue.at(961)
    assert venue.settle(scene.bob, scene.window).borrow_e6 == owed(late.reserved_e6, rate_e12, 293_000)
    venue.settle(scene.ann, scene.window)
    check(venue)
    assert venue.distribute(scene.window).lp_e6 > 0
    check(venue)


def test_a_mark_takes_the_rate_of_the_moment(scene: Scene) -> None:
    venue = scene.venue
    low = rate(venue)
    half = venue.open_window(6)
    for _ in range(4):
        assert venue.trade(scene.bob, half, LONG, 6).reason == FILLED
    assert venue.get_window(scene.window).borrow_rate_e12 == low < rate(venue)
    venue.mark(scene.window)
    assert venue.get_window(scene.window).borrow_rate_e12 == rate(venue)
    assert venue.get_window(scene.window).borrow_index_e12 == pricing.borrow_growth(low, (venue.now_s - 17) * 1000)


def fall(scene: Scene) -> tuple[int, m.Position, m.PositionLiquidated]:
    """Let the index fall until Ann is liquidated; return the steps it took and her position before."""
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 10).reason == FILLED
    venue.play(60, 360, 45.0)
    position = held(venue, scene.ann, scene)
    for step in range(200):
        venue.tick(venue.now_s + 1, 45.0 - step / 4)
        with suppress(Rejected):
            return step, position, venue.liquidate(scene.ann, scene.window, scene.bob)
    raise AssertionError("never liquidated")


def test_the_fee_counts_in_equity_and_is_paid_before_everything_else() -> None:
    without, _, free = fall(Scene.make())
    scene = Scene.make(borrow_kink_bps=0, borrow_kink_e12=MAX_E12, borrow_max_e12=MAX_E12)
    with_fee, position, done = fall(scene)
    assert with_fee < without
    assert free.borrow_e6 == 0
    assert done.borrow_e6 == owed(position.reserved_e6, MAX_E12, (scene.venue.now_s - 17) * 1000) > 4 * USDC
    assert done.collateral_e6 == position.collateral_e6 - done.borrow_e6
    rest = done.collateral_e6 - done.loss_e6
    assert done.fee_e6 + done.reward_e6 + done.returned_e6 == rest
    check(scene.venue)


def test_a_fee_beyond_the_collateral_takes_what_there_is() -> None:
    scene = Scene.make(
        window_id=8,
        borrow_kink_bps=0,
        borrow_kink_e12=27_777_778,
        borrow_max_e12=27_777_778,
        initial_margin_e6=10_000_000,
    )
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 10, collateral_e6=100 * USDC).reason == FILLED
    venue.play(60, 2700, step_s=60)
    venue.tick(2760, flags=4)
    venue.play(0, 2700, period=2, step_s=60)
    position = held(venue, scene.ann, scene)
    venue.finalise(scene.window)
    venue.at(venue.now_s + 61)
    growth = venue.get_window(scene.window).borrow_index_e12 - position.borrow_index_e12
    due = pricing.borrow_owed(position.reserved_e6, growth)
    paid = venue.settle(scene.ann, scene.window)
    assert paid.borrow_e6 == min(due, 100 * USDC)
    assert paid.payout_e6 == paid.collateral_e6 + paid.gain_e6 - paid.loss_e6
    check(venue)


def test_a_void_window_gives_the_borrow_fee_back(scene: Scene) -> None:
    venue = scene.venue
    before = venue.get_margin(scene.ann).free_e6
    venue.play(30, 300)
    assert venue.trade(scene.ann, scene.window, LONG, 1).borrow_e6 > 0
    venue.tick(400, flags=4)  # abandoned: less than nine tenths were played
    venue.at(400 + 6 * 3600 + 1)
    venue.finalise(scene.window)
    assert venue.get_window(scene.window).state == 2
    venue.at(venue.now_s + 6 * 3600 + 120)
    paid = venue.settle(scene.ann, scene.window)
    assert paid.borrow_e6 == 0
    assert venue.get_margin(scene.ann).free_e6 == before + 150 * USDC + 500_000
    check(venue)


def test_without_a_rate_nothing_is_charged() -> None:
    scene = Scene.make()
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 10).reason == FILLED
    venue.play(60, 600)
    venue.set_params(**BORROW)  # what was before costs nothing: the rate holds from the next change or mark
    assert venue.trade(scene.ann, scene.window, LONG, 1).borrow_e6 == 0
    index = venue.get_window(scene.window).borrow_index_e12
    venue.tick(700)
    venue.mark(scene.window)
    assert venue.get_window(scene.window).borrow_index_e12 > index == 0
    venue.set_params(borrow_max_e12=0, borrow_kink_e12=0)
    venue.mark(scene.window)
    assert venue.get_window(scene.window).borrow_rate_e12 == 0


def test_the_fees_of_all_events_are_the_fees_that_were_charged() -> None:
    """Opening, margin taken out, a partial liquidation, a close and a settlement: each says what it took."""
    scene = Scene.make(liquidation_dust_e6=USDC, **BORROW)
    venue, start = scene.venue, scene.venue.get_pool().fees_charged_e6
    taken = [venue.trade(scene.ann, scene.window, LONG, 10, collateral_e6=200 * USDC)]
    taken.append(venue.trade(scene.bob, scene.window, SHORT, 10))
    venue.play(60, 200)
    taken.append(remove(scene, USDC))
    assert taken[-1].borrow_e6 > 0
    taken.append(add(scene, USDC))
    assert taken[-1].borrow_e6 == 0
    venue.play(230, 300, 66.0)
    taken.append(venue.liquidate(scene.bob, scene.window, scene.ann))
    taken.append(venue.trade(scene.ann, scene.window, SHORT, 4, x=66.0, flags=REDUCE_ONLY))
    venue.play(330, 905, 66.0)
    venue.finalise(scene.window)
    venue.at(venue.now_s + 61)
    taken += [venue.settle(trader, scene.window) for trader in (scene.ann, scene.bob)]
    fees = sum(getattr(event, "fee_e6", 0) + event.borrow_e6 for event in taken)
    assert sum(event.borrow_e6 > 0 for event in taken) >= 4
    assert fees == venue.get_pool().fees_charged_e6 - start
    check(venue)
