"""What one recorded match contributes to the evaluation: moments, steps of the indices, fills."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event, Kind
from momentum import archive
from momentum.archive import Replay
from momentum.evaluation.match import HALF_S, WINDOW_S, Match, assemble, forwards, two_parameters
from momentum.evaluation.targets import Ahead
from momentum.evaluation.trades import Fills
from momentum.features import footprint
from momentum.forecast import Forecast, Prior, forecast_both
from momentum.forecast.model import Model
from momentum.methodology import METHODOLOGIES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STEP_S = 15
BIG_STEP = 5.0
CONSTANT, PRIOR, PLAY, WITH_PRIOR = "constant", "prior alone", "model/1 in play", "model/1 with prior"
INDICES = (CONSTANT, *(m.name for m in METHODOLOGIES), PRIOR, PLAY, WITH_PRIOR)
"""What is scored: index points, log odds before the match, probabilities (`PROBABILITIES`)."""
PROBABILITIES = (PLAY, WITH_PRIOR)
STEPPING = tuple(name for name in INDICES if name not in (CONSTANT, PRIOR))
FIFTY, SPOT, TWO = "hold 50", "hold spot", "two parameters"
LEARNED, LEARNED_PRIOR = "learned in play", "learned with prior"
QUOTES = (FIFTY, SPOT, TWO, LEARNED, LEARNED_PRIOR)
TRADED = (LEARNED_PRIOR, LEARNED, TWO)
"""Quotes that the strategies trade against."""
LEARNING = (LEARNED, LEARNED_PRIOR)
"""Quotes with a band and ``conf``."""


@dataclass(frozen=True)
class Moments:
    """One row every `STEP_S` seconds of both halves with added time; NaN where there is nothing.

    ``score`` has a column per `INDICES`. ``left_s`` is 0 outside windows that were played to their end; inside,
    ``error`` is the price of the running window less its settlement per `QUOTES`, in points, ``next_error`` that of
    the window after it in the same half, and ``inside`` whether the settlement lies in the 90 % band per `LEARNING`.
    ``conf`` is in points; ``open`` tells that trading is not suspended. See `targets.Ahead` for the rest.
    """

    score: Floats
    xg_ahead: Floats
    next_shot: Floats
    next_shot_s: Floats
    x: Floats
    left_s: Ints
    open: Bools
    error: Floats
    next_error: Floats
    inside: Floats
    conf: Floats

    @classmethod
    def joined(cls, parts: Sequence[Moments]) -> Moments:
        """All of them one after the other."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


@dataclass(frozen=True)
class Steps:
    """Per `STEPPING`, of one match: steps above `BIG_STEP` points from one second to the next, those of them in a
    second that brings no shot, goal or card, those in which nothing happens at all, and the largest step.
    """

    big: Ints
    unmoved: Ints
    silent: Ints
    largest: Floats


@dataclass(frozen=True)
class Measured:
    """One match. ``unseen`` tells that its competition was kept from the model; ``fills`` by the name of the quote."""

    name: str
    competition: str | None
    with_prior: bool
    shots: int
    seconds: int
    void_windows: int
    moments: Moments
    steps: Steps
    fills: dict[str, Fills]


def measure(
    number: int,
    name: str,
    events: Sequence[Event],
    prior: Prior | None,
    *,
    awards_carried: bool,
    model: Model | None = None,
    competition: str | None = None,
    seed: int = 11,
) -> Measured:
    """One match from its final events; ``number`` shifts its moments, so that matches do not march in step.

    ``model`` is the one to judge. Raises FeedError ``no_play`` when no second of either half was played.
    """
    full = archive.replay(events)
    play, told = forecast_both(events, full, prior, awards_carried=awards_carried, model=model)
    mu_e6 = two_parameters(full)
    none = np.zeros_like(mu_e6)
    first = assemble(name, events, full, prior, (mu_e6, none, none), awards_carried=awards_carried)
    quoted = {TWO: first, LEARNED: _quoted(first, play)}
    if told is not None:
        quoted[LEARNED_PRIOR] = _quoted(first, told)
    halves = full.period <= 2
    scores = _scores(full, play, told, prior)[halves]
    at = np.concatenate([np.flatnonzero(first.period == p)[number % STEP_S :: STEP_S] for p in (1, 2)])
    return Measured(
        name=name,
        competition=competition,
        with_prior=prior is not None,
        shots=len(first.marks.shots),
        seconds=len(first.period),
        void_windows=sum(first.is_void(window) for window in range(len(first.forward))),
        moments=_moments(at, scores, Ahead.of(events, full), quoted, {LEARNED: play, LEARNED_PRIOR: told}),
        steps=_steps(scores, first, events),
        fills={quote: Fills.of(number, match, seed) for quote, match in quoted.items()},
    )


