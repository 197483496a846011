"""`xg/0` and `xg/1`: expected goals of a shot that the provider gives none for.

Logistic functions of what a shot's own event tells (place, body part, situation), evaluated in decimal arithmetic,
which is specified to the last digit: every machine gets the same integer. A version never changes: methodologies
name the one they use.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

from ingest.events import BodyPart, Event

_PITCH_LENGTH_M, _PITCH_WIDTH_M = Decimal(105), Decimal(68)
_HALF_GOAL_M = Decimal("3.66")
_CONTEXT = Context(prec=34)

# Fitted by maximum likelihood on the shots of the public Wyscout data set (docs/momentum.md).
INTERCEPT = Decimal("-1.1946")
PER_METRE = Decimal("-0.0981")
PER_RADIAN = Decimal("1.6467")
HEADER = Decimal("-0.9986")
PENALTY = Decimal("2.2013")
_SPOT = (Decimal(11), Decimal(0))
_UNKNOWN = (Decimal(18), Decimal(0))

DEFINITION: dict[str, Any] = {
    "rule": "1 / (1 + exp(-(intercept + per_metre * distance + per_radian * angle + header + penalty))), round half up "
    "in 1e-6; distance to the goal's centre and angle between its posts on a pitch of 105 m x 68 m; x and y rounded "
    "to 1e-3 per cent; a penalty is taken 11 m out; a shot without place 18 m out, central",
    "intercept": str(INTERCEPT),
    "per_metre": str(PER_METRE),
    "per_radian": str(PER_RADIAN),
    "header": str(HEADER),
    "penalty": str(PENALTY),
}


def _arctan(value: Decimal) -> Decimal:
    """Arc tangent for ``value`` >= 0: halve the argument three times, then the power series."""
    c = _CONTEXT
    for _ in range(3):
        value = c.divide(value, c.add(Decimal(1), c.sqrt(c.add(Decimal(1), c.multiply(value, value)))))
    square, power, total = c.multiply(value, value), value, value
    for n in range(3, 60, 2):
        power = c.minus(c.multiply(power, square))
        total = c.add(total, c.divide(power, Decimal(n)))
    return c.multiply(total, Decimal(8))


def _angle(ahead_m: Decimal, aside_m: Decimal) -> Decimal:
    """Angle between the posts in radians, seen from ``ahead_m`` before the goal line, ``aside_m`` off its centre.

    The difference of the directions to the posts; from the goal line itself pi between the posts, 0 outside.
    """
    c = _CONTEXT
    if ahead_m <= 0:
        return Decimal("3.141592653589793238462643383279503") if aside_m < _HALF_GOAL_M else Decimal(0)
    far, near = c.add(aside_m, _HALF_GOAL_M), c.subtract(aside_m, _HALF_GOAL_M)
    near_angle = _arctan(c.divide(near.copy_abs(), ahead_m))
    far_angle = _arctan(c.divide(far, ahead_m))
    return c.subtract(far_angle, near_angle) if near >= 0 else c.add(far_angle, near_angle)


def geometry(x: float | None, y: float | None, *, penalty: bool) -> tuple[Decimal, Decimal]:
    """Distance to the goal's centre in metres and the angle between its posts in radians."""
    c = _CONTEXT
    if penalty:
        ahead, aside = _SPOT
    elif x is None or y is None:
        ahead, aside = _UNKNOWN
    else:
        full = Decimal(100_000)
        ahead = max(Decimal(0), c.divide(c.multiply(Decimal(100_000 - round(x * 1000)), _PITCH_LENGTH_M), full))
        aside = c.divide(c.multiply(Decimal(50_000 - round(y * 1000)), _PITCH_WIDTH_M), full).copy_abs()
    distance = c.sqrt(c.add(c.multiply(ahead, ahead), c.multiply(aside, aside)))
    return distance, _angle(ahead, aside)


@lru_cache(maxsize=65_536)
def xg_e6(x: float | None, y: float | None, *, header: bool, penalty: bool) -> int:
    """Probability of a goal in 1e-6 for a shot from ``x``, ``y`` (per cent, shooter's view)."""
    c = _CONTEXT
    distance, angle = geometry(x, y, penalty=penalty)
    logit = c.add(INTERCEPT, c.add(c.multiply(PER_METRE, distance), c.multiply(PER_RADIAN, angle)))
    if penalty:
        logit = c.add(logit, PENALTY)
    elif header:
        logit = c.add(logit, HEADER)
    chance = c.divide(Decimal(1), c.add(Decimal(1), c.exp(c.minus(logit))))
    return int(c.multiply(chance, Decimal(1_000_000)).to_integral_value(rounding=ROUND_HALF_UP))


