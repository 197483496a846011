"""What is known before the match."""

from __future__ import annotations

import math
from dataclasses import dataclass

from momentum.forecast.vector import MAX_PRIOR, ONE


@dataclass(frozen=True, slots=True)
class Prior:
    """Probabilities before the match, bookmaker's margin taken out, sum 1. All lie strictly between 0 and 1."""

    home: float
    draw: float
    away: float

    @property
    def log_odds(self) -> int:
        """ln(home / away) times 4,096, within the bounds that the forecast looks at."""
        return max(-MAX_PRIOR, min(MAX_PRIOR, round(ONE * math.log(self.home / self.away))))
