"""Liquidity moves by request, at marks that favour those who stay."""

from __future__ import annotations

import random

import pytest
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from momentum import pricing
from tests.programs.market_books import assert_empty, check, tokens_everywhere
from tests.programs.market_kit import LONG, SHORT, USDC, Trader, events
from tests.programs.market_scene import FILLED, Scene
from tests.programs.svm import START_UNIX_S, Rejected

DAY_S = 86_400
DELAY_S = 5
HALTED = 3


@pytest.fixture
def scene() -> Scene:
    """Ann is long ten contracts and bob short four, both at about 50."""
    return stakes(Scene.make())


def stakes(scene: Scene) -> Scene:
    """Open the two positions."""
    assert scene.venue.trade(scene.ann, scene.window, LONG, 10).reason == FILLED
    assert scene.venue.trade(scene.bob, scene.window, SHORT, 4).reason == FILLED
    return scene


def later(scene: Scene, x: float = 50.0, seconds: int = DELAY_S + 2) -> None:
    """Let some seconds of play pass and mark the window."""
    scene.venue.tick(scene.venue.now_s + seconds, x)
    scene.venue.mark(scene.window)


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
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))  # half is in the last round only
    venue.mark(half)
    assert venue.get_pool().marked_windows == venue.get_pool().live_windows == 2
    venue.at(venue.now_s + 31)
    scene.refused(ErrorCode.MARKS_MISSING, lambda: venue.execute(request))  # too old by now
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
    venue.mark(half)
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


def test_a_withdrawal_waits_for_its_cooldown_even_when_the_parameter_changes() -> None:
    scene = Scene.make(lp_cooldown_s=DAY_S)
    venue = scene.venue
    request = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 1_000 * USDC))
    venue.set_params(lp_cooldown_s=0)
    scene.refused(ErrorCode.COOLING_DOWN, lambda: venue.execute(request))
    venue.at(venue.now_s + DAY_S - 1)
    scene.refused(ErrorCode.COOLING_DOWN, lambda: venue.execute(request))
    venue.at(venue.now_s + DAY_S)
    assert venue.execute(request).amount_e6 == 1_000 * USDC
    check(venue)
    venue.set_params(lp_cooldown_s=DAY_S)
    venue.add_liquidity(scene.lp, USDC)  # deposits have no cooldown


def test_open_positions_keep_the_liquidity_they_need(scene: Scene) -> None:
    venue = scene.venue
    pool = venue.get_pool()
    keep = pricing.mul_div_ceil(pool.reserved_e6, 10_000, 8_000)
    too_much = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, pool.cash_e6 - keep // 2))
    later(scene)
    scene.refused(ErrorCode.POOL_BUSY, lambda: venue.execute(too_much))
    venue.cancel_request(scene.lp, too_much)
    fits = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, pool.cash_e6 - keep - 60 * USDC))
    later(scene)
    venue.execute(fits)
    check(venue)


def test_the_last_shares_stay_until_no_position_is_open(scene: Scene) -> None:
    venue = scene.venue
    everything = venue.tokens(scene.lp.shares)
    request = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, everything))
    later(scene)
    scene.refused(ErrorCode.LAST_SHARES, lambda: venue.execute(request))
    venue.play(60, 900, 40.0)
    venue.finalise(scene.window)
    venue.at(961)
    for trader in (scene.ann, scene.bob):
        venue.settle(trader, scene.window)
    venue.distribute(scene.window)
    cash = venue.get_pool().cash_e6
    assert venue.execute(request).amount_e6 == cash
    for trader in (scene.ann, scene.bob):
        venue.withdraw(trader, venue.get_margin(trader).free_e6)
    assert_empty(venue)


def test_a_request_can_be_taken_back_under_every_pause(scene: Scene) -> None:
    venue, chain = scene.venue, scene.venue.chain
    everything = tokens_everywhere(venue)
    tokens, shares = venue.tokens(scene.lp.tokens), venue.tokens(scene.lp.shares)
    lamports = chain.account(scene.lp.key.pubkey()).lamports
    deposit = venue.request(scene.lp, venue.ix_request_deposit(scene.lp, 300 * USDC))
    withdrawal = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 200 * USDC))
    assert venue.get_pool().claimable_e6 == 300 * USDC
    assert venue.tokens(pda.lp_escrow(venue.exchange)) == 200 * USDC
    assert chain.account(scene.lp.key.pubkey()).lamports < lamports
    check(venue)
    venue.pause(HALTED)
    back = venue.cancel_request(scene.lp, deposit)
    assert (back.kind, back.amount) == (0, 300 * USDC)
    back = venue.cancel_request(scene.lp, withdrawal)
    assert (back.kind, back.amount) == (1, 200 * USDC)
    check(venue)
    assert (venue.tokens(scene.lp.tokens), venue.tokens(scene.lp.shares)) == (tokens, shares)
    assert chain.account(scene.lp.key.pubkey()).lamports == lamports  # rent and tip too
    assert tokens_everywhere(venue) == everything