# Fitted by `python -m training.xg` on the public Wyscout data set (docs/xg.md). Distance counts in 10 m.
INTERCEPT_1 = Decimal("-0.2774")
COEFFICIENTS_1 = tuple(map(Decimal, ("-2.0707", "0.2057", "0.7744", "0.9579", "-0.5333", "-0.5646", "0.7325")))
TERMS_1 = ("distance", "distance_squared", "angle", "angle_x_distance", "header", "header_x_distance", "free_kick")
"""The terms of `xg/1` in the order of ``COEFFICIENTS_1``."""
PENALTY_E6_1 = 735_043
UNPLACED_E6_1 = {"foot": 103_458, "header": 125_029, "free_kick": 56_028}
# Beyond these the products of the fit would turn its curve the wrong way: a nearer shot must never be worth less.
_FARTHEST_M, _WIDEST = Decimal(40), Decimal("1.75")

DEFINITION_1: dict[str, Any] = {
    "rule": "1 / (1 + exp(-(intercept + sum of coefficient * term))), round half up in 1e-6; distance to the goal's "
    "centre in 10 m, at most 4, and angle between its posts in radians, at most 1.75, on a pitch of 105 m x 68 m; "
    "x and y kept within 0..100 and rounded to 1e-3 per cent; header: head or another part of the body than the foot; "
    "free_kick: straight from a free kick; a penalty, and a shot without x or y, have the share of goals of their kind",
    "intercept": str(INTERCEPT_1),
    "coefficients": {name: str(value) for name, value in zip(TERMS_1, COEFFICIENTS_1, strict=True)},
    "penalty_e6": PENALTY_E6_1,
    "unplaced_e6": UNPLACED_E6_1,
}


def is_header(event: Event) -> bool:
    """`xg/1` knows the foot and the rest: the data set it was fitted on has one tag for head and body."""
    return event.body in (BodyPart.HEAD, BodyPart.OTHER)


def is_placed(event: Event) -> bool:
    """Both coordinates are there and are numbers."""
    return event.x is not None and event.y is not None and isfinite(event.x) and isfinite(event.y)


def _terms_1(x: float, y: float, header: bool, free_kick: bool) -> tuple[Decimal, ...]:
    c = _CONTEXT
    metres, angle = geometry(min(100.0, max(0.0, x)), min(100.0, max(0.0, y)), penalty=False)
    distance, angle = c.divide(min(metres, _FARTHEST_M), Decimal(10)), min(angle, _WIDEST)
    return (
        distance,
        c.multiply(distance, distance),
        angle,
        c.multiply(angle, distance),
        Decimal(header),
        c.multiply(Decimal(header), distance),
        Decimal(free_kick),
    )


def terms_1(event: Event) -> tuple[Decimal, ...]:
    """The terms of `xg/1` of a placed shot. Raises ValueError for one without a place."""
    if event.x is None or event.y is None or not is_placed(event):
        raise ValueError(f"shot {event.event_id} has no place: ask for its expected goals, not for its terms")
    return _terms_1(event.x, event.y, is_header(event), event.direct_free_kick)


@lru_cache(maxsize=65_536)
def _placed_e6_1(x: float, y: float, header: bool, free_kick: bool) -> int:
    c, logit = _CONTEXT, INTERCEPT_1
    for coefficient, term in zip(COEFFICIENTS_1, _terms_1(x, y, header, free_kick), strict=True):
        logit = c.add(logit, c.multiply(coefficient, term))
    chance = c.divide(Decimal(1), c.add(Decimal(1), c.exp(c.minus(logit))))
    return int(c.multiply(chance, Decimal(1_000_000)).to_integral_value(rounding=ROUND_HALF_UP))


def xg1_e6(event: Event) -> int:
    """`xg/1` of a shot in 1e-6: from its place, body part and situation, whatever the provider says.

    A pure function of the event's ``x``, ``y``, ``body``, ``penalty`` and ``direct_free_kick``; never raises.
    """
    if event.penalty:
        return PENALTY_E6_1
    header = is_header(event)
    if event.x is None or event.y is None or not is_placed(event):
        return UNPLACED_E6_1["free_kick" if event.direct_free_kick else "header" if header else "foot"]
    return _placed_e6_1(event.x, event.y, header, event.direct_free_kick)
