"""A recorded match as the keeper would have quoted it, second by second, and what traders could know of it.

Index by `momentum.archive.replay`, ``mu``, ``s`` and ``conf`` by `momentum.forecast`, suspension by
`momentum.state.suspensions`: what the keeper sends for a feed whose events arrive on time. A sign is +1 for home
(long) and -1 for away (short). Points are floats here; the programs get the integers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event, FeedError, Kind, Side
from ingest.feeds import adapter
from momentum.archive import Replay, replay
from momentum.features import is_goal, is_on_ball
from momentum.forecast import Prior, forecast
from momentum.forecast.folds import shipped_folds
from momentum.forecast.model import Model
from momentum.methodology import LEVEL_E6, SPEC_DECAY
from momentum.pricing import TAU2_MS, TAU_MS
from momentum.replay import final_events
from momentum.state import CARRIES_AWARDS, Reason, suspensions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Mark = tuple[int, int]
"""(tick, sign): the first tick at which an event is known, and whom it favours."""

WINDOWS, WINDOW_S, HALF_S, BREAK_S = 6, 900, 2700, 900
TAU_S, TAU2_S = TAU_MS / 1000, TAU2_MS / 1000
SHRINK_S = 300
"""Best of 300 to 6,000 s for the traded methodology on the development matches."""


class Quote(Enum):
    """Who makes the price: the learned forecast with and without odds, or the yardstick that has two parameters."""

    PRIOR = "prior"
    PLAY = "play"
    TWO_PARAMETERS = "two-parameters"


@dataclass(frozen=True)
class Marks:
    """What happened, by the tick at which it is known. Signs are of the side that gains."""

    shots: list[Mark]
    goals: list[Mark]
    penalties_won: list[Mark]
    penalties_taken: list[Mark]
    corners: list[Mark]
    fouls_last_third: list[Mark]
    reds: list[Mark]
    attack: Ints
    """Per tick: +1 or -1 while that side was last on the ball in its final third, else 0."""


@dataclass(frozen=True)
class Match:
    """Both halves of a match; row i is tick i + 1 of the feed."""

    name: str
    period: Ints
    second: Ints
    data_s: Ints
    x_e6: Ints
    mu_e6: Ints
    s_e4: Ints
    conf_e4: Ints
    reason: Ints
    forward: Floats
    """Window x tick: fair price in points at the sample; after the window's end its mean (see `Match.is_void`)."""
    window: Ints
    """Per tick: the running window, -1 in added time."""
    left_s: Ints
    """Per tick: seconds left in the running window."""
    marks: Marks
    prior: float | None
    """Log of p(home wins) / p(away wins) before the match."""

    @property
    def suspended(self) -> Bools:
        """Per tick: whether trading is suspended."""
        result: Bools = self.reason != int(Reason.NONE)
        return result

    @property
    def favourite(self) -> int:
        """Sign of the favourite; 0 when nobody knows."""
        return 0 if self.prior is None else (1 if self.prior >= 0 else -1)

    def played_s(self, window: int) -> int:
        """Seconds of the window that were played, at most `WINDOW_S`."""
        half = self.second[self.period == window // 3 + 1]
        return max(0, min(WINDOW_S, int(half.max(initial=0)) - window % 3 * WINDOW_S))

    def is_void(self, window: int) -> bool:
        """Whether too little of it was played: less than nine tenths."""
        return self.played_s(window) * 10 < WINDOW_S * 9

    def tradable(self) -> Bools:
        """Ticks at which the running window takes orders (20 s before its end it stops)."""
        result: Bools = (self.window >= 0) & (self.left_s >= 20) & ~self.suspended
        return result

    def lead(self, tick: int) -> int:
        """Goals of home minus away known at `tick`."""
        return sum(sign for at, sign in self.marks.goals if at <= tick)


def choose(provider: str, paths: Sequence[Path], count: int, seed: int) -> list[str]:
    """`count` matches of a folder by `seed`; all when it holds fewer."""
    found = sorted(adapter(provider).matches(paths))
    random.Random(seed).shuffle(found)
    return found[:count]


def load(
    provider: str,
    paths: Sequence[Path],
    names: Sequence[str],
    priors: Mapping[str, Prior],
    quote: Quote = Quote.PRIOR,
) -> Iterator[Match]:
    """Each named match, quoted by a model that has not seen it (`momentum.forecast.folds`)."""
    source = adapter(provider)
    for name in names:
        _, events = final_events(source, paths, name)
        awards_carried = provider in CARRIES_AWARDS
        yield build(name, events, priors.get(name), quote, awards_carried=awards_carried)


def build(
    name: str,
    events: Sequence[Event],
    prior: Prior | None,
    quote: Quote = Quote.PRIOR,
    *,
    awards_carried: bool = False,
    model: Model | None = None,
) -> Match:
    """A match from its final events. ``model``: another than the one that has not seen ``name``.

    Raises FeedError like `assemble`.
    """
    full, prior = replay(events, (SPEC_DECAY,)), shipped_folds().informed(name, prior)
    quoted = _quoted(name, events, full, prior, quote, awards_carried=awards_carried, model=model)
    return assemble(name, events, full, prior, quoted, awards_carried=awards_carried)


def assemble(
    name: str,
    events: Sequence[Event],
    full: Replay,
    prior: Prior | None,
    quoted: tuple[Ints, Ints, Ints],
    *,
    awards_carried: bool,
) -> Match:
    """A match from its replay and from ``mu``, ``s`` and ``conf`` of every tick of it.

    An abandoned match has the ticks that were played. Raises FeedError ``no_play`` when there is none in either half.
    """
    rows = np.flatnonzero(full.period <= 2)
    if not len(rows):
        raise FeedError("no_play", f"match {name} has no second of either half: give the events of play")
    period, second = full.period[rows], full.second[rows]
    x_e6 = full.x_e6[SPEC_DECAY.name][rows]
    mu_e6, s_e4, conf_e4 = (column[rows] for column in quoted)
    reason = np.zeros(len(rows), dtype=np.int64)
    starts = {p: int(np.flatnonzero(period == p)[0]) for p in np.unique(period).tolist()}
    for (p, s), why in suspensions(events, awards_carried).items():
        if p <= 2:
            reason[starts[p] + s] = int(why)
    window = np.where(second < HALF_S, (period - 1) * 3 + second // WINDOW_S, -1)
    return Match(
        name=name,
        period=period,
        second=second,
        data_s=second + (period - 1) * (int(second[period == 1].max(initial=0)) + BREAK_S),
        x_e6=x_e6,
        mu_e6=mu_e6,
        s_e4=s_e4,
        conf_e4=conf_e4,
        reason=reason,
        forward=forwards(period, second, x_e6 / 1e6, mu_e6 / 1e6, s_e4 / 1e4),
        window=window,
        left_s=np.where(window >= 0, WINDOW_S - second % WINDOW_S, 0),
        marks=marks_of(events, full, starts, len(rows)),
        prior=None if prior is None else math.log(prior.home / prior.away),
    )


def _quoted(
    name: str,
    events: Sequence[Event],
    full: Replay,
    prior: Prior | None,
    quote: Quote,
    *,
    awards_carried: bool,
    model: Model | None,
) -> tuple[Ints, Ints, Ints]:
    """``mu``, ``s`` and ``conf`` of every tick."""
    if quote is Quote.TWO_PARAMETERS:
        mu_e6 = two_parameters(full)
        return mu_e6, np.zeros_like(mu_e6), np.zeros_like(mu_e6)
    found = forecast(
        events,
        full,
        prior if quote is Quote.PRIOR else None,
        awards_carried=awards_carried,
        model=shipped_folds().unseen(name) if model is None else model,
    )
    return found.mu_e6, found.s_e4, found.conf_e4


def two_parameters(full: Replay) -> Ints:
    """``mu`` of the quote that knows nothing but the index: its mean so far, shrunk to 50 as if `SHRINK_S` were level.

    The yardstick of the learned forecast: (sum of x + SHRINK_S * 50) / (seconds + SHRINK_S), s = 0.
    """
    x_e6, seconds = full.x_e6[SPEC_DECAY.name], full.second_cum
    held = np.concatenate([[0], np.cumsum(x_e6[:-1] * (np.diff(seconds) > 0))])
    result: Ints = (held + SHRINK_S * LEVEL_E6) // (seconds + SHRINK_S)
    return result


def forwards(period: Ints, second: Ints, x: Floats, mu: Floats, s: Floats) -> Floats:
    """Window x tick: (A + r mu + (x - mu) integral + s integral2) / W, the programs' formula in floats."""
    area = np.concatenate([[0.0], np.cumsum(x[:-1] * (np.diff(second) > 0))])  # each index held for a second
    result = np.zeros((WINDOWS, len(x)))
    for window in range(WINDOWS):
        half, start = window // 3 + 1, window % 3 * WINDOW_S
        done = np.clip(np.where(period == half, second - start, np.where(period > half, WINDOW_S, 0)), 0, WINDOW_S)
        ahead = np.where(period == half, start - second, np.maximum(HALF_S - second, 0) + start)
        lead = np.where(period > half, 0, np.maximum(ahead, 0))
        inside = (period == half) & (second >= start)
        first = int(np.flatnonzero(inside)[0]) if inside.any() else 0
        past = np.where(inside, area - area[first], 0.0)
        end = np.flatnonzero(inside & (second >= start + WINDOW_S))
        last = int(end[0]) if len(end) else int(np.flatnonzero(period <= half).max(initial=0))
        after = np.arange(len(x)) >= last
        left = (WINDOW_S - done).astype(float)
        held, pushed = (tau * (np.exp(-lead / tau) - np.exp(-(lead + left) / tau)) for tau in (TAU_S, TAU2_S))
        price = (past + left * mu + (x - mu) * held + s * pushed) / WINDOW_S
        played = float(done[last])
        price[after] = (area[last] - area[first]) / max(played, 1.0)
        result[window] = price
    return result


def running(marks: Sequence[Mark], ticks: int) -> Floats:
    """Sum of signs known at each tick."""
    result = np.zeros(ticks)
    for tick, sign in marks:
        result[tick:] += sign
    return result


def marks_of(events: Sequence[Event], full: Replay, starts: dict[int, int], ticks: int) -> Marks:
    """What the strategies look at."""
    marks = Marks([], [], [], [], [], [], [], np.zeros(ticks, dtype=np.int64))
    length = {p: int(full.second[full.period == p][-1]) for p in starts}
    ball: list[tuple[int, int]] = []
    for event in sorted(events, key=lambda e: (e.period, e.play_ms, e.event_id)):
        if event.period not in starts or event.side is None:
            continue
        tick = starts[event.period] + min(max(0, -(-event.play_ms // 1000)), length[event.period])
        sign = 1 if event.side is Side.HOME else -1
        if is_goal(event):
            marks.goals.append((tick, sign))
        if event.kind is Kind.SHOT and not event.own_goal:
            marks.shots.append((tick, sign))
            if event.penalty:
                marks.penalties_taken.append((tick, sign))
        elif event.kind is Kind.CORNER:
            marks.corners.append((tick, sign))
        elif event.kind is Kind.RED:
            marks.reds.append((tick, -sign))
        elif event.kind is Kind.FOUL and event.x is not None and event.x <= 33.3:
            marks.fouls_last_third.append((tick, -sign))
        if is_on_ball(event) and event.x is not None:
            ball.append((tick, sign if event.x >= 66.7 else 0))
    for (tick, sign), (until, _) in zip(ball, [*ball[1:], (ticks, 0)], strict=True):
        marks.attack[tick : max(until, tick + 1)] = sign
    for taken, sign in marks.penalties_taken:
        # This feed carries no awards: the foul in the box, at most 5 minutes before the kick, is the award.
        fouls = [at for at, side in marks.fouls_last_third if side == sign and taken - 300 <= at <= taken]
        marks.penalties_won.append((fouls[-1] if fouls else max(0, taken - 60), sign))
    return marks
