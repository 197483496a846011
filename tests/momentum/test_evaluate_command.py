"""`futstar momentum evaluate` as a person types it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from backend.cli.momentum import app
from backend.errors import as_user_error
from ingest.feeds import default_match_paths
from momentum.evaluation.run import GROUPS, PRIOR_FILE, digest, evaluate, locate, plain
from momentum.evaluation.sample import INDICES
from momentum.evaluation.strategies import STRATEGIES

WYSCOUT = default_match_paths("wyscout")[0]
SHARED = Path(__file__).parents[3] / "shared" / "data"
runner = CliRunner()


def archive(root: Path, ids: tuple[int, ...], prior: bool = True) -> Path:
    """A folder laid out as the development data, holding the kloppy package's match under other ids."""
    events = root / "wyscout" / "events"
    events.mkdir(parents=True)
    whole = orjson.loads(WYSCOUT.read_bytes())
    for match_id in ids:
        rows = [{**row, "matchId": match_id} for row in whole["events"]]
        (events / f"{match_id}.json.gz").write_bytes(gzip.compress(orjson.dumps({**whole, "events": rows}), 1))
    if prior:
        lines = ["match_id,p_home,p_draw,p_away", *(f"{match_id},0.5,0.3,0.2" for match_id in ids)]
        (root / PRIOR_FILE).write_bytes(gzip.compress("\n".join(lines).encode()))
    return root


def invoke(data: Path, out: Path, *more: object) -> Any:
    args = ["evaluate", "--data", data, "--json", out, "--jobs", "1", *more]
    return runner.invoke(app, [str(arg) for arg in args])


def code_of(done: Any) -> str | None:
    assert done.exception is not None
    shown = as_user_error(done.exception)
    assert shown is not None, done.exception
    assert "\n" not in str(shown)
    return shown.code


def test_it_prints_and_stores_every_table(tmp_path: Path) -> None:
    data, out = archive(tmp_path / "data", (9001, 9002)), tmp_path / "new" / "folder" / "found.json"
    done = invoke(data, out)
    assert done.exit_code == 0, done.output
    for told in ("## The next five minutes", "## Steps", "### Bias", "### 90 % band", "### conf", "## Traders"):
        assert told in done.output
    for name in (*INDICES, *(strategy.name for strategy in STRATEGIES), "machine", "commit", "command"):
        assert name in done.output
    assert "nan" not in done.output
    assert "competitions it was not trained on: 2" in done.output
    report = json.loads(out.read_text())
    assert {"machine", "commit", "command", "date", "took", "data_sha256", "scores", "errors", "strategies"} <= set(
        report
    )
    assert report["seconds"] > 2 * 5_400
    assert (report["matches"], report["with_prior"], report["failures"]) == (2, 2, [])
    assert len(report["scores"]) == 3 * len(INDICES)
    assert [path.name for path in out.parent.iterdir()] == ["found.json"]


def test_without_odds_it_says_so_once_and_leaves_out_what_needs_them(tmp_path: Path) -> None:
    data = archive(tmp_path / "data", (9001,), prior=False)
    done = invoke(data, tmp_path / "found.json")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("No prior for any match (prior.csv.gz in the folder or beside it, or --prior)") == 1
    assert "with prior" not in done.stdout
    assert "prior alone" not in done.stdout
    assert "model/1 in play" in done.stdout


def test_the_odds_lie_in_the_folder_or_beside_it_or_where_they_are_said_to_be(tmp_path: Path) -> None:
    data = archive(tmp_path / "data", (9001,))
    assert locate(data, "wyscout").folder == data / "wyscout"
    assert locate(data, "wyscout").prior == locate(data / "wyscout", "wyscout").prior == data / PRIOR_FILE
    assert locate(data / "wyscout", "wyscout").folder == data / "wyscout"
    assert locate(data, "wyscout", tmp_path / "mine.csv").prior == tmp_path / "mine.csv"
    done = invoke(data, tmp_path / "found.json", "--prior", tmp_path / "none.csv")
    assert code_of(done) == "file_unreadable"


