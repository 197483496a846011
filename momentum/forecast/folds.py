"""``model/1`` as it is without each competition it was trained on: for measuring it on matches it has not seen."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from momentum.forecast.model import ARTIFACT, Model, bad_model, parse_model, read_json, shipped

FOLDS = Path(__file__).with_name("folds_1.json")


@dataclass(frozen=True)
class Folds:
    """``competition_of`` names the competition of every match of the training; ``models`` leave one out each."""

    competition_of: Mapping[str, str]
    models: Mapping[str, Model]

    def unseen(self, match_id: str) -> Model:
        """The model that has not seen ``match_id``: without its competition, or the shipped one for a new match."""
        competition = self.competition_of.get(match_id)
        return shipped() if competition is None else self.models[competition]


@functools.cache
def shipped_folds() -> Folds:
    """The folds that come with Futstar. ``conf`` is the shipped model's. Raises FeedError ``bad_model``."""
    whole, found = read_json(ARTIFACT), read_json(FOLDS)
    try:
        models = {}
        for name, fold in found["folds"].items():
            parts = {key: {**whole[key], **fold[key]} for key in ("play", "prior")}
            models[name] = parse_model({**whole, **parts})
        return Folds(found["matches"], models)
    except (KeyError, TypeError, ValueError) as error:
        raise bad_model(FOLDS, error) from error
