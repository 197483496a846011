"""Orders that rest: what triggers them, what makes them rest on, how a cancel ends them."""

from __future__ import annotations

from typing import Any

import pytest

from chain import pda
from chain.clients import market as m
from tests.programs.market_base import LIMIT, MARKET, STOP_LOSS, TAKE_PROFIT
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Venue
from tests.programs.market_scene import (
    CANCELLED,
    CAP,
    DELAY_S,
    EXPIRED,
    FILLED,
    LIQUIDATED,
    NOTHING,
    PERIOD_END,
    RESTARTED,
    SUSPEND,
    VOID,
    WINDOW_OVER,
    Scene,
)

RESTS_ON = m.ErrorCode.RESTS_ON
GUARD: dict[str, Any] = {"flags": REDUCE_ONLY}
STOP = {"kind": STOP_LOSS, "trigger_e6": 45 * USDC, **GUARD}


@pytest.fixture
def scene() -> Scene:
    return Scene.make()


def bid(scene: Scene, price: float = 45.0, qty: float = 1, **changes: Any) -> int:
    """Place Ann's limit order to buy."""
    changes = {"kind": LIMIT, "limit_e6": round(price * 1e6)} | changes
    return scene.venue.submit(scene.ann, scene.window, LONG, qty, **changes)


def tick(venue: Venue, second: int, x: float, **fields: int) -> int:
    """Push a sample and return its number."""
    venue.tick(second, x, **fields)
    return venue.get_feed().samples - 1


def stays(venue: Venue, second: int, x: float, **fields: int) -> int:
    """Push a sample and one like it when the delay is over; return the number of the first."""
    trigger = tick(venue, second, x, **fields)
    tick(venue, second + DELAY_S, x, **fields)
    return trigger


def rests(scene: Scene, order: int, index: int) -> None:
    """Assert that sample `index` does not end Ann's order."""
    scene.refused(RESTS_ON, lambda: scene.venue.crank(scene.ann, order, index))