def test_a_broken_match_costs_itself_and_is_named(tmp_path: Path) -> None:
    data = archive(tmp_path / "data", (9001,))
    (data / "wyscout" / "events" / "9002.json.gz").write_bytes(b"\x1f\x8b broken")
    done = invoke(data, tmp_path / "found.json")
    assert done.exit_code == 1, done.output
    assert "9002.json.gz" in done.stderr
    assert "Not measured: [truncated_file]" in done.stdout
    report = json.loads((tmp_path / "found.json").read_text())
    assert report["matches"] == 1
    assert report["failures"][0]["match_id"] == "9002"


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda root: None, "no_data"),
        (lambda root: root.mkdir(), "no_match_files"),
        (lambda root: (root / "wyscout" / "events").mkdir(parents=True), "no_match_files"),
        (lambda root: root.write_text("a file"), "no_data"),
    ],
)
def test_a_folder_without_matches_is_one_clear_sentence(made: Any, code: str, tmp_path: Path) -> None:
    made(tmp_path / "data")
    assert code_of(invoke(tmp_path / "data", tmp_path / "found.json")) == code
    assert not (tmp_path / "found.json").exists()
    assert not list(tmp_path.glob("*.part"))


def test_an_unknown_provider_and_a_place_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    data = archive(tmp_path / "data", (9001,))
    assert code_of(invoke(data, tmp_path / "x.json", "--provider", "nobody")) == "unknown_provider"
    (tmp_path / "file").write_text("")
    done = invoke(data, tmp_path / "file" / "found.json")
    assert code_of(done) == "cannot_write"


def test_when_no_match_can_be_measured_the_first_reason_is_told(tmp_path: Path) -> None:
    events = tmp_path / "wyscout" / "events"
    events.mkdir(parents=True)
    for name in ("1", "2"):
        (events / f"{name}.json").write_text("{}")
    done = invoke(tmp_path, tmp_path / "found.json")
    assert code_of(done) == "wyscout_not_a_match"
    assert "(and 1 more failed)" in str(done.exception)


def test_jobs_change_nothing_and_a_seeded_choice_repeats(tmp_path: Path) -> None:
    place = locate(archive(tmp_path / "data", (9001, 9002, 9003)), "wyscout")
    seen: list[tuple[int, int]] = []
    one = evaluate(place, 2, 5, progress=lambda done, total: seen.append((done, total)))
    two = evaluate(place, 2, 5, jobs=2)
    assert plain(one) == plain(two)
    assert seen == [(1, 2), (2, 2)]
    assert one.matches == 2
    assert GROUPS > 1


def test_the_digest_follows_the_content_of_what_was_read(tmp_path: Path) -> None:
    data = archive(tmp_path / "data", (9001,))
    place = locate(data, "wyscout")
    files = [[data / "wyscout" / "events" / "9001.json.gz"]]
    first = digest(place, files)
    assert first == digest(place, files)
    (data / PRIOR_FILE).write_bytes(b"other")
    assert digest(place, files) != first
    assert len(digest(place, [[data / "gone"]])) == 64


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the development data is not beside this repository")
def test_real_matches_are_judged_by_the_model_that_has_not_seen_their_competition(tmp_path: Path) -> None:
    found = evaluate(locate(SHARED, "wyscout"), 6, 2, jobs=2)
    assert (found.matches, found.new, found.failures) == (6, 0, [])
    assert sum(found.competitions.values()) == found.with_prior == 6
    pooled = found.errors[-1]
    assert pooled.rmse["learned with prior"] < pooled.rmse["hold spot"] < pooled.rmse["hold 50"]
    assert 0.7 < found.coverage[0].value.mean <= 1
    assert all(score.auc.mean > 0.5 for score in found.scores if score.index == "model/1 in play")
