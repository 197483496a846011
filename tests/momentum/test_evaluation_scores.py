"""Scores and intervals against naive counts and known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momentum.evaluation.intervals import Interval, by_match, clustered, draws, ratio
from momentum.evaluation.scores import Ranking, auc, better_by, calibration, log_loss, recalibrated, rmse
from momentum.evaluation.targets import Questions

ROWS = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), max_size=40)


def naive(score: list[int], positive: list[bool], weight: list[int]) -> float:
    """Every pair counted: a win 1, a tie half."""
    won = pairs = 0.0
    for s, p, w in zip(score, positive, weight, strict=True):
        for t, q, v in zip(score, positive, weight, strict=True):
            if p and not q:
                pairs += w * v
                won += w * v * (1.0 if s > t else 0.5 if s == t else 0.0)
    return won / pairs if pairs else math.nan


@given(ROWS)
def test_the_auc_of_any_weights_is_the_share_of_pairs_that_are_in_order(rows: list[tuple[int, bool, int]]) -> None:
    score, positive, weight = ([row[i] for row in rows] for i in range(3))
    ranking = Ranking.of(np.array(score, dtype=float), np.array(positive, dtype=bool))
    assert ranking.auc(np.array(weight, dtype=float)) == pytest.approx(naive(score, positive, weight), nan_ok=True)


@given(ROWS)
def test_weighing_a_row_twice_is_having_it_twice(rows: list[tuple[int, bool, int]]) -> None:
    score, positive, weight = (np.array([row[i] for row in rows]) for i in range(3))
    weight = weight.astype(int)
    once = Ranking.of(score.astype(float), positive.astype(bool)).auc(weight.astype(float))
    copied = Ranking.of(np.repeat(score, weight).astype(float), np.repeat(positive, weight).astype(bool))
    assert copied.auc(np.ones(int(weight.sum()))) == pytest.approx(once, nan_ok=True)


def test_a_constant_ranks_nothing_and_a_truth_ranks_everything() -> None:
    match, truth = np.repeat(np.arange(20), 5), np.tile([True, False, True, False, False], 20)
    assert auc(np.zeros(100), truth, match, 20) == Interval(0.5, 0.5, 0.5)
    assert auc(truth.astype(float), truth, match, 20) == Interval(1.0, 1.0, 1.0)
    assert auc(-truth.astype(float), truth, match, 20).mean == 0.0


def test_one_match_has_a_figure_and_no_interval() -> None:
    found = auc(np.array([1.0, 2.0]), np.array([False, True]), np.zeros(2, dtype=int), 1)
    assert found.mean == 1.0
    assert math.isnan(found.low)


def test_no_rows_have_no_figure() -> None:
    none, match = np.zeros(0), np.zeros(0, dtype=int)
    assert math.isnan(auc(none, none.astype(bool), match, 3).mean)
    assert math.isnan(log_loss(none, none.astype(bool)))
    assert math.isnan(rmse(none))
    assert math.isnan(better_by(none, none, match, 3).mean)
    assert calibration(none, none.astype(bool), match).bins == ()
    assert clustered(none, match).n == 0


def test_rows_of_one_match_hang_together_and_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat(rng.random(60) < 0.5, 50)
    score = truth + np.repeat(rng.normal(0, 2, 60), 50)
    together = auc(score, truth, np.repeat(np.arange(60), 50), 60)
    apart = auc(score, truth, np.arange(3_000), 3_000)
    assert together.mean == apart.mean
    assert together.high - together.low > 4 * (apart.high - apart.low)


def test_every_resample_draws_as_many_matches_as_there_are() -> None:
    counts = draws(30, 500)
    assert counts.shape == (500, 30)
    assert (counts.sum(axis=1) == 30).all()
    assert draws(30, 500) is counts  # the same draws for every figure of a table


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(0, 10))
def test_an_interval_holds_its_mean_and_shifts_with_it(matches: int, shift: int) -> None:
    values = np.random.default_rng(matches).normal(0, 1, matches)
    plain, moved = ratio(values, np.ones(matches)), ratio(values + shift, np.ones(matches))
    assert plain.low <= plain.mean <= plain.high
    assert moved.low == pytest.approx(plain.low + shift)
    assert moved.mean == pytest.approx(values.mean() + shift)


def test_bootstrap_and_clustered_error_agree_with_the_textbook() -> None:
    rng = np.random.default_rng(5)
    match = np.repeat(np.arange(400), 7)
    values = np.repeat(rng.normal(0, 1, 400), 7)  # rows of a match are copies: they tell nothing new
    found, boot = clustered(values, match), ratio(*by_match(values, match, 400))
    assert found.mean == pytest.approx(values.mean())
    assert found.se == pytest.approx(values[::7].std(ddof=1) / 20, rel=1e-6)
    assert (boot.high - boot.low) / (2 * 1.96) == pytest.approx(found.se, rel=0.08)
    assert clustered(values, np.zeros(2_800, dtype=int)).n == 2_800
    assert math.isnan(clustered(values, np.zeros(2_800, dtype=int)).se)


def test_how_many_standard_errors_a_mean_is_away() -> None:
    assert clustered(np.array([1.0, 3.0]), np.array([0, 1])).in_se == pytest.approx(2.0)


def test_a_true_probability_is_calibrated_within_chance_and_a_wrong_one_by_its_distance() -> None:
    rng = np.random.default_rng(8)
    p = rng.uniform(0.1, 0.9, 40_000)
    truth, match = rng.random(40_000) < p, np.arange(40_000) % 2_000
    good, off = calibration(p, truth, match), calibration(p + 0.05, truth, match)
    assert good.error < 2 * good.chance < 0.02
    assert off.error == pytest.approx(0.05, abs=0.01)
    assert [n for *_, n in good.bins] == [4_000] * 10
    for foretold, came, se, _ in good.bins:
        assert abs(foretold - came) < 4 * se


def test_calibration_by_hand() -> None:
    p, truth = np.array([0.2, 0.2, 0.9, 0.9]), np.array([False, True, True, True])
    found = calibration(p, truth, np.arange(4), bins=2)
    assert found.error == pytest.approx((0.3 + 0.1) / 2)
    assert [(round(f, 6), round(c, 6), n) for f, c, _, n in found.bins] == [(0.2, 0.5, 2), (0.9, 1.0, 2)]


def test_log_loss_by_hand_and_never_infinite() -> None:
    assert log_loss(np.array([0.5, 0.25]), np.array([True, False])) == pytest.approx(
        (math.log(2) + math.log(4 / 3)) / 2
    )
    assert math.isfinite(log_loss(np.array([0.0]), np.array([True])))


def test_the_logistic_fit_finds_level_and_slope_from_the_other_half() -> None:
    rng = np.random.default_rng(9)
    x, half = rng.normal(0, 1, 60_000), np.arange(60_000) % 2 == 0
    p = 1 / (1 + np.exp(-(0.3 + 0.8 * x)))
    found = recalibrated(50 + 7 * x, rng.random(60_000) < p, half)
    assert np.abs(found - p).max() < 0.03
    level = recalibrated(np.zeros(60_000), half, np.arange(60_000) % 3 == 0)
    assert np.abs(level - 0.5).max() < 0.01


def test_one_half_alone_or_one_answer_alone_can_fit_nothing() -> None:
    x, truth = np.arange(4.0), np.array([True, False, True, False])
    assert np.isnan(recalibrated(x, truth, np.ones(4, dtype=bool))).all()
    assert np.isnan(recalibrated(x, np.ones(4, dtype=bool), truth)).all()


def test_an_error_half_as_large_is_better_by_fifty_per_cent() -> None:
    error, match = np.random.default_rng(1).normal(0, 1, 300), np.arange(300) % 30
    found = better_by(error / 2, error, match, 30)
    assert found.mean == pytest.approx(50)
    assert found.low == pytest.approx(found.high)


def test_a_question_is_asked_only_where_it_has_an_answer() -> None:
    asked = Questions.of(np.array([0.2, 0.0, -0.1]), np.array([1.0, np.nan, 0.0]), np.array([300.0, np.inf, 301.0]))
    assert [known.tolist() for known, _ in (asked.more_xg, asked.next_shot, asked.next_shot_soon)] == [
        [True, False, True],
        [True, False, True],
        [True, False, False],
    ]
    assert asked.more_xg[1].tolist() == [True, False, False]
    assert asked.next_shot[1].tolist() == [True, False, False]
