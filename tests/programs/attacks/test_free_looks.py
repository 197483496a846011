"""Attacks that want a price for nothing: order, look, and take it back when it went wrong."""

from __future__ import annotations

import pytest

from chain.clients.market import ErrorCode
from tests.programs.market_base import LIMIT
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, USDC
from tests.programs.market_scene import CANCELLED, CAP, FILLED, SUSPEND, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene.make()


def bid(scene: Scene, price: float) -> int:
    """A limit order of Ann's to buy 5 contracts at `price` or better."""
    return scene.venue.submit(scene.ann, scene.window, LONG, 5, kind=LIMIT, limit_e6=round(price * 1e6))


def test_a_market_order_cannot_be_taken_back_while_the_price_moves(scene: Scene) -> None:
    """The five seconds of delay would be a free look of five seconds: there is no cancel for it."""
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 5)
    venue.tick(12, 45.0)
    scene.refused(ErrorCode.NOT_CANCELLABLE, lambda: venue.cancel(scene.ann, order))
    venue.tick(17, 40.0)
    assert venue.crank(scene.ann, order).reason == FILLED
    check(venue)


def test_a_cancel_sent_when_the_price_has_turned_comes_after_the_trigger(scene: Scene) -> None:
    """Her bid is hit, the price falls on, and she cancels a second later: the earlier trigger wins, whoever cranks."""
    venue = scene.venue
    order = bid(scene, 45.0)
    for second in range(11, 20):
        venue.tick(second, 50.0)
    venue.tick(20, 40.0)
    trigger = venue.get_feed().samples - 1
    venue.cancel(scene.ann, order)
    for second in range(21, 27):
        venue.tick(second, 35.0)
    stranger = venue.chain.wallet()
    event = venue.crank(scene.ann, order, trigger, cranker=stranger)
    assert event.reason == FILLED
    assert event.price_e6 <= 45_000_000
    check(venue)


def test_a_cancel_shields_only_from_what_comes_after_its_own_delay(scene: Scene) -> None:
    """She foresees the fall by three seconds and cancels: the fall comes within the delay and triggers the bid."""
    venue = scene.venue
    order = bid(scene, 45.0)
    for second in range(11, 21):
        venue.tick(second, 50.0)
    venue.cancel(scene.ann, order)
    venue.tick(23, 40.0)
    trigger = venue.get_feed().samples - 1
    venue.tick(29, 40.0)
    assert venue.crank(scene.ann, order, trigger).reason == FILLED
    check(venue)


def test_an_honest_cancel_costs_the_tip_and_nothing_else(scene: Scene) -> None:
    """Nothing happens within the delay: everything comes back."""
    venue = scene.venue
    order = bid(scene, 45.0)
    venue.cancel(scene.ann, order)
    for second in range(11, 50):
        venue.tick(second, 50.0)
    assert venue.crank(scene.ann, order, venue.get_feed().samples - 1).reason == CANCELLED
    assert venue.get_margin(scene.ann).free_e6 == 500 * USDC
    check(venue)


def test_an_order_that_a_cap_blocks_is_not_kept_until_the_goal() -> None:
    """Her cap is full and she bids at any price: the order should wait, refused and unharmed, until she likes it.

    The first crank ends it. Another that nobody has cranked finds no trigger from before the goal any more.
    """
    scene = Scene.make(cap_user_bps=200, cap_match_bps=2_000)
    venue = scene.venue
    venue.deposit(scene.ann, 500 * USDC)
    assert venue.trade(scene.ann, scene.window, LONG, 3).reason == FILLED
    orders = [venue.submit(scene.ann, scene.window, LONG, 3, kind=LIMIT, limit_e6=100 * USDC) for _ in range(2)]
    for second in range(20, 30):
        venue.tick(second)
    stranger = venue.chain.wallet()
    newest = venue.get_feed().samples - 1
    event = venue.crank(scene.ann, orders[0], newest - 6, cranker=stranger)
    assert (event.reason, event.filled_e6) == (CAP, 0)
    venue.tick(30, 70.0, flags=SUSPEND)
    venue.set_params(cap_user_bps=2_000)  # she makes room: no cap is in the way any more
    for index in range(newest - 8, newest + 2):
        scene.refused(ErrorCode.RESTS_ON, lambda i=index: venue.crank(scene.ann, orders[1], i))  # type: ignore[misc]
    check(venue)
