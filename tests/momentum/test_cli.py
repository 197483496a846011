"""`futstar momentum` and `futstar bench` as a person types them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from backend.cli.bench import bench
from backend.cli.momentum import app
from backend.cli.recorders import RECORDERS
from backend.errors import UserError, as_user_error
from bench import harness
from bench import momentum as bench_momentum
from ingest.feeds import ADAPTERS, default_match_paths
from momentum.methodology import SPEC_DECAY_1

bench_app = typer.Typer()
bench_app.command()(bench)
runner = CliRunner()


def test_replay_takes_several_files_after_one_option(tmp_path: Path) -> None:
    out = tmp_path / "index.csv"
    paths = [str(p) for p in default_match_paths("statsperform")]
    done = runner.invoke(app, ["replay", "--provider", "statsperform", "--input", *paths, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_text().startswith("match_id,period,second,spec_box,spec_decay,model,model_prior,forward_15,")
    assert "1 match" in done.output


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["replay", "--provider", "nobody", "--input", "x", "--out", "o.csv"], "unknown_provider"),
        (["replay", "--provider", "wyscout", "--input", "no/such.json", "--out", "o.csv"], None),
        (["methodology", "spec-box/9"], "unknown_methodology"),
        (["replay", "--provider", "sportradar", "--input", "x.json", "--out", "o.csv"], "no_index"),
        (["replay", "--provider", "scraper", "--input", "x.json", "--out", "o.csv"], "no_index"),
        (["explain", "--provider", "sportradar", "--at", "37:12"], "no_index"),
        (["plot", "--provider", "scraper", "--out", "o.html"], "no_index"),
    ],
)
def test_a_mistake_is_one_sentence_with_a_code_and_exit_status_two(
    args: list[str], code: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(app, args)
    shown = as_user_error(done.exception) if done.exception else None
    assert shown is not None
    assert shown.exit_code == 2
    assert code is None or shown.code == code
    assert "\n" not in str(shown)
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_provider_whose_matches_make_an_index() -> None:
    *names, last = sorted(name for name, one in ADAPTERS.items() if one.feeds_index)
    assert f"{', '.join(names)} or {last}" == RECORDERS


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    out = tmp_path / "none" / "index.csv"
    path = str(default_match_paths("wyscout")[0])
    done = runner.invoke(app, ["replay", "--provider", "wyscout", "--input", path, "--out", str(out)])
    assert isinstance(done.exception, UserError)
    assert str(out) in str(done.exception)


def test_every_command_has_help_with_an_example() -> None:
    for command in (["replay"], ["explain"], ["plot"], ["methodology"], ["evaluate"]):
        assert "Example: futstar momentum" in runner.invoke(app, [*command, "--help"]).output
    assert "Example: futstar bench" in runner.invoke(bench_app, ["--help"]).output


def test_a_methodology_can_be_read_and_its_hash_checked_by_hand() -> None:
    listed = runner.invoke(app, ["methodology"]).output
    assert f"{SPEC_DECAY_1.hash.hex()}  spec-decay/1" in listed
    text = runner.invoke(app, ["methodology", "spec-decay/1"]).output.strip()
    assert hashlib.sha256(text.encode()).hexdigest() == SPEC_DECAY_1.hash.hex()
    table = runner.invoke(app, ["methodology", "spec-decay/1", "--table"]).output.split()
    assert table[0] == "age_s,possession,shots,xg,field_tilt,recent_events"
    assert table[181] == "180" + 5 * ",2147483648"
    weights = np.array([int(row.split(",")[1]) for row in table[1:]], dtype="<u8")
    assert hashlib.sha256(weights.tobytes()).hexdigest() in text


def test_the_bench_writes_machine_commit_and_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What it tells is looked at here, not how fast it is: few matches, ten minutes each.
    steps, count = bench_momentum._steps()
    monkeypatch.setattr(bench_momentum, "_steps", lambda: (steps[:600], count))
    monkeypatch.setattr(bench_momentum, "MATCHES", 20)
    path = tmp_path / "bench.json"
    done = runner.invoke(bench_app, ["momentum", "--quick", "--json", str(path)])
    assert done.exit_code == 0, done.output
    report = json.loads(path.read_text())
    assert set(report) == {"machine", "commit", "results"}
    assert all(set(row) == {"name", "unit", "value", "spread"} for row in report["results"])
    assert "machine" in done.output
    assert "futstar bench momentum --quick" in done.output
    figures = {row["name"]: row["value"] for row in report["results"]}
    # Generous: the suite shares its cores with other tests.
    assert figures["live tick p50"] < 1.0
    assert figures["one match from file to CSV"] < 3.0


def test_the_bench_lists_what_there_is_and_refuses_the_rest(tmp_path: Path) -> None:
    assert "momentum" in runner.invoke(bench_app, ["--list"]).output.split()
    for args in (["nothing"], []):
        done = runner.invoke(bench_app, args)
        assert isinstance(done.exception, UserError)
        assert "choose one of" in str(done.exception)
    with pytest.raises(KeyError):
        harness.run("nothing", quick=True)


def test_the_harness_tells_median_and_spread() -> None:
    assert harness.result("a", "s", [3.0, 1.0, 2.0]) == harness.Result("a", "s", 2.0, 2.0)
    assert harness.percentile(list(range(100)), 99) == 99
    assert harness.percentile([5.0], 50) == 5.0
    assert len(harness.seconds(lambda: None, 3)) == 3
    assert "Python" in harness.machine()
