"""Event types of Soccer v4 and what each becomes here.

Pages (developer.sportradar.com): [push] soccer/docs/soccer-ig-push, [events] soccer/reference/soccer-push-events and
soccer-extended-push-events (the list of types, every field of an event), [faq] soccer/reference/soccer-faq,
[status] soccer/docs/soccer-ig-match-status-workflow, [water] and [var] the change log's entries "Hydration Break
Events" and "Removal of VAR Decision Field". No file of this provider is among our test data: what no page says is in
`UNVERIFIED`, or named where it is used.
"""

from __future__ import annotations

from ingest.events import Kind

REGULAR, OVERTIME, PENALTIES = "regular_period", "overtime", "penalties"  # [events] period_type
PERIOD_BASE_MS = {1: 0, 2: 45 * 60_000, 3: 90 * 60_000, 4: 105 * 60_000, 5: 120 * 60_000}
"""``match_clock`` at each period's kick-off: it runs on, and stands at the period's end in added time. Beyond period 2
unverified."""
PERIOD_LENGTH_MS = {1: 45 * 60_000, 2: 45 * 60_000, 3: 15 * 60_000, 4: 15 * 60_000, 5: 0}

KINDS = {
    "period_start": Kind.PERIOD_START,
    "period_score": Kind.PERIOD_END,
    "match_ended": Kind.PERIOD_END,
    "score_change": Kind.SHOT,
    "shot_on_target": Kind.SHOT,
    "shot_off_target": Kind.SHOT,
    "penalty_missed": Kind.SHOT,
    "penalty_shootout": Kind.SHOT,
    "shot_saved": Kind.SAVE,
    "save": Kind.SAVE,
    "corner_kick": Kind.CORNER,
    "free_kick": Kind.FREE_KICK,
    "throw_in": Kind.THROW_IN,
    "goal_kick": Kind.GOAL_KICK,
    "offside": Kind.OFFSIDE,
    "yellow_card": Kind.YELLOW,
    "yellow_red_card": Kind.RED,
    "red_card": Kind.RED,
    "substitution": Kind.SUBSTITUTION,
    "injury_time_shown": Kind.ADDED_TIME,
    "penalty_awarded": Kind.PENALTY_AWARDED,
    "video_assistant_referee": Kind.VAR_START,
    "video_assistant_referee_over": Kind.VAR_END,
    "decision_to_var": Kind.VAR_START,
    "decision_to_var_over": Kind.VAR_END,
    "injury": Kind.INTERRUPTION,
    "water_break_start": Kind.INTERRUPTION,
    "water_break_end": Kind.RESUME,
    "possible_goal": Kind.OTHER,
    "possible_decision_to_var": Kind.OTHER,
    "canceled_decision_to_var": Kind.OTHER,
    "possible_video_assistant_referee": Kind.OTHER,
    "canceled_video_assistant_referee": Kind.OTHER,
    "penalty_kick": Kind.OTHER,
    "injury_return": Kind.OTHER,
    "player_back_from_injury": Kind.OTHER,
}
"""Every type of [events] and [water]; any other one is counted as unknown."""

OUTSIDE_PLAY = frozenset({"match_started", "break_start"})
"""They say again what ``period_start`` and ``period_score`` say, and have no period of their own."""
WHISTLES = frozenset({"period_start", "period_score", "match_ended"})
SHOTS_ON_TARGET = frozenset({"score_change", "shot_on_target"})
PROVISIONAL = frozenset({"possible_goal", "possible_decision_to_var", "possible_video_assistant_referee"})
WITHDRAWN = "futstar_withdrawn"
"""Our own type for an event that a document no longer has: the pages name no deletion for this sport."""

UNVERIFIED = frozenset(
    {
        "decision_to_var",
        "decision_to_var_over",
        "possible_decision_to_var",
        "canceled_decision_to_var",
        "possible_video_assistant_referee",
        "canceled_video_assistant_referee",
        "penalty_kick",
        "penalty_missed",
        "penalty_shootout",
        "save",
        "injury_return",
        "player_back_from_injury",
    }
)
"""Named by the pages without a word on what exactly they mean."""
