"""Liquidity moves at marks that favour those who stay: which are taken, and what they say."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey

from chain.clients import market as m
from chain.clients.market import ErrorCode
from momentum import pricing
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, SHORT, USDC, Trader
from tests.programs.market_scene import FILLED, Scene, later, stakes
from tests.programs.svm import START_UNIX_S


@pytest.fixture
def scene() -> Scene:
    """Ann is long ten contracts and bob short four, both at about 50."""
    return stakes(Scene.make())


def marked(scene: Scene, price_e6: int) -> tuple[int, int]:
    """Return what the traders gain and lose at a price, by the Python twin."""
    window = scene.venue.get_window(scene.window)
    sides = (
        pricing.mark_side(side, qty, entry, price_e6, window.open_positions)
        for side, qty, entry in (
            (pricing.Side.LONG, window.oi_long_e6, window.entry_long_e6),
            (pricing.Side.SHORT, window.oi_short_e6, window.entry_short_e6),
        )
    )
    long, short = sides
    return long.gain_e6 + short.gain_e6, long.loss_e6 + short.loss_e6


def test_a_deposit_pays_for_what_the_traders_are_about_to_lose(scene: Scene) -> None:
    venue = scene.venue
    request = venue.request(scene.lp, venue.ix_request_deposit(scene.lp, 1_000 * USDC))
    check(venue)
    later(scene, 30.0)
    pool = venue.get_pool()
    assert pool.mark_loss_e6 > 100 * USDC > pool.mark_gain_e6 > 0
    value = pool.cash_e6 + pool.mark_loss_e6 + pricing.part_ceil(pool.fee_escrow_e6, 7_000, 10_000)
    done = venue.execute(request)
    check(venue)
    assert (done.deposit, done.amount_e6, done.value_e6) == (1, 1_000 * USDC, value)
    assert done.shares == pricing.shares_for_deposit(1_000 * USDC, value, done.supply_before)
    assert venue.tokens(scene.lp.shares) == done.supply_after == done.supply_before + done.shares


def test_a_withdrawal_leaves_what_the_traders_are_about_to_gain(scene: Scene) -> None:
    venue = scene.venue
    request = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 1_000 * USDC))
    check(venue)
    later(scene, 70.0)
    pool = venue.get_pool()
    assert pool.mark_gain_e6 > 100 * USDC
    before = venue.tokens(scene.lp.tokens)
    done = venue.execute(request)
    check(venue)
    assert (done.deposit, done.shares, done.value_e6) == (0, 1_000 * USDC, pool.cash_e6 - pool.mark_gain_e6)
    assert done.amount_e6 == pricing.amount_for_shares(1_000 * USDC, done.value_e6, done.supply_before)
    assert venue.tokens(scene.lp.tokens) - before == done.amount_e6


def test_the_mark_is_what_both_sides_gain_and_lose_at_the_forward_price(scene: Scene) -> None:
    venue = scene.venue
    for x in (30.0, 50.0, 70.0):
        later(scene, x)
        view = m.ix_quote(exchange=venue.exchange, window=scene.window, feed=venue.feed, side=LONG, qty_e6=USDC)
        forward = m.returned_quote(bytes(venue.chain.send(view).return_data().data)).forward_e6
        pool = venue.get_pool()
        assert (pool.mark_gain_e6, pool.mark_loss_e6) == marked(scene, forward)
        assert pool.mark_data_ms == (START_UNIX_S + venue.now_s) * 1000
        check(venue)


def test_nothing_moves_without_a_fresh_mark_of_every_live_window(scene: Scene) -> None:
    venue = scene.venue
    half = venue.open_window(6)
    assert venue.trade(scene.bob, half, LONG, 1).reason == FILLED
    request = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 1_000 * USDC))
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))
    venue.mark(scene.window, half)  # both, but of a sample from before the request
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))
    later(scene, seconds=20)
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))  # half is in an older round only
    venue.mark(scene.window)
    venue.mark(half)
    assert (venue.get_pool().marked_windows, venue.get_pool().live_windows) == (1, 2)
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))  # each in a slot of its own
    venue.mark(scene.window, half)
    assert venue.get_pool().marked_windows == venue.get_pool().live_windows == 2
    venue.at(venue.now_s)
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))  # of the slot before
    venue.at(venue.now_s + 6)
    scene.refused(ErrorCode.STALE_MARK, lambda: venue.mark(half))
    venue.tick(venue.now_s + 40)
    venue.mark(scene.window, half)
    venue.execute(request)
    check(venue)


def test_a_window_that_comes_alive_needs_a_mark_of_its_own(scene: Scene) -> None:
    venue = scene.venue
    half = venue.open_window(6)
    request = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 1_000 * USDC))
    order = venue.submit(scene.bob, half, LONG, 1)
    later(scene)
    assert venue.crank(scene.bob, order).reason == FILLED
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))
    venue.chain.send([venue.ix_mark(scene.window), venue.ix_mark(half)])
    venue.execute(request)
    check(venue)


def test_a_window_that_empties_takes_its_mark_along(scene: Scene) -> None:
    venue = scene.venue
    for trader, side, qty in ((scene.ann, SHORT, 10), (scene.bob, LONG, 4)):
        order = venue.submit(trader, scene.window, side, qty)
        later(scene, 60.0)
        check(venue)
        assert venue.crank(trader, order).closed_e6 == qty * USDC
        check(venue)
    pool = venue.get_pool()
    assert (pool.live_windows, pool.marked_windows, pool.mark_gain_e6, pool.mark_loss_e6) == (0, 0, 0, 0)
    scene.refused(ErrorCode.NOTHING_TO_MARK, lambda: venue.mark(scene.window))
    venue.remove_liquidity(scene.lp, 1_000 * USDC)  # nothing is at stake: at once
    check(venue)


def test_no_mark_is_taken_while_trading_is_suspended(scene: Scene) -> None:
    venue = scene.venue
    venue.tick(venue.now_s + 1, flags=1)
    scene.refused(ErrorCode.SUSPENDED, lambda: venue.mark(scene.window))


def test_a_final_window_is_marked_at_its_settlement_and_a_void_one_at_nothing(scene: Scene) -> None:
    venue = scene.venue
    second = venue.open_window(1)
    assert venue.trade(scene.bob, second, LONG, 2).reason == FILLED
    venue.play(60, 900, 70.0)
    venue.finalise(scene.window)
    venue.mark(scene.window)
    settlement = venue.get_window(scene.window).settlement_e6
    pool = venue.get_pool()
    assert (pool.mark_gain_e6, pool.mark_loss_e6) == marked(scene, settlement)
    check(venue)
    gains = sum(venue_gain(scene, trader, settlement) for trader in (scene.ann,))
    assert abs(pool.mark_gain_e6 - gains) <= 2
    venue.at(961)
    for trader in (scene.ann, scene.bob):
        venue.settle(trader, scene.window)
        check(venue)
    venue.tick(960, 70.0, flags=4)  # the half ends after a minute of the second window: nobody will play the rest
    venue.finalise(second)
    assert venue.get_window(second).state == 2
    venue.mark(second)
    assert (venue.get_pool().mark_gain_e6, venue.get_pool().mark_loss_e6) == (0, 0)
    check(venue)


def venue_gain(scene: Scene, trader: Trader, price_e6: int) -> int:
    """Return what a trader gains at a price."""
    position = scene.venue.get_position(trader, scene.window)
    assert position is not None
    return pricing.pnl(pricing.Side(position.side), position.qty_e6, position.entry_cost_e6, price_e6).gain_e6


def test_a_window_whose_feed_has_gone_must_be_finalised_before_it_is_marked(scene: Scene) -> None:
    venue = scene.venue
    venue.chain.svm.set_account(venue.feed, type(venue.chain.account(venue.feed))(0, b"", Pubkey.default()))
    scene.refused(ErrorCode.FEED_GONE, lambda: venue.mark(scene.window))
    venue.finalise(scene.window)
    venue.mark(scene.window)
    assert venue.get_pool().mark_gain_e6 == 0
