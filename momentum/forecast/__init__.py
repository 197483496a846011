"""Where the index is heading: ``mu``, ``s`` and ``conf`` of the quote, and ``model/1``, learned from recorded matches.

`forecast` looks at a recorded match as a whole, `momentum.forecast.live.Forecaster` at a running one; both say the same
to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event
from momentum import archive, pricing
from momentum.forecast.batch import Batch
from momentum.forecast.model import Band, Model, biased, shipped
from momentum.forecast.odds import Prior
from momentum.forecast.vector import ground_vectors, known_before
from momentum.methodology import SPEC_DECAY
from momentum.state import Reason, suspensions

__all__ = ["Forecast", "Prior", "forecast", "forecast_both"]

Ints = NDArray[np.int64]

WINDOW_S, HALF_S, HALVES = 900, 2_700, 2


@dataclass(frozen=True)
class Forecast:
    """Arrays over the ticks of an `archive.Replay`.

    ``model_e6`` and ``model_prior_e6`` are probabilities that the next five minutes are the home side's. The forward,
    with its 90 % band, is the price of the 15-minute window in progress, -1 where there is none (added time, extra
    time). ``s_e4`` is signed.
    """

    model_e6: Ints
    model_prior_e6: Ints | None
    mu_e6: Ints
    s_e4: Ints
    conf_e4: Ints
    forward_e6: Ints
    band_lo_e6: Ints
    band_hi_e6: Ints


def forecast(
    events: Iterable[Event],
    ticks: archive.Replay,
    prior: Prior | None = None,
    *,
    awards_carried: bool,
    venue: int = 1,
    model: Model | None = None,
) -> Forecast:
    """The forecast of every tick of ``ticks``, the replay of ``events`` with the traded methodology.

    ``awards_carried``: see `momentum.state`; ``venue``: 1 home side at home, 0 neutral ground, -1 exchanged.
    """
    model = shipped() if model is None else model
    looks = _looks(events, ticks, prior, model, awards_carried=awards_carried, venue=venue)
    return _priced(ticks, looks, len(looks) - 1, model)


def forecast_both(
    events: Iterable[Event],
    ticks: archive.Replay,
    prior: Prior | None = None,
    *,
    awards_carried: bool,
    venue: int = 1,
    model: Model | None = None,
) -> tuple[Forecast, Forecast | None]:
    """`forecast` without and with ``prior``, from one look at the match; the second None when there is none."""
    model = shipped() if model is None else model
    looks = _looks(events, ticks, prior, model, awards_carried=awards_carried, venue=venue)
    return _priced(ticks, looks, 0, model), _priced(ticks, looks, 1, model) if len(looks) > 1 else None


_Look = tuple[Ints, Ints, Ints, Ints]
"""Probability, ``mu``, ``s`` and ``conf`` of every tick."""


def _looks(
    events: Iterable[Event],
    ticks: archive.Replay,
    prior: Prior | None,
    model: Model,
    *,
    awards_carried: bool,
    venue: int,
) -> list[_Look]:
    """From play alone and, where there is one, with ``prior``."""
    known, x_e6 = list(events), ticks.x_e6[SPEC_DECAY.name]
    batch, stopped = Batch(known, awards_carried=awards_carried), suspensions(known, awards_carried)
    found: list[list[tuple[Ints, ...]]] = [[], []]
    for period in np.unique(ticks.period).tolist():
        mine = ticks.period == period
        seconds = ticks.second[mine]
        seen, scenes = batch.vectors(period, seconds, x_e6[mine])
        ground = ground_vectors(venue, scenes.cum_s)
        reasons = np.array([stopped.get((period, second), Reason.NONE) for second in seconds.tolist()], dtype=np.int64)
        looks = [model.play.forms.look(np.hstack([seen, ground]))]
        if prior is not None:
            before = known_before(prior.log_odds, prior.form_tenths, scenes)
            looks.append(model.prior.forms.look(np.hstack([seen, before, ground])))
        for kept, look in zip(found, looks, strict=False):
            conf_e4 = model.conf_e4(look.conf_e4, reasons, np.ones_like(seconds), scenes.age_s)
            kept.append((look.share_e6, look.mu_e6, look.s_e4, conf_e4))
    return [_joined(parts) for parts in found[: 1 if prior is None else 2]]


def _priced(ticks: archive.Replay, looks: Sequence[_Look], number: int, model: Model) -> Forecast:
    """The forecast of one of ``looks``: 0 from play alone, 1 with the odds."""
    share_e6, mu_e6, s_e4, conf_e4 = looks[number]
    band = (model.play, model.prior)[number].band
    window = _running_window(ticks, ticks.x_e6[SPEC_DECAY.name], mu_e6, s_e4, band)
    return Forecast(looks[0][0], share_e6 if number else None, mu_e6, s_e4, conf_e4, *window)


def _joined(parts: Sequence[tuple[Ints, ...]]) -> _Look:
    """The periods' four columns one after the other."""
    none = np.zeros(0, dtype=np.int64)
    share, mu, s, conf = (np.concatenate([*(part[column] for part in parts), none]) for column in range(4))
    return share, mu, s, conf


def _running_window(ticks: archive.Replay, x_e6: Ints, mu_e6: Ints, s_e4: Ints, band: Band) -> tuple[Ints, Ints, Ints]:
    """Price and band of the 15-minute window in progress, inside what it can still become."""
    columns = [np.full(len(x_e6), -1, dtype=np.int64) for _ in range(3)]
    open_ = np.flatnonzero((ticks.period <= HALVES) & (ticks.second < HALF_S))
    into_s = ticks.second[open_] % WINDOW_S
    before = np.concatenate([[0], np.cumsum(x_e6)])
    area = (before[open_] - before[open_ - into_s]) * 1_000
    left_ms = (WINDOW_S - into_s) * 1_000
    half_e6 = band.half(WINDOW_S - into_s)
    for row, *now, half in zip(
        *(values.tolist() for values in (open_, area, left_ms, x_e6[open_], mu_e6[open_], s_e4[open_], half_e6)),
        strict=True,
    ):
        done, left, x, mu, s = now
        price = pricing.forward(done, left, 0, x, mu, biased(s), WINDOW_S * 1_000)
        low, high = pricing.envelope(done, left, WINDOW_S * 1_000)
        for column, value in zip(columns, (price, max(price - half, low), min(price + half, high)), strict=True):
            column[row] = value
    forward, low_e6, high_e6 = columns
    return forward, low_e6, high_e6
