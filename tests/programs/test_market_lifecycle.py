"""Custom windows, and the end of windows and markets: nothing is left, the rent goes back."""

from __future__ import annotations

import pytest
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from chain.clients import oracle
from chain.clients.market import ErrorCode
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, SHORT, USDC, Venue
from tests.programs.market_scene import FILLED, Scene
from tests.programs.svm import Rejected
from tests.programs.test_market_dispute import appoint_guardian, challenge, void

OTHERS = Keypair()


def open_custom(venue: Venue, window_id: int, first: int, last: int) -> Pubkey:
    """Open a window over the minutes `first` to `last` of the match."""
    address = pda.window(venue.market, window_id)
    ix = m.ix_open_custom_window(
        operator=venue.operator.pubkey(),
        payer=venue.chain.payer.pubkey(),
        exchange=venue.exchange,
        market=venue.market,
        feed=venue.feed,
        window=address,
        window_id=window_id,
        from_minute=first,
        to_minute=last,
        k_e6=1_000 * USDC,
    )
    venue.chain.send(ix, venue.operator)
    venue.windows[window_id] = address
    return address


def close_window(venue: Venue, window: Pubkey, receiver: Pubkey | None = None) -> None:
    """Close a window; its rent goes to who paid it."""
    to = receiver or venue.get_window(window).rent_receiver
    venue.chain.send(m.ix_close_window(market=venue.market, window=window, rent_receiver=to))
    venue.windows = {i: address for i, address in venue.windows.items() if address != window}


def close_market(venue: Venue, receiver: Pubkey | None = None, feed: Pubkey | None = None) -> None:
    """Close the market; its rent goes to who paid it."""
    to = receiver or venue.chain.payer.pubkey()
    venue.chain.send(m.ix_close_market(market=venue.market, feed=feed or venue.feed, rent_receiver=to))


def finalise_feed(venue: Venue) -> None:
    """End the match for the oracle."""
    ix = oracle.ix_finalise_feed(operator=venue.operator.pubkey(), config=venue.config, feed=venue.feed)
    venue.chain.send(ix, venue.operator)


def lamports(venue: Venue, address: Pubkey) -> int:
    """Return a balance; 0 for an account that is gone."""
    found = venue.chain.svm.get_account(address)
    return found.lamports if found else 0


@pytest.fixture
def scene() -> Scene:
    """Ann was long two contracts of a window that is final and paid out, fees distributed."""
    scene = Scene.make()
    played(scene)
    return scene


def played(scene: Scene) -> None:
    """Trade, settle and split the fees."""
    venue = scene.venue
    assert venue.trade(scene.ann, scene.window, LONG, 2).reason == FILLED
    venue.play(60, 900, 60.0)
    venue.finalise(scene.window)
    venue.at(961)
    venue.settle(scene.ann, scene.window)
    venue.distribute(scene.window)


def test_a_treasury_that_cannot_be_paid_holds_up_neither_fees_nor_the_end_of_a_window() -> None:
    scene = Scene.make()
    venue = scene.venue
    good = venue.chain.account(venue.treasury)
    frozen = bytearray(good.data)
    frozen[108] = 2
    venue.chain.svm.set_account(venue.treasury, Account(good.lamports, bytes(frozen), good.owner))
    played(scene)
    pool = venue.get_pool()
    assert pool.protocol_fees_e6 == 2 * 50_000 * 2_000 // 10_000
    check(venue)
    close_window(venue, scene.window)
    with pytest.raises(Rejected):
        venue.collect()
    assert venue.get_pool() == pool
    venue.chain.svm.set_account(venue.treasury, good)
    assert venue.collect().amount_e6 == pool.protocol_fees_e6 == venue.tokens(venue.treasury)
    assert venue.get_pool().protocol_fees_e6 == 0
    with pytest.raises(Rejected) as caught:
        venue.collect()
    assert caught.value.code == ErrorCode.NOTHING_TO_COLLECT


