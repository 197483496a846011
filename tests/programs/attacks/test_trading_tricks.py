"""Attacks with orders alone: chosen order of cranks, free looks, wash trades, straddles, sybils, the last second."""

from __future__ import annotations

import itertools

import pytest

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Trader, Venue
from tests.programs.market_scene import CAP, FILLED, LIMIT, SUSPEND, Scene

LIMITS = (50_502_000, 50_506_000, 50_510_000)
"""For three buyers of 4 contracts at K 1000: the first pays 50.502, the second 50.506, the third 50.510."""


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_cranker_chooses_who_is_filled_first_but_never_beyond_a_limit(order: tuple[int, ...]) -> None:
    """Impact follows the order of cranks, which is the cranker's to choose. A limit caps what that can cost anybody."""
    scene = Scene.make()
    venue = scene.venue
    people = (scene.ann, scene.bob, venue.trader(1_000, 500))
    ids = [venue.submit(t, scene.window, LONG, 4, limit_e6=e) for t, e in zip(people, LIMITS, strict=True)]
    venue.tick(17)
    filled = 0
    for who in order:
        event = venue.crank(people[who], ids[who])
        assert event.reason in (FILLED, LIMIT)
        assert event.price_e6 <= LIMITS[who]
        filled += event.reason == FILLED
        check(venue)
    assert filled == (3 if order == (0, 1, 2) else filled)
    assert filled >= 1


def test_whoever_lets_a_losing_order_lie_is_filled_by_a_stranger_for_the_tip() -> None:
    """A free look: order, watch, and crank only if it went well. Anybody may crank, at the same determined sample."""
    scene = Scene.make()
    venue = scene.venue
    order = venue.submit(scene.ann, scene.window, LONG, 5)
    for second in range(11, 18):
        venue.tick(second, 50.0)
    for second in range(18, 60):
        venue.tick(second, 40.0)
    stranger = venue.chain.wallet()
    before = venue.chain.account(stranger.pubkey()).lamports
    event = venue.crank(scene.ann, order, cranker=stranger)
    assert (event.reason, event.forward_e6) == (FILLED, 50_000_000)
    assert venue.chain.account(stranger.pubkey()).lamports == before + 15_000
    check(venue)


def test_trading_with_oneself_for_fees_loses_even_to_the_owner_of_the_whole_pool() -> None:
    """He owns all shares, so the pool's gains are his: wash trades still cost him what protocol and insurance take."""
    scene = Scene.make()
    venue = scene.venue
    treasury = venue.tokens(venue.treasury)
    wealth = wealth_of(venue)
    for _ in range(3):
        venue.trade(scene.ann, scene.window, LONG, 5)
        venue.trade(scene.bob, scene.window, SHORT, 5)
        venue.trade(scene.ann, scene.window, SHORT, 5, flags=REDUCE_ONLY)
        venue.trade(scene.bob, scene.window, LONG, 5, flags=REDUCE_ONLY)
    venue.play(120, 900)
    venue.finalise(scene.window)
    venue.at(venue.now_s + 61)
    for trader in (scene.ann, scene.bob):
        venue.settle(trader, scene.window)
    split = venue.distribute(scene.window)
    venue.collect()
    fees = split.lp_e6 + split.insurance_e6 + split.protocol_e6
    assert fees == 12 * 5 * 50_000
    assert wealth - wealth_of(venue) == split.insurance_e6 + split.protocol_e6 > 0
    assert venue.tokens(venue.treasury) - treasury == split.protocol_e6
    check(venue)


def wealth_of(venue: Venue) -> int:
    """All that belongs to the people of a scene together: margins, and the pool through its shares."""
    return sum(venue.get_margin(t).free_e6 for t in venue.traders) + venue.get_pool().cash_e6


def settle_all(venue: Venue, window: object, *traders: Trader) -> None:
    """Finalise after the last sample and pay."""
    venue.finalise(window)  # type: ignore[arg-type]
    venue.at(venue.now_s + 61)
    for trader in traders:
        venue.settle(trader, window)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [1, 5, 10])
def test_bribing_the_feed_for_the_last_seconds_moves_the_mean_by_their_share_only(seconds: int) -> None:
    """All publishers are bribed for d seconds before the end: settlement moves by at most 100 d / W points."""
    settled = []
    for bribed in (False, True):
        scene = Scene.make()
        venue = scene.venue
        venue.play(60, 899 - seconds, 50.0)
        for n, second in enumerate(range(900 - seconds, 900)):
            venue.tick(second, min(100.0, 75.0 + 25 * n) if bribed else 50.0)
        venue.tick(900, 100.0 if bribed else 50.0)
        settled.append(venue.finalise(scene.window).settlement_e6)
    moved = settled[1] - settled[0]
    assert 0 < moved <= 100_000_000 * seconds // 900


