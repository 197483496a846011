"""Wyscout v2 event, sub-event and tag numbers, from the published data set (Pappalardo et al. 2019) and its notes."""

from __future__ import annotations

from ingest.events import Kind

PERIODS = {"1H": 1, "2H": 2, "E1": 3, "E2": 4, "P": 5}
DUEL, FOUL, FREE_KICK, KEEPER_OUT, INTERRUPTION, OFFSIDE, ON_BALL, PASS, SAVE, SHOT = range(1, 11)

NAMES = {
    DUEL: "duel",
    FOUL: "foul",
    FREE_KICK: "free kick",
    KEEPER_OUT: "keeper leaves the line",
    INTERRUPTION: "interruption",
    OFFSIDE: "offside",
    ON_BALL: "touch",
    PASS: "pass",
    SAVE: "save attempt",
    SHOT: "shot",
}

SUB_AERIAL, SUB_GROUND_ATTACK, SUB_GROUND_DEFENCE, SUB_LOOSE_BALL = 10, 11, 12, 13
SUB_CORNER, SUB_FREE_KICK, SUB_FREE_KICK_CROSS, SUB_FREE_KICK_SHOT = 30, 31, 32, 33
SUB_GOAL_KICK, SUB_PENALTY, SUB_THROW_IN = 34, 35, 36
SUB_BALL_OUT, SUB_WHISTLE = 50, 51

SET_PIECES = {
    SUB_CORNER: Kind.CORNER,
    SUB_FREE_KICK: Kind.FREE_KICK,
    SUB_FREE_KICK_CROSS: Kind.FREE_KICK,
    SUB_GOAL_KICK: Kind.GOAL_KICK,
    SUB_THROW_IN: Kind.THROW_IN,
}

SUB_NAMES = {
    SUB_AERIAL: "aerial duel",
    SUB_GROUND_ATTACK: "attacking duel",
    SUB_GROUND_DEFENCE: "defending duel",
    SUB_LOOSE_BALL: "loose-ball duel",
    SUB_CORNER: "corner",
    SUB_FREE_KICK_SHOT: "free-kick shot",
    SUB_GOAL_KICK: "goal kick",
    SUB_PENALTY: "penalty",
    SUB_THROW_IN: "throw-in",
    SUB_BALL_OUT: "out",
    SUB_WHISTLE: "whistle",
    71: "clearance",
    80: "cross",
}

TAG_GOAL, TAG_OWN_GOAL, TAG_OPPORTUNITY, TAG_HEAD_BODY = 101, 102, 201, 403
TAG_RED, TAG_YELLOW, TAG_SECOND_YELLOW = 1701, 1702, 1703
TAG_ACCURATE, TAG_NOT_ACCURATE = 1801, 1802

TAGS_NEVER_SPOILT = frozenset({TAG_GOAL, TAG_OWN_GOAL, TAG_RED, TAG_YELLOW, TAG_SECOND_YELLOW})
"""A replay never sends a wrong first version of these: suspensions hang on them."""
