"""What one event contributes to the forecast, as integers: twelve amounts per side and a word for the scene.

All of it depends on the event alone and is known when the event is: no assists, no outcomes of moves. Amounts add up
per second of play; the scene (score, cards, where the ball is, what is awaited) is read off the newest events.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from ingest.events import Event, Kind, Side
from momentum.features import MAX_SECOND, SHOOT_OUT, is_goal, is_on_ball, shot_xg1_e6
from momentum.methodology import TILT_MIN_X

COLUMNS = (
    "possession_ms",
    "shots",
    "xg_e4",
    "final_third_passes",
    "passes",
    "box",
    "corners",
    "fouls_won",
    "goals",
    "threat_pct",
    "wide",
    "high_touches",
)
"""Per side. ``box``, ``threat_pct`` and ``wide`` count on-ball events in the area before the goal, in the opponent's
half (by how deep, 0 to 100) and on the wings of the last third; ``high_touches`` the touches in the opponent's half;
``fouls_won`` the opponent's fouls in its own third."""

CELLS = 2 * len(COLUMNS)
"""Columns of a second: home and away of each of `COLUMNS`, in turn."""

_BOX_X, _BOX_Y = 83.0, (20.0, 80.0)
_OWN_THIRD_X = 33.3
_OWN_BOX_X = 16.0
_LINE_X = 1.0
CORNER_AFTER_OUT_PCT = 45
"""Of the balls behind a goal line whose restart the feed does not tell, so many become corners (Wyscout, measured)."""


class Play(IntEnum):
    """What the newest event on the ball was, as far as the forecast distinguishes."""

    PASS = 0
    SHOT = 1
    FREE_KICK = 2
    CORNER = 3
    THROW_IN = 4
    GOAL_KICK = 5
    TOUCH = 6
    DUEL = 7
    FOUL = 8
    OUT = 9
    AWARD = 10


_PLAYS = {
    Kind.PASS: Play.PASS,
    Kind.SHOT: Play.SHOT,
    Kind.FREE_KICK: Play.FREE_KICK,
    Kind.CORNER: Play.CORNER,
    Kind.THROW_IN: Play.THROW_IN,
    Kind.GOAL_KICK: Play.GOAL_KICK,
    Kind.TOUCH: Play.TOUCH,
    Kind.DUEL: Play.DUEL,
    Kind.FOUL: Play.FOUL,
    Kind.OUT: Play.OUT,
    Kind.CORNER_AWARDED: Play.AWARD,
    Kind.PENALTY_AWARDED: Play.AWARD,
}


@dataclass(frozen=True, slots=True)
class Word:
    """The scene after one event. Signs are +1 home, -1 away; ``x_e1`` is tenths of a per cent from the middle line,
    positive towards the away side's goal.

    ``corner_pct``, ``free_kick`` and ``penalty`` tell, signed, what is awaited: a corner (with its chance), a free
    kick in the last third, a penalty.
    """

    on_ball: bool
    play: Play
    sign: int
    x_e1: int
    corner_pct: int = 0
    free_kick: int = 0
    penalty: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """All that an event means to the forecast. ``cells`` are (column, amount) of `CELLS`."""

    event_id: str
    period: int
    play_ms: int
    cells: tuple[tuple[int, int], ...]
    word: Word | None
    goal: int = 0  # sign of the side that gains
    red: int = 0  # sign of the side that is left with more players

    @property
    def second(self) -> int:
        """The first tick that counts it."""
        return -(-self.play_ms // 1000)

    @property
    def order(self) -> tuple[int, int, int, str]:
        """Place among the match's events; at equal times a dead ball comes after a touch, as in possession."""
        return (self.period, self.play_ms, int(self.word is not None and not self.word.on_ball), self.event_id)


def shot_xg_e4(event: Event) -> int:
    """Expected goals of a shot in 1e-4: the provider's, else ``xg/1``."""
    return (shot_xg1_e6(event) + 50) // 100


def _placed(event: Event) -> tuple[float | None, float | None]:
    """Where the event was: off the pitch is its edge, and what is no number is no place."""
    x, y = (
        None if value is None or not math.isfinite(value) else min(100.0, max(0.0, value))
        for value in (event.x, event.y)
    )
    return x, y


def _cells(event: Event, own: int) -> list[tuple[int, int]]:
    cells: list[tuple[int, int]] = []

    def add(name: str, amount: int = 1, side: int = own) -> None:
        cells.append((2 * COLUMNS.index(name) + side, amount))

    x, y = _placed(event)
    if event.kind is Kind.PASS:
        add("passes")
        if x is not None and x >= TILT_MIN_X:
            add("final_third_passes")
    elif event.kind is Kind.SHOT and not event.own_goal:
        add("shots")
        add("xg_e4", shot_xg_e4(event))
    elif event.kind is Kind.CORNER:
        add("corners")
    elif event.kind is Kind.FOUL and x is not None and x <= _OWN_THIRD_X:
        add("fouls_won", 1, 1 - own)
    elif event.kind is Kind.TOUCH and x is not None and x > 50:
        add("high_touches")
    if is_goal(event):
        add("goals")
    if x is not None and is_on_ball(event) and x > 50:
        add("threat_pct", min(100, round(2 * (x - 50))))
        central = y is None or _BOX_Y[0] <= y <= _BOX_Y[1]
        if x >= _BOX_X and central:
            add("box")
        if x >= TILT_MIN_X and not central:
            add("wide")
    return cells


def _word(event: Event, sign: int, awards_carried: bool) -> Word | None:
    play = _PLAYS.get(event.kind)
    on_ball = is_on_ball(event)
    if play is None or (play is Play.DUEL and not on_ball):
        return None
    x, y = _placed(event)
    central = y is None or _BOX_Y[0] <= y <= _BOX_Y[1]
    x_e1 = 0 if x is None else sign * round(10 * (x - 50))
    corner_pct = free_kick = penalty = 0
    if event.kind is Kind.CORNER_AWARDED:
        corner_pct = 100 * sign
    elif event.kind is Kind.PENALTY_AWARDED:
        penalty = sign
    elif event.kind is Kind.OUT and not awards_carried and x is not None and not _LINE_X < x < 100 - _LINE_X:
        corner_pct = CORNER_AFTER_OUT_PCT * (1 if x_e1 > 0 else -1)
    elif event.kind is Kind.FOUL and x is not None and x <= _OWN_THIRD_X:
        if x <= _OWN_BOX_X and central and not awards_carried:
            penalty = -sign
        else:
            free_kick = -sign
    return Word(on_ball, play, sign, x_e1, corner_pct, free_kick, penalty)


def mark_of(event: Event | None, awards_carried: bool) -> Mark | None:
    """What ``event`` means to the forecast; None for nothing. ``awards_carried``: see `momentum.state`."""
    if event is None or event.side is None or not 1 <= event.period < SHOOT_OUT:
        return None
    sign, own = (1, 0) if event.side is Side.HOME else (-1, 1)
    goal = sign if is_goal(event) else 0
    red = -sign if event.kind is Kind.RED else 0
    cells = tuple(_cells(event, own))
    word = _word(event, sign, awards_carried)
    if not (cells or word or red):
        return None
    play_ms = max(0, min(event.play_ms, MAX_SECOND * 1000))
    return Mark(event.event_id, event.period, play_ms, cells, word, goal, red)
