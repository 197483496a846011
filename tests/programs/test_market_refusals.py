"""What the market refuses, with which error, and that a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC
from tests.programs.market_scene import FILLED, PERIOD_END, SUSPEND, Scene

ACTIVE, REDUCE, NO_NEW, HALTED = range(4)


@pytest.fixture
def scene() -> Scene:
    return Scene.make()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"collateral_e6": 15 * USDC - 1}, ErrorCode.COLLATERAL_TOO_LOW),
        ({"collateral_e6": 500 * USDC}, ErrorCode.INSUFFICIENT_MARGIN),
        ({"collateral_e6": 2**64 - 1}, ErrorCode.OVERFLOW),
        ({"side": 2}, ErrorCode.BAD_PARAMETER),
        ({"flags": 2}, ErrorCode.BAD_PARAMETER),
        ({"qty_e6": 9_999}, ErrorCode.BAD_PARAMETER),
        ({"qty_e6": 2**63}, ErrorCode.BAD_PARAMETER),
        ({"limit_e6": 100_000_001}, ErrorCode.BAD_PARAMETER),
        ({"expiry_ms": 4_999}, ErrorCode.BAD_PARAMETER),
        ({"expiry_ms": 120_001}, ErrorCode.BAD_PARAMETER),
        ({"client_id": 0}, ErrorCode.CLIENT_ID_USED),
    ],
)
def test_a_bad_order_is_refused(scene: Scene, changes: dict[str, Any], code: ErrorCode) -> None:
    scene.refused(code, lambda: submit(scene, changes))


def submit(scene: Scene, changes: dict[str, Any]) -> None:
    """Submit an order of one contract with some fields changed."""
    fields = dict(changes)
    ix = scene.venue.ix_submit(scene.ann, scene.window, fields.pop("side", LONG), 1, **fields)
    scene.venue.chain.send(ix, scene.ann.key)


def test_a_client_id_works_once_and_never_backwards(scene: Scene) -> None:
    venue = scene.venue
    venue.submit(scene.ann, scene.window, LONG, 1, client_id=7)
    with pytest.raises(Exception, match="Custom|already in use|InstructionError"):
        venue.submit(scene.ann, scene.window, LONG, 1, client_id=7)
    scene.refused(ErrorCode.CLIENT_ID_USED, lambda: venue.submit(scene.ann, scene.window, LONG, 1, client_id=6))
    venue.tick(17)
    venue.crank(scene.ann, 7)
    scene.refused(ErrorCode.CLIENT_ID_USED, lambda: venue.submit(scene.ann, scene.window, LONG, 1, client_id=7))
    check(venue)


def test_no_order_while_suspended(scene: Scene) -> None:
    scene.venue.tick(11, flags=SUSPEND)
    scene.refused(ErrorCode.SUSPENDED, lambda: scene.venue.submit(scene.ann, scene.window, LONG, 1))


def test_no_order_in_a_break(scene: Scene) -> None:
    later = scene.venue.open_window(3)
    scene.venue.tick(11, flags=PERIOD_END)
    scene.refused(ErrorCode.IN_BREAK, lambda: scene.venue.submit(scene.ann, later, LONG, 1))


def test_no_order_in_the_last_twenty_seconds(scene: Scene) -> None:
    scene.venue.play(60, 881)
    scene.refused(ErrorCode.WINDOW_CLOSING, lambda: scene.venue.submit(scene.ann, scene.window, LONG, 1))


def test_no_order_in_a_final_window(scene: Scene) -> None:
    scene.venue.play(60, 901)
    scene.venue.finalise(scene.window)
    scene.refused(ErrorCode.WINDOW_NOT_OPEN, lambda: scene.venue.submit(scene.ann, scene.window, LONG, 1))
    scene.refused(ErrorCode.ALREADY_FINAL, lambda: scene.venue.finalise(scene.window))


def test_no_crank_in_the_slot_of_the_commit(scene: Scene) -> None:
    venue = scene.venue
    venue.chain.clock(venue.chain.unix_s)
    venue.chain.send(venue.ix_submit(scene.ann, scene.window, LONG, 1), scene.ann.key)
    scene.refused(ErrorCode.SAME_SLOT, lambda: venue.crank(scene.ann, 1, 2))


def test_nobody_trades_or_withdraws_for_another(scene: Scene) -> None:
    venue = scene.venue
    thief = scene.bob.key
    ix = venue.ix_submit(scene.ann, scene.window, LONG, 1, owner=thief.pubkey(), payer=thief.pubkey())
    scene.refused(ErrorCode.WRONG_OWNER, lambda: venue.chain.send(ix, thief))
    withdraw = m.ix_withdraw_collateral(
        owner=thief.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        margin=scene.ann.margin,
        vault=venue.vault,
        destination=scene.bob.tokens,
        amount_e6=1,
    )
    scene.refused(ErrorCode.WRONG_OWNER, lambda: venue.chain.send(withdraw, thief))


def test_another_feed_prices_nothing(scene: Scene) -> None:
    other = Scene.make()
    venue = scene.venue
    fake = Pubkey.new_unique()
    venue.chain.svm.set_account(fake, other.venue.chain.account(other.venue.feed))
    ix = venue.ix_submit(scene.ann, scene.window, LONG, 1, feed=fake)
    scene.refused(ErrorCode.WRONG_FEED, lambda: venue.chain.send(ix, scene.ann.key))
    final = m.ix_finalise_window(exchange=venue.exchange, window=scene.window, feed=fake)
    scene.refused(ErrorCode.WRONG_FEED, lambda: venue.chain.send(final))


def test_a_feed_of_another_oracle_config_gets_no_market(scene: Scene) -> None:
    venue = scene.venue
    fake = Pubkey.new_unique()
    account = venue.chain.account(venue.feed)
    data = bytearray(account.data)
    data[48:80] = bytes(Pubkey.new_unique())  # Feed.config
    venue.chain.svm.set_account(fake, Account(account.lamports, bytes(data), account.owner))
    ix = m.ix_create_market(
        operator=venue.operator.pubkey(), payer=venue.chain.payer.pubkey(), exchange=venue.exchange, feed=fake
    )
    scene.refused(ErrorCode.WRONG_FEED, lambda: venue.chain.send(ix, venue.operator))


def test_only_the_operator_lists(scene: Scene) -> None:
    venue = scene.venue
    venue.operator = venue.chain.wallet()
    scene.refused(ErrorCode.NOT_OPERATOR, lambda: venue.open_window(1))


def test_a_window_that_is_over_cannot_be_opened(scene: Scene) -> None:
    scene.venue.play(60, 1801)
    scene.refused(ErrorCode.WINDOW_NOT_OPEN, lambda: scene.venue.open_window(1))


@pytest.mark.parametrize(
    ("window_id", "k_e6"),
    [(9, 1_000_000), (255, 1_000_000), (1, 0), (1, 1), (1, 1_000), (1, 999_999), (1, 2**63)],
)
def test_a_window_needs_a_known_id_and_a_price_that_no_crumb_moves(scene: Scene, window_id: int, k_e6: int) -> None:
    venue = scene.venue
    ix = m.ix_open_window(
        operator=venue.operator.pubkey(),
        payer=venue.chain.payer.pubkey(),
        exchange=venue.exchange,
        market=venue.market,
        feed=venue.feed,
        window=pda.window(venue.market, window_id),
        window_id=window_id,
        k_e6=k_e6,
    )
    scene.refused(ErrorCode.BAD_PARAMETER, lambda: venue.chain.send(ix, venue.operator))


def test_settlement_waits_for_the_end_and_for_the_dispute(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 1)
    scene.refused(ErrorCode.NOT_FINAL, lambda: venue.settle(scene.ann, scene.window))
    scene.refused(ErrorCode.WINDOW_NOT_ENDED, lambda: venue.finalise(scene.window))
    venue.play(60, 879)
    order = venue.submit(scene.ann, scene.window, SHORT, 1)
    venue.tick(901)
    venue.finalise(scene.window)
    venue.at(901 + 59)
    scene.refused(ErrorCode.IN_DISPUTE, lambda: venue.settle(scene.ann, scene.window))
    scene.refused(ErrorCode.IN_DISPUTE, lambda: venue.distribute(scene.window))
    venue.at(901 + 60)
    scene.refused(ErrorCode.ORDERS_PENDING, lambda: venue.settle(scene.ann, scene.window))
    scene.refused(ErrorCode.ORDERS_PENDING, lambda: venue.distribute(scene.window))
    venue.crank(scene.ann, order)
    scene.refused(ErrorCode.POSITIONS_OPEN, lambda: venue.distribute(scene.window))
    venue.settle(scene.ann, scene.window)
    venue.distribute(scene.window)
    scene.refused(ErrorCode.FEES_DONE, lambda: venue.distribute(scene.window))
    check(venue)


def test_amounts_and_minimums_are_kept(scene: Scene) -> None:
    venue = scene.venue
    scene.refused(ErrorCode.BAD_AMOUNT, lambda: venue.deposit(scene.ann, 0))
    scene.refused(ErrorCode.BAD_AMOUNT, lambda: venue.withdraw(scene.ann, 0))
    scene.refused(ErrorCode.INSUFFICIENT_MARGIN, lambda: venue.withdraw(scene.ann, 500 * USDC + 1))
    scene.refused(ErrorCode.BAD_AMOUNT, lambda: venue.add_liquidity(scene.lp, 0))
    scene.refused(ErrorCode.SLIPPAGE, lambda: venue.add_liquidity(scene.lp, USDC, USDC + 1))
    scene.refused(ErrorCode.SLIPPAGE, lambda: venue.remove_liquidity(scene.lp, USDC, USDC + 1))
    scene.refused(ErrorCode.BAD_AMOUNT, lambda: venue.remove_liquidity(scene.lp, 10_001 * USDC))


def test_the_pause_matrix(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 2)
    pending = venue.submit(scene.bob, scene.window, SHORT, 1)
    venue.pause(REDUCE, venue.operator)
    scene.refused(ErrorCode.PAUSED, lambda: venue.submit(scene.ann, scene.window, LONG, 1))
    assert venue.trade(scene.ann, scene.window, SHORT, 1, flags=REDUCE_ONLY).reason == FILLED
    scene.refused(ErrorCode.PAUSED, lambda: venue.add_liquidity(scene.lp, USDC))
    venue.pause(NO_NEW, venue.operator)
    reduce = {"flags": REDUCE_ONLY}
    scene.refused(ErrorCode.PAUSED, lambda: venue.submit(scene.ann, scene.window, SHORT, 1, **reduce))
    assert venue.crank(scene.bob, pending).reason == FILLED
    scene.refused(ErrorCode.ONLY_TIGHTEN, lambda: venue.pause(REDUCE, venue.operator))
    scene.refused(ErrorCode.NOT_AUTHORITY, lambda: venue.pause(HALTED, scene.ann.key))
    venue.play(60, 901)
    venue.finalise(scene.window)
    venue.pause(HALTED)
    scene.refused(ErrorCode.PAUSED, lambda: venue.deposit(scene.ann, USDC))
    venue.at(901 + 61)
    venue.settle(scene.ann, scene.window)
    venue.settle(scene.bob, scene.window)
    scene.refused(ErrorCode.PAUSED, lambda: venue.distribute(scene.window))
    venue.pause(ACTIVE)
    venue.distribute(scene.window)
    check(venue)


def test_halted_pays_principal_but_no_winnings(scene: Scene) -> None:
    venue = scene.venue
    venue.trade(scene.ann, scene.window, LONG, 2)
    venue.play(60, 901, 70.0)
    venue.finalise(scene.window)
    venue.at(901 + 61)
    venue.settle(scene.ann, scene.window)
    free = venue.get_margin(scene.ann).free_e6
    assert free > 500 * USDC
    venue.pause(HALTED)
    scene.refused(ErrorCode.PAUSED, lambda: venue.withdraw(scene.ann, 500 * USDC + 1))
    venue.withdraw(scene.ann, 500 * USDC)
    scene.refused(ErrorCode.PAUSED, lambda: venue.withdraw(scene.ann, 1))
    venue.pause(ACTIVE)
    venue.withdraw(scene.ann, free - 500 * USDC)
    check(venue)


@pytest.mark.parametrize(
    "change",
    [
        {"delay_ms": 2_999},
        {"delay_ms": 15_001},
        {"order_expiry_ms": 4_999},
        {"order_expiry_ms": 120_001},
        {"fee_e6": 1_000_001},
        {"initial_margin_e6": 9_999_999},
        {"initial_margin_e6": 100_000_001},
        {"lp_bps": 7_001},
        {"cap_pool_bps": 8_001},
        {"cap_match_bps": 8_001},
        {"cap_user_bps": 6_001},
        {"tip_lamports": 10_000_001},
    ],
)
def test_parameters_stay_inside_fixed_limits(scene: Scene, change: dict[str, int]) -> None:
    scene.refused(ErrorCode.BAD_PARAMETER, lambda: scene.venue.set_params(**change))


def test_only_the_authority_sets_parameters_and_operator(scene: Scene) -> None:
    venue = scene.venue
    scene.refused(ErrorCode.NOT_AUTHORITY, lambda: scene.venue.set_params(venue.operator))
    scene.venue.set_params(venue.authority, fee_e6=60_000)
    exchange = m.Exchange.from_account(venue.chain.data(venue.exchange))
    assert exchange.fee_e6 == 60_000
    new = venue.chain.wallet()
    ix = m.ix_set_operator(authority=venue.authority.pubkey(), exchange=venue.exchange, operator=new.pubkey())
    venue.chain.send(ix, venue.authority)
    scene.refused(ErrorCode.NOT_OPERATOR, lambda: venue.open_window(1))
