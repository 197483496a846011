"""A recorded match as the keeper would have quoted it, second by second, and what traders could know of it.

Index by `momentum.archive.replay`, `mu` and `conf` by `momentum.curve.Curve`, suspension by
`momentum.state.suspensions`: what the keeper sends for a feed whose events arrive on time. A sign is +1 for home
(long) and -1 for away (short). Points are floats here; the programs get the integers.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event, Kind, Side
from ingest.feeds import adapter
from momentum.archive import Replay, replay
from momentum.curve import Curve
from momentum.features import is_goal, is_on_ball
from momentum.methodology import LEVEL_E6, MAX_E6, SPEC_DECAY
from momentum.replay import final_events
from momentum.state import CARRIES_AWARDS, Reason, suspensions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Mark = tuple[int, int]
"""(tick, sign): the first tick at which an event is known, and whom it favours."""

WINDOWS, WINDOW_S, HALF_S, BREAK_S, TAU_S = 6, 900, 2700, 900, 300.0
PRIOR_SLOPE = 3.07
"""Points of mean index per unit of log(p(home) / p(away)), see docs/economics.md."""
GOAL_POINTS, RED_POINTS, ODDS_POINTS = -2.68, 5.64, 0.99
"""By which each goal of a lead (two at most), each red card of the opponent and the log odds move `mu`; likewise."""


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
    conf_e4: Ints
    reason: Ints
    forward: Floats
    """Window x tick: fair price in points at the sample; after the window's end its mean."""
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

    def tradable(self) -> Bools:
        """Ticks at which the running window takes orders (20 s before its end it stops)."""
        result: Bools = (self.window >= 0) & (self.left_s >= 20) & ~self.suspended
        return result

    def lead(self, tick: int) -> int:
        """Goals of home minus away known at `tick`."""
        return sum(sign for at, sign in self.marks.goals if at <= tick)


def priors(path: Path) -> dict[str, float]:
    """log(p(home) / p(away)) before the match, by match id; empty without the file."""
    if not path.is_file():
        return {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return {row["match_id"]: float(row["prior_logit"]) for row in csv.DictReader(file) if row["prior_logit"]}


def choose(provider: str, paths: Sequence[Path], count: int, seed: int) -> list[str]:
    """`count` matches of a folder by `seed`; all when it holds fewer."""
    found = sorted(adapter(provider).matches(paths))
    random.Random(seed).shuffle(found)
    return found[:count]


def load(
    provider: str,
    paths: Sequence[Path],
    names: Sequence[str],
    prior: dict[str, float],
    *,
    odds_in_mu: bool = False,
    state_in_mu: bool = False,
) -> Iterator[Match]:
    """Each named match. `odds_in_mu`: the curve's prior follows the odds; `state_in_mu`: so do score and cards."""
    source = adapter(provider)
    for name in names:
        _, events = final_events(source, paths, name)
        odds = prior.get(name)
        level = LEVEL_E6
        if odds_in_mu and odds is not None:
            level += round(PRIOR_SLOPE * odds * 1e6)
        yield build(name, events, odds, level, awards_carried=provider in CARRIES_AWARDS, state_in_mu=state_in_mu)


def build(
    name: str,
    events: Sequence[Event],
    prior: float | None,
    level_e6: int = LEVEL_E6,
    *,
    awards_carried: bool = False,
    state_in_mu: bool = False,
) -> Match:
    """A match from its final events."""
    full = replay(events, (SPEC_DECAY,))
    rows = np.flatnonzero(full.period <= 2)
    period, second, cum = full.period[rows], full.second[rows], full.second_cum[rows]
    x_e6 = full.x_e6[SPEC_DECAY.name][rows]
    curve = Curve(SPEC_DECAY, level_e6)
    quoted = np.array([curve.tick(c, x) for c, x in zip(cum.tolist(), x_e6.tolist(), strict=True)])
    mu_e6 = quoted[:, 0]
    reason = np.zeros(len(rows), dtype=np.int64)
    starts = {p: int(np.flatnonzero(period == p)[0]) for p in (1, 2)}
    marks = marks_of(events, full, starts, len(rows))
    if state_in_mu:
        mu_e6 = np.clip(mu_e6 + state_shift_e6(marks, prior or 0.0, len(rows)), 0, MAX_E6)
    for (p, s), why in suspensions(events, awards_carried).items():
        if p <= 2:
            reason[starts[p] + s] = int(why)
    window = np.where(second < HALF_S, (period - 1) * 3 + second // WINDOW_S, -1)
    return Match(
        name=name,
        period=period,
        second=second,
        data_s=second + (period - 1) * (int(second[period == 1][-1]) + BREAK_S),
        x_e6=x_e6,
        mu_e6=mu_e6,
        conf_e4=quoted[:, 1],
        reason=reason,
        forward=forwards(period, second, x_e6 / 1e6, mu_e6 / 1e6),
        window=window,
        left_s=np.where(window >= 0, WINDOW_S - second % WINDOW_S, 0),
        marks=marks,
        prior=prior,
    )


def forwards(period: Ints, second: Ints, x: Floats, mu: Floats) -> Floats:
    """Window x tick: (A + r mu + (x - mu) integral) / W, the programs' formula in floats."""
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
        last = int(end[0]) if len(end) else int(np.flatnonzero(period == half)[-1])
        after = np.arange(len(x)) >= last
        left = (WINDOW_S - done).astype(float)
        integral = TAU_S * (np.exp(-lead / TAU_S) - np.exp(-(lead + left) / TAU_S))
        price = (past + left * mu + (x - mu) * integral) / WINDOW_S
        played = float(done[last])
        price[after] = (area[last] - area[first]) / max(played, 1.0)
        result[window] = price
    return result


def state_shift_e6(marks: Marks, log_odds: float, ticks: int) -> Ints:
    """By how much odds, and score and cards known at each tick, move `mu`."""
    lead, cards = running(marks.goals, ticks), running(marks.reds, ticks)
    points = GOAL_POINTS * np.clip(lead, -2, 2) + RED_POINTS * cards + ODDS_POINTS * log_odds
    return np.rint(points * 1e6).astype(np.int64)


def running(marks: Sequence[Mark], ticks: int) -> Floats:
    """Sum of signs known at each tick."""
    result = np.zeros(ticks)
    for tick, sign in marks:
        result[tick:] += sign
    return result


def marks_of(events: Sequence[Event], full: Replay, starts: dict[int, int], ticks: int) -> Marks:
    """What the strategies look at."""
    marks = Marks([], [], [], [], [], [], [], np.zeros(ticks, dtype=np.int64))
    length = {p: int(full.second[full.period == p][-1]) for p in (1, 2)}
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
