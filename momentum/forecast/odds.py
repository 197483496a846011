"""What is known before the match."""

from __future__ import annotations

import math
from dataclasses import dataclass

from momentum.forecast.vector import MAX_FORM, MAX_PRIOR, ONE


@dataclass(frozen=True, slots=True)
class Prior:
    """Probabilities before the match, bookmaker's margin taken out, sum 1. All lie strictly between 0 and 1.

    ``form``, where earlier matches tell it, is by how many points the home side's form exceeds the away side's
    (`momentum.form`); None when nothing is known, which counts as 0.
    """

    home: float
    draw: float
    away: float
    form: float | None = None

    @property
    def log_odds(self) -> int:
        """ln(home / away) times 4,096, within the bounds that the forecast looks at."""
        return max(-MAX_PRIOR, min(MAX_PRIOR, round(ONE * (math.log(self.home) - math.log(self.away)))))

    @property
    def form_tenths(self) -> int:
        """``form`` in tens of points times 4,096, within the bounds that the forecast looks at."""
        return max(-MAX_FORM, min(MAX_FORM, round(ONE * (self.form or 0.0) / 10)))
