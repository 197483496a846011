"""The training of `xg/1`: scores, shots and their context, a provider's shots, and the fit where scikit-learn is."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ingest.events import BodyPart, Event, FeedError, Kind, Side
from momentum import xg
from training import xg as train
from training import xg_scores as scores
from training.xg_plot import calibration_png
from training.xg_shots import CONTEXT, Shot, competitions, context, shots_of, statsbomb_shots, terms


def event(kind: Kind, play_ms: int, side: Side = Side.HOME, **more: Any) -> Event:
    return Event(f"{play_ms}", 1, more.pop("period", 1), play_ms, kind, side, **{"x": 90.0, "y": 50.0, **more})


def told(shot: Event, *before: Event) -> dict[str, float]:
    return dict(zip(CONTEXT, context(shot, before), strict=True))


def test_a_ranking_without_a_fault_has_auc_one_and_ties_count_half() -> None:
    y = np.array([False, False, True, True])
    assert scores.auc(np.array([0.1, 0.2, 0.3, 0.4]), y) == 1
    assert scores.auc(np.array([0.4, 0.3, 0.2, 0.1]), y) == 0
    assert scores.auc(np.full(4, 0.5), y) == 0.5
    assert scores.auc(np.array([0.1, 0.3, 0.3, 0.4]), y) == 0.875
    assert np.isnan(scores.auc(np.full(2, 0.5), np.array([True, True])))


def test_log_loss_and_brier_are_the_textbook_s() -> None:
    p, y = np.array([0.25, 0.5]), np.array([True, False])
    assert scores.log_loss(p, y) == pytest.approx(1.5 * np.log(2))
    assert scores.brier(p, y) == pytest.approx((0.75**2 + 0.5**2) / 2)


def test_the_calibration_error_is_the_mean_gap_of_ten_equal_bins() -> None:
    p = np.repeat(np.arange(1, 11) / 20, 100)
    y = np.concatenate([np.arange(100) < 100 * value for value in np.arange(1, 11) / 20])
    assert np.bincount(scores.bins(p)).tolist() == [100] * 10
    assert np.allclose(scores.reliability(p, y), np.column_stack([np.arange(1, 11) / 20] * 2))
    assert scores.ece(p, y) == pytest.approx(0, abs=1e-12)
    assert scores.ece(p + 0.07, y) == pytest.approx(0.07)
    assert 0 < scores.ece_floor(p, 20, 1) < 0.07


def test_a_bootstrap_draws_whole_matches() -> None:
    match = ["a", "b", "a", "c", "c", "c"]
    for rows in scores.cluster_draws(match, 50, 3):
        drawn = [match[i] for i in rows]
        assert drawn.count("a") % 2 == 0
        assert drawn.count("c") % 3 == 0
        assert drawn.count("a") // 2 + drawn.count("b") + drawn.count("c") // 3 == 3
    assert [r.tolist() for r in scores.cluster_draws(match, 3, 1)] == [
        r.tolist() for r in scores.cluster_draws(match, 3, 1)
    ]


def test_a_line_is_found_again() -> None:
    ours = np.array([0.1, 0.2, 0.4])
    assert scores.line(ours, 0.5 * ours + 0.02) == pytest.approx((0.5, 0.02, 1.0, 0.41 / 0.7))


def test_own_goals_and_the_shoot_out_are_no_shots_to_learn_from() -> None:
    events = [
        event(Kind.SHOT, 1_000, goal=True),
        event(Kind.SHOT, 2_000, goal=True, own_goal=True),
        event(Kind.SHOT, 3_000, period=5, penalty=True),
        event(Kind.PASS, 4_000),
    ]
    found = shots_of("m", "Somewhere", events)
    assert [(s.event.play_ms, s.goal, s.match, s.competition) for s in found] == [(1_000, True, "m", "Somewhere")]


def test_the_context_looks_back_only_and_only_at_its_own_period() -> None:
    shot = event(Kind.SHOT, 20_000)
    events = [event(Kind.CORNER, 13_000), shot, event(Kind.SAVE, 20_500)]
    assert dict(zip(CONTEXT, shots_of("m", "c", events)[0].context, strict=True))["after_corner"] == 1
    assert dict(zip(CONTEXT, shots_of("m", "c", events)[0].context, strict=True))["rebound"] == 0
    other_half = [event(Kind.CORNER, 13_000, period=1), event(Kind.SHOT, 20_000, period=2)]
    assert dict(zip(CONTEXT, shots_of("m", "c", other_half)[0].context, strict=True))["after_corner"] == 0


def test_a_rebound_a_restart_and_a_cross_have_their_seconds_and_their_side() -> None:
    shot = event(Kind.SHOT, 20_000)
    assert told(shot, event(Kind.SAVE, 16_000, Side.AWAY))["rebound"] == 1
    assert told(shot, event(Kind.SHOT, 15_900))["rebound"] == 0
    assert told(shot, event(Kind.FREE_KICK, 12_000))["after_free_kick"] == 1
    assert told(shot, event(Kind.FREE_KICK, 12_000, Side.AWAY))["after_free_kick"] == 0
    assert told(shot, event(Kind.PASS, 18_000, text="cross"))["after_cross"] == 1
    assert told(shot, event(Kind.PASS, 18_000, text="pass"))["after_cross"] == 0
    assert told(shot, event(Kind.PASS, 18_500, x=80.0))["advance_m"] == pytest.approx(10.5)
    assert told(shot)["pause_s"] == 10


def test_terms_of_the_fit_are_the_terms_of_the_index_and_their_names_are_unlike() -> None:
    shots = [event(Kind.SHOT, 1, body=BodyPart.HEAD), event(Kind.SHOT, 2, x=70.0, direct_free_kick=True)]
    rows = terms(shots)
    for row, shot in zip(rows, shots, strict=True):
        logit = float(xg.INTERCEPT_1) + row @ [float(c) for c in xg.COEFFICIENTS_1]
        assert 1e6 / (1 + np.exp(-logit)) == pytest.approx(xg.xg1_e6(shot), abs=0.51)
    assert len({*xg.TERMS_1, *CONTEXT}) == len(xg.TERMS_1) + len(CONTEXT)


def statsbomb_row(**more: Any) -> dict[str, Any]:
    shot = {
        "statsbomb_xg": 0.123456,
        "body_part": {"name": "Head"},
        "outcome": {"name": "Goal"},
        "type": {"name": "Free Kick"},
    }
    return {"id": "s", "type": {"name": "Shot"}, "period": 1, "location": [108.0, 20.0], "shot": shot, **more}


def write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(orjson.dumps(document)))


def test_a_provider_s_shots_are_read_in_per_cent(tmp_path: Path) -> None:
    rows = [statsbomb_row(), statsbomb_row(period=5), {"type": {"name": "Pass"}, "period": 1}]
    write(tmp_path / "7.json.gz", rows)
    (found,) = statsbomb_shots(tmp_path)
    assert (found.match, found.event.x, found.event.y) == ("7", pytest.approx(90.0), pytest.approx(25.0))
    assert (found.event.body, found.event.goal, found.event.direct_free_kick) == (BodyPart.HEAD, True, True)
    assert (found.event.penalty, found.event.xg_e6) == (False, 123_456)


@pytest.mark.parametrize("document", [{"events": []}, [{"type": "Shot"}], [statsbomb_row(location=[])]])
def test_another_document_is_no_provider_s(tmp_path: Path, document: object) -> None:
    write(tmp_path / "7.json.gz", document)
    with pytest.raises(FeedError, match="check --data") as caught:
        list(statsbomb_shots(tmp_path))
    assert caught.value.code == "training_not_statsbomb"


def test_without_data_there_is_one_sentence_and_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "xg.json"
    assert train.main(["--data", str(tmp_path / "nowhere"), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("training.xg: [training_no_index] cannot read match ids")
    assert not out.exists()


def test_an_index_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.csv.gz").write_bytes(gzip.compress(b"id,name\n1,x\n"))
    with pytest.raises(FeedError, match="competition") as caught:
        competitions(tmp_path)
    assert caught.value.code == "training_no_index"


def drawn(count: int, seed: int) -> list[Shot]:
    """Shots whose goals are drawn from `xg/1` itself, in four competitions."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        kind: dict[str, Any] = rng.choice(
            [{"body": BodyPart.FOOT}] * 14
            + [{"body": BodyPart.HEAD}] * 4
            + [{"direct_free_kick": True}] * 2
            + [{"penalty": True}]
        )
        x, y = rng.uniform(70, 99), rng.uniform(25, 75)
        plain = event(Kind.SHOT, number, x=x, y=y, **kind)
        goal = rng.random() * 1e6 < xg.xg1_e6(plain)
        shot = event(Kind.SHOT, number, x=x, y=y, goal=goal, **kind)
        found.append(Shot(f"m{number // 20}", f"c{number % 4}", shot, (0.0,) * len(CONTEXT)))
    return found


def test_the_picture_is_a_small_png() -> None:
    table = train.Table(drawn(400, 1))
    picture = calibration_png(table.xg1, table.xg0, table.goal, table.competition)
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 60_000


def test_shots_without_a_place_are_refused() -> None:
    lost = Shot("m", "c", event(Kind.SHOT, 1, x=None), (0.0,) * len(CONTEXT))
    with pytest.raises(FeedError, match="1 shots have no place"):
        train.Table([lost])


def test_the_fit_finds_the_model_that_drew_the_goals() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is only in the training environment (.venv-train)")
    table = train.Table(drawn(30_000, 2))
    fit = train.fitted(table)
    assert fit["penalty_e6"] == pytest.approx(xg.PENALTY_E6_1, abs=40_000)
    for name in ("header", "free_kick"):
        assert float(fit["coefficients"][name]) == pytest.approx(float(xg.DEFINITION_1["coefficients"][name]), abs=0.5)
    p = train.held_out(table, table.terms, train.fit_logistic)
    assert np.abs(p - table.xg1).mean() < 0.01
    assert scores.ece(p, table.goal) < 0.02
