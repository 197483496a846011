"""What came of a moment: which side had more expected goals in the next five minutes, and which the next shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event, Kind, Side
from momentum.archive import Replay
from momentum.features import SHOOT_OUT, footprint, shot_xg1_e6

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

AHEAD_S = 300


@dataclass(frozen=True)
class Ahead:
    """Per tick. ``xg`` is home minus away in the next `AHEAD_S` seconds of play (0 where they reach past the end),
    ``next_shot`` the side of the next shot of the match (1 home, 0 away, NaN none), ``next_shot_s`` the play until it.
    """

    xg: Floats
    next_shot: Floats
    next_shot_s: Floats

    @classmethod
    def of(cls, events: Sequence[Event], ticks: Replay) -> Ahead:
        """What the shots of ``events`` (own goals and shoot-out left out) make of each tick of their replay."""
        starts = {int(p): int(ticks.second_cum[ticks.period == p][0]) for p in np.unique(ticks.period)}
        last = int(ticks.second_cum[-1])
        net, shots = np.zeros(last + 2), []
        for event in events:
            mark = footprint(event)
            if event.kind is Kind.SHOT and not event.own_goal and event.period < SHOOT_OUT and event.side and mark:
                second, home = starts[event.period] + mark.second, event.side is Side.HOME
                net[second] += shot_xg1_e6(event) / 1e6 * (1 if home else -1)
                shots.append((second, float(home)))
        shots.sort()
        total, now = np.cumsum(net), ticks.second_cum
        xg = total[np.minimum(now + AHEAD_S, last)] - total[now]
        xg[now + AHEAD_S > last] = 0
        times = np.array([second for second, _ in shots])
        place = np.searchsorted(times, now, side="right")
        side = np.array([*(home for _, home in shots), np.nan])[place]
        return cls(xg, side, np.array([*times.tolist(), np.inf])[place] - now)


@dataclass(frozen=True)
class Questions:
    """Moments at which a question about the next five minutes has an answer, and the answers (1 home)."""

    more_xg: tuple[Bools, Bools]
    next_shot: tuple[Bools, Bools]
    next_shot_soon: tuple[Bools, Bools]

    @classmethod
    def of(cls, xg_ahead: Floats, next_shot: Floats, next_shot_s: Floats) -> Questions:
        """More xG in the next `AHEAD_S` seconds; side of the next shot; side of the next shot if it falls in them."""
        known, home = ~np.isnan(next_shot), next_shot == 1
        return cls((xg_ahead != 0, xg_ahead > 0), (known, home), (known & (next_shot_s <= AHEAD_S), home))