def test_a_custom_window_settles_on_the_mean_of_its_own_minutes() -> None:
    venue = Venue.make()
    lp, ann, bob = venue.trader(20_000), venue.trader(1_000, 500), venue.trader(1_000, 500)
    venue.add_liquidity(lp, 10_000 * USDC)
    middle, late = open_custom(venue, 9, 20, 32), open_custom(venue, 15, 50, 90)
    opened = venue.get_window(late)
    assert (opened.start_ms, opened.end_ms, opened.w_ms) == (50 * 60_000, 90 * 60_000, 40 * 60_000)
    venue.play(0, 1200, 40.0)
    assert venue.trade(ann, middle, LONG, 2, x=40.0).reason == FILLED
    assert venue.trade(bob, late, SHORT, 1, x=40.0).reason == FILLED
    venue.play(1230, 1560, 40.0)
    venue.play(1561, 1920, 64.0)
    # 361 s at 40 and 359 s at 64.
    assert venue.finalise(middle).settlement_e6 == (361 * 40 + 359 * 64) * 1_000_000 // 720
    venue.tick(2760, 50.0, flags=4)
    venue.play(0, 2699, 55.0, period=2)
    with pytest.raises(Rejected) as early:
        venue.finalise(late)
    assert early.value.code == ErrorCode.WINDOW_NOT_ENDED
    venue.tick(2700, 55.0, period=2)
    assert venue.finalise(late).settlement_e6 == 55_000_000
    venue.at(venue.now_s + 61)
    assert venue.settle(ann, middle).qty_e6 == 2 * USDC
    assert venue.settle(bob, late).loss_e6 > 0
    check(venue)


@pytest.mark.parametrize(
    ("window_id", "first", "last"),
    [(8, 0, 20), (16, 0, 20), (9, 0, 9), (9, 36, 45 + 1), (9, 40, 50), (9, 80, 91), (9, 20, 20), (9, 20, 10)],
)
def test_a_custom_window_has_an_id_of_its_own_and_ten_minutes_or_more_of_one_half(
    window_id: int, first: int, last: int
) -> None:
    scene = Scene.make()
    scene.refused(ErrorCode.BAD_PARAMETER, lambda: open_custom(scene.venue, window_id, first, last))