def test_an_order_for_the_last_seconds_comes_too_late() -> None:
    """Whoever knows of the bribe cannot buy into it: the last commit is 20 s before the end."""
    scene = Scene.make()
    venue = scene.venue
    venue.play(60, 880, 50.0)
    assert venue.trade(scene.ann, scene.window, LONG, 1).reason == FILLED
    scene.refused(ErrorCode.WINDOW_CLOSING, lambda: venue.submit(scene.bob, scene.window, LONG, 1))


@pytest.mark.parametrize(("to", "pool_loses"), [(61.0, False), (90.0, True)])
def test_a_straddle_across_a_goal_costs_the_pool_what_the_jump_exceeds_the_margin_by(
    to: float, pool_loses: bool
) -> None:
    """Long in one account, short in another, and a goal nobody can close across.

    The loser's loss ends at its margin, the winner's gain does not: the pool pays the difference. A jump as large as
    those measured (11.5 points at most) leaves it with two spreads gained; only one beyond the margin costs it, and
    then by the excess, which the reservation holds.
    """
    scene = Scene.make()
    venue = scene.venue
    cash = venue.get_pool().cash_e6
    up = venue.trade(scene.ann, scene.window, LONG, 10)
    down = venue.trade(scene.bob, scene.window, SHORT, 10)
    x = 50.0
    while x < to:  # the oracle refuses more than 25 points a tick
        x = min(to, x + 24)
        venue.tick(venue.now_s + 1, x, flags=SUSPEND)
    venue.tick(venue.now_s + 1, to)
    start = venue.now_s
    if pool_loses:
        venue.liquidate(scene.bob, scene.window, scene.lp)
    out = venue.submit(scene.ann, scene.window, SHORT, 10, flags=REDUCE_ONLY)
    venue.tick(start + 7, to)
    closed = venue.crank(scene.ann, out)
    if not pool_loses:
        back = venue.submit(scene.bob, scene.window, LONG, 10, flags=REDUCE_ONLY)
        venue.tick(start + 15, to)
        venue.crank(scene.bob, back)
    lost = cash - venue.get_pool().cash_e6
    excess = (closed.price_e6 - down.price_e6) * 10 - 15 * 10 * USDC
    assert (lost > 0) == pool_loses, f"pool lost {lost}"
    assert lost <= max(0, excess)
    assert lost <= 10 * (100_000_000 - up.price_e6), "never more than what was reserved"
    assert venue.get_pool().reserved_e6 == 0
    check(venue)


def test_a_crowd_of_accounts_meets_the_cap_of_the_match() -> None:
    """One user is capped at 2 % of cash, so he comes with many accounts: the match stops them at 20 % together."""
    scene = Scene.make(cap_user_bps=200, cap_match_bps=2_000)
    venue = scene.venue
    cash = venue.get_pool().cash_e6
    alone = [venue.trade(scene.ann, scene.window, LONG, 2).reason for _ in range(3)]
    assert alone == [FILLED, FILLED, CAP], "2 % of 10,000 USDC are two times 2 contracts"
    reasons = []
    for _ in range(12):
        sybil = venue.trader(1_000, 500)
        reasons.append(venue.trade(sybil, scene.window, LONG, 4).reason)
        check(venue)
    assert reasons[0] == FILLED
    assert reasons[-1] == CAP, "the crowd has met the match's cap"
    assert venue.get_pool().reserved_e6 <= cash * 2_000 // 10_000


def test_the_same_order_sent_twice_can_never_fill_twice() -> None:
    """A relayer replays a signed order after its end under a fresh blockhash: its client id is spent."""
    scene = Scene.make()
    venue = scene.venue
    first = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(17)
    venue.crank(scene.ann, first)
    address = pda.order(scene.ann.margin, first)
    gone = venue.chain.svm.get_account(address)
    assert gone is None or not gone.data, "the order's account is free again, and yet"
    again = venue.ix_submit(scene.ann, scene.window, LONG, 1, client_id=first)
    venue.chain.clock(venue.chain.unix_s)
    scene.refused(m.ErrorCode.CLIENT_ID_USED, lambda: venue.chain.send(again, scene.ann.key))
