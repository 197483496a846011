"""`xg/0` and `xg/1` are the logistics they say, to the last digit, everywhere."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import replace
from decimal import ROUND_DOWN, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import BodyPart, Event, Kind, Side
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


def shot(x: float | None, y: float | None, **more: Any) -> Event:
    return Event("e", 1, 1, 0, Kind.SHOT, Side.HOME, x=x, y=y, **{"body": BodyPart.FOOT, **more})


bodies = st.sampled_from([None, *BodyPart])
wild = st.one_of(st.none(), st.floats(), places)


def by_floats_1(x: float, y: float, header: bool, free_kick: bool) -> float:
    ahead, aside = (100 - x) * 1.05, abs(50 - y) * 0.68
    d = min(math.hypot(ahead, aside), 40.0) / 10
    a = min(math.atan2(aside + 3.66, ahead) - math.atan2(aside - 3.66, ahead), 1.75)
    terms = (d, d * d, a, a * d, header, header * d, free_kick)
    logit = float(xg.INTERCEPT_1) + sum(float(c) * t for c, t in zip(xg.COEFFICIENTS_1, terms, strict=True))
    return 1e6 / (1 + math.exp(-logit))


@given(places, places, st.booleans(), st.booleans())
def test_the_decimals_of_the_second_version_follow_its_formula(x: float, y: float, header: bool, free: bool) -> None:
    x, y = round(x, 3), round(y, 3)
    event = shot(x, y, body=BodyPart.HEAD if header else BodyPart.FOOT, direct_free_kick=free)
    assert abs(xg.xg1_e6(event) - by_floats_1(x, y, header, free)) < 0.51


@given(st.integers(0, 100_000), st.integers(0, 100_000), bodies, st.booleans())
def test_left_and_right_are_alike_in_the_second_version(x: int, y: int, body: BodyPart | None, free: bool) -> None:
    left, right = (shot(x / 1000, v / 1000, body=body, direct_free_kick=free) for v in (y, 100_000 - y))
    assert xg.xg1_e6(left) == xg.xg1_e6(right)


@given(wild, wild, bodies, st.booleans(), st.booleans())
def test_any_shot_has_a_probability(
    x: float | None, y: float | None, body: BodyPart | None, free: bool, penalty: bool
) -> None:
    assert 0 < xg.xg1_e6(shot(x, y, body=body, direct_free_kick=free, penalty=penalty)) < 1_000_000


@pytest.mark.parametrize("body", [BodyPart.FOOT, BodyPart.HEAD])
@pytest.mark.parametrize("free", [False, True])
def test_along_the_centre_line_nearer_is_never_worse(body: BodyPart, free: bool) -> None:
    values = [xg.xg1_e6(shot(x / 2, 50.0, body=body, direct_free_kick=free)) for x in range(201)]
    assert values == sorted(values)
    assert values[0] < values[120] < values[150] < values[200]


@pytest.mark.parametrize("x", [60.0, 75.0, 89.0, 95.0, 99.0, 100.0])
def test_farther_from_the_middle_is_never_better(x: float) -> None:
    values = [xg.xg1_e6(shot(x, y / 2)) for y in range(101)]
    assert values == sorted(values)


@given(places, places)
def test_a_header_is_worth_less_than_a_shot_by_foot_and_a_free_kick_more(x: float, y: float) -> None:
    foot = xg.xg1_e6(shot(x, y))
    assert xg.xg1_e6(shot(x, y, body=BodyPart.HEAD)) < foot < xg.xg1_e6(shot(x, y, direct_free_kick=True))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (shot(89.5, 50.0), 242_893),
        (shot(95.0, 50.0, body=BodyPart.HEAD), 358_407),
        (shot(70.0, 30.0), 15_273),
        (shot(75.0, 44.0, direct_free_kick=True), 63_238),
        (shot(83.123, 61.7), 67_780),
        (shot(100.0, 50.0), 746_077),
        (shot(0.0, 0.0), 6_838),
        (shot(89.5, 50.0, penalty=True), 735_043),
        (shot(None, None), 103_458),
        (shot(None, 50.0, body=BodyPart.HEAD), 125_029),
        (shot(80.0, math.nan, direct_free_kick=True), 56_028),
    ],
)
def test_known_shots_keep_their_value_in_the_second_version(event: Event, expected: int) -> None:
    assert xg.xg1_e6(event) == expected


def test_a_penalty_is_worth_the_same_from_wherever_it_is_recorded() -> None:
    places_ = [(None, None), (0.0, 0.0), (89.5, 50.0), (math.inf, 3.0)]
    assert {xg.xg1_e6(shot(x, y, penalty=True, body=None)) for x, y in places_} == {735_043}


def test_out_of_the_pitch_counts_at_its_edge() -> None:
    assert xg.xg1_e6(shot(104.0, 50.0)) == xg.xg1_e6(shot(100.0, 50.0))
    assert xg.xg1_e6(shot(1e300, -1e300)) == xg.xg1_e6(shot(100.0, 0.0))


def test_another_part_of_the_body_counts_as_a_header_and_an_unknown_one_as_a_foot() -> None:
    assert xg.xg1_e6(shot(92.0, 45.0, body=BodyPart.OTHER)) == xg.xg1_e6(shot(92.0, 45.0, body=BodyPart.HEAD))
    assert xg.xg1_e6(shot(92.0, 45.0, body=None)) == xg.xg1_e6(shot(92.0, 45.0))


def test_only_what_is_known_at_the_shot_counts() -> None:
    plain = shot(90.0, 40.0)
    later = replace(plain, goal=True, big_chance=True, success=True, xg_e6=990_000, text="goal", version=9, play_ms=77)
    assert xg.xg1_e6(later) == xg.xg1_e6(plain)


def test_a_caller_s_decimal_settings_change_nothing() -> None:
    event = shot(77.777, 33.333)
    expected = xg.xg1_e6(event), xg.xg_e6(event.x, event.y, header=False, penalty=False)
    with localcontext() as context:
        context.prec, context.rounding = 3, ROUND_DOWN
        xg._placed_e6_1.cache_clear()
        xg.xg_e6.cache_clear()
        assert (xg.xg1_e6(event), xg.xg_e6(event.x, event.y, header=False, penalty=False)) == expected


def test_terms_of_a_shot_without_place_are_refused() -> None:
    with pytest.raises(ValueError, match="shot e has no place"):
        xg.terms_1(shot(None, 50.0))


def test_the_published_definitions_never_change() -> None:
    # If this fails, do not edit the hash: publish the next version instead.
    def digest(definition: dict[str, Any]) -> str:
        return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]

    assert digest(xg.DEFINITION) == "63f3dffd5ebe0b1b"
    assert digest(xg.DEFINITION_1) == "c722e0cc9205f482"
