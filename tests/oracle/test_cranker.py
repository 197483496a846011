"""The planner finds the determined sample and never cranks early."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oracle.cranker import RING, FeedView, PendingOrder, PlayState, ripe

START = 1_000_000
DELAY = 5_000


def view(data_ms: list[int], first: int = 0) -> FeedView:
    return FeedView(START, first, np.asarray(data_ms, np.int64))


def order(commit_ms: int, *, slot: int = 1, expiry_ms: int = 30_000, address: str = "a") -> PendingOrder:
    return PendingOrder(address, commit_ms, DELAY, expiry_ms, slot)


def test_the_fill_sample_is_the_first_at_or_after_commit_plus_delay() -> None:
    feed = view([0, 1_000, 5_999, 6_000, 7_000])
    (crank,) = ripe([order(START + 1_000)], feed, START + 7_000, 2)
    assert crank.sample_index == 3
    assert ripe([order(START + 2_001)], feed, START + 7_000, 2) == []


def test_nothing_is_cranked_in_the_slot_of_its_commit() -> None:
    feed = view([9_000])
    assert ripe([order(START, slot=5)], feed, START + 9_000, 5) == []
    assert len(ripe([order(START, slot=5)], feed, START + 9_000, 6)) == 1


def test_without_a_sample_an_order_ends_after_expiry_and_grace() -> None:
    feed = view([0])
    waiting = [order(START)]
    assert ripe(waiting, feed, START + 90_000, 2) == []
    (crank,) = ripe(waiting, feed, START + 90_001, 2)
    assert crank.sample_index == 0


def test_older_commits_come_first_and_the_address_breaks_ties() -> None:
    feed = view([60_000])
    orders = [order(START + 2, address="z"), order(START + 1, address="y"), order(START + 1, address="x")]
    assert [c.order for c in ripe(orders, feed, START + 60_000, 2)] == ["x", "y", "z"]


@given(st.integers(1, 2_000))
def test_the_view_reads_the_ring_in_order_whatever_its_turn(samples: int) -> None:
    ring = np.zeros(RING, np.uint32)
    for index in range(samples):
        ring[index % RING] = index * 1_000
    feed = FeedView.of(START, samples, ring)
    assert feed.count == samples
    assert feed.data_ms.tolist() == [i * 1_000 for i in range(max(0, samples - RING), samples)]
    newest = (samples - 1) * 1_000
    assert feed.first_at(START + newest) == samples - 1
    assert feed.first_at(START + newest + 1) is None


def test_no_sample_at_all_cranks_nothing() -> None:
    assert ripe([order(START)], view([]), START + 10_000_000, 9) == []


def test_a_nominal_time_is_reached_by_play_by_the_break_or_by_the_next_half() -> None:
    assert not PlayState(1, False, 899_999).reached(900_000)
    assert PlayState(1, False, 900_000).reached(900_000)
    assert PlayState(1, True, 100_000).reached(2_700_000)  # the half ended early
    assert PlayState(2, False, 0).reached(2_700_000)
    assert not PlayState(1, True, 2_702_000).reached(3_600_000)
    assert PlayState(2, False, 900_000).reached(3_600_000)
