"""The two-parameter forward curve: where the index is heading, and how sure we are.

The programs price a window from the index now and its target ``mu``, reverting at k = 1/300 s. Here ``mu`` is the
running mean of the published index, shrunk to the prior:

    mu = (area + shrink_s * prior) / (play_s + shrink_s)

with the area under the published values, each held until the next (as the chain sums it), so that anyone can
recompute ``mu`` from the samples alone. ``conf`` is the standard error of a forward price's mean: under the traded
methodology at most 0.5 point in normal play, wider while little play has been seen or when seconds are missing.
"""

from __future__ import annotations

from momentum.methodology import LEVEL_E6, MAX_E6, SPEC_BOX, SPEC_DECAY, Methodology

REVERSION_S = 300
"""1/k of the programs: the index's distance to ``mu`` falls to 1/e in this time."""

SHRINK_S = {SPEC_BOX.name: 2_000, SPEC_DECAY.name: 900}
"""Seconds of play at which the running mean and the prior weigh the same, per methodology (docs/momentum.md)."""

CONF_E4 = {SPEC_BOX.name: (25_000, 18_000), SPEC_DECAY.name: (5_000, 3_000)}
"""``conf`` at kick-off and after long play: on average the error that a quote's circumstances foretell, measured."""

GAP_CONF_E4 = 200  # for every second that was left out
MAX_CONF_E4 = 50_000


def mu_e6(area_e6_s: int, play_s: int, methodology: Methodology, prior_e6: int = LEVEL_E6) -> int:
    """The target in 1e-6 points after ``play_s`` seconds with ``area_e6_s`` (1e-6 points x s), rounded half up."""
    shrink_s = SHRINK_S[methodology.name]
    weight = play_s + shrink_s
    return (2 * (area_e6_s + shrink_s * prior_e6) + weight) // (2 * weight)


def conf_e4(play_s: int, gap_s: int, methodology: Methodology) -> int:
    """Standard error in 1e-4 points after ``play_s`` seconds, the last ``gap_s`` of which had no sample.

    Falls from its value at kick-off (0.5 point for ``spec-decay/1``) with the share of the prior in ``mu``; each
    second of a gap beyond the first adds 0.02, up to 5 points.
    """
    shrink_s = SHRINK_S[methodology.name]
    opening, settled = CONF_E4[methodology.name]
    spread = settled + (opening - settled) * shrink_s // (play_s + shrink_s)
    return min(MAX_CONF_E4, spread + GAP_CONF_E4 * max(0, gap_s - 1))


class Curve:
    """``mu`` and ``conf`` of one match, tick by tick. Pure; feed it exactly the ticks that are published."""

    def __init__(self, methodology: Methodology, prior_e6: int = LEVEL_E6) -> None:
        """``prior_e6`` is the expected mean index in 1e-6 points; ValueError outside 0..100e6."""
        if not 0 <= prior_e6 <= MAX_E6:
            raise ValueError(f"prior {prior_e6} is outside 0..{MAX_E6}")
        self._methodology = methodology
        self._prior_e6 = prior_e6
        self._area_e6_s = 0
        self._last: tuple[int, int] | None = None  # second_cum, x_e6

    def tick(self, second_cum: int, x_e6: int) -> tuple[int, int]:
        """``(mu_e6, conf_e4)`` at ``second_cum`` seconds of play with the index ``x_e6`` (1e-6 points).

        The index holds from tick to tick; before the first one it is the prior. ValueError when time runs back.
        """
        last_s, last_x_e6 = self._last or (0, self._prior_e6)
        if second_cum < last_s:
            raise ValueError(f"second {second_cum} is before {last_s}, which has been seen")
        self._area_e6_s += last_x_e6 * (second_cum - last_s)
        self._last = (second_cum, x_e6)
        target = mu_e6(self._area_e6_s, second_cum, self._methodology, self._prior_e6)
        return target, conf_e4(second_cum, second_cum - last_s, self._methodology)