def test_only_the_owner_takes_a_request_back_and_only_its_destination_is_paid(scene: Scene) -> None:
    venue = scene.venue
    request = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 200 * USDC))
    scene.refused(ErrorCode.WRONG_OWNER, lambda: venue.cancel_request(scene.ann, request))
    later(scene)
    executor = venue.chain.payer.pubkey()
    stolen = venue.ix_execute_request(request, scene.ann.tokens, scene.lp.key.pubkey(), executor)
    scene.refused(ErrorCode.WRONG_ACCOUNT, lambda: venue.chain.send(stolen))
    rent = venue.ix_execute_request(request, scene.lp.tokens, executor, executor)
    scene.refused(ErrorCode.WRONG_ACCOUNT, lambda: venue.chain.send(rent))
    wrong = venue.ix_request_deposit(scene.lp, USDC, destination=scene.lp.tokens, source=scene.ann.tokens)
    scene.refused(ErrorCode.WRONG_ACCOUNT, lambda: venue.chain.send(wrong, scene.lp.key))
    wrong = venue.ix_request_withdrawal(scene.lp, USDC, destination=scene.ann.shares)
    scene.refused(ErrorCode.WRONG_ACCOUNT, lambda: venue.chain.send(wrong, scene.lp.key))


def test_whoever_executes_gets_the_tip_and_the_payer_the_rent(scene: Scene) -> None:
    venue, chain = scene.venue, scene.venue.chain
    keeper, payer = chain.wallet(), chain.wallet()
    asked = venue.ix_request_deposit(scene.lp, 10 * USDC, payer=payer.pubkey())
    chain.send(asked, scene.lp.key, payer)
    request = pda.lp_request(venue.pool, scene.lp.key.pubkey(), scene.lp.next_request)
    venue.requests.add(request)
    paid = 10_000_000_000 - chain.account(payer.pubkey()).lamports
    later(scene)
    venue.execute(request, keeper)
    assert chain.account(keeper.pubkey()).lamports == 10_000_000_000 + 15_000
    assert chain.account(payer.pubkey()).lamports == 10_000_000_000 - 15_000
    assert paid == 15_000 + chain.svm.minimum_balance_for_rent_exemption(m.LpRequest.SPACE)
    assert chain.svm.get_account(request) is None or not chain.account(request).data


def test_a_minimum_that_is_not_met_leaves_the_request_waiting(scene: Scene) -> None:
    venue = scene.venue
    deposit = venue.request(scene.lp, venue.ix_request_deposit(scene.lp, 10 * USDC, 10 * USDC))
    withdrawal = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 10 * USDC, 10 * USDC))
    later(scene, 30.0)
    scene.refused(ErrorCode.SLIPPAGE, lambda: venue.execute(deposit))
    later(scene, 55.0, 30)
    later(scene, 75.0, 30)
    scene.refused(ErrorCode.SLIPPAGE, lambda: venue.execute(withdrawal))
    check(venue)
    later(scene, 50.0, 30)


def test_amounts_that_move_nothing_are_refused(scene: Scene) -> None:
    venue = scene.venue
    nothing = venue.ix_request_deposit(scene.lp, 0)
    scene.refused(ErrorCode.BAD_AMOUNT, lambda: venue.chain.send(nothing, scene.lp.key))
    for shares in (0, venue.tokens(scene.lp.shares) + 1):
        asked = venue.ix_request_withdrawal(scene.lp, shares)
        scene.refused(ErrorCode.BAD_AMOUNT, lambda ix=asked: venue.chain.send(ix, scene.lp.key))  # type: ignore[misc]
    dust = venue.request(scene.lp, venue.ix_request_deposit(scene.lp, 1))
    later(scene, 30.0)
    scene.refused(ErrorCode.BAD_AMOUNT, lambda: venue.execute(dust))  # a share costs more than one unit


def test_the_pause_matrix_of_liquidity(scene: Scene) -> None:
    venue = scene.venue
    deposit = venue.request(scene.lp, venue.ix_request_deposit(scene.lp, 10 * USDC))
    withdrawal = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 10 * USDC))
    later(scene)
    for level in (1, 2, 3):
        venue.pause(level)
        asked = venue.ix_request_deposit(scene.lp, USDC)
        scene.refused(ErrorCode.PAUSED, lambda ix=asked: venue.chain.send(ix, scene.lp.key))  # type: ignore[misc]
        scene.refused(ErrorCode.PAUSED, lambda: venue.execute(deposit))
    asked = venue.ix_request_withdrawal(scene.lp, USDC)
    scene.refused(ErrorCode.PAUSED, lambda: venue.chain.send(asked, scene.lp.key))
    scene.refused(ErrorCode.PAUSED, lambda: venue.execute(withdrawal))
    venue.pause(2)
    venue.request(scene.lp, asked)
    venue.execute(withdrawal)
    venue.pause(0)
    venue.execute(deposit)
    check(venue)


