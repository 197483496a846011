"""Two providers' last minutes side by side: who had the ball, who shot, and what that may mean to the index.

Not the index's own definitions, which are `momentum`'s: a plain measure that any two providers can be put to.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.events import Side
from ingest.fusion.member import Member

BALL_S, SHOTS_S = 300, 600
HELD_S = 12
"""The ball is a side's for so long after its last touch."""
LEAST_S = 60
"""Fewer seconds with the ball prove nothing."""
LEAD_MS = 5_000
"""The newest seconds are left out: they are still being told."""
POINT_E4 = 10_000
POSSESSION_POINTS, SHOT_POINTS = 20, 20
"""What a whole share of each is worth in index points (docs/momentum.md)."""
SHOT_PSEUDO = 8

Rows = Sequence[tuple[int, str, Side]]


@dataclass(frozen=True, slots=True)
class Difference:
    """How two providers differ, of ``compared_s`` seconds in which both gave a side the ball. Shares are in 1e-4."""

    compared_s: int
    possession_e4: int  # difference of the home side's shares of the ball
    against_e4: int  # of the seconds compared, those with the ball at the other side
    shots: int  # the greater difference of the sides' shots
    index_e4: int  # what possession and shots may move the index by, in 1e-4 points


def holders(balls: Rows, first_s: int, end_s: int) -> list[Side | None]:
    """Who has the ball in each second of play from ``first_s`` to ``end_s`` - 1."""
    found: list[Side | None] = [None] * (end_s - first_s)
    at = bisect_left(balls, ((first_s - HELD_S) * 1000,))
    while at < len(balls) and balls[at][0] < end_s * 1000:
        second = balls[at][0] // 1000 + 1
        for s in range(max(second, first_s), min(second + HELD_S, end_s)):
            found[s - first_s] = balls[at][2]
        at += 1
    return found


def difference(one: Member, other: Member, period: int, until_ms: int, offset_ms: int) -> Difference:
    """Compare the minutes before ``until_ms`` of ``period`` by ``one``'s clock, ``other``'s and ``offset_ms``."""
    end_s, shift_s = (until_ms - LEAD_MS) // 1000, round(offset_ms / 1000)
    first_s = max(0, end_s - BALL_S, shift_s)
    if end_s <= first_s:
        return Difference(0, 0, 0, 0, 0)
    ours = holders(one.balls.get(period, ()), first_s, end_s)
    theirs = holders(other.balls.get(period, ()), first_s - shift_s, end_s - shift_s)
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    shots = [_shots(member.shots.get(period, ()), until_ms - shift) for member, shift in ((one, 0), (other, offset_ms))]
    apart = abs(_share_e4(*shots[0], SHOT_PSEUDO) - _share_e4(*shots[1], SHOT_PSEUDO))
    possession = against = 0
    if len(both) >= LEAST_S:
        possession = abs(_held_e4(ours) - _held_e4(theirs))
        against = sum(a is not b for a, b in both) * 10_000 // len(both)
    return Difference(
        compared_s=len(both),
        possession_e4=possession,
        against_e4=against,
        shots=max(abs(a - b) for a, b in zip(*shots, strict=True)),
        index_e4=POSSESSION_POINTS * possession + SHOT_POINTS * apart,
    )


def _held_e4(held: Sequence[Side | None]) -> int:
    return _share_e4(held.count(Side.HOME), held.count(Side.AWAY), 15)


def _share_e4(home: int, away: int, pseudo: int) -> int:
    return 10_000 * (home + pseudo) // (home + away + 2 * pseudo)


def _shots(shots: Rows, until_ms: int) -> tuple[int, int]:
    first = bisect_right(shots, (until_ms - SHOTS_S * 1000,))
    sides = [side for at_ms, _, side in shots[first:] if at_ms <= until_ms - LEAD_MS]
    return sides.count(Side.HOME), sides.count(Side.AWAY)
