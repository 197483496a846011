"""How orders end: every end reason, what it refunds, and who gets tip and rent."""

from __future__ import annotations

import pytest

from chain import pda
from chain.clients import market as m
from chain.clients import oracle
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Venue
from tests.programs.market_scene import (
    BREAK,
    CAP,
    FILLED,
    GONE,
    LIMIT,
    LIQUIDATED,
    NO_SAMPLE,
    NOTHING,
    PERIOD_END,
    SUSPEND,
    SUSPENDED,
    VOID,
    WINDOW_OVER,
    Scene,
)


@pytest.fixture
def scene() -> Scene:
    return Scene.make()


def refunded(scene: Scene, event: m.OrderEnded, reason: int) -> None:
    """Assert that an order ended for `reason` and gave everything but the tip back."""
    assert (event.reason, event.filled_e6, event.fee_e6) == (reason, 0, 0)
    assert scene.venue.get_margin(scene.ann).free_e6 == 500 * USDC
    check(scene.venue)


def test_a_fill_happens_at_the_first_sample_after_the_delay(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(15, 51.0)  # 10 s + 999 ms + 5 s is later than this one
    venue.tick(16, 52.0)
    venue.tick(17, 70.0)
    event = venue.crank(scene.ann, order)
    assert (event.reason, event.sample_index, event.data_ms - event.commit_ms) == (FILLED, 3, 5_001)
    assert event.forward_e6 < 60_000_000
    check(venue)


def test_an_order_waits_until_its_sample_is_there(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(15)
    scene.refused(m.ErrorCode.NOT_RIPE, lambda: venue.crank(scene.ann, order))


@pytest.mark.parametrize("index", [0, 1, 2, 4, 5, 600])
def test_nobody_can_choose_another_sample(scene: Scene, index: int) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    for second in (15, 16, 17):
        venue.tick(second)
    scene.refused(m.ErrorCode.WRONG_SAMPLE, lambda: venue.crank(scene.ann, order, index))


def test_a_limit_worse_than_the_price_refunds(scene: Scene) -> None:
    event = scene.venue.trade(scene.ann, scene.window, LONG, 1, limit_e6=50_499_999)
    assert event.price_e6 == 0
    refunded(scene, event, LIMIT)
    event = scene.venue.trade(scene.ann, scene.window, SHORT, 1, limit_e6=49_500_001)
    refunded(scene, event, LIMIT)


def test_a_limit_equal_to_the_price_fills(scene: Scene) -> None:
    assert scene.venue.trade(scene.ann, scene.window, LONG, 1, limit_e6=50_500_500).reason == FILLED


def test_a_suspension_between_commit_and_sample_refunds(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(17, flags=SUSPEND)
    refunded(scene, venue.crank(scene.ann, order), SUSPENDED)


def test_a_suspension_that_came_and_went_refunds_too(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(12, flags=SUSPEND)
    venue.tick(14)
    venue.tick(17)
    refunded(scene, venue.crank(scene.ann, order), SUSPENDED)


def test_a_first_ripe_sample_after_the_expiry_refunds(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1, expiry_ms=10_000)
    venue.tick(15)
    venue.tick(22)
    refunded(scene, venue.crank(scene.ann, order), NO_SAMPLE)


def test_without_any_sample_an_order_ends_a_minute_after_its_expiry(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.at(10 + 90)
    scene.refused(m.ErrorCode.NOT_RIPE, lambda: venue.crank(scene.ann, order))
    venue.at(10 + 92)
    refunded(scene, venue.crank(scene.ann, order), NO_SAMPLE)


def test_a_sample_at_or_after_the_end_refunds(scene: Scene) -> None:
    venue = scene.venue
    venue.play(60, 879)
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(900)
    refunded(scene, venue.crank(scene.ann, order), WINDOW_OVER)


def test_a_final_window_ends_its_orders(scene: Scene) -> None:
    venue = scene.venue
    venue.play(60, 879)
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(905)
    venue.finalise(scene.window)
    refunded(scene, venue.crank(scene.ann, order), WINDOW_OVER)


def test_a_break_ends_pending_orders_at_once(scene: Scene) -> None:
    venue = scene.venue
    later = venue.open_window(3)
    order = venue.submit(scene.ann, later, LONG, 1)
    venue.tick(0, period=2, flags=PERIOD_END)
    refunded(scene, venue.crank(scene.ann, order), BREAK)


def test_an_order_does_not_live_on_in_the_next_period(scene: Scene) -> None:
    venue = scene.venue
    later = venue.open_window(3)
    order = venue.submit(scene.ann, later, LONG, 1)
    venue.tick(12, flags=PERIOD_END)
    venue.tick(0, period=2, data_ms=17_000)
    refunded(scene, venue.crank(scene.ann, order), BREAK)


def test_a_void_window_gives_collateral_and_fees_back(scene: Scene) -> None:
    venue = scene.venue
    assert venue.trade(scene.bob, scene.window, SHORT, 2).reason == FILLED
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(20, flags=PERIOD_END)  # abandoned
    final = venue.finalise(scene.window)
    assert (final.state, final.left_out_ms) == (2, 880_000)
    refunded(scene, venue.crank(scene.ann, order), VOID)
    venue.at(20 + 61)
    settled = venue.settle(scene.bob, scene.window)
    assert (settled.payout_e6, settled.fees_returned_e6) == (30 * USDC, 100_000)
    assert venue.get_margin(scene.bob).free_e6 == 500 * USDC
    venue.settle(scene.ann, scene.window)
    assert venue.distribute(scene.window).protocol_e6 == 0
    check(venue)


def test_an_order_older_than_the_ring_is_refunded(scene: Scene) -> None:
    venue = scene.venue
    half = venue.open_window(6)
    order = venue.submit(scene.ann, half, LONG, 1)
    for second in range(11, 11 + 520):
        venue.tick(second)
    refunded(scene, venue.crank(scene.ann, order, 3), GONE)


@pytest.mark.parametrize("cap", ["cap_user_bps", "cap_match_bps", "cap_pool_bps"])
def test_a_cap_refunds(cap: str) -> None:
    params = {"cap_user_bps": 10, "cap_match_bps": 10, "cap_pool_bps": 10} if cap == "cap_pool_bps" else {}
    params = params or ({"cap_user_bps": 10, "cap_match_bps": 10} if cap == "cap_match_bps" else {"cap_user_bps": 10})
    scene = Scene.make(**params)
    refunded(scene, scene.venue.trade(scene.ann, scene.window, LONG, 1), CAP)
    assert scene.venue.trade(scene.bob, scene.window, LONG, 0.2).reason == FILLED


def test_a_reduce_only_order_without_a_position_is_refunded(scene: Scene) -> None:
    refunded(scene, scene.venue.trade(scene.ann, scene.window, LONG, 1, flags=REDUCE_ONLY), NOTHING)


def test_an_opposite_order_closes_up_to_its_quantity_and_never_turns_round(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 2)
    event = venue.trade(scene.ann, scene.window, SHORT, 5)
    assert (event.reason, event.filled_e6, event.closed_e6) == (FILLED, 2 * USDC, 2 * USDC)
    assert event.refund_e6 == 5 * 15 * USDC + 5 * 50_000 - 2 * 50_000
    position = venue.get_position(scene.ann, scene.window)
    assert position is not None
    assert (position.qty_e6, position.reserved_e6, position.collateral_e6) == (0, 0, 0)
    check(venue)


def test_splitting_or_going_round_gains_nothing(scene: Scene) -> None:
    venue = scene.venue
    one = venue.trade(scene.ann, scene.window, LONG, 8)
    venue.trade(scene.ann, scene.window, SHORT, 8)
    cost = 0
    for _ in range(4):
        event = venue.trade(scene.bob, scene.window, LONG, 2)
        cost += event.price_e6 * 2
    assert cost >= one.price_e6 * 8 - 8
    assert venue.get_margin(scene.ann).free_e6 < 500 * USDC
    check(venue)


def test_the_tip_goes_to_the_cranker_and_the_rent_to_its_payer(scene: Scene) -> None:
    venue = scene.venue
    cranker = venue.chain.wallet()
    payer = venue.chain.payer
    venue.chain.clock(venue.chain.unix_s)
    venue.chain.send(venue.ix_submit(scene.ann, scene.window, LONG, 1, payer=payer.pubkey()), scene.ann.key)
    scene.ann.next_id = 2
    rent = venue.chain.account(pda.order(scene.ann.margin, 1)).lamports - 15_000
    venue.tick(17)
    before = [venue.chain.account(key.pubkey()).lamports for key in (cranker, payer)]
    venue.crank(scene.ann, 1, cranker=cranker)
    after = [venue.chain.account(key.pubkey()).lamports for key in (cranker, payer)]
    assert after[0] - before[0] == 15_000
    assert after[1] - before[1] == rent - 2 * 5_000  # two signatures


def test_owner_payer_and_cranker_may_be_one_key(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(17)
    assert venue.crank(scene.ann, order, cranker=scene.ann.key).reason == FILLED


def test_the_crank_order_of_ripe_orders_breaks_no_limit_and_no_book() -> None:
    for first, second in ((0, 1), (1, 0)):
        scene = Scene.make()
        venue = scene.venue
        people = (scene.ann, scene.bob)
        ids = [venue.submit(trader, scene.window, LONG, 5, limit_e6=50_510_000) for trader in people]
        venue.tick(17)
        for i in (first, second):
            event = venue.crank(people[i], ids[i])
            assert event.reason == FILLED
            assert event.price_e6 <= 50_510_000
            check(venue)


def test_a_liquidation_voids_the_orders_placed_before(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(19, 26.0)
    venue.tick(20, 2.0)
    venue.liquidate(scene.ann, scene.window, scene.bob)
    free = venue.get_margin(scene.ann).free_e6
    venue.tick(25, 2.0)
    event = venue.crank(scene.ann, order)
    assert (event.reason, event.refund_e6) == (LIQUIDATED, 15 * USDC + 50_000)
    assert venue.get_margin(scene.ann).free_e6 == free + event.refund_e6
    check(venue)


def test_orders_end_after_the_feed_was_closed(scene: Scene) -> None:
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    close_feed(venue)
    scene.refused(m.ErrorCode.FEED_GONE, lambda: venue.crank(scene.ann, order, 0))
    assert venue.finalise(scene.window).state == 2
    refunded(scene, venue.crank(scene.ann, order, 0), VOID)


def close_feed(venue: Venue) -> None:
    """End and finalise the feed, and close it when its retention is over."""
    venue.tick(0, period=2, flags=PERIOD_END)
    final = oracle.ix_finalise_feed(operator=venue.operator.pubkey(), config=venue.config, feed=venue.feed)
    venue.chain.send(final, venue.operator)
    venue.chain.clock(venue.chain.unix_s + 7 * 86_400)
    close = oracle.ix_close_feed(
        operator=venue.operator.pubkey(),
        config=venue.config,
        rent_receiver=venue.creator.pubkey(),
        feed=venue.feed,
    )
    venue.chain.send(close, venue.operator)
