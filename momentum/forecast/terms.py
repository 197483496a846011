"""What the publishers of a feed agree on beside the feed itself, so that anyone can recompute their quotes.

It stands in the feed file's header, whose digest every published sample commits to.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.events import FeedError
from momentum.forecast.model import ARTIFACT, VERSION
from momentum.forecast.odds import Prior
from momentum.form import MAX_FORM

_SUM_TOLERANCE = 1e-6
VENUES = (-1, 0, 1)


@functools.cache
def model_sha256() -> str:
    """Digest of the shipped model's artifact."""
    return hashlib.sha256(ARTIFACT.read_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Terms:
    """``prior``: the odds before the match, if any; ``venue``: 1 home side at home, 0 neutral, -1 exchanged."""

    prior: Prior | None = None
    venue: int = 1

    def as_dict(self) -> dict[str, Any]:
        """For the header."""
        odds = None if self.prior is None else [self.prior.home, self.prior.draw, self.prior.away]
        form = None if self.prior is None else self.prior.form
        return {"model": VERSION, "model_sha256": model_sha256(), "prior": odds, "form": form, "venue": self.venue}

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Terms:
        """From a header; nothing there means no prior, at home.

        Raises FeedError ``bad_terms`` for what is no prior or venue, ``unknown_model`` for a forecast by another model
        than the one that is here.
        """
        if not found:
            return cls()
        if found.get("model") != VERSION or found.get("model_sha256") != model_sha256():
            theirs = f"{found.get('model')} ({str(found.get('model_sha256'))[:12]})"
            raise FeedError(
                "unknown_model",
                f"the feed was quoted by {theirs}, here is {VERSION} ({model_sha256()[:12]}): use the "
                "version of futstar that quoted it",
            )
        odds, venue = found.get("prior"), found.get("venue", 1)
        if venue not in VENUES:
            raise FeedError("bad_terms", f"the feed's header has venue {venue!r}: it is 1, 0 or -1")
        return cls(None if odds is None else prior_of(odds, found.get("form")), int(venue))


def prior_of(odds: object, form: object) -> Prior:
    """Three probabilities and a form as a prior. Raises FeedError ``bad_terms`` when they are not."""
    try:
        home, draw, away = map(float, odds)  # type: ignore[call-overload]
        if not all(0 < p < 1 for p in (home, draw, away)) or abs(home + draw + away - 1) > _SUM_TOLERANCE:
            raise ValueError("they must lie between 0 and 1 and add up to 1")
        points = None if form is None else float(form)  # type: ignore[arg-type]
        if points is not None and not abs(points) <= MAX_FORM:
            raise ValueError(f"form {form!r} is not within -{MAX_FORM:g}..{MAX_FORM:g} points")
    except (TypeError, ValueError) as error:
        raise FeedError(
            "bad_terms", f"the feed's header has a prior {odds!r}, {form!r} that is none ({error})"
        ) from error
    return Prior(home, draw, away, points)
