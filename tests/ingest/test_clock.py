from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clock import Due, PlayClock
from ingest.events import FeedError


def clock() -> PlayClock:
    play = PlayClock()
    play.start(1, 60_787)
    play.end(1, 65_287)
    play.start(2, 100_000)
    return play


def test_nothing_is_due_before_the_kick_off() -> None:
    play = PlayClock()
    assert (play.period, play.playing, play.at(5)) == (0, False, None)
    assert play.due(0, 10_000) == []


def test_the_clock_runs_from_each_kick_off_and_stands_still_in_the_break() -> None:
    play = clock()
    assert play.at(60_786) is None
    assert play.at(62_000) == Due(1, 1, 61_787)
    assert play.at(80_000) is None
    assert play.at(101_999) == Due(2, 1, 101_000)
    assert (play.period, play.playing, play.ended(1), play.ended(2)) == (2, True, True, False)


def test_a_second_kick_off_and_a_second_whistle_of_a_period_are_ignored() -> None:
    play = clock()
    play.start(2, 500_000)
    play.end(1, 900_000)
    assert play.start_ms(2) == 100_000
    assert play.at(80_000) is None


def test_an_end_without_its_start_is_ignored() -> None:
    play = PlayClock()
    play.end(1, 5)
    assert not play.ended(1)


def test_a_period_that_starts_after_a_later_one_is_an_error() -> None:
    play = PlayClock()
    play.start(2, 5)
    with pytest.raises(FeedError) as error:
        play.start(1, 9)
    assert error.value.code == "clock_runs_back"


def test_due_lists_every_second_of_play_once() -> None:
    assert clock().due(0, 102_000) == [
        *(Due(1, n, 60_787 + n * 1000) for n in range(5)),
        *(Due(2, n, 100_000 + n * 1000) for n in range(3)),
    ]


@given(st.lists(st.integers(0, 120_000), min_size=1, max_size=20))
def test_due_over_adjoining_spans_is_due_over_the_whole(cuts: list[int]) -> None:
    times = [0, *sorted(cuts), 120_000]
    play = clock()
    pieces = [second for a, b in pairwise(times) for second in play.due(a, b)]
    assert sorted(pieces, key=lambda d: d.data_ms) == play.due(0, 120_000)
