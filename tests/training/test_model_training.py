"""The training of ``model/1``: what it learns, what it is not told, what it ships."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from ingest.feeds import adapter, default_match_paths
from momentum.evaluation.targets import Floats, Questions
from momentum.forecast.model import parse_model, shipped
from momentum.forecast.odds import Prior
from momentum.forecast.vector import FEATURES, ONE, PRIOR_FEATURES
from momentum.replay import final_events
from momentum.state import Reason
from training import model as training
from training.fits import SHARE_PENALTY, Normal, design, fit_share, price, scales
from training.model import BAND_KNOTS_S, Rows, band, between_competitions, differences, provisional, train
from training.moments import HALF_S, WINDOW_S, Moments, moments

LEAD = FEATURES.index("lead")
BALL = FEATURES.index("ball")


def made_up(count: int = 6_000, seed: int = 1, mu_by_lead: float = -4.0, s_by_ball: float = 3.0) -> Moments:
    """Moments whose future is known: the lead moves ``mu``, the ball ``s`` and the odds of the next five minutes."""
    rng = np.random.default_rng(seed)
    vectors = np.zeros((count, len(FEATURES)), dtype=np.int32)
    vectors[:, LEAD] = rng.integers(-2, 3, count) * ONE
    vectors[:, BALL] = rng.integers(-1, 2, count) * ONE
    lead, ball = vectors[:, LEAD] / ONE, vectors[:, BALL] / ONE
    second = rng.integers(0, HALF_S // 15, count) * 15
    left_s = WINDOW_S - second % WINDOW_S
    x = 50 + rng.normal(0, 10, count)
    found = Moments(
        vectors=vectors,
        prior_vectors=np.zeros((count, len(PRIOR_FEATURES)), dtype=np.int32),
        match=np.arange(count) // 100,
        period=np.ones(count, dtype=np.int64),
        second=second,
        cum_s=second,
        prior=np.zeros(count, dtype=np.int64),
        form=np.zeros(count, dtype=np.int64),
        x=x,
        area=np.zeros(count),
        later=np.zeros(count),
        left_s=left_s,
        next_window=np.full(count, np.nan),
        xg_ahead=np.where(rng.random(count) < 1 / (1 + np.exp(-0.8 * ball - 0.2)), 0.1, -0.1),
        next_shot=(rng.random(count) < 1 / (1 + np.exp(-0.8 * ball - 0.2))).astype(float),
        next_shot_s=rng.integers(1, 600, count).astype(float),
        reason=np.zeros(count, dtype=np.int64),
        move=np.full(count, np.nan),
    )
    later = price(found, 50 + mu_by_lead * lead, s_by_ball * ball) + rng.normal(0, 2.0, count)
    return replace(found, later=later)


def newton(rows: Floats, asked: Moments, chosen: np.ndarray) -> Floats:
    """A second logistic regression with the same penalty, written down plainly."""
    questions, scale = Questions.of(asked.xg_ahead, asked.next_shot, asked.next_shot_s), scales(rows[chosen, :-1])
    parts = [(chosen & known, answer) for known, answer in (questions.more_xg, questions.next_shot_soon)]
    x = np.concatenate([rows[known, :-1] for known, _ in parts]) / scale
    x = np.column_stack([x, np.ones(len(x))])
    y = np.concatenate([answer[known] for known, answer in parts]).astype(float)
    penalty = np.append(np.full(x.shape[1] - 1, SHARE_PENALTY), 1e-9)
    found = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ found))
        slope = x.T @ (y - p) - penalty * found
        found += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty), slope)
    result: Floats = found / np.append(scale, 1.0)
    return result


def test_the_curve_s_coefficients_are_found_again() -> None:
    known = made_up(100_000)
    rows = design(known, with_prior=False)
    curve = Normal.of(rows, known, np.ones(len(rows), dtype=bool)).solve(scales(rows))
    assert curve.mu[LEAD] == pytest.approx(-4.0, abs=0.4)
    assert 2.0 < curve.s[BALL] < 3.1  # the penalty takes its part
    assert abs(curve.mu[-1]) < 0.3
    assert curve.s[-1] == 0
    others = np.delete(np.arange(len(FEATURES)), [LEAD, BALL])
    assert np.abs(curve.mu[others]).max() < 1e-9


def test_equations_of_parts_add_up_to_those_of_the_whole() -> None:
    known = made_up(2_000)
    rows, half = design(known, with_prior=True), np.arange(2_000) < 900
    whole = Normal.of(rows, known, np.ones(2_000, dtype=bool))
    total = Normal.total([Normal.of(rows, known, half), Normal.of(rows, known, ~half)])
    assert np.allclose(total.matrix, whole.matrix)
    assert np.allclose(total.vector, whole.vector)


def test_the_questions_leave_out_what_has_no_answer() -> None:
    known = made_up(6)
    known = replace(
        known,
        xg_ahead=np.array([0.1, -0.1, 0.0, 0.2, 0.0, -0.3]),
        next_shot=np.array([1.0, 0.0, np.nan, 1.0, 0.0, 0.0]),
        next_shot_s=np.array([10.0, 301.0, np.inf, 300.0, 5.0, 900.0]),
    )
    asked = Questions.of(known.xg_ahead, known.next_shot, known.next_shot_s)
    assert asked.more_xg[0].tolist() == [True, True, False, True, False, True]
    assert asked.more_xg[1][asked.more_xg[0]].tolist() == [True, False, True, False]
    assert asked.next_shot[0].tolist() == [True, True, False, True, True, True]
    assert asked.next_shot_soon[0].tolist() == [True, False, False, True, True, False]


def test_the_share_is_the_penalised_logistic_fit() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is only in the training environment (.venv-train)")
    known = made_up(6_000)
    rows, everything = design(known, with_prior=False), np.ones(6_000, dtype=bool)
    assert np.allclose(fit_share(rows, known, everything), newton(rows, known, everything), atol=1e-5)


def test_the_band_holds_nine_tenths_of_what_was_missed() -> None:
    known = made_up(40_000)
    misses = np.random.default_rng(2).normal(0, 1, 40_000) * known.left_s / WINDOW_S
    found = band(known, misses, np.ones(40_000, dtype=bool))
    assert found["left_s"] == list(BAND_KNOTS_S)
    half = np.interp(known.left_s, found["left_s"], found["half_e6"]) / 1e6
    assert np.mean(np.abs(misses) <= half) == pytest.approx(0.90, abs=0.01)


def test_competitions_that_differ_widen_conf_and_equal_ones_do_not() -> None:
    one, other = made_up(6_000, 1, -4.0), made_up(6_000, 2, 4.0)
    other = replace(other, match=other.match + 60)
    both = Moments.joined([one, other])
    unlike = np.repeat(["A", "B"], 6_000)
    alike = np.where(both.match % 2 == 0, "A", "B")
    apart = between_competitions(Rows.of(both, unlike, with_prior=False))
    assert apart > 2.0
    assert between_competitions(Rows.of(both, alike, with_prior=False)) < apart / 5


def test_a_suspended_state_is_as_uncertain_as_prices_move_until_play_goes_on() -> None:
    known = made_up(100)
    reason = np.zeros(100, dtype=np.int64)
    reason[:10] = Reason.PENALTY
    move = np.full(100, np.nan)
    move[:8] = 6.0
    known = replace(known, reason=reason, move=move)
    assert provisional(known, Reason.PENALTY) == pytest.approx(6.0 * (1 - np.exp(-3)) / 3)
    assert provisional(known, Reason.GOAL) == 0


def trained() -> tuple[dict[str, object], dict[str, object]]:
    known = made_up(4_000)
    names = [f"m{number}" for number in range(40)]
    return train(names, {name: "EFG"[number % 3] for number, name in enumerate(names)}, known, newton)


def test_training_makes_a_model_and_a_fold_for_every_competition() -> None:
    found, held_out = trained()
    whole = parse_model(found | {"manifest": {}})
    assert -4.1e6 < whole.play.forms.weights[LEAD, 1] < -2.5e6
    assert whole.play.forms.weights[BALL, 0] > 50_000
    assert set(held_out["folds"]) == {"E", "F", "G"}  # type: ignore[arg-type]
    assert held_out["matches"]["m4"] == ["F", 0.0]  # type: ignore[index]
    again, _ = trained()
    assert again == found
    assert differences(whole, whole) == []
    changed = dict(found["play"]) | {"mu_e6": [value + 1_000 for value in found["play"]["mu_e6"]]}  # type: ignore
    assert differences(parse_model(found | {"manifest": {}, "play": changed}), whole) == [
        "play.mu_e6 differs by 0.001000"
    ]


def test_the_moments_of_a_match_know_its_future_and_look_at_its_past() -> None:
    _, match = final_events(adapter("wyscout"), default_match_paths("wyscout"))
    whole = moments(0, match, Prior(0.2, 0.2, 0.6).log_odds)
    assert {f.name: len(getattr(whole, f.name)) for f in fields(whole)} == dict.fromkeys(
        (f.name for f in fields(whole)), len(whole.x)
    )
    cut = [event for event in match if (event.period, event.play_ms) <= (1, 1_500_000)]
    part = moments(0, cut, Prior(0.2, 0.2, 0.6).log_odds)
    seen = (part.period == 1) & (part.second <= 1_499)
    rows = np.flatnonzero(seen)
    assert len(rows) > 90
    for name in ("vectors", "prior_vectors", "x", "second", "cum_s"):
        assert (getattr(part, name)[rows] == getattr(whole, name)[rows]).all(), name
    running = whole.left_s > 0
    assert (whole.left_s[running] <= WINDOW_S).all()
    assert ((whole.later > 0) & (whole.later < 100))[running].all()
    assert (whole.move[whole.reason == 0] != whole.move[whole.reason == 0]).all()
    assert set(np.unique(whole.next_shot[~np.isnan(whole.next_shot)])) == {0.0, 1.0}


def test_missing_data_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert training.main(["--data", str(tmp_path)]) == 2
    assert "prior.csv.gz" in capsys.readouterr().err


def test_the_shipped_model_was_trained_on_the_features_that_this_code_sees() -> None:
    """When this fails the features have changed: train again (`make train`), or it is another model."""
    assert shipped().manifest["features_of_a_match_sha256"] == training.features_of_a_match()
