"""Where a window stands, from the feed's marks: checked against plain sums of the index on random matches."""

from __future__ import annotations

import random

import pytest

from chain.clients.oracle import Quote
from momentum import pricing
from oracle import aggregate as aggregation
from oracle.windows import (
    NAMES,
    PARTS,
    FeedState,
    SampleLike,
    forward_e6,
    nominal_s,
    parts_between,
    progress,
    window_name,
)

HALVES = {1: 2_702, 2: 2_760}


def match(
    seed: int, stop: tuple[int, int] = (2, 2_760), first_half_s: int = HALVES[1]
) -> tuple[aggregation.Feed, dict[tuple[int, int], int]]:
    """A feed pushed second by second up to ``stop`` (period, second), and the index of each second."""
    rng = random.Random(seed)
    feed, index, tick, x_e6 = aggregation.Feed(1, 1, 0), {}, 0, 50_000_000
    for period, length in {**HALVES, 1: first_half_s}.items():
        for second in range(length + 1):
            tick += 1
            x_e6 = min(100_000_000, max(0, x_e6 + rng.randint(-2_000_000, 2_000_000)))
            index[period, second] = x_e6
            quote = Quote(
                tick=tick,
                data_ms=tick * 1_000,
                play_ms=second * 1_000,
                period=period,
                flags=4 if second == length else 0,
                suspend_reason=0,
                x_e6=x_e6,
                mu_e6=50_000_000,
                s_e4=pricing.S_BIAS,
                conf_e4=2_500,
                inputs_hash=bytes(32),
            )
            assert feed.push(0, quote, 1 << 40) is not None
            if (period, second) == stop:
                return feed, index
    return feed, index


def plain_area(index: dict[tuple[int, int], int], window_id: int) -> int:
    """Each second's index holds until the next: 1e-6 points x ms over the window's seconds played."""
    seconds = ((p, s) for p, first, last in PARTS[window_id] for s in range(first * 60, last * 60))
    newest = max(index)
    return sum(index[key] * 1_000 for key in seconds if key < newest and key in index)


@pytest.mark.parametrize("stop", [(1, 0), (1, 17), (1, 900), (1, 1_234), (1, 2_702), (2, 0), (2, 61), (2, 2_760)])
def test_area_and_time_left_are_the_plain_sums_at_any_second(stop: tuple[int, int]) -> None:
    feed, index = match(stop[1], stop)
    state = FeedState.of(feed)
    for window_id in range(len(NAMES)):
        at = progress(state, feed.samples[-1].area, PARTS[window_id])
        length = sum((last - first) * 60_000 for _, first, last in PARTS[window_id])
        played = sum(
            1_000
            for p, first, last in PARTS[window_id]
            for s in range(first * 60, last * 60)
            if (p, s) in index and (p, s) < stop
        )
        assert at.area == plain_area(index, window_id), NAMES[window_id]
        assert at.left_ms == length - played
        assert at.left_out_ms == 0
        if not state.in_break:
            begins = (PARTS[window_id][0][0], PARTS[window_id][0][1] * 60)
            assert (at.lead_ms > 0) == (stop < begins and stop[1] < 2_700)


def test_at_the_end_the_forward_is_the_settlement_and_the_envelope_has_closed() -> None:
    feed, index = match(5)
    sample = feed.samples[-1]
    numbers = SampleLike(sample.area, sample.x_e6, sample.mu_e6, sample.s_e4)
    for window_id in range(len(NAMES)):
        price, at, envelope = forward_e6(FeedState.of(feed), numbers, PARTS[window_id])
        length = sum((last - first) * 60_000 for _, first, last in PARTS[window_id])
        assert price == plain_area(index, window_id) // length == pricing.settlement(at.area, length, 0)
        assert envelope == (price, price)


def test_a_half_that_ends_early_leaves_the_rest_out() -> None:
    feed, index = match(1, (2, 10), first_half_s=600)
    at = progress(FeedState.of(feed), feed.samples[-1].area, PARTS[0])
    assert (at.left_ms, at.left_out_ms) == (0, 300_000)
    assert at.area == sum(index[1, s] * 1_000 for s in range(600))
    never = progress(FeedState.of(feed), feed.samples[-1].area, PARTS[1])
    assert (never.area, never.left_ms, never.left_out_ms) == (0, 0, 900_000)


def test_before_the_first_sample_there_is_nothing_to_tell() -> None:
    with pytest.raises(LookupError, match="kick-off"):
        progress(FeedState.of(aggregation.Feed(1, 1, 0)), 0, PARTS[0])


def test_windows_have_nominal_times_with_half_two_at_forty_five() -> None:
    assert [nominal_s(PARTS[i]) for i in (0, 3, 6, 7, 8)] == [
        (0, 900),
        (2_700, 3_600),
        (0, 2_700),
        (2_700, 5_400),
        (0, 5_400),
    ]


def test_a_window_is_told_from_the_times_its_account_stores() -> None:
    assert [parts_between(*(at * 1_000 for at in nominal_s(parts))) for parts in PARTS] == list(PARTS)
    assert parts_between(20 * 60_000, 40 * 60_000) == ((1, 20, 40),)
    assert parts_between(50 * 60_000, 80 * 60_000) == ((2, 5, 35),)
    assert [window_name(i) for i in (0, 8, 9)] == ["0-15", "FT", "custom-9"]
