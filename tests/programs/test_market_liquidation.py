"""Liquidation: who may be closed, at which price, and where every unit goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from solders.account import Account
from solders.keypair import Keypair

from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, SHORT, USDC, Venue, events
from tests.programs.market_scene import FILLED, SUSPEND, Scene

MAINTENANCE_E6 = 7_500_000
"""With more than ten minutes left."""


@pytest.fixture
def scene() -> Scene:
    return Scene.make()


def slide(venue: Venue, to: float) -> None:
    """Move the index in steps the oracle accepts."""
    x = 50.0
    while abs(x - to) > 24:
        x += 24 if to > x else -24
        venue.tick(venue.now_s + 1, x)
    venue.tick(venue.now_s + 1, to)


def equity(venue: Venue, position: m.Position, forward_e6: int) -> int:
    """Return collateral plus gain or loss at `forward_e6`, as the program rounds it."""
    product = position.qty_e6 * forward_e6
    if position.side == LONG:
        return position.collateral_e6 + product // 1_000_000 - position.entry_cost_e6
    return position.collateral_e6 + position.entry_cost_e6 - -(-product // 1_000_000)


def quote(venue: Venue, window: object, side: int, qty_e6: int) -> m.QuoteView:
    """Simulate `quote`."""
    ix = m.ix_quote(exchange=venue.exchange, window=window, feed=venue.feed, side=side, qty_e6=qty_e6)  # type: ignore[arg-type]
    return m.returned_quote(bytes(venue.chain.send(ix).return_data().data))


@pytest.mark.parametrize(("side", "x"), [(LONG, 1.0), (SHORT, 99.0)])
def test_a_position_below_maintenance_is_closed_and_split(scene: Scene, side: int, x: float) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, side, 5)
    before = venue.get_position(scene.ann, scene.window)
    assert before is not None
    slide(venue, x)
    priced = quote(venue, scene.window, 1 - side, before.qty_e6)
    assert equity(venue, before, priced.forward_e6) < 5 * MAINTENANCE_E6
    owner, keeper = (venue.get_margin(t).free_e6 for t in (scene.ann, scene.bob))
    cash = venue.get_pool().cash_e6
    event = venue.liquidate(scene.ann, scene.window, scene.bob)
    assert (event.price_e6, event.mark_e6) == (priced.price_e6, priced.forward_e6)
    rest = event.collateral_e6 + event.gain_e6 - event.loss_e6 - event.fee_e6
    assert (event.reward_e6, event.returned_e6) == (rest // 100, rest - rest // 100)
    assert venue.get_margin(scene.bob).free_e6 - keeper == event.reward_e6
    assert venue.get_margin(scene.ann).free_e6 - owner == event.returned_e6
    assert venue.get_pool().cash_e6 - cash == event.loss_e6 - event.gain_e6
    check(venue)


def test_a_healthy_position_is_left_alone(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    scene.refused(ErrorCode.MARGIN_SUFFICIENT, lambda: venue.liquidate(scene.ann, scene.window, scene.bob))


def test_the_boundary_is_equity_equal_to_maintenance(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    position = venue.get_position(scene.ann, scene.window)
    assert position is not None
    refused = closed = False
    for tenth in range(460, 300, -2):
        venue.tick(venue.now_s + 1, tenth / 10)
        forward = quote(venue, scene.window, SHORT, 1_000_000).forward_e6
        if equity(venue, position, forward) >= 5 * MAINTENANCE_E6:
            scene.refused(ErrorCode.MARGIN_SUFFICIENT, lambda: venue.liquidate(scene.ann, scene.window, scene.bob))
            refused = True
        else:
            venue.liquidate(scene.ann, scene.window, scene.bob)
            closed = True
            break
    assert refused
    assert closed
    check(venue)


def test_no_liquidation_on_an_old_sample(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    slide(venue, 1.0)
    venue.at(venue.now_s + 6)
    scene.refused(ErrorCode.STALE_SAMPLE, lambda: venue.liquidate(scene.ann, scene.window, scene.bob))
    venue.tick(venue.now_s + 7, 1.0)
    venue.at(venue.now_s + 5)
    venue.liquidate(scene.ann, scene.window, scene.bob)


def test_no_liquidation_while_suspended(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    slide(venue, 1.0)
    venue.tick(venue.now_s + 1, 1.0, flags=SUSPEND)
    scene.refused(ErrorCode.SUSPENDED, lambda: venue.liquidate(scene.ann, scene.window, scene.bob))


def test_an_empty_position_cannot_be_liquidated(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    venue.trade(scene.ann, scene.window, SHORT, 5)
    scene.refused(ErrorCode.POSITION_EMPTY, lambda: venue.liquidate(scene.ann, scene.window, scene.bob))


def test_the_owner_may_liquidate_herself(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    free = venue.get_margin(scene.ann).free_e6
    slide(venue, 1.0)
    event = venue.liquidate(scene.ann, scene.window, scene.ann)
    assert venue.get_margin(scene.ann).free_e6 - free == event.returned_e6 + event.reward_e6
    check(venue)


def test_the_reward_goes_only_to_the_liquidators_own_margin(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    slide(venue, 1.0)
    thief = type(scene.bob)(venue.chain.wallet(), scene.bob.tokens, scene.bob.shares, scene.bob.margin)
    scene.refused(ErrorCode.WRONG_OWNER, lambda: venue.liquidate(scene.ann, scene.window, thief))
    thief.margin = scene.ann.margin
    scene.refused(ErrorCode.WRONG_OWNER, lambda: venue.liquidate(scene.ann, scene.window, thief))


def test_a_loss_beyond_collateral_is_counted_and_never_taken_elsewhere(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    slide(venue, 1.0)
    venue.play(venue.now_s + 10, 600, 1.0)
    free = venue.get_margin(scene.ann).free_e6
    event = venue.liquidate(scene.ann, scene.window, scene.bob)
    assert (event.loss_e6, event.returned_e6, event.reward_e6, event.fee_e6) == (75 * USDC, 0, 0, 0)
    assert event.bad_debt_e6 > 0
    assert venue.get_pool().bad_debt_e6 == event.bad_debt_e6
    assert venue.get_margin(scene.ann).free_e6 == free
    check(venue)


def test_the_insurance_pays_bad_debt_as_far_as_it_reaches_and_the_pool_the_rest() -> None:
    for insured in (0, 1 * USDC, 1_000 * USDC):
        scene = Scene.make(7, insurance_bps=3_000, protocol_bps=0)
        venue = scene.venue
        venue.trade(scene.ann, scene.window, LONG, 5)
        insure(venue, insured)
        slide(venue, 1.0)
        venue.play(venue.now_s + 10, 600, 1.0)
        before = venue.get_pool()
        event = venue.liquidate(scene.ann, scene.window, scene.bob)
        after = venue.get_pool()
        assert event.bad_debt_e6 > 1 * USDC
        assert event.insured_e6 == min(insured, event.bad_debt_e6)
        assert before.insurance_e6 - after.insurance_e6 == event.insured_e6
        assert after.cash_e6 - before.cash_e6 == event.loss_e6 + event.insured_e6
        assert after.bad_debt_e6 == event.bad_debt_e6
        check(venue)


def insure(venue: Venue, amount: int) -> None:
    """Give the insurance its money, as the fees of windows before did: in the books and in the vault."""
    vault, pool = venue.chain.account(venue.vault), venue.chain.account(venue.pool)
    data = bytearray(vault.data)
    data[64:72] = (venue.tokens(venue.vault) + amount).to_bytes(8, "little")
    venue.chain.svm.set_account(venue.vault, Account(vault.lamports, bytes(data), vault.owner))
    books = replace(venue.get_pool(), insurance_e6=venue.get_pool().insurance_e6 + amount)
    data = bytearray(m.Pool.DISCRIMINATOR + books.encode())
    venue.chain.svm.set_account(venue.pool, Account(pool.lamports, bytes(data), pool.owner))


def test_the_authority_alone_moves_insurance_and_only_into_the_pools_cash(scene: Scene) -> None:
    venue = scene.venue
    insure(venue, 50 * USDC)
    before = venue.get_pool()

    def release(amount: int, key: Keypair = venue.authority) -> list[Any]:
        ix = m.ix_release_insurance(
            authority=key.pubkey(), exchange=venue.exchange, pool=venue.pool, lp_mint=venue.lp_mint, amount_e6=amount
        )
        return events(venue.chain.send(ix, key))

    for key in (venue.operator, venue.guardian, scene.lp.key):
        scene.refused(ErrorCode.NOT_AUTHORITY, lambda k=key: release(1, k))  # type: ignore[misc]
    for amount in (0, before.insurance_e6 + 1):
        scene.refused(ErrorCode.BAD_AMOUNT, lambda a=amount: release(a))  # type: ignore[misc]
    (event,) = release(20 * USDC)
    after = venue.get_pool()
    assert (event.amount_e6, event.insurance_e6, event.cash_e6) == (20 * USDC, after.insurance_e6, after.cash_e6)
    assert after.cash_e6 - before.cash_e6 == before.insurance_e6 - after.insurance_e6 == 20 * USDC
    check(venue)
    venue.remove_liquidity(scene.lp, venue.tokens(scene.lp.shares))
    scene.refused(ErrorCode.NO_SHARES, lambda: release(1))


def test_after_a_liquidation_one_may_trade_the_window_again(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 5)
    slide(venue, 1.0)
    venue.liquidate(scene.ann, scene.window, scene.bob)
    assert venue.trade(scene.ann, scene.window, SHORT, 1, x=1.0).reason == FILLED
    check(venue)


def test_settlement_pays_at_most_collateral_plus_reservation() -> None:
    for x, side in ((74.0, LONG), (26.0, SHORT), (26.0, LONG), (74.0, SHORT)):
        scene = Scene.make()
        venue = scene.venue
        venue.trade(scene.ann, scene.window, side, 5)
        venue.play(60, 901, x)
        venue.finalise(scene.window)
        venue.at(962)
        settled = venue.settle(scene.ann, scene.window)
        assert 0 <= settled.payout_e6 <= settled.collateral_e6 + settled.reserved_e6
        check(venue)


def test_a_quote_says_what_a_fill_would_cost(scene: Scene) -> None:
    venue = scene.venue
    view = quote(venue, scene.window, LONG, 3 * USDC)
    assert (view.tradable, view.left_ms, view.lead_ms, view.fee_e6) == (1, 890_000, 0, 150_000)
    assert view.price_e6 == view.forward_e6 + view.half_spread_e6 + view.conf_e6 + view.impact_e6
    order = venue.submit(scene.ann, scene.window, LONG, 3)
    venue.tick(17)
    view = quote(venue, scene.window, LONG, 3 * USDC)
    assert venue.crank(scene.ann, order).price_e6 == view.price_e6
    assert (
        events(
            venue.chain.send(
                m.ix_quote(exchange=venue.exchange, window=scene.window, feed=venue.feed, side=0, qty_e6=USDC)
            )
        )
        == []
    )
