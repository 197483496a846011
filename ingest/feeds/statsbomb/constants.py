"""StatsBomb type, outcome and card numbers, and what each type becomes here (docs/events.md gives the reasons).

Source: the StatsBomb event specification, version 4; cross-checked in the tests against the names in real files and
the constants of the `kloppy` package.
"""

from __future__ import annotations

from ingest.events import BodyPart, Kind

PITCH = (120.0, 80.0)
"""Length and width of the grid; x to the opponent's goal line, y from the acting team's left touchline."""

BALL_RECOVERY, DISPOSSESSED, DUEL, BLOCK, OFFSIDE, CLEARANCE, INTERCEPTION = 2, 3, 4, 6, 8, 9, 10
DRIBBLE, SHOT, HALF_START, OWN_GOAL_AGAINST, FOUL, GOALKEEPER, BAD_BEHAVIOUR = 14, 16, 18, 20, 22, 23, 24
OWN_GOAL_FOR, PASS, HALF_END, STARTING_XI, MISCONTROL, DRIBBLED_PAST = 25, 30, 34, 35, 38, 39

NAMES = {
    BALL_RECOVERY: "ball recovery",
    DISPOSSESSED: "dispossessed",
    DUEL: "duel",
    5: "camera on",
    BLOCK: "block",
    OFFSIDE: "offside",
    CLEARANCE: "clearance",
    INTERCEPTION: "interception",
    DRIBBLE: "dribble",
    SHOT: "shot",
    17: "pressure",
    HALF_START: "period start",
    19: "substitution",
    OWN_GOAL_AGAINST: "own goal conceded",
    21: "foul won",
    FOUL: "foul",
    GOALKEEPER: "goalkeeper",
    BAD_BEHAVIOUR: "bad behaviour",
    OWN_GOAL_FOR: "own goal",
    26: "player on",
    27: "player off",
    28: "shield",
    29: "camera off",
    PASS: "pass",
    33: "fifty-fifty",
    HALF_END: "period end",
    STARTING_XI: "starting eleven",
    36: "tactical shift",
    37: "error",
    MISCONTROL: "miscontrol",
    DRIBBLED_PAST: "dribbled past",
    40: "injury stoppage",
    41: "drop ball",
    42: "ball receipt",
    43: "carry",
}
"""Every type of the specification; any other number is counted as unknown."""

KINDS = {
    BALL_RECOVERY: Kind.TOUCH,
    DISPOSSESSED: Kind.DUEL,
    DUEL: Kind.DUEL,
    OFFSIDE: Kind.OFFSIDE,
    CLEARANCE: Kind.TOUCH,
    INTERCEPTION: Kind.TOUCH,
    DRIBBLE: Kind.DUEL,
    SHOT: Kind.SHOT,
    HALF_START: Kind.PERIOD_START,
    19: Kind.SUBSTITUTION,
    FOUL: Kind.FOUL,
    OWN_GOAL_FOR: Kind.SHOT,
    28: Kind.TOUCH,  # the ball is shielded out
    PASS: Kind.PASS,
    33: Kind.DUEL,
    HALF_END: Kind.PERIOD_END,
    MISCONTROL: Kind.TOUCH,
    DRIBBLED_PAST: Kind.DUEL,
    40: Kind.INTERRUPTION,
    41: Kind.RESUME,
}
"""The rest is `Kind.OTHER`: receipts, carries, pressure and blocks have no counterpart in the other feeds."""

ATTACKING = {DISPOSSESSED: True, DRIBBLE: True, DRIBBLED_PAST: False}
DUEL_AERIAL_LOST, DUEL_TACKLE = 10, 11

PASS_KINDS = {61: Kind.CORNER, 62: Kind.FREE_KICK, 63: Kind.GOAL_KICK, 67: Kind.THROW_IN}
"""By ``pass.type``. Kick-offs, recoveries and interceptions that are passes stay passes."""
PASS_OUT, PASS_OFFSIDE = 75, 76
PASS_SUCCESS = {None: True, 9: False, 74: False, PASS_OUT: False, PASS_OFFSIDE: False}
"""By ``pass.outcome``, which a completed pass does not have; 77 (unknown) stays unknown."""

SHOT_FREE_KICK, SHOT_PENALTY = 62, 88
SHOT_GOAL, SHOT_OFF, SHOT_WAYWARD = 97, 98, 101
ON_TARGET = frozenset({SHOT_GOAL, 100, 116})
BODY = {37: BodyPart.HEAD, 38: BodyPart.FOOT, 40: BodyPart.FOOT}
BIG_CHANCE_E6 = 200_000
"""StatsBomb flags no big chances: a shot of .20 and more is one (docs/events.md has the reason)."""

KEEPER_SAVES = frozenset({26, 29, 31, 33, 109, 110, 113, 114})
KEEPER_TOUCHES = frozenset({25, 27, 30, 34})
"""Collected, swept up, punched, smothered: the keeper plays the ball. Shots faced and penalties conceded are none."""

OUTCOMES_OUT = frozenset({14, 17, 59})
"""Lost out, success out (duels, interceptions) and touched out (keepers)."""

CARDS = {
    5: (Kind.RED, "red card"),
    6: (Kind.RED, "second yellow card"),
    7: (Kind.YELLOW, "yellow card"),
    65: (Kind.YELLOW, "yellow card"),
    66: (Kind.RED, "second yellow card"),
    67: (Kind.RED, "red card"),
}

UNLOCATED = frozenset({5, HALF_START, 19, BAD_BEHAVIOUR, 26, 27, 29, HALF_END, STARTING_XI, 36, 40})
TEAMLESS = frozenset({5, HALF_START, 29, HALF_END, 40, 41})
"""Types sent for a team (often once for each) in which no team acts."""
PLAYED = frozenset(
    {BALL_RECOVERY, DUEL, BLOCK, CLEARANCE, INTERCEPTION, DRIBBLE, SHOT, GOALKEEPER, 28, PASS, 33, MISCONTROL}
)
"""Types after which the ball may be out of play."""
