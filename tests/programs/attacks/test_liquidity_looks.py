"""Attacks with requests for liquidity: kept back until the goal is known, carried out at a price from before it."""

from __future__ import annotations

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_base import token_account
from tests.programs.market_books import check, tokens_everywhere
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Trader, Venue
from tests.programs.market_scene import FILLED, SUSPEND, Scene, later, stakes
from tests.programs.svm import Rejected

LIFE_S = 8 * 3_600


def shut(venue: Venue, address: Pubkey) -> None:
    """Close a token account."""
    venue.chain.svm.set_account(address, Account(0, b"", Pubkey.default()))


def reopen(venue: Venue, trader: Trader) -> None:
    """Create the trader's share account again."""
    venue.chain.svm.set_account(trader.shares, token_account(venue.lp_mint, trader.key.pubkey()))


@pytest.fixture
def scene() -> Scene:
    """Ann is long ten contracts and bob short four, both at about 50."""
    return stakes(Scene.make())


def test_who_closes_his_account_does_not_stop_a_withdrawal_that_he_wants_to_keep_as_a_way_out() -> None:
    """He asks early, names an account and closes it: no keeper should be able to pay him, until he likes it.

    The first keeper carries the request out all the same, and it holds his money. When the goal comes he has nothing
    left to decide: he gets what he was worth before, and the others lose what is theirs to lose.
    """
    venue = Venue.make(lp_cooldown_s=0)
    honest, eve = venue.trader(20_000), venue.trader(20_000)
    for provider in (honest, eve):
        venue.add_liquidity(provider, 10_000 * USDC)
    window, bob = venue.open_window(0), venue.trader(10_000, 5_000)
    venue.tick(0)
    venue.tick(10)
    assert venue.trade(bob, window, LONG, 100).reason == FILLED
    spare = Pubkey.new_unique()
    venue.chain.svm.set_account(spare, token_account(venue.mint, eve.key.pubkey()))
    asked = venue.ix_request_withdrawal(eve, venue.tokens(eve.shares), destination=spare)
    request = venue.request(eve, asked)
    shut(venue, spare)
    everything = tokens_everywhere(venue)
    venue.play(30, 110)
    venue.mark(window)
    keeper = venue.chain.wallet()
    done = venue.execute(request, keeper)
    assert (done.held, venue.chain.account(keeper.pubkey()).lamports) == (1, 10_000_000_000 + 15_000)
    held = m.LpRequest.from_account(venue.chain.data(request))
    assert (held.held, held.kind, held.amount, held.tip_lamports) == (1, 0, done.amount_e6, 0)
    check(venue)
    venue.tick(115, 70.0, flags=SUSPEND)
    venue.chain.clock(venue.chain.unix_s)
    with pytest.raises(Exception, match=hex(ErrorCode.REQUEST_OVER)[2:]):
        venue.execute(request)
    back = venue.cancel_request(eve, request)
    assert (back.kind, back.amount) == (0, done.amount_e6)
    assert tokens_everywhere(venue) == everything
    check(venue)


def test_a_deposit_kept_back_until_the_goal_buys_nothing_at_the_price_before_it(scene: Scene) -> None:
    """Her share account is closed: keepers carry the deposit out as soon as they can, and the shares wait for her."""
    venue = scene.venue
    eve = venue.trader(200_000)
    request = venue.request(eve, venue.ix_request_deposit(eve, 100_000 * USDC))
    shut(venue, eve.shares)
    later(scene)
    done = venue.execute(request)
    assert done.held == 1
    assert venue.tokens(pda.lp_escrow(venue.exchange)) == done.shares
    check(venue)
    reopen(venue, eve)
    assert venue.cancel_request(eve, request).kind == 1
    assert venue.tokens(eve.shares) == done.shares
    check(venue)


def test_a_destination_of_another_mint_or_a_frozen_one_stops_nobody(scene: Scene) -> None:
    """The address stays the same, what lies there does not."""
    venue = scene.venue
    eve = venue.trader(2_000)
    for bad in ("mint", "frozen"):
        request = venue.request(eve, venue.ix_request_deposit(eve, 100 * USDC))
        account = token_account(venue.mint if bad == "mint" else venue.lp_mint, eve.key.pubkey())
        data = bytearray(account.data)
        data[108] = 2 if bad == "frozen" else 1
        venue.chain.svm.set_account(eve.shares, Account(account.lamports, bytes(data), account.owner))
        later(scene)
        assert venue.execute(request).held == 1
        reopen(venue, eve)
        venue.cancel_request(eve, request)
        check(venue)


def test_no_liquidity_moves_at_marks_from_before_a_goal(scene: Scene) -> None:
    """Every window was marked a second ago, and then the feed is suspended: those marks are worth nothing."""
    venue = scene.venue
    requests = [
        venue.request(scene.lp, ask(scene.lp, 100 * USDC))
        for ask in (venue.ix_request_withdrawal, venue.ix_request_deposit)
    ]
    later(scene)
    venue.tick(venue.now_s + 1, 70.0, flags=SUSPEND)
    for request in requests:
        scene.refused(ErrorCode.MARKS_MISSING, lambda r=request: venue.execute(r))  # type: ignore[misc]
    scene.refused(ErrorCode.SUSPENDED, lambda: venue.mark(scene.window))
    venue.tick(venue.now_s + 30, 70.0)
    for request in requests:
        scene.refused(ErrorCode.MARKS_MISSING, lambda r=request: venue.execute(r))  # type: ignore[misc]
    venue.mark(scene.window)
    for request in requests:
        venue.execute(request)
    check(venue)


