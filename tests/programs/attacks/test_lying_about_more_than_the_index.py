"""Attacks by a minority of publishers with what a quote says beside the index: conf, flags, times, tick numbers."""

from __future__ import annotations

import pytest

from chain.clients.market import ErrorCode
from chain.clients.oracle import ErrorCode as OracleError
from chain.clients.oracle import Sample
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT
from tests.programs.market_scene import FILLED, SUSPENDED, Scene
from tests.programs.oracle_kit import FeedKit, quote, rejected

QUORUMS = [(4, 3, 1), (7, 5, 2), (8, 7, 3)]
"""(publishers, minimum, liars): 2f + 1 quotes make a tick, and the f liars are always among them."""
CONF_E4 = 2_000


def newest(kit: FeedKit) -> Sample:
    """Return the newest sample."""
    feed = kit.feed()
    return Sample.decode(feed.ring[(feed.samples - 1) % 512].tobytes())


def lie(kit: FeedKit, liars: int, /, honest: dict[str, int] | None = None, **changes: int) -> Sample:
    """One tick in which the first ``liars`` publishers are quick and lie; return the sample."""
    tick = kit.feed().tick + 1
    for who in range(len(kit.publishers)):
        kit.push(who, quote(tick, **(changes if who < liars else honest or {})))
    return newest(kit)


def started(n: int, minimum: int) -> FeedKit:
    """Three honest ticks."""
    kit = FeedKit.make(n, minimum)
    for tick in range(1, 4):
        kit.tick(quote(tick), publishers=n)
    return kit


# --- conf ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claimed", [0, CONF_E4, 65_535])
@pytest.mark.parametrize("x_e6", [26_000_000, 50_000_000, 74_000_000])
@pytest.mark.parametrize(("n", "minimum", "liars"), [(3, 3, 1), (5, 5, 2), *QUORUMS])
def test_liars_neither_widen_nor_narrow_conf_and_their_own_does_not_move_the_index(
    n: int, minimum: int, liars: int, x_e6: int, claimed: int
) -> None:
    """Whoever closes without a limit pays conf: an index 24 points off made 0.2 points 6.55 of it."""
    sample = lie(started(n, minimum), liars, x_e6=x_e6, conf_e4=claimed)
    assert sample.conf_e4 == CONF_E4
    assert abs(sample.x_e6 - 50_000_000) <= CONF_E4 * 100


def test_one_liar_of_two_cannot_widen_conf() -> None:
    """With two of three the lower claim counts: a liar can take conf away, which the half-spread does not need."""
    kit = started(3, 2)
    assert lie(kit, 1, x_e6=74_000_000, conf_e4=65_535).conf_e4 == CONF_E4
    assert lie(kit, 1, conf_e4=0).conf_e4 == 0


def test_nobody_fills_or_is_liquidated_where_the_price_is_not_known() -> None:
    """A closing order without a limit meets a sample with 6.55 points of conf: it is refunded, not filled."""
    scene = Scene.make()
    venue, window, ann = scene.venue, scene.window, scene.ann
    venue.trade(ann, window, LONG, 10)
    close = venue.submit(ann, window, SHORT, 10, flags=REDUCE_ONLY)
    venue.tick(venue.now_s + 7, 30.0, conf_e4=65_535)
    scene.refused(ErrorCode.SUSPENDED, lambda: venue.liquidate(ann, window, scene.bob))
    assert venue.crank(ann, close).reason == SUSPENDED
    venue.tick(venue.now_s + 1, conf_e4=20_000)
    assert venue.trade(ann, window, SHORT, 10, flags=REDUCE_ONLY).reason == FILLED


# --- suspension ----------------------------------------------------------------------------------------------------


def suspended(kit: FeedKit) -> bool:
    """Whether trading is suspended."""
    return kit.feed().suspend_epoch % 2 == 1


def minute(kit: FeedKit, tick: int, second: int, flagged: set[int], *, quick: list[int] | None = None) -> None:
    """One tick at ``second`` of play, flagged by some of the publishers; ``quick`` is the order in which they quote."""
    for who in quick or range(len(kit.publishers)):
        flags = int(who in flagged)
        kit.push(who, quote(tick, data_ms=second * 1_000, play_ms=second * 1_000, flags=flags, suspend_reason=flags))


