"""Attacks by people who know before the feed: what they try, and what the delay and the suspend epoch leave them."""

from __future__ import annotations

import pytest

from bench.economics.season import Played, Season
from chain.clients.market import ErrorCode
from ingest.feeds import adapter, default_match_paths
from momentum.evaluation.match import Match, build
from momentum.evaluation.strategies import Strategy, foresight
from momentum.replay import final_events
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Venue
from tests.programs.market_scene import FILLED, SUSPEND, SUSPENDED, Scene

STAKE = 500 * USDC


@pytest.fixture
def scene() -> Scene:
    return Scene.make()


def quiet(venue: Venue, from_s: int, to_s: int, x: float) -> None:
    """One sample a second."""
    for second in range(from_s, to_s + 1):
        venue.tick(second, x)


def test_front_running_a_jump_by_three_seconds_pays_the_price_after_the_jump(scene: Scene) -> None:
    """She sees the chance three seconds before the feed counts it. Her fill waits five: the jump is in its price."""
    venue = scene.venue
    quiet(venue, 11, 100, 50.0)
    order = venue.submit(scene.ann, scene.window, LONG, 5)
    quiet(venue, 101, 102, 50.0)
    quiet(venue, 103, 110, 60.0)
    event = venue.crank(scene.ann, order)
    assert event.reason == FILLED
    assert event.data_ms >= event.commit_ms + 5_000
    assert event.price_e6 > event.forward_e6 > 58_000_000, "the jump is paid for"
    out = venue.submit(scene.ann, scene.window, SHORT, 5, flags=REDUCE_ONLY)
    quiet(venue, 111, 117, 60.0)
    venue.crank(scene.ann, out)
    assert venue.get_margin(scene.ann).free_e6 < STAKE - 5 * USDC, "two half-spreads and two fees are gone"
    check(venue)


def test_front_running_by_more_than_the_delay_gains_which_is_why_delays_count_data_time(scene: Scene) -> None:
    """The stated limit: whoever leads the data itself by ten seconds is filled before the jump and earns it."""
    venue = scene.venue
    quiet(venue, 11, 100, 50.0)
    order = venue.submit(scene.ann, scene.window, LONG, 5)
    quiet(venue, 101, 109, 50.0)
    quiet(venue, 110, 112, 60.0)
    assert venue.crank(scene.ann, order).forward_e6 == 50_000_000
    out = venue.submit(scene.ann, scene.window, SHORT, 5, flags=REDUCE_ONLY)
    quiet(venue, 113, 120, 60.0)
    venue.crank(scene.ann, out)
    assert venue.get_margin(scene.ann).free_e6 > STAKE + 30 * USDC
    check(venue)


@pytest.fixture(scope="module")
def match() -> Match:
    """Leicester - Liverpool 2-3, from the installed kloppy package."""
    _, events = final_events(adapter("wyscout"), default_match_paths("wyscout"))
    return build("leicester-liverpool", events, None)


@pytest.fixture(scope="module")
def played(match: Match) -> Played:
    knows = (Strategy("3 s", "informed", foresight(3)), Strategy("10 s", "leak", foresight(10)))
    return Season.found(knows).play_match(match, knows, seed=1)


def moved_with(match: Match, played: Played, name: str) -> float:
    """Points a contract by which the forward moved in a trader's favour between order and fill: it pays them."""
    fills = [fill for fill in played.fills if fill.strategy == name and not fill.liquidation]
    assert len(fills) >= 5  # the learned price seldom moves by more than a trade costs
    known = (
        fill.sign * (match.forward[fill.window, fill.tick] - match.forward[fill.window, fill.tick - 6])
        for fill in fills
    )
    return float(sum(known)) / len(fills)


def test_on_a_real_match_three_seconds_of_foresight_are_in_the_fill_price_already(match: Match, played: Played) -> None:
    """All that the foresight was worth is paid at the fill: the price has moved by then."""
    assert moved_with(match, played, "3 s") > 0.5
    for fill in played.fills:
        paid = fill.sign * (fill.price_e6 - fill.forward_e6) / 1e6
        assert paid > 0.3 or fill.liquidation, "half-spread and conf come on top"


