"""The Opta vocabulary: event types and qualifiers by their numbers, and what each type becomes here.

Stats Perform's MA3 and Opta's F24 are two spellings of the same rows; `Shape` tells them apart.

Source: the Opta event definitions as published with the feeds; cross-checked in the tests against the constants
and the reading of the `kloppy` package. Types in `UNVERIFIED` occur in no real file we hold.
"""

from __future__ import annotations

from typing import NamedTuple

from ingest.events import Kind


class Shape(NamedTuple):
    """What a feed calls the fields of an event row that differ between the feeds."""

    type_id: str
    period: str
    minute: str
    second: str
    team: str
    player: str
    player_name: str
    stamp: str
    qualifiers: str
    qualifier_id: str


F24 = Shape(
    type_id="type_id",
    period="period_id",
    minute="min",
    second="sec",
    team="team_id",
    player="player_id",
    player_name="player_name",
    stamp="timestamp",
    qualifiers="Q",
    qualifier_id="qualifier_id",
)

PERIOD_BASE_MIN = {1: 0, 2: 45, 3: 90, 4: 105, 5: 120}
"""The minute at each period's kick-off."""
MOST_ADDED_MIN = 30

NAMES = {
    1: "pass",
    2: "offside pass",
    3: "take-on",
    4: "foul",
    5: "out",
    6: "corner awarded",
    7: "tackle",
    8: "interception",
    9: "turnover",
    10: "save",
    11: "claim",
    12: "clearance",
    13: "miss",
    14: "woodwork",
    15: "attempt saved",
    16: "goal",
    17: "card",
    18: "player off",
    19: "player on",
    20: "player retired",
    21: "player returns",
    22: "player becomes goalkeeper",
    23: "goalkeeper becomes player",
    24: "condition change",
    25: "official change",
    27: "start of delay",
    28: "end of delay",
    29: "temporary stop",
    30: "period end",
    32: "period start",
    34: "team set-up",
    35: "player changed position",
    36: "player changed shirt number",
    37: "collection end",
    38: "possible goal",
    39: "possible attempt",
    40: "formation change",
    41: "punch",
    42: "good skill",
    43: "deleted event",
    44: "aerial duel",
    45: "challenge",
    47: "card rescinded",
    49: "ball recovery",
    50: "dispossessed",
    51: "error",
    52: "keeper pick-up",
    53: "cross not claimed",
    54: "smother",
    55: "offside provoked",
    56: "ball shielded out",
    57: "foul throw-in",
    58: "penalty faced",
    59: "keeper sweeps",
    60: "chance missed",
    61: "ball touch",
    63: "possible save",
    64: "match resumes",
    65: "contentious referee decision",
    66: "possession data",
    67: "fifty-fifty",
    68: "drop ball",
    69: "failed to block",
    70: "added time announced",
    71: "coach set-up",
    72: "caught offside",
    73: "other ball contact",
    74: "blocked pass",
    75: "delayed start",
    76: "early end",
    77: "player off the pitch",
    79: "coverage interrupted",
    80: "ball dropped by keeper",
    81: "obstacle",
    82: "control",
    83: "attempted tackle",
    84: "deleted after review",
}
"""Every type with a documented meaning; any other number is counted as unknown."""

DELETED, DELETED_AFTER_REVIEW = 43, 84
PASS, OFFSIDE_PASS, FOUL, OUT, CORNER_AWARDED, CARD = 1, 2, 4, 5, 6, 17
MISS, POST, SAVED, GOAL = 13, 14, 15, 16
PERIOD_END, PERIOD_START, DELAY_START, DELAY_END = 30, 32, 27, 28
TAKE_ON, RECOVERY, CLEARANCE, OFFSIDE_PROVOKED, BALL_TOUCH, DECISION = 3, 49, 12, 55, 61, 65
ADDED_TIME = 70

SHOTS = frozenset({MISS, POST, SAVED, GOAL})

