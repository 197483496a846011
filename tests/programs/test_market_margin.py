"""Collateral of an open position: put in, taken out, liquidated by halves; and windows in which nobody could act."""

from __future__ import annotations

import pytest

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, SHORT, USDC, Trader, events
from tests.programs.market_scene import FILLED, SUSPEND, Scene
from tests.programs.test_market_liquidation import slide

REDUCE, NO_NEW = 1, 2
VOID = 2


@pytest.fixture
def scene() -> Scene:
    """Ann is long two contracts with 30 USDC of collateral."""
    scene = Scene.make()
    assert scene.venue.trade(scene.ann, scene.window, LONG, 2).reason == FILLED
    return scene


def position(scene: Scene, trader: Trader | None = None) -> m.Position:
    """Return Ann's position, or another trader's."""
    found = scene.venue.get_position(trader or scene.ann, scene.window)
    assert found is not None
    return found


def add(scene: Scene, amount: int, signer: Trader | None = None) -> m.MarginMoved:
    trader = signer or scene.ann
    ix = m.ix_add_margin(
        owner=trader.key.pubkey(),
        exchange=scene.venue.exchange,
        pool=scene.venue.pool,
        window=scene.window,
        margin=scene.ann.margin,
        position=pda.position(scene.ann.margin, scene.window),
        amount_e6=amount,
    )
    event: m.MarginMoved = events(scene.venue.chain.send(ix, trader.key))[0]
    return event


def remove(scene: Scene, amount: int, signer: Trader | None = None) -> m.MarginMoved:
    trader = signer or scene.ann
    ix = m.ix_remove_margin(
        owner=trader.key.pubkey(),
        exchange=scene.venue.exchange,
        pool=scene.venue.pool,
        window=scene.window,
        feed=scene.venue.feed,
        margin=scene.ann.margin,
        position=pda.position(scene.ann.margin, scene.window),
        amount_e6=amount,
    )
    event: m.MarginMoved = events(scene.venue.chain.send(ix, trader.key))[0]
    return event


def test_what_is_added_can_be_taken_back_down_to_the_initial_margin(scene: Scene) -> None:
    venue = scene.venue
    free = venue.get_margin(scene.ann).free_e6
    event = add(scene, 7 * USDC)
    assert (event.added, event.collateral_e6, event.free_e6) == (1, 37 * USDC, free - 7 * USDC)
    check(venue)
    slide(venue, 60.0)  # a gain, so that equity is no limit
    scene.refused(ErrorCode.COLLATERAL_TOO_LOW, lambda: remove(scene, 7 * USDC + 1))
    assert remove(scene, 7 * USDC).free_e6 == free
    assert position(scene).collateral_e6 == 30 * USDC
    check(venue)


def test_a_gain_does_not_leave_before_settlement_and_a_loss_counts(scene: Scene) -> None:
    add(scene, 10 * USDC)
    slide(scene.venue, 45.0)
    scene.refused(ErrorCode.COLLATERAL_TOO_LOW, lambda: remove(scene, 10 * USDC))


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (lambda s: add(s, 0), ErrorCode.BAD_AMOUNT),
        (lambda s: remove(s, 0), ErrorCode.BAD_AMOUNT),
        (lambda s: remove(s, 31 * USDC), ErrorCode.BAD_AMOUNT),
        (lambda s: add(s, 10_000 * USDC), ErrorCode.INSUFFICIENT_MARGIN),
        (lambda s: add(s, 1, s.bob), ErrorCode.WRONG_OWNER),
        (lambda s: remove(s, 1, s.bob), ErrorCode.WRONG_OWNER),
    ],
)
def test_a_bad_amount_or_a_stranger_is_refused(scene: Scene, action: object, code: ErrorCode) -> None:
    scene.refused(code, lambda: action(scene))  # type: ignore[operator]


def test_margin_leaves_only_on_a_fresh_sample_outside_suspensions_and_pauses(scene: Scene) -> None:
    venue = scene.venue
    add(scene, 5 * USDC)
    venue.at(venue.now_s + 6)
    scene.refused(ErrorCode.STALE_SAMPLE, lambda: remove(scene, 1))
    venue.tick(venue.now_s + 7, flags=SUSPEND)
    scene.refused(ErrorCode.SUSPENDED, lambda: remove(scene, 1))
    venue.tick(venue.now_s + 1)
    venue.pause(NO_NEW)
    scene.refused(ErrorCode.PAUSED, lambda: remove(scene, 1))
    add(scene, 1)
    venue.pause(REDUCE)
    remove(scene, 1)


