"""Opta event types and qualifiers by their numbers, and what each type becomes here.

Source: the Opta event definitions as published with the feeds; cross-checked in the tests against the constants
and the reading of the `kloppy` package. Types marked *unverified* have no occurrence in a real file we hold.
"""

from __future__ import annotations

from ingest.events import Kind

PERIOD_BASE_MIN = {1: 0, 2: 45, 3: 90, 4: 105, 5: 120}
"""``timeMin`` at each period's kick-off."""

DELETED = 43
PASS, OFFSIDE_PASS, FOUL, OUT, CORNER_AWARDED, CARD = 1, 2, 4, 5, 6, 17
MISS, POST, SAVED, GOAL = 13, 14, 15, 16
PERIOD_END, PERIOD_START, DELAY_START, DELAY_END = 30, 32, 27, 28

SHOTS = frozenset({MISS, POST, SAVED, GOAL})

Q_FREE_KICK, Q_CORNER, Q_PENALTY, Q_HEAD, Q_OTHER_BODY = 5, 6, 9, 15, 21
Q_DIRECT_FREE_KICK, Q_OWN_GOAL, Q_YELLOW, Q_SECOND_YELLOW, Q_RED = 26, 28, 31, 32, 33
Q_THROW_IN, Q_GOAL_KICK, Q_FORMER_TYPE, Q_BIG_CHANCE, Q_XG = 107, 124, 144, 214, 321
Q_DELAY_REASON = 41

RESTARTS = {
    Q_CORNER: Kind.CORNER,
    Q_FREE_KICK: Kind.FREE_KICK,
    Q_THROW_IN: Kind.THROW_IN,
    Q_GOAL_KICK: Kind.GOAL_KICK,
}
"""A pass with one of these qualifiers is a restart; the first that matches names it."""

SIMPLE = {
    OFFSIDE_PASS: Kind.PASS,
    8: Kind.TOUCH,  # interception
    10: Kind.SAVE,
    11: Kind.TOUCH,  # keeper claims a cross
    12: Kind.TOUCH,  # clearance
    18: Kind.SUBSTITUTION,  # player off
    19: Kind.SUBSTITUTION,  # player on
    OUT: Kind.OUT,
    DELAY_START: Kind.INTERRUPTION,
    41: Kind.TOUCH,  # keeper punches
    49: Kind.TOUCH,  # ball recovery
    52: Kind.TOUCH,  # keeper picks up
    54: Kind.TOUCH,  # keeper smothers
    55: Kind.OFFSIDE,  # offside provoked
    56: Kind.TOUCH,  # shields the ball out
    59: Kind.TOUCH,  # keeper sweeps
    61: Kind.TOUCH,  # ball touch
    PERIOD_START: Kind.PERIOD_START,
    PERIOD_END: Kind.PERIOD_END,
}

DUELS: dict[int, tuple[bool | None, bool]] = {
    3: (True, False),  # take-on
    7: (False, False),  # tackle
    44: (None, True),  # aerial
    45: (False, False),  # challenge: dribbled past
    50: (True, False),  # dispossessed
    67: (None, False),  # fifty-fifty
}
"""Type -> (whether the acting side had the ball, whether the ball was in the air)."""

KNOWN_OTHER = frozenset(
    {DELAY_END, 20, 21, 24, 25, 27, 34, 36, 37, 40, 42, 51, 53, 57, 58, 60, 65, 68, 70, 71, 74, 82, 83}
)
"""Types that carry nothing the index or the market needs (line-ups, formation, blocked pass, cards withdrawn...)."""

UNVERIFIED = frozenset({20, 21, 36, 42, 53, 65, 71})
