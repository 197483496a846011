"""The forward curve's two numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momentum.curve import MAX_CONF_E4, SHRINK_S, Curve, conf_e4, mu_e6
from momentum.methodology import MAX_E6, SPEC_BOX, SPEC_DECAY

values = st.lists(st.integers(0, MAX_E6), min_size=1, max_size=60)


def test_before_play_the_target_is_the_prior() -> None:
    assert Curve(SPEC_DECAY).tick(0, 90_000_000)[0] == 50_000_000
    assert Curve(SPEC_DECAY, prior_e6=61_000_000).tick(0, 90_000_000)[0] == 61_000_000


def test_the_prior_weighs_as_much_as_play_after_the_shrinking_time() -> None:
    curve, shrink_s = Curve(SPEC_DECAY), SHRINK_S[SPEC_DECAY.name]
    curve.tick(0, 70_000_000)
    assert curve.tick(shrink_s, 70_000_000)[0] == 60_000_000


def test_a_gap_holds_the_last_value_as_the_chain_does() -> None:
    dense, sparse = Curve(SPEC_BOX), Curve(SPEC_BOX)
    for second in range(101):
        last = dense.tick(second, 30_000_000)
    sparse.tick(0, 30_000_000)
    mu, conf = sparse.tick(100, 30_000_000)
    assert mu == last[0]
    assert conf > last[1]


@given(values)
def test_the_target_follows_from_the_area_alone(xs: list[int]) -> None:
    curve, area = Curve(SPEC_DECAY), 0
    for second, x_e6 in enumerate(xs):
        assert curve.tick(second, x_e6)[0] == mu_e6(area, second, SPEC_DECAY)
        area += x_e6


@given(values)
def test_mirrored_values_mirror_the_target_within_a_rounding(xs: list[int]) -> None:
    one, other = Curve(SPEC_DECAY), Curve(SPEC_DECAY)
    for second, x_e6 in enumerate(xs):
        assert abs(one.tick(second, x_e6)[0] + other.tick(second, MAX_E6 - x_e6)[0] - MAX_E6) <= 1


def test_confidence_is_at_most_half_a_point_in_normal_play_and_narrows() -> None:
    series = [conf_e4(play_s, 1, SPEC_DECAY) for play_s in range(0, 6_000, 10)]
    assert series[0] == 5_000
    assert series == sorted(series, reverse=True)
    assert series[-1] >= 3_000


def test_the_jumpy_methodology_says_that_it_is_less_sure() -> None:
    assert conf_e4(1_000, 1, SPEC_BOX) > 3 * conf_e4(1_000, 1, SPEC_DECAY)


def test_missing_seconds_widen_it_up_to_a_limit() -> None:
    assert conf_e4(600, 11, SPEC_DECAY) == conf_e4(600, 1, SPEC_DECAY) + 2_000
    assert conf_e4(5_000, 4_000, SPEC_DECAY) == MAX_CONF_E4


def test_the_same_second_may_come_twice_over_half_time_and_time_never_runs_back() -> None:
    curve = Curve(SPEC_DECAY)
    first = curve.tick(10, 60_000_000)
    assert curve.tick(10, 60_000_000) == (first[0], conf_e4(10, 0, SPEC_DECAY))
    with pytest.raises(ValueError, match="before 10"):
        curve.tick(9, 60_000_000)


@pytest.mark.parametrize("prior_e6", [-1, MAX_E6 + 1])
def test_a_prior_outside_the_scale_is_refused(prior_e6: int) -> None:
    with pytest.raises(ValueError, match="prior"):
        Curve(SPEC_DECAY, prior_e6)