def test_a_goal_seen_from_the_stand_cannot_be_bought(scene: Scene) -> None:
    """He presses the button as the ball crosses the line, a second before the feed: suspended, refunded, tip lost."""
    venue = scene.venue
    quiet(venue, 11, 60, 50.0)
    order = venue.submit(scene.ann, scene.window, LONG, 5)
    venue.tick(61, 62.0, flags=SUSPEND)
    scene.refused(ErrorCode.SUSPENDED, lambda: venue.submit(scene.bob, scene.window, LONG, 5))
    for second in range(62, 90):
        venue.tick(second, 62.0, flags=SUSPEND)
    quiet(venue, 90, 92, 62.0)
    event = venue.crank(scene.ann, order)
    assert (event.reason, event.filled_e6) == (SUSPENDED, 0)
    assert venue.get_margin(scene.ann).free_e6 == STAKE
    check(venue)


def test_an_earlier_suspension_cannot_be_hidden_by_a_later_one(scene: Scene) -> None:
    """Order, goal, play, corner, play: whatever the sample shows, the epoch has moved on since the commit."""
    venue = scene.venue
    quiet(venue, 11, 60, 50.0)
    before_both = venue.submit(scene.ann, scene.window, LONG, 1)
    venue.tick(61, 60.0, flags=SUSPEND)
    venue.tick(62, 60.0)
    between = venue.submit(scene.bob, scene.window, LONG, 1)
    venue.tick(63, 60.0, flags=SUSPEND)
    venue.tick(64, 60.0)
    after_both = venue.submit(scene.ann, scene.window, LONG, 1)
    quiet(venue, 65, 75, 60.0)
    assert venue.crank(scene.ann, before_both).reason == SUSPENDED
    assert venue.crank(scene.bob, between).reason == SUSPENDED
    assert venue.crank(scene.ann, after_both).reason == FILLED
    check(venue)


def test_a_suspension_of_a_single_sample_before_the_fill_is_enough(scene: Scene) -> None:
    """Between commit and fill only one sample of six was suspended, and it is neither the first nor the last."""
    venue = scene.venue
    quiet(venue, 11, 60, 50.0)
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    for second in range(61, 70):
        venue.tick(second, 50.0, flags=SUSPEND if second == 63 else 0)
    assert venue.crank(scene.ann, order).reason == SUSPENDED


@pytest.mark.parametrize("behind_s", [1, 3, 8])
def test_a_cluster_clock_that_is_behind_gives_nobody_an_earlier_sample(scene: Scene, behind_s: int) -> None:
    """Validators' clock is late: the commit then counts from the feed's own data time, which cannot be."""
    venue = scene.venue
    quiet(venue, 11, 60, 50.0)
    venue.chain.clock(venue.chain.unix_s - behind_s)
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    quiet(venue, 61, 70, 55.0)
    event = venue.crank(scene.ann, order)
    assert event.reason == FILLED
    feed = venue.get_feed()
    assert event.commit_ms >= feed.start_unix_ms + 60_000
    assert event.data_ms >= feed.start_unix_ms + 65_000


@pytest.mark.parametrize("ahead_s", [1, 5, 20])
def test_a_cluster_clock_that_is_ahead_only_makes_orders_wait_longer(scene: Scene, ahead_s: int) -> None:
    """Validators' clock is early: the fill sample is later by as much; nobody gets a choice."""
    venue = scene.venue
    quiet(venue, 11, 60, 50.0)
    venue.chain.clock(venue.chain.unix_s + ahead_s)
    order = venue.submit(scene.ann, scene.window, LONG, 1)
    for second in range(61, 61 + 6 + ahead_s):
        venue.tick(second, 50.0)
    event = venue.crank(scene.ann, order)
    assert event.reason == FILLED
    assert event.data_ms == venue.get_feed().start_unix_ms + (60 + ahead_s + 6) * 1000
    check(venue)
