"""Liquidity moves by request: when, for whom, at what price; `test_market_marks.py` has the marks it moves at."""

from __future__ import annotations

import random

import pytest

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from momentum import pricing
from tests.programs.market_books import assert_empty, check, tokens_everywhere
from tests.programs.market_kit import LONG, SHORT, USDC, events
from tests.programs.market_scene import Scene, later, stakes
from tests.programs.svm import Rejected

DAY_S = 86_400
HALTED = 3


@pytest.fixture
def scene() -> Scene:
    """Ann is long ten contracts and bob short four, both at about 50."""
    return stakes(Scene.make())


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
    venue.collect()
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
    scene.refused(ErrorCode.REQUEST_ALIVE, lambda: venue.cancel_request(scene.lp, request, scene.ann.key))
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
    scene.refused(ErrorCode.TOO_SMALL, lambda: venue.execute(dust))  # a share costs more than one unit


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
