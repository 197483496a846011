"""``model/1`` as it is without each competition it was trained on: for measuring it on matches it has not seen."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from momentum.forecast.model import ARTIFACT, Model, bad_model, parse_model, read_json, shipped
from momentum.forecast.odds import Prior

FOLDS = Path(__file__).with_name("folds_1.json")


@dataclass(frozen=True)
class Folds:
    """``competition_of`` and ``form_of`` tell the competition of every match of the training and the form of its teams
    before it (`momentum.form`); ``models`` leave one competition out each.
    """

    competition_of: Mapping[str, str]
    form_of: Mapping[str, float]
    models: Mapping[str, Model]

    def unseen(self, match_id: str) -> Model:
        """The model that has not seen ``match_id``: without its competition, or the shipped one for a new match."""
        competition = self.competition_of.get(match_id)
        return shipped() if competition is None else self.models[competition]

    def informed(self, match_id: str, prior: Prior | None) -> Prior | None:
        """``prior`` with the form of a match of the training, unless it has one already."""
        if prior is None or prior.form is not None or match_id not in self.form_of:
            return prior
        return replace(prior, form=self.form_of[match_id])


@functools.cache
def shipped_folds() -> Folds:
    """The folds that come with Futstar. ``conf`` is the shipped model's. Raises FeedError ``bad_model``."""
    whole, found = read_json(ARTIFACT), read_json(FOLDS)
    try:
        models = {}
        for name, fold in found["folds"].items():
            parts = {key: {**whole[key], **fold[key]} for key in ("play", "prior")}
            models[name] = parse_model({**whole, **parts})
        played = found["matches"]
        return Folds(
            {name: str(match[0]) for name, match in played.items()},
            {name: float(match[1]) for name, match in played.items()},
            models,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise bad_model(FOLDS, error) from error
