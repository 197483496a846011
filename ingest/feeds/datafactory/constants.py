"""DataFactory incidence types by their numbers, and what each becomes here (docs/events.md gives the reasons).

Source: the provider's type list as the `kloppy` package has it; cross-checked against it in the tests. Types in
`UNVERIFIED` occur in no real file we hold.
"""

from __future__ import annotations

from ingest.events import Kind

PERIOD_BASE_MIN = {1: 0, 2: 45, 3: 90, 4: 105, 5: 120}
"""Minute at each period's kick-off."""

MATCH_START, MATCH_END = 1, 2
OWN_GOAL, CLEARED_TO_CORNER, FOUL_PENALTY, HAND_PENALTY, CORNER = 10, 30, 31, 32, 28

NAMES = {
    MATCH_START: "kick-off",
    MATCH_END: "end of the match",
    3: "yellow card",
    4: "second yellow card",
    5: "red card",
    7: "substitution",
    9: "goal",
    OWN_GOAL: "own goal",
    11: "goal (header)",
    12: "goal (free kick)",
    13: "goal (penalty)",
    17: "end of the first half",
    18: "start of the second half",
    CORNER: "corner",
    29: "clearance",
    CLEARED_TO_CORNER: "cleared to a corner",
    FOUL_PENALTY: "penalty awarded",
    HAND_PENALTY: "penalty awarded (handball)",
    33: "shot off target",
    34: "shot on the woodwork",
    35: "shot saved",
    36: "foul",
    37: "handball",
    43: "penalty saved",
    44: "penalty missed",
    45: "penalty on the woodwork",
    46: "throw-in",
    47: "offside",
    48: "goal kick",
    49: "end of the second half",
    50: "start of extra time",
    51: "end of extra time, first half",
    52: "start of extra time, second half",
    53: "end of extra time",
    54: "start of the shoot-out",
    55: "shoot-out: goal",
    56: "shoot-out: saved",
    57: "shoot-out: missed",
    180: "pass",
    181: "pass",
    182: "steal",
    183: "shoot-out: woodwork",
    507: "nutmeg",
    509: "sombrero flick",
}
"""Every type with a documented meaning; any other number is counted as unknown."""

STARTS = frozenset({MATCH_START, 18, 50, 52, 54})
ENDS = frozenset({MATCH_END, 17, 49, 51, 53})
GOALS = frozenset({9, OWN_GOAL, 11, 12, 13, 55})
PENALTIES = frozenset({13, 43, 44, 45, 55, 56, 57, 183})
SHOTS = frozenset({9, OWN_GOAL, 11, 12, 13, 33, 34, 35, *PENALTIES})
ON_TARGET = frozenset({9, 11, 12, 13, 35, 43, 55, 56})
HEADER_GOAL, FREE_KICK_GOAL = 11, 12
PASS_FAILED = 181
PASSES = frozenset({180, PASS_FAILED})
FREE_KICK_CAUSES = frozenset({36, 37, 47})
ASIDE = frozenset({3, 4, 5, 7, *STARTS, *ENDS})
"""Cards, substitutions and whistles may stand between a foul and its free kick."""

KINDS = {
    **dict.fromkeys(STARTS, Kind.PERIOD_START),
    **dict.fromkeys(ENDS, Kind.PERIOD_END),
    **dict.fromkeys(SHOTS, Kind.SHOT),
    3: Kind.YELLOW,
    4: Kind.RED,
    5: Kind.RED,
    7: Kind.SUBSTITUTION,
    CORNER: Kind.CORNER,
    29: Kind.TOUCH,
    CLEARED_TO_CORNER: Kind.TOUCH,
    FOUL_PENALTY: Kind.PENALTY_AWARDED,
    HAND_PENALTY: Kind.PENALTY_AWARDED,
    36: Kind.FOUL,
    37: Kind.FOUL,
    46: Kind.THROW_IN,
    47: Kind.OFFSIDE,
    48: Kind.GOAL_KICK,
    180: Kind.PASS,
    PASS_FAILED: Kind.PASS,
    182: Kind.TOUCH,
}

CLASSES = frozenset(
    {
        "status",
        "nutmegs",
        "stealings",
        "fouls",
        "throwIn",
        "incorrectPasses",
        "clearances",
        "correctPasses",
        "sombreroFlick",
        "goalkick",
        "goals",
        "shots",
        "offsides",
        "redCards",
        "yellowCards",
        "substitutions",
        "penaltyShootout",
        "cornerKicks",
    }
)
"""Classes of incidences; a goal stands in ``goals`` and, under the same id, in ``shots``."""

UNVERIFIED = frozenset({4, 5, 11, 12, 31, 34, 37, 43, 44, 45, 49, 50, 51, 52, 53, 54, 55, 56, 57, 183, 509})
"""Documented types without an occurrence in a complete real match that we hold."""
