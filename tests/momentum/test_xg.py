"""`xg/0` is the logistic it says, to the last digit, everywhere."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momentum import xg

places = st.floats(0, 100, allow_nan=False)


def by_floats(x: float, y: float, header: bool, penalty: bool) -> float:
    ahead, aside = (11.0, 0.0) if penalty else ((100 - x) * 1.05, abs(50 - y) * 0.68)
    angle = math.atan2(aside + 3.66, ahead) - math.atan2(aside - 3.66, ahead)
    logit = float(xg.INTERCEPT) + float(xg.PER_METRE) * math.hypot(ahead, aside) + float(xg.PER_RADIAN) * angle
    logit += float(xg.PENALTY) if penalty else float(xg.HEADER) * header
    return 1e6 / (1 + math.exp(-logit))


@given(places, places, st.booleans(), st.booleans())
def test_the_decimals_follow_the_formula(x: float, y: float, header: bool, penalty: bool) -> None:
    x, y = round(x, 3), round(y, 3)
    assert abs(xg.xg_e6(x, y, header=header, penalty=penalty) - by_floats(x, y, header, penalty)) < 0.51


@given(places, places)
def test_left_and_right_are_alike(x: float, y: float) -> None:
    x, y = round(x, 1), round(y, 1)
    assert xg.xg_e6(x, y, header=False, penalty=False) == xg.xg_e6(x, round(100 - y, 1), header=False, penalty=False)


@pytest.mark.parametrize(
    ("shot", "expected"),
    [
        ((89.5, 50.0, False, False), 227_843),
        ((95.0, 50.0, True, False), 331_107),
        ((70.0, 30.0, False, False), 14_226),
        ((None, None, False, False), 91_144),
        ((50.0, 50.0, False, True), 728_190),
    ],
)
def test_known_shots_keep_their_value(shot: tuple[float | None, float | None, bool, bool], expected: int) -> None:
    x, y, header, penalty = shot
    assert xg.xg_e6(x, y, header=header, penalty=penalty) == expected


def test_from_the_goal_line_the_goal_is_half_a_circle_or_nothing() -> None:
    assert float(xg.geometry(100.0, 50.0, penalty=False)[1]) == pytest.approx(math.pi)
    assert xg.geometry(100.0, 20.0, penalty=False)[1] == 0


def test_nearer_is_better() -> None:
    values = [xg.xg_e6(x, 50.0, header=False, penalty=False) for x in (60.0, 75.0, 85.0, 95.0)]
    assert values == sorted(values)
    assert 0 < values[0] < values[-1] < 1_000_000


def test_a_shot_costs_less_than_a_millisecond() -> None:
    start = time.perf_counter()
    for i in range(100):
        xg.geometry(60 + i / 5, i / 1.1, penalty=False)
    assert time.perf_counter() - start < 1.0
