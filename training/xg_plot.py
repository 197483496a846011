"""The picture of docs/xg.md: calibration on held-out competitions, and a provider's expected goals against ours."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from training.xg_scores import BINS, Bools, Floats, bins

_INK, _MUTED = "#14532d", "#9ca3af"


def calibration_png(p: Floats, before: Floats, y: Bools, provider: Sequence[tuple[float, float]]) -> bytes:
    """A PNG: ten equal-count bins of ``p`` (and ``before`` in grey) against goals, and (ours, theirs) pairs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), dpi=90, layout="constrained")
    left, right = figure.subplots(1, 2)
    for values, name, colour in ((before, "xg/0", _MUTED), (p, "xg/1, held out", _INK)):
        which = bins(values)
        size = np.bincount(which, minlength=BINS)
        mean = np.bincount(which, weights=values, minlength=BINS) / size
        share = np.bincount(which, weights=y.astype(float), minlength=BINS) / size
        bar = 1.96 * np.sqrt(share * (1 - share) / size)
        left.errorbar(mean, share, yerr=bar, fmt="o", markersize=4, capsize=2, color=colour, label=name)
    left.plot([0.008, 0.6], [0.008, 0.6], color="black", linewidth=0.7)
    left.set(xscale="log", yscale="log", xlabel="expected goals (mean of the bin)", ylabel="share of goals")
    left.set_title(f"{len(y):,} shots, ten equal bins, 95 % bars", fontsize=10)
    left.legend(frameon=False)
    ours, theirs = np.array(provider).T
    right.scatter(ours, theirs, s=14, color=_INK, alpha=0.7, linewidths=0)
    right.plot([0.005, 0.9], [0.005, 0.9], color="black", linewidth=0.7)
    right.set(xscale="log", yscale="log", xlabel="xg/1", ylabel="provider")
    right.set_title(f"{len(provider)} shots with a provider's expected goals", fontsize=10)
    for axes in (left, right):
        axes.grid(visible=True, linewidth=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
