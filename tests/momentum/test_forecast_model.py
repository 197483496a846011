"""The artifact of ``model/1`` and what its numbers are made of."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.feed import FeedHeader, parse_header
from ingest.feeds import adapter, default_match_paths
from momentum.forecast.folds import shipped_folds
from momentum.forecast.model import (
    ARTIFACT,
    MAX_CONF_E4,
    Band,
    parse_model,
    probability_e6,
    read_model,
    shipped,
)
from momentum.forecast.odds import Prior
from momentum.forecast.terms import Terms
from momentum.methodology import SPEC_DECAY
from momentum.state import Reason
from oracle.core import KeeperCore


def conf(error_e4: int = 1_000, reason: Reason = Reason.NONE, gap_s: int = 1, silent_s: int = 0) -> int:
    values = (np.array([value]) for value in (error_e4, int(reason), gap_s, silent_s))
    return int(shipped().conf_e4(*values)[0])


@given(st.integers(-20_000_000, 20_000_000))
def test_a_probability_is_the_logistic_of_the_log_odds(logit_e6: int) -> None:
    got = int(probability_e6(np.array([logit_e6]))[0])
    bounded = max(-7.999, min(7.999, logit_e6 / 1e6))
    assert abs(got - 1e6 / (1 + math.exp(-bounded))) <= 2
    assert got + int(probability_e6(np.array([-logit_e6]))[0]) == 1_000_000


def test_probabilities_rise_with_the_log_odds_and_never_reach_certainty() -> None:
    found = probability_e6(np.arange(-9_000_000, 9_000_001, 1_237))
    assert (np.diff(found) >= 0).all()
    assert found[0] > 0
    assert found[-1] < 1_000_000


def test_the_band_narrows_to_nothing_at_the_windows_end() -> None:
    for situation in (shipped().play, shipped().prior):
        band = situation.band
        half = band.half(np.arange(901))
        assert half[0] == 0
        assert (np.diff(half) >= 0).all()
        assert 3_000_000 < half[900] < 10_000_000
        assert (band.half(np.array([2_000])) == half[900]).all()
    line = Band(np.array([0, 10, 30]), np.array([0, 100, 500]))
    assert line.half(np.array([0, 5, 10, 20, 30])).tolist() == [0, 50, 100, 300, 500]


def test_conf_is_half_a_point_at_most_in_normal_play() -> None:
    assert conf(0) == shipped().floor_e4
    assert 1_000 < conf(1_000) < 5_000


def test_conf_widens_with_every_doubt_and_stays_within_five_points() -> None:
    normal = conf()
    assert conf(error_e4=5_000) > normal
    assert conf(gap_s=11) == normal + 2_000
    assert conf(silent_s=60) == normal
    assert conf(silent_s=90) == normal + 3_000
    assert conf(silent_s=10_000) == normal + 10_000
    assert conf(reason=Reason.PENALTY) > 10_000 + normal
    assert conf(reason=Reason.VAR) >= conf(reason=Reason.GOAL) > normal
    assert conf(error_e4=40_000, gap_s=500, silent_s=500) == MAX_CONF_E4


def test_the_artifact_is_small_and_says_what_it_was_trained_on() -> None:
    assert ARTIFACT.stat().st_size < 300_000
    manifest = shipped().manifest
    assert manifest["methodology_hash"] == SPEC_DECAY.hash.hex()
    assert manifest["matches"] > 1_000
    for name in ("data_sha256", "features_sha256"):
        assert len(manifest[name]) == 64


def test_a_match_of_the_training_is_measured_by_the_model_that_has_not_seen_its_competition() -> None:
    folds = shipped_folds()
    assert len(folds.competition_of) == shipped().manifest["matches"]
    name, competition = next(iter(folds.competition_of.items()))
    assert folds.unseen(name) is folds.models[competition]
    assert folds.unseen(name) is not shipped()
    assert folds.unseen("a new match") is shipped()
    weights = [model.prior.forms.weights[:, :3] for model in (*folds.models.values(), shipped())]
    assert all((one != other).any() for i, one in enumerate(weights) for other in weights[:i])


def changed(path: list[str], value: object) -> str:
    found = json.loads(ARTIFACT.read_text())
    at = found
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(found)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        changed(["version"], "model/2"),
        changed(["features"], ["x"]),
        changed(["play", "mu_e6"], [1, 2]),
        changed(["prior", "share_e6"], [1 << 40] * 96),
        changed(["play", "band"], {"left_s": [0, 0], "half_e6": [0, 1]}),
        changed(["play", "band"], {"left_s": [0], "half_e6": [0]}),
        changed(["conf"], {"floor_e4": 1, "provisional_e4": {"RAIN": 1}}),
    ],
)
def test_a_spoiled_artifact_is_one_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(content)
    with pytest.raises(FeedError, match="cannot use the model") as error:
        read_model(path)
    assert error.value.code == "bad_model"


def test_the_artifact_parses_to_what_it_says() -> None:
    found = json.loads(ARTIFACT.read_text())
    model = parse_model(found)
    assert model.play.forms.weights[:, 1].astype(int).tolist() == found["play"]["mu_e6"]
    assert model.provisional_e4[Reason.PENALTY] == found["conf"]["provisional_e4"]["PENALTY"]


# What the publishers agree on


def header(terms: dict[str, Any] | None) -> FeedHeader:
    source = adapter("statsperform")
    recorded = source.load(default_match_paths("statsperform"))
    return FeedHeader.make("statsperform", "m", 1_000, 1, recorded.raw_info, terms)


def test_terms_survive_the_feeds_header_and_enter_its_digest() -> None:
    terms = Terms(Prior(0.5, 0.3, 0.2, form=1.25), venue=0)
    made = header(terms.as_dict())
    assert Terms.of(parse_header(made.line).terms) == terms
    assert made.line != header(Terms().as_dict()).line
    assert Terms.of(parse_header(header(None).line).terms) == Terms()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": "model/9"}, "unknown_model"),
        ({"model_sha256": "00"}, "unknown_model"),
        ({"venue": 2}, "bad_terms"),
        ({"prior": [0.5, 0.5]}, "bad_terms"),
        ({"prior": [0.5, 0.4, 0.2]}, "bad_terms"),
        ({"prior": [1.0, 0.0, 0.0]}, "bad_terms"),
        ({"prior": ["a", "b", "c"]}, "bad_terms"),
        ({"form": "good"}, "bad_terms"),
        ({"form": 99.0}, "bad_terms"),
        ({"form": math.nan}, "bad_terms"),
        ({"prior": [math.nan, 0.5, 0.5]}, "bad_terms"),
    ],
)
def test_a_keeper_refuses_terms_it_cannot_keep(change: dict[str, Any], code: str) -> None:
    terms = Terms(Prior(0.5, 0.3, 0.2)).as_dict() | change
    with pytest.raises(FeedError) as error:
        KeeperCore(replace(header(None), terms=terms))
    assert error.value.code == code


def test_a_match_of_the_training_is_told_its_form_unless_one_is_given() -> None:
    folds = shipped_folds()
    name = max(folds.form_of, key=lambda name: abs(folds.form_of[name]))
    odds = Prior(0.5, 0.3, 0.2)
    assert folds.informed(name, odds) == replace(odds, form=folds.form_of[name]) != odds
    assert folds.informed(name, replace(odds, form=0.0)) == replace(odds, form=0.0)
    assert folds.informed("a new match", odds) is odds
    assert folds.informed(name, None) is None


def test_log_odds_are_bounded() -> None:
    assert Prior(0.5, 0.3, 0.2, form=99.0).form_tenths == -Prior(0.5, 0.3, 0.2, form=-99.0).form_tenths == 6_144
    assert Prior(0.4, 0.2, 0.4).log_odds == 0
    assert Prior(0.5, 0.5, 1e-320).log_odds == -Prior(1e-320, 0.5, 0.5).log_odds == 3 * 4_096
    assert Prior(0.98, 0.015, 0.005).log_odds == 3 * 4_096
    assert Prior(0.005, 0.015, 0.98).log_odds == -3 * 4_096
