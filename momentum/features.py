"""What one event contributes to the index, as integers.

Two things: *points* (an amount that counts from the event's second on) and a *role* in possession (the ball is
with a side from here on, or it is dead). Both depend on the event alone; nothing that is known only after the
event (assists, key passes) is looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from ingest.events import BodyPart, Event, Kind, Side
from momentum import xg
from momentum.methodology import (
    BIG_CHANCE_HALVES,
    CORNER_HALVES,
    GOAL_HALVES,
    RED_HALVES,
    TILT_MIN_X,
    YELLOW_HALVES,
    Methodology,
)

SHOOT_OUT = 5
MAX_SECOND = 7_200
"""No period is longer: a wilder time is a typing error and counts at this second."""

_ON_BALL = frozenset({Kind.PASS, Kind.SHOT, Kind.TOUCH, Kind.FREE_KICK, Kind.CORNER, Kind.THROW_IN, Kind.GOAL_KICK})
_DEAD = frozenset(
    {
        Kind.OUT,
        Kind.INTERRUPTION,
        Kind.FOUL,
        Kind.OFFSIDE,
        Kind.CORNER_AWARDED,
        Kind.PENALTY_AWARDED,
        Kind.PERIOD_END,
    }
)
_SHOTS, _XG, _TILT, _RECENT, _XG1 = 2, 4, 6, 8, 10  # columns of the home side; the away side is the next one


class Role(IntEnum):
    """What an event says about possession."""

    HOME = 0
    AWAY = 1
    DEAD = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Footprint:
    """All that an event means to the index. Two events with equal footprints are interchangeable.

    ``points`` are (input column, amount) pairs; ``rank`` orders events of the same millisecond.
    """

    event_id: str
    period: int
    play_ms: int
    role: Role
    points: tuple[tuple[int, int], ...]

    @property
    def second(self) -> int:
        """The first tick that counts it: ceil of the playing time."""
        return -(-self.play_ms // 1000)

    @property
    def order(self) -> tuple[int, int, str]:
        """Place among the period's events."""
        return (self.play_ms, int(self.role is Role.DEAD), self.event_id)


def is_goal(event: Event) -> bool:
    """A goal for ``event.side``, own goals included; never the keeper's row."""
    return event.kind is Kind.SHOT and (event.goal or event.own_goal)


def is_on_ball(event: Event) -> bool:
    """Somebody plays the ball: pass, shot, touch, restart, attacking duel on the ground."""
    if event.side is None:
        return False
    return event.kind in _ON_BALL or (event.kind is Kind.DUEL and event.attacking is True and not event.aerial)


def _role(event: Event) -> Role:
    if event.kind in _DEAD or is_goal(event):
        return Role.DEAD
    if is_on_ball(event):
        return Role.HOME if event.side is Side.HOME else Role.AWAY
    return Role.NONE


def place(event: Event) -> tuple[float | None, float | None]:
    """Where the event was, in per cent: off the pitch is its edge, and what is no number is no place."""
    if event.x is None or event.y is None or not (math.isfinite(event.x) and math.isfinite(event.y)):
        return None, None
    return min(100.0, max(0.0, event.x)), min(100.0, max(0.0, event.y))


def shot_xg_e6(event: Event) -> int:
    """Expected goals of a shot in 1e-6: the provider's, kept inside 0..1, else ``xg/0``; never not a number."""
    if event.xg_e6 is not None and math.isfinite(event.xg_e6):
        return max(0, min(1_000_000, int(event.xg_e6)))
    x, y = place(event)
    return xg.xg_e6(x, y, header=event.body is BodyPart.HEAD, penalty=event.penalty)


def shot_xg1_e6(event: Event) -> int:
    """Expected goals of a shot in 1e-6: the provider's, else ``xg/1``."""
    given = event.xg_e6 is not None and math.isfinite(event.xg_e6)
    return shot_xg_e6(event) if given else xg.xg1_e6(event)


def xg_of(event: Event, methodology: Methodology) -> int:
    """Expected goals of a shot in 1e-6 as ``methodology`` counts them."""
    return shot_xg1_e6(event) if methodology.xg == "xg/1" else shot_xg_e6(event)


def _points(event: Event) -> tuple[tuple[int, int], ...]:
    if event.side is None:
        return ()
    own = 0 if event.side is Side.HOME else 1
    opponent = 1 - own
    if event.kind is Kind.PASS:
        return ((_TILT + own, 1),) if event.x is not None and TILT_MIN_X <= event.x < math.inf else ()
    if event.kind is Kind.SHOT:
        halves = GOAL_HALVES * is_goal(event) + BIG_CHANCE_HALVES * (event.big_chance and not event.own_goal)
        recent = ((_RECENT + own, halves),) if halves else ()
        if event.own_goal:
            return recent
        return ((_SHOTS + own, 1), (_XG + own, shot_xg_e6(event)), (_XG1 + own, shot_xg1_e6(event)), *recent)
    if event.kind is Kind.CORNER:
        return ((_RECENT + own, CORNER_HALVES),)
    if event.kind is Kind.YELLOW:
        return ((_RECENT + opponent, YELLOW_HALVES),)
    if event.kind is Kind.RED:
        return ((_RECENT + opponent, RED_HALVES),)
    return ()


def footprint(event: Event | None) -> Footprint | None:
    """What ``event`` means to the index; None for nothing, a shoot-out or a period that does not exist.

    Every event of a period has one, even without points or role: the last of them tells how long the period was.
    """
    if event is None or not 1 <= event.period < SHOOT_OUT:
        return None
    play_ms = max(0, min(event.play_ms, MAX_SECOND * 1000))
    return Footprint(event.event_id, event.period, play_ms, _role(event), _points(event))