def test_margin_moves_only_while_the_window_is_open_and_something_is_held(scene: Scene) -> None:
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, SHORT, 2).reason == FILLED
    scene.refused(ErrorCode.POSITION_EMPTY, lambda: add(scene, 1))
    scene.refused(ErrorCode.POSITION_EMPTY, lambda: remove(scene, 1))
    venue.play(60, 900, 50.0)
    venue.finalise(scene.window)
    scene.refused(ErrorCode.WINDOW_NOT_OPEN, lambda: add(scene, 1))
    scene.refused(ErrorCode.WINDOW_NOT_OPEN, lambda: remove(scene, 1))


# --- liquidation by halves -----------------------------------------------------------------------------------------


def below_maintenance(scene: Scene, share: float) -> None:
    """Move the index down until Ann's equity is `share` of her maintenance margin or a little less."""
    venue = scene.venue
    feed = venue.get_feed()
    x = int(feed.ring[(feed.samples - 1) % 512]["x_e6"]) / 1e6
    while True:
        venue.tick(venue.now_s + 1, x)
        ix = m.ix_quote(exchange=venue.exchange, window=scene.window, feed=venue.feed, side=SHORT, qty_e6=USDC)
        forward = m.returned_quote(bytes(venue.chain.send(ix).return_data().data)).forward_e6
        held = position(scene)
        equity = held.collateral_e6 + held.qty_e6 * forward // USDC - held.entry_cost_e6
        if equity < share * held.qty_e6 * 7.5:
            return
        x = max(0.0, x - 0.5)


def test_a_large_position_is_closed_by_halves_until_it_is_safe_or_small() -> None:
    scene = Scene.make(liquidation_dust_e6=USDC)
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 8).reason == FILLED
    below_maintenance(scene, 0.99)
    held = position(scene)
    free = venue.get_margin(scene.ann).free_e6
    event = venue.liquidate(scene.ann, scene.window, scene.bob)
    assert (event.qty_e6, event.left_e6) == (4 * USDC, 4 * USDC)
    left = position(scene)
    freed = event.gain_e6 + held.collateral_e6 - event.loss_e6 - left.collateral_e6
    assert freed == event.fee_e6 + event.reward_e6
    assert event.reward_e6 > 0
    assert event.returned_e6 == 0
    assert venue.get_margin(scene.ann).free_e6 == free
    check(venue)
    scene.refused(ErrorCode.MARGIN_SUFFICIENT, lambda: venue.liquidate(scene.ann, scene.window, scene.bob))
    sizes = []
    while position(scene).qty_e6:
        below_maintenance(scene, 0.99)
        sizes.append(venue.liquidate(scene.ann, scene.window, scene.bob).qty_e6)
        check(venue)
    assert sizes == [2 * USDC, USDC, USDC]
    assert venue.get_margin(scene.ann).open_positions == 0


def test_a_position_far_below_maintenance_is_closed_whole() -> None:
    scene = Scene.make(liquidation_dust_e6=USDC)
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 8).reason == FILLED
    below_maintenance(scene, 0.4)
    event = venue.liquidate(scene.ann, scene.window, scene.bob)
    assert (event.qty_e6, event.left_e6, event.kept_e6) == (8 * USDC, 0, 0)
    check(venue)


def test_nobody_is_liquidated_on_a_sample_from_before_the_clusters_restart(scene: Scene) -> None:
    venue = scene.venue
    below_maintenance(scene, 0.99)
    venue.chain.svm.set_last_restart_slot(venue.chain.slot)
    scene.refused(ErrorCode.STALE_SAMPLE, lambda: venue.liquidate(scene.ann, scene.window, scene.bob))
    below_maintenance(scene, 0.99)
    venue.liquidate(scene.ann, scene.window, scene.bob)


# --- windows in which nobody could act -----------------------------------------------------------------------------


@pytest.mark.parametrize(("resumes_s", "state"), [(900, VOID), (895, 1)])
def test_a_window_that_ends_after_fifteen_suspended_minutes_is_void(resumes_s: int, state: int) -> None:
    scene = Scene.make(6)
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 2).reason == FILLED
    venue.play(60, 1790, 50.0)
    venue.tick(1800, flags=SUSPEND)
    for second in range(1830, 1800 + resumes_s, 30):
        venue.tick(second, flags=SUSPEND)
    if resumes_s < 900:
        venue.tick(1800 + resumes_s)
    venue.tick(2700, flags=SUSPEND if resumes_s == 900 else 0)
    assert venue.finalise(scene.window).state == state