def test_a_request_of_another_exchange_is_refused(scene: Scene) -> None:
    other = Scene.make()
    request = scene.venue.request(scene.lp, scene.venue.ix_request_deposit(scene.lp, USDC))
    account = scene.venue.chain.account(request)
    other.venue.chain.svm.set_account(request, account)
    other.venue.chain.svm.set_account(scene.lp.shares, scene.venue.chain.account(scene.lp.shares))
    ix = other.venue.ix_execute_request(
        request, scene.lp.shares, scene.lp.key.pubkey(), other.venue.chain.payer.pubkey()
    )
    other.refused(ErrorCode.WRONG_ACCOUNT, lambda: other.venue.chain.send(ix))


def test_a_donation_to_the_vault_robs_no_later_depositor() -> None:
    scene = Scene.make()
    venue = scene.venue
    venue.remove_liquidity(scene.lp, venue.tokens(scene.lp.shares))
    thief, victim = venue.trader(5_000), venue.trader(5_000)
    venue.add_liquidity(thief, 1)
    vault = venue.chain.account(venue.vault)
    data = bytearray(vault.data)
    data[64:72] = (int.from_bytes(data[64:72], "little") + 4_000 * USDC).to_bytes(8, "little")
    venue.chain.svm.set_account(venue.vault, type(vault)(vault.lamports, bytes(data), vault.owner))
    bought = venue.add_liquidity(victim, 1_000 * USDC)
    assert bought.shares == 1_000 * USDC  # cash is what was booked, not what lies in the vault
    assert venue.remove_liquidity(victim, bought.shares).amount_e6 >= 1_000 * USDC - 1


@pytest.mark.parametrize("seed", range(3))
def test_no_deposit_and_no_withdrawal_ever_lowers_the_share_price(seed: int) -> None:
    scene = Scene.make(borrow_kink_bps=5_000, borrow_kink_e12=1_000_000, borrow_max_e12=20_000_000)
    venue, rng = scene.venue, random.Random(seed)
    second = venue.trader(20_000)
    traders = [venue.trader(60_000, 50_000) for _ in range(2)]
    x, moved, refused = 50.0, 0, 0
    while venue.now_s < 820:
        provider = rng.choice((scene.lp, second))
        if rng.random() < 0.5:
            asked = venue.ix_request_deposit(provider, rng.randint(1, 500 * USDC))
        else:
            most = venue.tokens(provider.shares)
            if most == 0:
                continue
            asked = venue.ix_request_withdrawal(provider, rng.randint(1, most))
        request = venue.request(provider, asked)
        x = min(max(x + rng.uniform(-20.0, 20.0), 5.0), 95.0)
        trader, side = rng.choice(traders), rng.choice((LONG, SHORT))
        venue.trade(trader, scene.window, side, rng.randint(1, 5), x=x)
        check(venue)
        if venue.get_pool().live_windows:
            venue.mark(scene.window)
            check(venue)
        before = venue.get_pool().cash_e6
        try:
            done = venue.execute(request)
        except Rejected:
            refused += 1
            venue.cancel_request(provider, request)
        else:
            moved += 1
            price_before = (before + pricing.VIRTUAL_CASH_E6, done.supply_before + pricing.VIRTUAL_SHARES)
            price_after = (done.cash_after + pricing.VIRTUAL_CASH_E6, done.supply_after + pricing.VIRTUAL_SHARES)
            assert price_after[0] * price_before[1] >= price_before[0] * price_after[1], f"I6: {done}"
            assert done.value_e6 >= before if done.deposit else done.value_e6 <= before
        check(venue)
    assert moved >= 30, f"{moved} moved, {refused} refused"


def test_the_units_of_liquidity() -> None:
    scene = stakes(Scene.make())
    venue, chain = scene.venue, scene.venue.chain
    asked = chain.cu(venue.ix_request_deposit(scene.lp, USDC), scene.lp.key)
    request = pda.lp_request(venue.pool, scene.lp.key.pubkey(), 2)
    venue.tick(venue.now_s + 7)
    mark = chain.cu(venue.ix_mark(scene.window))
    payer = chain.payer.pubkey()
    done = chain.cu(venue.ix_execute_request(request, scene.lp.shares, scene.lp.key.pubkey(), payer))
    assert asked <= 20_000  # up to twenty searches for the address of the request
    assert mark <= 4_000
    assert done <= 12_000
    assert events(chain.send(venue.ix_request_withdrawal(scene.lp, USDC, id=9), scene.lp.key))[0].kind == 1
