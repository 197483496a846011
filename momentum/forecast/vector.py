"""The forecast's view of a moment as integers: odd features, which change their sign when the sides are exchanged.

A feature is 4,096 times a number that is mostly between -1 and 1. Everything is integer arithmetic, truncated towards
zero, so that every machine gets the same numbers and exchanging the sides gives exactly the negative ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from momentum.forecast.columns import COLUMNS, Play
from momentum.forecast.memory import HALF_LIVES_S, WEIGHT_ONE
from momentum.methodology import LEVEL_E6

Ints = NDArray[np.int64]

ONE = 4_096
FULL_TIME_S = 5_400
FRESH_S, AWAITED_S, REVIEWED_S = 30, 60, 120
"""What the newest event tells of the ball, of a restart or of a penalty fades to nothing, evenly, in this time."""
FIRST_S, EARLY_S = 300, 1_200
"""The first minutes and the early ones, which fade evenly as well: the index itself knows little then."""

PSEUDO_MILLI = {
    "possession_ms": 30_000_000,
    "shots": 1_000,
    "xg_e4": 1_500_000,
    "final_third_passes": 4_000,
    "passes": 20_000,
    "box": 2_000,
    "corners": 1_000,
    "fouls_won": 2_000,
    "goals": 500,
    "threat_pct": 300_000,
    "wide": 4_000,
    "high_touches": 4_000,
}
"""Pseudo-counts per side in thousandths, for memories of three minutes and more."""
_SHORT_PER_MILLE = (300, 350, 1_000, 1_000, 1_000)  # of them for each half-life: a short memory holds less
_PSEUDO = np.array(
    [[PSEUDO_MILLI[name] * part * WEIGHT_ONE // 1_000_000 for part in _SHORT_PER_MILLE] for name in COLUMNS],
    dtype=np.int64,
)

_SHARES = tuple(f"{name}_{half_life_s}" for name in COLUMNS for half_life_s in HALF_LIVES_S)
# The first of `Play`, in its order.
_PLAYS = (
    Play.PASS,
    Play.SHOT,
    Play.FREE_KICK,
    Play.CORNER,
    Play.THROW_IN,
    Play.GOAL_KICK,
    Play.TOUCH,
    Play.DUEL,
    Play.FOUL,
    Play.OUT,
)
_SCENE = (
    "lead",
    "lead_late",
    "lead_of_one",
    "men",
    "men_late",
    "ball",
    "ball_x",
    "ball_x2",
    "ball_x3",
    *(f"{play.name.lower()}_{what}" for play in _PLAYS for what in ("by", "x")),
    "corner_awaited",
    "free_kick_awaited",
    "penalty_awaited",
    "index",
    "index_late",
)
_FIRST_PLAY = _SCENE.index("pass_by")
FEATURES = (*_SHARES, *_SCENE)
"""Names of the odd features, in order."""

PRIOR_FEATURES = ("prior", "prior_late", "prior_behind", "prior_first", "prior_early")
"""What the odds before the match add, in order."""
MAX_PRIOR = 3 * ONE
FORM_FEATURES = ("form", "form_first", "form_early")
"""What the form of the teams adds (`momentum.form`), in tens of points."""
MAX_FORM = 3 * ONE // 2
BEFORE_FEATURES = (*PRIOR_FEATURES, *FORM_FEATURES)
GROUND_FEATURES = ("home_ground_first", "home_ground")
"""What playing at home adds, signed by the venue: in the first minutes, and always (`ONE`)."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """What is to be seen at some ticks, one row each; signs are +1 home. See `columns.Word`.

    ``play`` is -1 and the rest 0 before the first event; ``age_s`` counts from the newest event.
    """

    cum_s: Ints
    lead: Ints
    men: Ints
    play: Ints
    sign: Ints
    x_e1: Ints
    age_s: Ints
    corner_pct: Ints
    free_kick: Ints
    penalty: Ints
    ball: Ints
    ball_x_e1: Ints


def _part(numerator: Ints, divisor: Ints | int) -> Ints:
    """Quotient truncated towards zero."""
    result: Ints = np.sign(numerator) * np.floor_divide(np.abs(numerator), divisor, dtype=np.int64)
    return result


def _times(a: Ints, b: Ints) -> Ints:
    return _part(a * b, ONE)


def _two(signs: Ints) -> Ints:
    """At most two either way, times `ONE`."""
    result: Ints = np.minimum(np.maximum(signs, -2), 2) * ONE
    return result


def _faded(age_s: Ints, after_s: int) -> Ints:
    """`ONE` at first, falling evenly to 0 at ``after_s``."""
    result: Ints = np.maximum(after_s - age_s, 0) * ONE // after_s
    return result


def late(cum_s: Ints) -> Ints:
    """Playing time in parts of 90 minutes, times `ONE`."""
    return cum_s * ONE // FULL_TIME_S


def vectors(sums: Ints, scenes: Scenes, x_e6: Ints) -> Ints:
    """Features of some ticks: ticks x `FEATURES`.

    ``sums`` are ticks x `columns.CELLS` x half-lives in units of 2^-20, ``x_e6`` the traded index at each.
    """
    home, away = sums[:, 0::2, :], sums[:, 1::2, :]
    shares = _part((home - away) * ONE, home + away + 2 * _PSEUDO)
    result = np.zeros((len(sums), len(FEATURES)), dtype=np.int64)
    result[:, : len(_SHARES)] = shares.reshape(len(shares), -1)
    scene = result[:, len(_SHARES) :]
    time = late(scenes.cum_s)
    lead, men = _two(scenes.lead), _two(scenes.men)
    ball_x = _part(scenes.ball_x_e1 * ONE, 500)
    deep = np.abs(ball_x)
    scene[:, 0] = lead
    scene[:, 1] = _times(lead, time)
    scene[:, 2] = np.where(np.abs(scenes.lead) == 1, lead, 0)
    scene[:, 3] = men
    scene[:, 4] = _times(men, time)
    scene[:, 5] = scenes.ball * ONE
    scene[:, 6] = ball_x
    scene[:, 7] = ball_x2 = _times(ball_x, deep)
    scene[:, 8] = _times(ball_x2, deep)
    shown = np.flatnonzero((scenes.play >= 0) & (scenes.play < len(_PLAYS)))
    place, fresh = _FIRST_PLAY + 2 * scenes.play[shown], _faded(scenes.age_s[shown], FRESH_S)
    scene[shown, place] = scenes.sign[shown] * fresh
    scene[shown, place + 1] = _part(scenes.x_e1[shown] * fresh, 500)
    awaited = _faded(scenes.age_s, AWAITED_S)
    scene[:, -5] = _part(scenes.corner_pct * awaited, 100)
    scene[:, -4] = scenes.free_kick * awaited
    scene[:, -3] = scenes.penalty * _faded(scenes.age_s, REVIEWED_S)
    scene[:, -2] = index = _part((x_e6 - LEVEL_E6) * ONE, LEVEL_E6)
    scene[:, -1] = _times(index, time)
    return result


def prior_vectors(prior: int, scenes: Scenes) -> Ints:
    """What ``prior`` (log odds of home against away times `ONE`) adds: ticks x `PRIOR_FEATURES`."""
    prior = max(-MAX_PRIOR, min(MAX_PRIOR, prior))
    everywhere = np.full(len(scenes.cum_s), prior, dtype=np.int64)
    behind = np.where(np.sign(scenes.lead) * np.sign(prior) < 0, everywhere, 0)
    first, early = (_times(everywhere, _faded(scenes.cum_s, after_s)) for after_s in (FIRST_S, EARLY_S))
    columns = [everywhere, _times(everywhere, late(scenes.cum_s)), behind, first, early]
    result: Ints = np.stack(columns, axis=1)
    return result


def form_vectors(form: Ints | int, cum_s: Ints) -> Ints:
    """What ``form`` (tens of points times `ONE`, one or one a tick) adds: ticks x `FORM_FEATURES`."""
    always = np.broadcast_to(np.asarray(form, dtype=np.int64), cum_s.shape)
    first, early = (_times(always, _faded(cum_s, after_s)) for after_s in (FIRST_S, EARLY_S))
    result: Ints = np.stack([always, first, early], axis=1)
    return result


def known_before(log_odds: int, form: int, scenes: Scenes) -> Ints:
    """What was known before the match: ticks x `BEFORE_FEATURES`."""
    result: Ints = np.concatenate([prior_vectors(log_odds, scenes), form_vectors(form, scenes.cum_s)], axis=1)
    return result


def ground_vectors(venue: int, cum_s: Ints) -> Ints:
    """What ``venue`` (1 home side at home, 0 neutral, -1 exchanged) adds: ticks x `GROUND_FEATURES`."""
    result: Ints = venue * np.stack([_faded(cum_s, FIRST_S), np.full(len(cum_s), ONE, dtype=np.int64)], axis=1)
    return result