def test_a_limit_order_waits_for_its_price_and_fills_the_delay_after_its_trigger(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    rests(scene, order, tick(venue, 20, 50.0))
    trigger = tick(venue, 30, 40.0)
    rests(scene, order, trigger)  # its fill sample is not there yet
    rests(scene, order, tick(venue, 34, 40.0))
    fill = tick(venue, 35, 41.0)
    tick(venue, 36, 60.0)
    event = venue.crank(scene.ann, order, trigger)
    assert (event.reason, event.kind, event.sample_index, event.data_ms % 100_000) == (FILLED, LIMIT, fill, 35_000)
    assert event.price_e6 <= 45_000_000
    assert event.refund_e6 == 0
    check(venue)


def test_a_limit_order_to_sell_waits_for_a_higher_price(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, SHORT, 1, kind=LIMIT, limit_e6=55_000_000)
    rests(scene, order, tick(venue, 20, 50.0))
    trigger = stays(venue, 30, 60.0)
    event = venue.crank(scene.ann, order, trigger)
    assert (event.reason, event.side) == (FILLED, SHORT)
    assert event.price_e6 >= 55_000_000


def test_an_order_rests_on_when_its_limit_no_longer_holds_at_the_fill(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    trigger = tick(venue, 30, 40.0)
    tick(venue, 35, 50.0)
    rests(scene, order, trigger)
    again = stays(venue, 40, 40.0)
    assert venue.crank(scene.ann, order, again).reason == FILLED
    check(venue)


def test_an_order_survives_a_suspension_and_never_fills_across_it(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    before = tick(venue, 30, 40.0)
    inside = tick(venue, 32, 40.0, flags=SUSPEND)
    tick(venue, 34, 40.0)
    after = tick(venue, 35, 40.0)
    for index in (before, inside):
        rests(scene, order, index)
    tick(venue, 40, 40.0)
    for index in (before, inside):
        rests(scene, order, index)
    assert venue.crank(scene.ann, order, after).reason == FILLED


def test_a_sample_before_the_commit_or_unknown_triggers_nothing(scene: Scene) -> None:
    venue = scene.venue
    early = tick(venue, 12, 40.0)
    order = bid(scene)
    late = tick(venue, 12, 40.0, data_ms=12_500)  # lands after the commit, known before it
    tick(venue, 18, 50.0)
    for index in (0, early, late, 99, 2**63):
        rests(scene, order, index)


def test_an_old_trigger_is_void_so_that_nobody_can_choose_with_hindsight(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    trigger = stays(venue, 30, 40.0)
    tick(venue, 41, 60.0)
    rests(scene, order, trigger)


def test_a_trigger_at_the_end_of_its_life_still_fills(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    trigger = stays(venue, 30, 40.0)
    tick(venue, 40, 60.0)
    assert venue.crank(scene.ann, order, trigger).reason == FILLED


@pytest.mark.parametrize(
    ("held", "kind", "trigger", "quiet", "hit"),
    [
        (LONG, STOP_LOSS, 45, 46.0, 44.0),
        (LONG, TAKE_PROFIT, 55, 54.0, 56.0),
        (SHORT, STOP_LOSS, 55, 54.0, 56.0),
        (SHORT, TAKE_PROFIT, 45, 46.0, 44.0),
    ],
)
def test_a_stop_and_a_profit_close_once_the_forward_price_is_there(
    scene: Scene, held: int, kind: int, trigger: int, quiet: float, hit: float
) -> None:
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, held, 2).reason == FILLED
    order = venue.submit(scene.ann, scene.window, 1 - held, 5, kind=kind, trigger_e6=trigger * USDC, **GUARD)
    rests(scene, order, tick(venue, 30, quiet))
    at = stays(venue, 40, hit)
    event = venue.crank(scene.ann, order, at)
    assert (event.reason, event.closed_e6, event.kind) == (FILLED, 2 * USDC, kind)
    check(venue)


def test_a_stop_keeps_its_worst_price(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 2)
    order = venue.submit(scene.ann, scene.window, SHORT, 2, limit_e6=42 * USDC, **STOP)
    fallen = stays(venue, 30, 30.0)
    rests(scene, order, fallen)
    back = stays(venue, 40, 44.0)
    assert venue.crank(scene.ann, order, back).reason == FILLED


def test_a_stop_may_be_placed_before_its_position_and_ends_when_triggered_without_one(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, SHORT, 2, **STOP)
    rests(scene, order, tick(venue, 20, 50.0))
    at = stays(venue, 30, 40.0)
    event = venue.crank(scene.ann, order, at)
    assert (event.reason, event.filled_e6) == (NOTHING, 0)
    assert venue.get_margin(scene.ann).free_e6 == 500 * USDC


def test_a_cancel_works_after_the_delay_and_gives_everything_back_but_the_tip(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    tick(venue, 20, 50.0)
    request = venue.cancel(scene.ann, order)
    assert request.until_ms % 100_000 == 20_999 + 5_000
    late = stays(venue, 26, 40.0)
    rests(scene, order, late)  # the price is there, too late
    rests(scene, order, tick(venue, 35, 50.0))  # an earlier trigger could still be cranked
    event = venue.crank(scene.ann, order, tick(venue, 36, 50.0))
    assert (event.reason, event.refund_e6) == (CANCELLED, 15 * USDC + 50_000)
    assert venue.get_margin(scene.ann).free_e6 == 500 * USDC
    check(venue)


@pytest.mark.parametrize("second", [15, 20, 25])
def test_a_trigger_before_the_cancel_takes_effect_wins(scene: Scene, second: int) -> None:
    venue = scene.venue
    order = bid(scene)
    if second < 20:
        trigger = tick(venue, second, 40.0)
    tick(venue, 19, 40.0 if second < 20 else 50.0)
    venue.cancel(scene.ann, order)
    if second >= 20:
        trigger = tick(venue, 24, 40.0)
    tick(venue, 25 if second < 20 else 29, 40.0)
    assert venue.crank(scene.ann, order, trigger).reason == FILLED


def test_cancels_that_are_not_possible_say_why(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    scene.refused(
        m.ErrorCode.WRONG_OWNER,
        lambda: venue.chain.send(venue.ix_cancel(scene.ann, order, scene.bob.key.pubkey()), scene.bob.key),
    )
    venue.cancel(scene.ann, order)
    scene.refused(m.ErrorCode.ALREADY_CANCELLED, lambda: venue.cancel(scene.ann, order))
    market = venue.submit(scene.ann, scene.window, LONG, 1, kind=MARKET)
    scene.refused(m.ErrorCode.NOT_CANCELLABLE, lambda: venue.cancel(scene.ann, market))


def test_an_order_expires_when_it_said_so_even_if_cancelled_later(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene, expiry_ms=20_000)
    tick(venue, 28, 50.0)
    assert venue.cancel(scene.ann, order).until_ms % 100_000 == 30_999
    late = stays(venue, 31, 40.0)
    rests(scene, order, late)
    event = venue.crank(scene.ann, order, tick(venue, 41, 40.0))
    assert (event.reason, event.refund_e6) == (EXPIRED, 15 * USDC + 50_000)
    check(venue)


def test_an_order_ends_with_its_window(scene: Scene) -> None:
    venue = scene.venue
    orders = [bid(scene), bid(scene)]
    venue.play(60, 899)
    rests(scene, orders[0], venue.get_feed().samples - 1)
    tick(venue, 901, 50.0)
    assert venue.crank(scene.ann, orders[0], 0).reason == WINDOW_OVER
    venue.finalise(scene.window)
    assert venue.crank(scene.ann, orders[1], 0).reason == WINDOW_OVER
    check(venue)


def test_an_order_in_a_void_window_gives_its_escrow_back(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    venue.tick(20, flags=PERIOD_END)
    venue.finalise(scene.window)
    assert venue.crank(scene.ann, order, 0).reason == VOID
    assert venue.get_margin(scene.ann).free_e6 == 500 * USDC


def test_orders_may_be_placed_before_kick_off_in_a_break_and_while_suspended() -> None:
    venue = Venue.make()
    lp, ann, bob = venue.trader(20_000), venue.trader(1_000, 500), venue.trader(1_000, 500)
    venue.add_liquidity(lp, 10_000 * USDC)
    scene = Scene(venue, venue.open_window(0), lp, ann, bob)
    first = bid(scene)
    venue.tick(0)
    tick(venue, 10, 50.0, flags=SUSPEND)
    second = bid(scene)
    tick(venue, 20, 50.0)
    trigger = stays(venue, 30, 40.0)
    for order in (first, second):
        assert venue.crank(ann, order, trigger).reason == FILLED
    check(venue)
    later = venue.open_window(3)
    tick(venue, 40, 40.0, flags=PERIOD_END)
    third = venue.submit(ann, later, LONG, 1, kind=LIMIT, limit_e6=45_000_000)
    venue.tick(0, 40.0, period=2)
    kick_off = stays(venue, 1, 40.0, period=2)
    assert venue.crank(ann, third, kick_off).reason == FILLED


def test_a_trigger_in_one_half_does_not_fill_in_the_next(scene: Scene) -> None:
    venue = scene.venue
    later = venue.open_window(3)
    order = venue.submit(scene.ann, later, LONG, 1, kind=LIMIT, limit_e6=45_000_000)
    trigger = tick(venue, 20, 40.0)
    last = tick(venue, 24, 40.0, flags=PERIOD_END)
    tick(venue, 0, 40.0, period=2, data_ms=30_000)
    for index in (trigger, last):
        rests(scene, order, index)


def test_a_cancel_in_a_break_ends_by_the_clock(scene: Scene) -> None:
    venue = scene.venue
    later = venue.open_window(3)
    order = venue.submit(scene.ann, later, LONG, 1, kind=LIMIT, limit_e6=45_000_000)
    tick(venue, 14, 50.0, flags=PERIOD_END)
    venue.cancel(scene.ann, order)  # takes effect at 19.999 s
    venue.at(89)
    rests(scene, order, 0)
    venue.at(90)
    assert venue.crank(scene.ann, order, 0).reason == CANCELLED


def test_a_tighter_pause_lets_resting_orders_close_and_not_open(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 2)
    closing = venue.submit(scene.ann, scene.window, SHORT, 2, **STOP)
    opening = bid(scene)
    trigger = stays(venue, 30, 40.0)
    for level in (1, 2):
        venue.pause(level)
        rests(scene, opening, trigger)
    assert venue.crank(scene.ann, closing, trigger).reason == FILLED
    venue.cancel(scene.ann, opening)
    venue.pause(0)
    assert venue.crank(scene.ann, opening, trigger).reason == FILLED


def test_a_cap_ends_a_resting_order_as_it_ends_a_market_order() -> None:
    scene = Scene.make(cap_user_bps=10)
    venue = scene.venue
    order = bid(scene)
    trigger = stays(venue, 30, 40.0)
    event = venue.crank(scene.ann, order, trigger)
    assert (event.reason, event.refund_e6, event.filled_e6) == (CAP, 15 * USDC + 50_000, 0)
    check(venue)


def test_a_trigger_from_before_a_suspension_is_void_also_once_play_goes_on(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    trigger = stays(venue, 30, 40.0)
    rests(scene, order, tick(venue, 36, 60.0, flags=SUSPEND))
    rests(scene, order, trigger)
    tick(venue, 37, 60.0)
    rests(scene, order, trigger)
    after = stays(venue, 38, 40.0)
    assert venue.crank(scene.ann, order, after).reason == FILLED


def test_a_liquidation_ends_the_orders_that_rest(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    order = bid(scene, 1.0)
    venue.tick(19, 26.0)
    venue.tick(20, 2.0)
    venue.liquidate(scene.ann, scene.window, scene.bob)
    assert venue.crank(scene.ann, order, 0).reason == LIQUIDATED
    check(venue)


@pytest.mark.parametrize("kind", [MARKET, LIMIT])
def test_a_restart_of_the_cluster_refunds_what_was_committed_before(scene: Scene, kind: int) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1, kind=kind)
    tick(venue, 17, 50.0)
    tick(venue, 23, 50.0)
    venue.chain.svm.set_last_restart_slot(venue.chain.slot)
    event = venue.crank(scene.ann, order, 3)
    assert (event.reason, event.refund_e6) == (RESTARTED, 15 * USDC + 50_000)
    fresh = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(30)
    assert venue.crank(scene.ann, fresh).reason == FILLED


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": 4},
        {"kind": MARKET, "trigger_e6": 1},
        {"kind": LIMIT, "trigger_e6": 1},
        {"kind": STOP_LOSS, "trigger_e6": 1},
        {"kind": TAKE_PROFIT, "trigger_e6": 100_000_001, "flags": REDUCE_ONLY},
        {"kind": LIMIT, "expiry_ms": 4_999},
        {"kind": MARKET, "expiry_ms": 120_001},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(scene: Scene, changes: dict[str, int]) -> None:
    venue = scene.venue
    scene.refused(m.ErrorCode.BAD_PARAMETER, lambda: venue.submit(scene.ann, scene.window, LONG, 1, **changes))


def test_no_order_rests_in_a_window_about_to_end(scene: Scene) -> None:
    scene.venue.play(60, 881)
    scene.refused(m.ErrorCode.WINDOW_CLOSING, lambda: bid(scene))


def test_a_resting_fill_and_a_cancel_are_cheap(scene: Scene) -> None:
    venue = scene.venue
    order = bid(scene)
    for second in range(20, 26):
        tick(venue, second, 40.0)
    address = pda.order(scene.ann.margin, order)
    account = m.Order.from_account(venue.chain.data(address))
    assert venue.chain.cu(venue.ix_crank(address, account, venue.chain.payer.pubkey(), 2)) <= 12_000
    other = bid(scene, 30.0)
    assert venue.chain.cu(venue.ix_cancel(scene.ann, other, scene.ann.key.pubkey()), scene.ann.key) <= 5_000
