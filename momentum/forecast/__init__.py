"""PLACEHOLDER on branch `cli`, to be replaced by the learned forecast at the merge: same names, same meaning.

It carries the two-parameter curve with a flat band, so that the commands on this branch have something to write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.events import Event
from momentum import archive, pricing
from momentum.curve import Curve
from momentum.methodology import SPEC_DECAY

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Prior:
    """Probabilities before the match, devigged, sum 1."""

    home: float
    draw: float
    away: float


@dataclass(frozen=True)
class Columns_:  # noqa: N801
    """Arrays over the ticks of an `archive.Replay`."""

    model_e6: Ints
    model_prior_e6: Ints | None
    mu_e6: Ints
    s_e4: Ints
    conf_e4: Ints
    band_lo_e6: Ints
    band_hi_e6: Ints
    forward_e6: Ints


def forecast(events: Iterable[Event], ticks: archive.Replay, prior: Prior | None = None) -> Columns_:
    """The columns of every tick of ``ticks``."""
    del events
    x_e6 = ticks.x_e6[SPEC_DECAY.name]
    model = x_e6 // 100
    curve, mu, conf = Curve(SPEC_DECAY), np.zeros_like(x_e6), np.zeros_like(x_e6)
    forward = np.full(len(x_e6), -1, dtype=np.int64)
    area = 0
    for i, (period, second, cum, x) in enumerate(
        zip(ticks.period.tolist(), ticks.second.tolist(), ticks.second_cum.tolist(), x_e6.tolist(), strict=True)
    ):
        mu[i], conf[i] = curve.tick(cum, x)
        if period <= 2 and second < 2_700:
            area = area if second % 900 else 0
            r_ms = (900 - second % 900) * 1_000
            forward[i] = pricing.forward(area, r_ms, 0, x, int(mu[i]), pricing.S_BIAS, 900_000)
            area += x * 1_000
    width = np.where(forward < 0, 0, 5_000_000)
    return Columns_(
        model_e6=model,
        model_prior_e6=None if prior is None else (model + round(prior.home * 1e6)) // 2,
        mu_e6=mu,
        s_e4=np.full(len(x_e6), pricing.S_BIAS),
        conf_e4=conf,
        band_lo_e6=np.where(forward < 0, -1, np.maximum(forward - width, 0)),
        band_hi_e6=np.where(forward < 0, -1, np.minimum(forward + width, 100_000_000)),
        forward_e6=forward,
    )
