"""The picture of docs/xg.md: calibration on held-out competitions."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from training.xg_scores import BINS, Bools, Floats, bins, reliability

_INK, _MUTED = "#14532d", "#9ca3af"


def calibration_png(p: Floats, before: Floats, y: Bools, competition: NDArray[np.str_]) -> bytes:
    """A PNG: ten equal-count bins of ``p`` (and ``before`` in grey) against goals; ``p`` again by competition."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), dpi=90, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for values, name, colour in ((before, "xg/0", _MUTED), (p, "xg/1, held out", _INK)):
        mean, share, bar = _points(values, y)
        left.errorbar(mean, share, yerr=bar, fmt="o", markersize=4, capsize=2, color=colour, label=name)
    left.set_title(f"{len(y):,} shots, ten equal bins, 95 % bars", fontsize=10)
    left.set_ylabel("share of goals")
    for name in np.unique(competition):
        inside = competition == name
        mean, share, _ = _points(p[inside], y[inside])
        right.plot(mean, share, "o-", markersize=3, linewidth=0.8, label=str(name).replace("_", " "))
    right.set_title("xg/1 by the competition that was left out", fontsize=10)
    for axes in (left, right):
        axes.plot([0.008, 0.6], [0.008, 0.6], color="black", linewidth=0.7)
        axes.set(xscale="log", yscale="log", xlabel="expected goals (mean of the bin)")
        axes.legend(frameon=False)
        axes.grid(visible=True, linewidth=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _points(p: Floats, y: Bools) -> tuple[Floats, Floats, Floats]:
    """Mean prediction, share of goals and half the 95 % interval of each bin."""
    size = np.bincount(bins(p), minlength=BINS)
    mean, share = np.array(reliability(p, y)).T
    return mean, share, 1.96 * np.sqrt(share * (1 - share) / size)
