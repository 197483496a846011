"""Wyscout v3: the names of its events, and what each becomes here (docs/events.md gives the reasons).

Source: the provider's glossary as the `kloppy` package reads it. Names in `UNVERIFIED` occur in no real file we hold.
"""

from __future__ import annotations

from ingest.events import BodyPart, Kind

PERIODS = {"1H": 1, "2H": 2, "1E": 3, "2E": 4, "E1": 3, "E2": 4, "P": 5}
PERIOD_BASE_MS = {1: 0, 2: 45 * 60_000, 3: 90 * 60_000, 4: 105 * 60_000, 5: 120 * 60_000}
"""``matchTimestamp`` at each period's kick-off."""

KINDS = {
    "acceleration": Kind.TOUCH,
    "clearance": Kind.TOUCH,
    "corner": Kind.CORNER,
    "duel": Kind.DUEL,
    "fairplay": Kind.OTHER,
    "free_kick": Kind.FREE_KICK,
    "game_interruption": Kind.INTERRUPTION,
    "goal_kick": Kind.GOAL_KICK,
    "goalkeeper_exit": Kind.TOUCH,
    "infraction": Kind.FOUL,
    "interception": Kind.TOUCH,
    "offside": Kind.OFFSIDE,
    "own_goal": Kind.SHOT,
    "pass": Kind.PASS,
    "penalty": Kind.SHOT,
    "postmatch_penalty": Kind.SHOT,
    "postmatch_penalty_faced": Kind.SAVE,
    "shot": Kind.SHOT,
    "shot_against": Kind.SAVE,
    "throw_in": Kind.THROW_IN,
    "touch": Kind.TOUCH,
}
"""By ``type.primary``; any other name is counted as unknown."""

PENALTIES = frozenset({"penalty", "postmatch_penalty"})
SHOTS_OF_RESTARTS = frozenset({"free_kick_shot", "shot", "corner_shot"})
"""Secondary names that make a free kick or corner a shot."""
ATTACKING = {"offensive_duel": True, "defensive_duel": False}
BODY = {"head_or_other": BodyPart.HEAD}
BIG_CHANCE_E6 = 200_000
"""As for every provider that gives expected goals but no flag; ``opportunity`` marks four shots in five."""

UNVERIFIED = frozenset({"own_goal", "penalty", "postmatch_penalty", "postmatch_penalty_faced"})