Q_FREE_KICK, Q_CORNER, Q_PENALTY, Q_HEAD, Q_OTHER_BODY = 5, 6, 9, 15, 21
Q_DIRECT_FREE_KICK, Q_OWN_GOAL, Q_YELLOW, Q_SECOND_YELLOW, Q_RED = 26, 28, 31, 32, 33
Q_BLOCKED, Q_THROW_IN, Q_GOAL_KICK, Q_END_X, Q_END_Y = 82, 107, 124, 140, 141
Q_FORMER_TYPE, Q_RESCINDED, Q_LENGTH_M, Q_ANGLE, Q_BIG_CHANCE = 144, 171, 212, 213, 214
Q_MINUTES, Q_STAFF, Q_XG, Q_TYPE_BEFORE_REVIEW = 277, 283, 321, 436
Q_CONFIRMED, Q_CANCELLED, Q_REVIEW, Q_VAR_DELAY = 335, 336, 343, 364

VAR_SUBJECTS = {
    329: "goal awarded",
    330: "penalty awarded",
    331: "penalty not awarded",
    332: "card upgraded",
    333: "mistaken identity",
    334: "other",
    341: "goal not awarded",
    342: "red card given",
}
"""What a review is about. No real file we hold has a review: all of `Kind.VAR_START` and `VAR_END` is unverified."""
VAR_QUALIFIERS = frozenset(VAR_SUBJECTS) | {Q_REVIEW, Q_VAR_DELAY}

RESTARTS = {
    Q_CORNER: Kind.CORNER,
    Q_FREE_KICK: Kind.FREE_KICK,
    Q_THROW_IN: Kind.THROW_IN,
    Q_GOAL_KICK: Kind.GOAL_KICK,
}
"""A pass with one of these qualifiers is a restart; the first that matches names it."""

SIMPLE = {
    OFFSIDE_PASS: Kind.PASS,
    OUT: Kind.OUT,
    8: Kind.TOUCH,  # interception
    9: Kind.TOUCH,  # turnover: the ball is lost without a challenge
    10: Kind.SAVE,
    11: Kind.TOUCH,
    CLEARANCE: Kind.TOUCH,
    18: Kind.SUBSTITUTION,
    19: Kind.SUBSTITUTION,
    DELAY_START: Kind.INTERRUPTION,
    29: Kind.INTERRUPTION,
    DELAY_END: Kind.RESUME,
    41: Kind.TOUCH,
    RECOVERY: Kind.TOUCH,
    52: Kind.TOUCH,
    54: Kind.TOUCH,
    OFFSIDE_PROVOKED: Kind.OFFSIDE,
    56: Kind.TOUCH,
    57: Kind.FOUL,
    59: Kind.TOUCH,
    68: Kind.RESUME,
    ADDED_TIME: Kind.ADDED_TIME,
    72: Kind.OFFSIDE,
    80: Kind.TOUCH,
    82: Kind.TOUCH,
    PERIOD_START: Kind.PERIOD_START,
    PERIOD_END: Kind.PERIOD_END,
}

DUELS: dict[int, tuple[bool | None, bool]] = {
    TAKE_ON: (True, False),
    7: (False, False),  # tackle
    44: (None, True),
    45: (False, False),  # challenge: dribbled past
    50: (True, False),
    67: (None, False),
    83: (False, False),
}
"""Type -> (whether the acting side had the ball, whether the ball was in the air)."""

PROVISIONAL = frozenset({38, 39, 63})
"""Announcements whose details follow as events of their own: `Kind.OTHER`, marked provisional, as is the start of a
review. `ingest.provisional` tells which of them a later event has settled."""

KNOWN_OTHER = frozenset(NAMES) - frozenset(SIMPLE) - frozenset(DUELS) - SHOTS - {PASS, DELETED, DELETED_AFTER_REVIEW}
"""Types that carry nothing the index or the market needs, beside those decided by outcome and qualifiers."""

UNLOCATED = frozenset({17, 18, 19, 24, 25, 27, 28, 30, 32, 34, 36, 37, 40, 58, 64, 65, 70, 71, 75, 76, 77, 79})
"""Types whose ``x`` and ``y`` are 0 because they happen nowhere."""

TEAMLESS = frozenset({PERIOD_START, PERIOD_END, DELAY_START, DELAY_END, 64, 68, 70, 75, 76, 79})
"""Types sent for a team (often once for each) in which no team acts."""

UNVERIFIED = frozenset(NAMES) - {
    *range(1, 9),
    *(10, 11, 12, 13, 15, 16, 17, 18, 19, 24, 27, 28, 30, 32, 34, 37, 40, 41, 43, 44, 45, 49, 50, 52, 55, 56, 58),
    *(59, 61, 67, 68, 70, 74, 82, 83),
}
"""Documented types without an occurrence in a complete real match that we hold."""