@pytest.mark.parametrize(("n", "minimum", "liars"), [(3, 2, 1), (3, 3, 1), *QUORUMS])
def test_a_minority_that_flags_every_tick_stops_trading_for_thirty_seconds(n: int, minimum: int, liars: int) -> None:
    """The reviewer's attack: one flag a tick stopped the market for good, and voided the window after 15 minutes."""
    kit = started(n, minimum)
    seconds = range(10, 1_000, 10)
    seen = []
    for tick, second in enumerate(seconds, start=4):
        minute(kit, tick, second, set(range(liars)))
        seen.append(suspended(kit))
    assert seen == [second < 40 for second in seconds]
    feed = kit.feed()
    assert (feed.suspended_ms, feed.still_since_ms, list(feed.still_minutes)) == (30_000, 0, [0, 0])


def test_a_minority_that_flags_again_and_again_runs_out_of_it_for_the_period() -> None:
    """He lets go and begins again, so as to end the orders that wait: 120 s a period, 5 s for each beginning."""
    kit = started(4, 3)
    for tick in range(4, 904):
        minute(kit, tick, tick, {0} if tick % 2 else set())
    feed = kit.feed()
    assert feed.suspend_epoch == 2 * 20, "one second and five for the beginning, each time"
    assert feed.suspended_ms == 20_000
    minute(kit, 904, 904, {0, 3}, quick=[3, 0, 1, 2])
    assert suspended(kit), "a second publisher saw it too: a majority needs no budget"
    minute(kit, 905, 905, {0})
    assert not suspended(kit)
    kit.tick(quote(906, data_ms=906_000, play_ms=906_000, flags=4), publishers=3)
    kit.tick(quote(907, period=2, data_ms=1_800_000, play_ms=0), publishers=3)
    kit.push(0, quote(908, period=2, data_ms=1_801_000, play_ms=1_000, flags=1, suspend_reason=1))
    for who in (1, 2):
        kit.push(who, quote(908, period=2, data_ms=1_801_000, play_ms=1_000))
    assert suspended(kit), "the second half begins with a new budget"


def test_a_window_stands_still_only_where_a_majority_suspended_it() -> None:
    kit = started(4, 3)
    for tick, second in enumerate(range(30, 1_830, 30), start=4):
        minute(kit, tick, second, {1, 2})
        assert suspended(kit)
    feed = kit.feed()
    assert feed.suspended_ms == feed.play_ms - 30_000
    assert list(feed.still_minutes) == [0xFFFE, 0], "minutes 16 to 30: it began at 0:30"


def test_a_liar_who_is_always_quick_cannot_end_the_suspension_of_the_others() -> None:
    """Two of three make a tick, and he is one of them: the late flag of the third seconds that of the first."""
    kit = started(3, 2)
    for tick, second in enumerate(range(4, 304), start=4):
        minute(kit, tick, second, {1, 2}, quick=[0, 1, 2])
        assert suspended(kit), second
    assert kit.feed().suspend_epoch == 1


def test_a_suspension_ends_with_the_first_tick_whose_quorum_is_without_flags() -> None:
    kit = started(4, 3)
    minute(kit, 4, 4, {0, 1, 2, 3})
    minute(kit, 5, 5, {3}, quick=[0, 1, 2, 3])
    assert not suspended(kit), "who is late suspends nothing"


# --- time ----------------------------------------------------------------------------------------------------------


def clock_of(kit: FeedKit) -> tuple[int, int]:
    """Return the feed's data and play time."""
    feed = kit.feed()
    return feed.data_ms, feed.play_ms


@pytest.mark.parametrize("off_ms", [-1_000, 9_000])
@pytest.mark.parametrize(("n", "minimum", "liars"), [(3, 2, 1), (5, 5, 2), *QUORUMS])
def test_liars_neither_stop_the_clock_nor_put_it_forward(n: int, minimum: int, liars: int, off_ms: int) -> None:
    """With two of three the lower of two times stopped the feed: no order ever ripened.

    They say that no time has passed since the tick before, or that 9 s more have: ahead by the feed's delay they could
    see the sample of an order before they place it.
    """
    kit = started(n, minimum)
    kit.wait(10)
    for tick in range(4, 40):
        lied = (tick - 1) * 1_000 + off_ms
        lie(kit, liars, data_ms=lied, play_ms=lied)
        assert clock_of(kit) == ((tick - 1) * 1_000, (tick - 1) * 1_000)


