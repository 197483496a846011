"""Whole lives: from the first deposit to the last withdrawal, books checked after every step."""

from __future__ import annotations

from tests.programs.market_books import assert_empty, check, tokens_everywhere
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Trader, Venue

FILLED = 0


def leave(venue: Venue, lp: Trader) -> None:
    """Withdraw everything everyone has."""
    for trader in venue.traders:
        if free := venue.get_margin(trader).free_e6:
            venue.withdraw(trader, free)
            check(venue)
    venue.remove_liquidity(lp, venue.tokens(lp.shares))
    check(venue)


def test_money_goes_round_and_comes_back_to_the_last_unit() -> None:
    venue = Venue.make()
    lp, ann, bob, keeper = (venue.trader(20_000), *(venue.trader(1_000, 500) for _ in range(3)))
    everything = tokens_everywhere(venue)
    venue.add_liquidity(lp, 10_000 * USDC)
    quarter, half = venue.open_window(0), venue.open_window(6)
    venue.tick(0)
    venue.tick(10)
    check(venue)

    long = venue.trade(ann, quarter, LONG, 10)
    assert (long.reason, long.filled_e6, long.forward_e6) == (FILLED, 10 * USDC, 50_000_000)
    assert long.price_e6 == 50_505_000  # half-spread 0.5, impact 5 of 1,000
    check(venue)
    short = venue.trade(bob, half, SHORT, 4)
    assert (short.reason, short.price_e6) == (FILLED, 49_498_000)
    check(venue)
    closed = venue.trade(ann, quarter, SHORT, 4, flags=REDUCE_ONLY)
    assert (closed.reason, closed.closed_e6) == (FILLED, 4 * USDC)
    assert closed.loss_e6 == 4 * (50_505_000 - closed.price_e6)
    check(venue)

    venue.play(60, 880, 50.0)
    venue.trade(keeper, quarter, SHORT, 1)
    check(venue)
    venue.play(900, 2700, 60.0)
    venue.tick(2760, 60.0, flags=4)
    for window in (quarter, half):
        venue.finalise(window)
    check(venue)
    venue.at(2760 + 61)
    won = venue.settle(ann, quarter)
    assert won.qty_e6 == 6 * USDC
    assert won.payout_e6 == won.collateral_e6 + won.gain_e6 - won.loss_e6
    check(venue)
    venue.settle(keeper, quarter)
    lost = venue.settle(bob, half)
    assert lost.loss_e6 > 0
    check(venue)
    for window in (quarter, half):
        fees = venue.distribute(window)
        assert fees.protocol_e6 == (fees.lp_e6 + fees.insurance_e6 + fees.protocol_e6) * 2 // 10
        check(venue)
    assert venue.tokens(venue.treasury) == 0
    waiting = venue.get_pool().protocol_fees_e6
    assert venue.collect().amount_e6 == waiting
    check(venue)
    leave(venue, lp)
    assert_empty(venue)
    assert tokens_everywhere(venue) == everything
    assert venue.tokens(venue.treasury) == (500_000 + 200_000 + 50_000) // 5 + 200_000 // 5


def test_settlement_is_the_mean_of_the_index_over_the_window() -> None:
    venue = Venue.make()
    lp, ann = venue.trader(20_000), venue.trader(1_000, 500)
    venue.add_liquidity(lp, 10_000 * USDC)
    window = venue.open_window(1)
    venue.play(0, 900, 60.0)
    venue.tick(905, 40.0)
    opened = venue.trade(ann, window, LONG, 2, x=40.0)
    assert opened.reason == FILLED
    venue.play(940, 1350, 40.0)
    venue.play(1351, 1801, 64.0)
    final = venue.finalise(window)
    # 5 s at 60 (the sample of 900 holds), 446 s at 40 until the sample of 1351, then 449 s at 64.
    area = 5 * 60 + 446 * 40 + 449 * 64
    assert (final.state, final.settlement_e6) == (1, area * 1_000_000 // 900)
    venue.at(1801 + 61)
    settled = venue.settle(ann, window)
    value = settled.qty_e6 * final.settlement_e6 // 1_000_000
    assert settled.gain_e6 == value - settled.entry_cost_e6
    check(venue)


def test_a_window_of_both_halves_ignores_added_time() -> None:
    venue = Venue.make()
    lp, ann, bob = venue.trader(20_000), venue.trader(1_000, 500), venue.trader(1_000, 500)
    venue.add_liquidity(lp, 10_000 * USDC)
    full, late = venue.open_window(8), venue.open_window(5)
    venue.play(0, 2690, 40.0)
    first = venue.trade(ann, full, LONG, 1, x=40.0)
    early = venue.trade(bob, late, SHORT, 1, x=40.0)
    assert (first.forward_e6, early.forward_e6) == (40_000_000, 40_000_000)
    assert early.price_e6 == 40_000_000 - 600_000 - 500  # before its opening: half-spread 0.6
    venue.play(2720, 2880, 64.0)  # three minutes of added time
    venue.tick(2881, 64.0, flags=4)
    venue.play(0, 2700, 60.0, period=2)
    assert venue.finalise(full).settlement_e6 == 50_000_000
    assert venue.finalise(late).settlement_e6 == 60_000_000
    venue.at(venue.now_s + 61)
    venue.settle(ann, full)
    assert venue.settle(bob, late).loss_e6 > 0
    check(venue)


def test_settlement_order_does_not_matter() -> None:
    balances = []
    for order in ((0, 1, 2), (2, 0, 1)):
        venue = Venue.make()
        lp = venue.trader(20_000)
        crowd = [venue.trader(1_000, 500) for _ in range(3)]
        venue.add_liquidity(lp, 10_000 * USDC)
        window = venue.open_window(0)
        venue.tick(0)
        for i, trader in enumerate(crowd):
            venue.trade(trader, window, (LONG, SHORT, LONG)[i], 3 + i)
        venue.play(60, 900, 55.0)
        venue.finalise(window)
        venue.at(961)
        for i in order:
            venue.settle(crowd[i], window)
            check(venue)
        balances.append([venue.get_margin(trader).free_e6 for trader in crowd])
    assert balances[0] == balances[1]


def test_shares_never_lose_by_others_coming_and_going() -> None:
    venue = Venue.make()
    one, two = venue.trader(20_000), venue.trader(20_000)
    venue.add_liquidity(one, 1_000 * USDC + 7)
    price = []
    for amount in (333_333_333, 1_000_001, 12_345):
        before = venue.tokens(venue.vault) * 10**12 // venue.supply()
        event = venue.add_liquidity(two, amount)
        after = venue.tokens(venue.vault) * 10**12 // venue.supply()
        assert after >= before
        price.append(venue.remove_liquidity(two, event.shares // 2).amount_e6)
        assert venue.tokens(venue.vault) * 10**12 // venue.supply() >= after
        check(venue)
    assert sum(price) <= 333_333_333 + 1_000_001 + 12_345
    venue.remove_liquidity(two, venue.tokens(two.shares))
    venue.remove_liquidity(one, venue.tokens(one.shares))
    assert_empty(venue)