@pytest.mark.parametrize(("first", "last"), [(0, 10), (35, 45), (45, 55), (80, 90), (0, 45), (45, 90)])
def test_the_shortest_and_the_longest_custom_windows_open(first: int, last: int) -> None:
    venue = Scene.make().venue
    window = venue.get_window(open_custom(venue, 9, first, last))
    assert (window.start_ms // 60_000, window.end_ms // 60_000, window.w_ms) == (first, last, (last - first) * 60_000)


def test_only_the_operator_opens_custom_windows() -> None:
    scene = Scene.make()
    scene.venue.operator = OTHERS
    scene.venue.chain.svm.airdrop(OTHERS.pubkey(), 10**9)
    scene.refused(ErrorCode.NOT_OPERATOR, lambda: open_custom(scene.venue, 9, 0, 20))


def test_an_empty_window_gives_its_rent_to_who_paid_it(scene: Scene) -> None:
    venue = scene.venue
    rent = lamports(venue, scene.window)
    receiver = venue.get_window(scene.window).rent_receiver
    assert receiver == venue.chain.payer.pubkey()
    scene.refused(ErrorCode.WRONG_ACCOUNT, lambda: close_window(venue, scene.window, OTHERS.pubkey()))
    before = lamports(venue, receiver)
    close_window(venue, scene.window)
    assert lamports(venue, receiver) == before + rent - 5_000  # the receiver also pays the transaction
    assert lamports(venue, scene.window) == 0
    market = m.Market.from_account(venue.chain.data(venue.market))
    assert (market.windows, market.closed) == (1, 1)


def test_a_window_closes_only_after_its_fees_are_distributed() -> None:
    scene = Scene.make()
    venue = scene.venue
    scene.refused(ErrorCode.FEES_NOT_DONE, lambda: close_window(venue, scene.window))
    assert venue.trade(scene.ann, scene.window, LONG, 2).reason == FILLED
    venue.play(60, 900, 60.0)
    venue.finalise(scene.window)
    venue.at(961)
    venue.settle(scene.ann, scene.window)
    scene.refused(ErrorCode.FEES_NOT_DONE, lambda: close_window(venue, scene.window))


def test_a_window_stays_until_the_bond_of_its_challenge_is_resolved() -> None:
    scene = Scene.make(challenge_bond_e6=50 * USDC, challenge_ms=120_000)
    venue = scene.venue
    appoint_guardian(venue)
    venue.play(60, 900, 60.0)
    venue.finalise(scene.window)
    challenge(venue, scene.window, scene.bob)
    void(venue, scene.window)
    venue.distribute(scene.window)
    scene.refused(ErrorCode.CHALLENGE_OPEN, lambda: close_window(venue, scene.window))
    venue.chain.send(
        m.ix_resolve_challenge(
            exchange=venue.exchange,
            pool=venue.pool,
            window=scene.window,
            vault=venue.vault,
            destination=scene.bob.tokens,
        )
    )
    close_window(venue, scene.window)
    check(venue)


def test_a_closed_id_does_not_return() -> None:
    scene = Scene.make()
    venue = scene.venue
    custom = open_custom(venue, 9, 0, 15)
    venue.play(60, 900, 60.0)
    venue.finalise(custom)
    venue.at(961)
    venue.distribute(custom)
    close_window(venue, custom)
    scene.refused(ErrorCode.WINDOW_ID_USED, lambda: open_custom(venue, 9, 20, 40))
    open_custom(venue, 10, 20, 40)


def test_a_market_closes_after_its_match_and_its_windows(scene: Scene) -> None:
    venue = scene.venue
    scene.refused(ErrorCode.MATCH_RUNNING, lambda: close_market(venue))
    venue.tick(0, 60.0, period=2, flags=4)
    finalise_feed(venue)
    scene.refused(ErrorCode.WINDOWS_LEFT, lambda: close_market(venue))
    close_window(venue, scene.window)
    scene.refused(ErrorCode.WRONG_ACCOUNT, lambda: close_market(venue, OTHERS.pubkey()))
    scene.refused(ErrorCode.WRONG_FEED, lambda: close_market(venue, feed=OTHERS.pubkey()))
    rent, before = lamports(venue, venue.market), lamports(venue, venue.chain.payer.pubkey())
    close_market(venue)
    assert lamports(venue, venue.chain.payer.pubkey()) == before + rent - 5_000
    assert lamports(venue, venue.market) == 0


def test_a_market_closes_when_its_feed_has_gone(scene: Scene) -> None:
    venue = scene.venue
    close_window(venue, scene.window)
    venue.tick(0, 60.0, period=2, flags=4)
    finalise_feed(venue)
    venue.at(2760 + 40 * 86_400)
    receiver = venue.get_feed().rent_receiver
    ix = oracle.ix_close_feed(
        operator=venue.operator.pubkey(), config=venue.config, rent_receiver=receiver, feed=venue.feed
    )
    venue.chain.send(ix, venue.operator)
    close_market(venue)
    assert lamports(venue, venue.market) == 0


def test_closing_costs_little(scene: Scene) -> None:
    venue = scene.venue
    receiver = venue.chain.payer.pubkey()
    assert venue.chain.cu(m.ix_close_window(market=venue.market, window=scene.window, rent_receiver=receiver)) <= 2_500
    venue.tick(0, 60.0, period=2, flags=4)
    finalise_feed(venue)
    assert venue.chain.cu(m.ix_close_market(market=venue.market, feed=venue.feed, rent_receiver=receiver)) <= 2_500