@pytest.mark.parametrize(("n", "minimum", "data_ms"), [(3, 2, 41_000), (4, 3, 900_000)])
def test_where_a_period_begins_one_liar_of_two_holds_the_data_time_back(n: int, minimum: int, data_ms: int) -> None:
    """The stated limit of a quorum of two: nothing says how long a break was, and the lower time is the safe one.

    Orders then ripen late or not at all, so nobody trades; a quorum of three cannot be held back.
    """
    kit = started(n, minimum)
    for who in range(n):
        kit.push(who, quote(40, data_ms=40_000, play_ms=40_000, flags=4))
    for who in range(n):
        lied = 41_000 if who == 0 else 900_000
        kit.push(who, quote(41, period=2, play_ms=0, data_ms=lied))
    assert kit.feed().data_ms == data_ms


# --- tick numbers --------------------------------------------------------------------------------------------------


def test_a_majority_moves_the_index_by_25_points_a_second_however_it_numbers_its_ticks() -> None:
    """Tick 5 after tick 1 within a second was allowed 100 points: the limit grew with the numbers alone."""
    kit = FeedKit.make(3, 2)
    kit.tick(quote(1, x_e6=10_000_000, mu_e6=10_000_000), publishers=3)
    for tick, data_ms in ((2, 0), (2, 999), (5, 1_000), (10, 1_000)):
        for changes in ({"x_e6": 36_000_000}, {"mu_e6": 36_000_000}):
            far = {"x_e6": 10_000_000, "mu_e6": 10_000_000} | changes
            with rejected(OracleError.STEP_TOO_LARGE):
                kit.push(0, quote(tick, data_ms=data_ms, play_ms=data_ms, **far))
    kit.tick(quote(5, data_ms=1_000, play_ms=1_000, x_e6=35_000_000, mu_e6=35_000_000))
    with rejected(OracleError.STEP_TOO_LARGE):
        kit.push(0, quote(6, data_ms=9_000, play_ms=9_000, x_e6=60_000_001, mu_e6=35_000_000))


def test_a_majority_does_not_jump_by_ending_periods_either() -> None:
    kit = FeedKit.make(3, 2)
    kit.tick(quote(1, x_e6=10_000_000))
    for period in (2, 3, 4):
        with rejected(OracleError.STEP_TOO_LARGE):
            kit.push(0, quote(2, period=period, data_ms=1_000, play_ms=0, x_e6=36_000_000))
    kit.tick(quote(2, period=2, data_ms=900_000, play_ms=0, x_e6=100_000_000))


@pytest.mark.parametrize("tick", [903, 2**32 - 1])
def test_a_tick_number_does_not_run_ahead_of_the_data_time(tick: int) -> None:
    """The last of all numbers ended the feed. 900 more than the seconds since the feed's start are allowed."""
    kit = started(3, 2)
    with rejected(OracleError.TICK_AHEAD):
        kit.push(0, quote(tick, data_ms=2_999, play_ms=2_999))
    kit.push(0, quote(902, data_ms=2_999, play_ms=2_999))


def test_a_kick_off_ten_minutes_before_the_listed_start_locks_no_feed() -> None:
    kit = FeedKit.make(3, 2)
    for second in range(600, 660, 12):
        kit.tick(quote(1 + second, data_ms=(second - 600) * 1_000, play_ms=second * 1_000))
    assert kit.feed().samples == 5


def test_skipped_seconds_and_half_time_lock_no_feed() -> None:
    """Honest ticks are numbered by the seconds of play: never ahead of data, however long an outage or a break is."""
    kit = started(3, 2)
    kit.tick(quote(2_000, x_e6=99_000_000))
    kit.tick(quote(2_700, flags=4, x_e6=1_000_000))
    kit.tick(quote(2_701, period=2, data_ms=3_600_000, play_ms=0, x_e6=90_000_000))
    kit.tick(quote(2_702, period=2, data_ms=3_601_000, play_ms=1_000, x_e6=70_000_000))
    assert kit.feed().samples == 7