def test_a_request_is_no_way_out_for_ever(scene: Scene) -> None:
    """It is too large to be carried out, and he keeps it for the day when he needs it: an hour later it is dead.

    Anybody ends it for the tip, to an account of its owner and nowhere else.
    """
    venue = scene.venue
    pool = venue.get_pool()
    asked = venue.ix_request_withdrawal(scene.lp, pool.cash_e6 - pool.reserved_e6)
    request = venue.request(scene.lp, asked)
    start = venue.chain.unix_s
    keeper, shares = venue.chain.wallet(), venue.tokens(scene.lp.shares)
    later(scene)
    scene.refused(ErrorCode.POOL_BUSY, lambda: venue.execute(request))
    venue.chain.clock(start + LIFE_S - 1)
    scene.refused(ErrorCode.REQUEST_ALIVE, lambda: venue.cancel_request(scene.lp, request, keeper))
    venue.chain.clock(start + LIFE_S)
    scene.refused(ErrorCode.REQUEST_OVER, lambda: venue.execute(request))
    thief = scene.ann.shares
    stolen = {"destination": thief}
    scene.refused(ErrorCode.WRONG_RECEIVER, lambda: venue.cancel_request(scene.lp, request, keeper, **stolen))
    venue.cancel_request(scene.lp, request, keeper)
    assert venue.tokens(scene.lp.shares) == shares + pool.cash_e6 - pool.reserved_e6
    assert venue.chain.account(keeper.pubkey()).lamports == 10_000_000_000 + 15_000
    check(venue)


def test_a_held_result_is_its_owners_alone_however_long_it_waits(scene: Scene) -> None:
    """Nobody else may end what was carried out, not even to his account."""
    venue = scene.venue
    eve, keeper = venue.trader(2_000), venue.chain.wallet()
    request = venue.request(eve, venue.ix_request_deposit(eve, 100 * USDC))
    shut(venue, eve.shares)
    later(scene)
    venue.execute(request)
    reopen(venue, eve)
    venue.chain.clock(venue.chain.unix_s + 2 * LIFE_S)
    scene.refused(ErrorCode.REQUEST_ALIVE, lambda: venue.cancel_request(eve, request, keeper))
    venue.cancel_request(eve, request)
    check(venue)


def test_a_side_that_was_closed_after_the_mark_takes_its_mark_along(scene: Scene) -> None:
    """Between the mark and the execution of one slot nothing is counted that is no longer there."""
    venue = scene.venue
    request = venue.request(scene.lp, venue.ix_request_withdrawal(scene.lp, 100 * USDC))
    orders = [venue.submit(t, scene.window, side, 10) for t, side in ((scene.ann, SHORT), (scene.bob, LONG))]
    later(scene, 60.0)
    for trader, order in zip((scene.ann, scene.bob), orders, strict=True):
        venue.crank(trader, order)
    assert venue.get_pool().live_windows == 0
    venue.execute(request)
    check(venue)


@pytest.mark.parametrize("kind", ["withdrawal", "deposit"])
def test_a_mark_does_not_outlive_a_fill_of_its_slot(kind: str) -> None:
    """Gains and losses net within a side: whoever realised one half between mark and execution took from the others."""
    s = Scene.make()
    venue = s.venue
    venue.tick(20, 30.0)
    assert venue.trade(s.bob, s.window, LONG, 12, x=30.0).reason == FILLED
    venue.tick(venue.now_s + 3, 50.0)
    venue.tick(venue.now_s + 3, 70.0)
    assert venue.trade(s.ann, s.window, LONG, 12, x=70.0, collateral_e6=450 * USDC).reason == FILLED
    venue.tick(venue.now_s + 3, 50.0)
    ask = venue.ix_request_withdrawal if kind == "withdrawal" else venue.ix_request_deposit
    request = venue.request(s.lp, ask(s.lp, 5_000 * USDC))
    closing = s.ann if kind == "withdrawal" else s.bob
    order_id = venue.submit(closing, s.window, SHORT, 12, flags=REDUCE_ONLY)
    venue.tick(venue.now_s + 8, 50.0)
    wish = m.LpRequest.from_account(venue.chain.data(request))
    execute = venue.ix_execute_request(request, wish.destination, wish.rent_payer, venue.chain.payer.pubkey())
    address = pda.order(closing.margin, order_id)
    order = m.Order.from_account(venue.chain.data(address))
    crank = venue.ix_crank(address, order, venue.chain.payer.pubkey(), venue.ripe_index(order))
    with pytest.raises(Rejected) as caught:
        venue.chain.send([venue.ix_mark(s.window), crank, execute])
    assert caught.value.code == ErrorCode.MARKS_MISSING
    venue.chain.send([venue.ix_mark(s.window), crank, venue.ix_mark(s.window), execute])
    venue.orders.discard(address)
    venue.requests.discard(request)
    check(venue)
