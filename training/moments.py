"""Moments of recorded matches: what the forecast sees, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event
from ingest.feeds import adapter
from momentum.archive import replay
from momentum.evaluation.targets import Ahead
from momentum.forecast.batch import Batch
from momentum.forecast.odds import Prior
from momentum.forecast.vector import ONE, prior_vectors
from momentum.form import Played, forms, played
from momentum.methodology import SPEC_DECAY
from momentum.replay import final_events
from momentum.state import CARRIES_AWARDS, Reason, suspensions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STEP_S, WINDOW_S, HALF_S = 15, 900, 2_700
PROVIDER = "wyscout"


@dataclass(frozen=True)
class Moments:
    """One row per moment, every `STEP_S` seconds of both halves with added time.

    ``x`` is the traded index in points and ``area`` its sum over the seconds played. ``later`` is the mean index of the
    rest of the running 15-minute window, which lasts ``left_s`` (0 in added time and in windows cut short), and
    ``next_window`` the mean of the whole window after it in the same half (NaN where there is none). ``xg_ahead`` is
    xG of home minus away in the next five minutes, ``next_shot`` the side of the next shot of the match (1 home, 0
    away, NaN none) and ``next_shot_s`` the seconds of play until it. ``prior`` is the log odds of home against away
    times 4,096, ``form`` as in `Prior.form_tenths` (`load` fills it in); ``reason`` says why trading is suspended
    (`momentum.state.Reason`), and ``move`` by how much the index moves until it is not (NaN: open, or no play follows).
    """

    vectors: NDArray[np.int32]
    prior_vectors: NDArray[np.int32]
    match: Ints
    period: Ints
    second: Ints
    cum_s: Ints
    prior: Ints
    form: Ints
    x: Floats
    area: Floats
    later: Floats
    left_s: Ints
    next_window: Floats
    xg_ahead: Floats
    next_shot: Floats
    next_shot_s: Floats
    reason: Ints
    move: Floats

    @classmethod
    def joined(cls, parts: Sequence[Moments]) -> Moments:
        """All of them one after the other."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def moments(
    number: int, events: Sequence[Event], prior: int, provider: str = PROVIDER, step_s: int = STEP_S
) -> Moments:
    """Moments of one match; ``number`` shifts where they begin, so that matches do not march in step."""
    awards_carried = provider in CARRIES_AWARDS
    ticks = replay(events, (SPEC_DECAY,))
    batch = Batch(events, awards_carried=awards_carried)
    ahead = Ahead.of(events, ticks)
    x = ticks.x_e6[SPEC_DECAY.name] / 1e6
    total = np.concatenate([[0.0], np.cumsum(x)])
    stopped = suspensions(events, awards_carried)
    parts = []
    for period in (1, 2):
        rows = np.flatnonzero(ticks.period == period)
        if not len(rows):
            continue
        seconds = np.arange(number % step_s, len(rows), step_s)
        at = rows[seconds]
        vectors, scenes = batch.vectors(period, seconds, ticks.x_e6[SPEC_DECAY.name][at])
        end = (seconds // WINDOW_S + 1) * WINDOW_S
        running = (seconds < HALF_S) & (end < len(rows))
        left_s = np.where(running, end - seconds, 0)
        until = rows[np.where(running, end, seconds)]
        after = np.minimum(end + WINDOW_S, len(rows) - 1)
        reasons = np.array([int(stopped.get((period, s), Reason.NONE)) for s in range(len(rows))])
        has_next = running & (end + WINDOW_S <= HALF_S) & (end + WINDOW_S < len(rows))
        parts.append(
            Moments(
                vectors=vectors.astype(np.int32),
                prior_vectors=prior_vectors(prior, scenes).astype(np.int32),
                match=np.full(len(at), number),
                period=np.full(len(at), period),
                second=seconds,
                cum_s=ticks.second_cum[at],
                prior=np.full(len(at), prior),
                form=np.zeros(len(at), dtype=np.int64),
                x=x[at],
                area=total[at] - (total[rows[0]] - total[max(0, rows[0] - 1)] if period == 2 else 0),
                later=(total[until] - total[at]) / np.maximum(left_s, 1),
                left_s=left_s,
                next_window=np.where(has_next, (total[rows[after]] - total[until]) / WINDOW_S, np.nan),
                xg_ahead=ahead.xg[at],
                next_shot=ahead.next_shot[at],
                next_shot_s=ahead.next_shot_s[at],
                reason=reasons[seconds],
                move=_until_open(reasons, x[rows])[seconds],
            )
        )
    return Moments.joined(parts)


def _until_open(reasons: Ints, x: Floats) -> Floats:
    """Per second of a period: the index when trading goes on, less what it is; NaN where it is open or never is."""
    open_ = np.append(np.flatnonzero(reasons == int(Reason.NONE)), len(reasons))
    following = open_[np.searchsorted(open_, np.arange(len(reasons)))]
    moves: Floats = np.append(x, np.nan)[following] - x
    moves[reasons == int(Reason.NONE)] = np.nan
    return moves


def _of_match(folder: Path, item: tuple[int, str, int]) -> tuple[Moments, Played]:
    number, name, prior = item
    info, events = final_events(adapter(PROVIDER), [folder], name)
    return moments(number, events, prior), played(info, events, prior / ONE)


def load(folder: Path, priors: dict[str, int], jobs: int = 2) -> tuple[list[str], Moments]:
    """Names of the archive's matches, sorted, and their moments (``match`` numbers the names)."""
    names = sorted(adapter(PROVIDER).matches([folder]))
    items = [(number, name, priors[name]) for number, name in enumerate(names)]
    with ProcessPoolExecutor(jobs) as pool:
        parts = list(pool.map(partial(_of_match, folder), items, chunksize=8))
    found, known = Moments.joined([part for part, _ in parts]), forms(game for _, game in parts)
    tenths = np.array([Prior(0.5, 0.0, 0.5, known[name]).form_tenths for name in names])
    return names, replace(found, form=tenths[found.match])