def _quoted(match: Match, by: Forecast) -> Match:
    """The match as another forecast would have quoted it."""
    rows = slice(0, len(match.period))
    mu_e6, s_e4 = by.mu_e6[rows], by.s_e4[rows]
    price = forwards(match.period, match.second, match.x_e6 / 1e6, mu_e6 / 1e6, s_e4 / 1e4)
    return replace(match, mu_e6=mu_e6, s_e4=s_e4, conf_e4=by.conf_e4[rows], forward=price)


def _scores(full: Replay, play: Forecast, told: Forecast | None, prior: Prior | None) -> Floats:
    """Ticks x `INDICES`."""
    none = np.full(len(full.period), np.nan)
    odds = math.nan if prior is None else math.log(prior.home / prior.away)
    columns = {
        CONSTANT: np.zeros(len(full.period)),
        **{name: x_e6 / 1e6 for name, x_e6 in full.x_e6.items()},
        PRIOR: np.full(len(full.period), odds),
        PLAY: play.model_e6 / 1e6,
        WITH_PRIOR: none if told is None or told.model_prior_e6 is None else told.model_prior_e6 / 1e6,
    }
    return np.column_stack([columns[name] for name in INDICES])


def _moments(
    at: Ints, scores: Floats, ahead: Ahead, quoted: dict[str, Match], by: dict[str, Forecast | None]
) -> Moments:
    match = quoted[TWO]
    x, window, left_s = match.x_e6 / 1e6, match.window, match.left_s
    settled = _settlements(match, x)
    error = np.full((len(at), len(QUOTES)), np.nan)
    next_error, inside, conf = error.copy(), *(np.full((len(at), len(LEARNING)), np.nan) for _ in range(2))
    running = (window[at] >= 0) & ~np.isnan(settled[window[at]])
    follows = running & (window[at] % 3 < 2) & ~np.isnan(settled[np.minimum(window[at] + 1, len(settled) - 1)])
    rows, after = at[running], at[follows]
    to, to_next = settled[window[rows]], settled[window[after] + 1]
    done = _area(match, x)[rows]
    for column, name in enumerate(QUOTES):
        if name in (FIFTY, SPOT):
            held = np.full(len(x), 50.0) if name == FIFTY else x
            error[running, column] = (done + left_s[rows] * held[rows]) / WINDOW_S - to
            next_error[follows, column] = held[after] - to_next
        elif name in quoted:
            price = quoted[name].forward
            error[running, column] = price[window[rows], rows] - to
            next_error[follows, column] = price[window[after] + 1, after] - to_next
    for column, name in enumerate(LEARNING):
        if (found := by[name]) is not None:
            low, high = found.band_lo_e6[rows] / 1e6, found.band_hi_e6[rows] / 1e6
            inside[running, column] = (low <= to) & (to <= high)
            conf[:, column] = found.conf_e4[at] / 1e4
    return Moments(
        score=scores[at],
        xg_ahead=ahead.xg[at],
        next_shot=ahead.next_shot[at],
        next_shot_s=ahead.next_shot_s[at],
        x=x[at],
        left_s=np.where(running, left_s[at], 0),
        open=~match.suspended[at],
        error=error,
        next_error=next_error,
        inside=inside,
        conf=conf,
    )


def _settlements(match: Match, x: Floats) -> Floats:
    """Mean index of each window that was played to its end, else NaN."""
    found = np.full(len(match.forward), np.nan)
    for window in range(len(found)):
        if match.played_s(window) == WINDOW_S:
            first = int(np.flatnonzero(match.window == window)[0])
            found[window] = x[first : first + WINDOW_S].mean()
    return found


def _area(match: Match, x: Floats) -> Floats:
    """Sum of the index over the running window's seconds before each tick."""
    before = np.concatenate([[0.0], np.cumsum(x)])
    ticks = np.arange(len(x))
    into_s = np.where(match.second < HALF_S, match.second % WINDOW_S, 0)
    result: Floats = before[ticks] - before[ticks - into_s]
    return result


def _steps(scores: Floats, match: Match, events: Sequence[Event]) -> Steps:
    """Within each half."""
    told = np.zeros((2, len(match.period)), dtype=bool)  # a shot, goal or card; anything at all
    starts = {int(p): int(np.flatnonzero(match.period == p)[0]) for p in np.unique(match.period)}
    for event in events:
        mark = footprint(event)
        if mark is not None and event.period in starts:
            tick = starts[event.period] + mark.second
            told[0, tick] |= event.kind in (Kind.SHOT, Kind.YELLOW, Kind.RED)
            told[1, tick] = True
    same_half = np.diff(match.period) == 0
    columns = [INDICES.index(name) for name in STEPPING]
    points = scores[:, columns] * [100.0 if name in PROBABILITIES else 1.0 for name in STEPPING]
    sizes = np.abs(np.diff(points, axis=0))[same_half]
    big = sizes > BIG_STEP
    unmoved, silent = (~known[1:][same_half] for known in told)
    largest = sizes.max(axis=0, initial=0.0)  # NaN without a prior
    return Steps(big.sum(axis=0), big[unmoved].sum(axis=0), big[silent].sum(axis=0), largest)
