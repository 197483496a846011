"""Many orders of several accounts at one sample: whoever ends where he began has paid, whatever the way.

Orders of one sample are filled in the order in which somebody cranks them, so the way through the price curve is the
attacker's to choose. Near a window's end the envelope is narrow, and a price that was clamped as a whole would be
cheaper in pieces than at once.
"""

from __future__ import annotations

import random

import pytest

from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Trader, Venue

CONF_E4 = 3_500
LATE_S = 7


def venue_near_the_end(left_s: int, k: int) -> tuple[Venue, int, int]:
    """A venue with deep liquidity, the second before the orders, and what the pool has."""
    venue = Venue.make(cap_pool_bps=8_000, cap_match_bps=2_000, cap_user_bps=200)
    venue.add_liquidity(venue.trader(30_000_000), 5_000_000 * USDC)
    venue.open_window(0, k=k)
    commit = 900 - left_s - LATE_S
    for second in range(0, commit, 30):
        venue.tick(second, conf_e4=CONF_E4)
    venue.tick(commit, conf_e4=CONF_E4)
    return venue, commit, int(venue.get_pool().cash_e6)


def free_e6(venue: Venue, traders: list[Trader]) -> int:
    """Money of all of them."""
    return sum(int(venue.get_margin(trader).free_e6) for trader in traders)


@pytest.mark.parametrize("left_s", [60, 120, 240])
def test_ten_small_purchases_and_one_large_sale_across_the_envelope_lose_money(left_s: int) -> None:
    venue, commit, cash = venue_near_the_end(left_s, 80)
    window, eve = venue.windows[0], venue.trader(2_000_000, 1_000_000)
    before = free_e6(venue, [eve])
    half_spread = {60: 0.1, 120: 0.2, 240: 0.3}[left_s]
    each = round(2 * (100 * left_s / 900 / 2 + CONF_E4 / 1e4 + half_spread) * 80 / 10, 6)
    orders = [venue.submit(eve, window, LONG, each) for _ in range(10)]
    orders.append(venue.submit(eve, window, SHORT, round(10 * each, 6), flags=REDUCE_ONLY))
    venue.tick(commit + LATE_S, conf_e4=CONF_E4)
    assert [venue.crank(eve, order).reason for order in orders] == [0] * 11
    check(venue)
    assert venue.get_position(eve, window).qty_e6 == 0
    assert free_e6(venue, [eve]) < before
    assert venue.get_pool().cash_e6 > cash


@pytest.mark.parametrize("seed", range(4))
def test_no_way_of_several_accounts_through_one_sample_gains(seed: int) -> None:
    dice = random.Random(seed)
    left_s = dice.choice((60, 90, 180))
    venue, commit, _ = venue_near_the_end(left_s, dice.choice((1, 20, 200)))
    window = venue.windows[0]
    people = [venue.trader(2_000_000, 1_000_000) for _ in range(3)]
    before = free_e6(venue, people)
    plan: list[tuple[Trader, int, float, int]] = []
    for trader in people:
        side, held = dice.choice((LONG, SHORT)), 0.0
        for _ in range(dice.randint(2, 5)):
            qty = round(dice.uniform(0.5, 400), 4)
            held = round(held + qty, 4)
            plan.append((trader, side, qty, 0))
        plan.append((trader, SHORT if side == LONG else LONG, held, REDUCE_ONLY))
    orders = [(trader, venue.submit(trader, window, side, qty, flags=flags)) for trader, side, qty, flags in plan]
    venue.tick(commit + LATE_S, conf_e4=CONF_E4)
    opened = [(trader, order) for (trader, order), (*_, flags) in zip(orders, plan, strict=True) if not flags]
    closed = [(trader, order) for (trader, order), (*_, flags) in zip(orders, plan, strict=True) if flags]
    dice.shuffle(opened)
    dice.shuffle(closed)
    filled = [venue.crank(trader, order).reason for trader, order in opened + closed].count(0)
    assert filled > len(people)
    check(venue)
    assert all(venue.get_position(trader, window).qty_e6 == 0 for trader in people)
    assert free_e6(venue, people) < before
