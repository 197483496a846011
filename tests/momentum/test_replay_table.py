"""`futstar momentum replay`: the columns, both formats, folders, priors, jobs, and what goes wrong."""

from __future__ import annotations

import csv
import gzip
import math
import os
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from backend.cli import momentum as command
from backend.errors import as_user_error
from ingest.events import FeedError
from ingest.feeds import adapter, default_match_paths
from momentum import archive, batch
from momentum.batch import replay_to_file
from momentum.forecast import Prior
from momentum.methodology import SPEC_BOX, SPEC_DECAY
from momentum.prior import from_logit, read_priors
from momentum.replay import VALUES, final_events, match_table
from momentum.tablefile import HEADER, TableFile, csv_lines

WYSCOUT = default_match_paths("wyscout")[0]
NAMED = "match_id,period,second,spec_box,spec_decay,model,model_prior,forward_15,forward_15_lo,forward_15_hi"
SHARED = Path(__file__).parents[3] / "shared" / "data"
runner = CliRunner()


def document(match_id: int, keep_s: float = 200.0) -> dict[str, Any]:
    """The start of both halves of the real match under another id: quick to replay."""
    whole = orjson.loads(WYSCOUT.read_bytes())
    events = [{**e, "matchId": match_id} for e in whole["events"] if e["eventSec"] <= keep_s]
    return {**whole, "events": events}


def listing(match_id: int, teams: list[str], home: int) -> dict[str, Any]:
    sides = {t: {"teamId": int(t), "side": "home" if i == home else "away", "score": 0} for i, t in enumerate(teams)}
    return {"wyId": match_id, "dateutc": "2018-05-13 14:00:00", "competitionId": 1, "teamsData": sides}


def folder_of(tmp_path: Path, ids: tuple[int, ...], home: int = 0) -> Path:
    """A folder laid out as the public archive, without its index, teams and players."""
    root = tmp_path / "archive"
    (root / "events").mkdir(parents=True)
    rows = []
    for match_id in ids:
        doc = document(match_id)
        rows.append(listing(match_id, list(doc["teams"]), home))
        (root / "events" / f"{match_id}.json.gz").write_bytes(gzip.compress(orjson.dumps(doc)))
    (root / "matches_Elsewhere.json.gz").write_bytes(gzip.compress(orjson.dumps(rows)))
    return root


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def invoke(*args: object) -> Any:
    return runner.invoke(command.app, ["replay", *map(str, args)])


def test_the_columns_are_those_of_the_issue_in_its_order() -> None:
    assert HEADER == NAMED


def test_a_row_carries_the_indices_and_the_price_of_the_window_in_progress_only_inside_nominal_time(
    tmp_path: Path,
) -> None:
    out = tmp_path / "index.csv"
    replay_to_file("wyscout", [WYSCOUT], out)
    rows = read_csv(out)
    _, events = final_events(adapter("wyscout"), [WYSCOUT])
    ticks = archive.replay(events)
    for i in (0, 1, 899, 900, 2_699, len(rows) - 1):
        assert int(rows[i]["second"]) == ticks.second[i]
        assert round(float(rows[i]["spec_box"]) * 1e6) == ticks.x_e6[SPEC_BOX.name][i]
        assert round(float(rows[i]["spec_decay"]) * 1e6) == ticks.x_e6[SPEC_DECAY.name][i]
    for row in rows:
        assert 0 <= float(row["model"]) <= 1
        assert row["model_prior"] == ""
        prices = [row["forward_15_lo"], row["forward_15"], row["forward_15_hi"]]
        if int(row["second"]) < 2_700:
            assert 0 <= float(prices[0]) <= float(prices[1]) <= float(prices[2]) <= 100
        else:
            assert prices == ["", "", ""]
    assert any(int(row["second"]) >= 2_700 for row in rows)


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    root = folder_of(tmp_path, (11, 12, 13))
    prior = {"12": Prior(0.5, 0.3, 0.2)}
    as_csv, as_parquet = tmp_path / "t.csv", tmp_path / "t.parquet"
    replay_to_file("wyscout", [root], as_csv, priors=prior)
    report = replay_to_file("wyscout", [root], as_parquet, priors=prior)
    table = pq.read_table(as_parquet)
    assert ",".join(table.column_names) == NAMED
    rows, typed = read_csv(as_csv), table.to_pylist()
    assert len(rows) == len(typed) == report.rows
    for row, values in zip(rows, typed, strict=True):
        assert (row["match_id"], int(row["period"]), int(row["second"])) == tuple(list(values.values())[:3])
        for name in VALUES:
            expected = float(row[name]) if row[name] else None
            assert values[name] == expected
    assert {row["match_id"] for row in rows if row["model_prior"]} == {"12"}
    assert report.priors == 1


def test_parquet_row_groups_hold_several_matches_and_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder_of(tmp_path, (1, 2, 3, 4, 5))
    monkeypatch.setattr("momentum.tablefile.ROW_GROUP", 700)  # a short match has 402 rows
    report = replay_to_file("wyscout", [root], tmp_path / "t.parquet")
    meta = pq.ParquetFile(tmp_path / "t.parquet").metadata
    assert meta.num_row_groups == 3
    assert meta.num_rows == report.rows == 5 * meta.row_group(2).num_rows


def test_a_folder_of_the_archives_layout_needs_neither_index_nor_teams_nor_players_and_takes_the_sides_of_its_list(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    replay_to_file("wyscout", [folder_of(tmp_path / "1", (7,), home=0)], first)
    replay_to_file("wyscout", [folder_of(tmp_path / "2", (7,), home=1)], second)
    for a, b in zip(read_csv(first), read_csv(second), strict=True):
        assert round(float(a["spec_decay"]) * 1e6) + round(float(b["spec_decay"]) * 1e6) == 100_000_000


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_bytes_do_not_depend_on_the_number_of_jobs(ending: str, tmp_path: Path) -> None:
    root = folder_of(tmp_path, (21, 22, 23, 24, 25))
    one, three = tmp_path / f"one.{ending}", tmp_path / f"three.{ending}"
    prior = {"22": Prior(0.2, 0.3, 0.5)}
    replay_to_file("wyscout", [root], one, priors=prior, jobs=1)
    report = replay_to_file("wyscout", [root], three, priors=prior, jobs=3)
    assert one.read_bytes() == three.read_bytes()
    assert (report.matches, report.priors) == (5, 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bad_match_costs_only_its_own_rows_and_one_line_and_exit_status_one(jobs: int, tmp_path: Path) -> None:
    root = folder_of(tmp_path, (31, 32, 33))
    (root / "events" / "32.json.gz").write_bytes(b"not gzip")
    out = tmp_path / "t.csv"
    done = invoke("--provider", "wyscout", "--input", root, "--out", out, "--jobs", jobs)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("futstar: [truncated_file] ")
    assert "32.json.gz" in done.stderr
    assert "2 matches" in done.stdout
    assert "1 could not be replayed" in done.stdout
    assert {row["match_id"] for row in read_csv(out)} == {"31", "33"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["archive", "t.csv"]


def test_when_every_match_fails_nothing_is_written_and_an_old_table_stays(tmp_path: Path) -> None:
    root = folder_of(tmp_path, (41, 42))
    for path in (root / "events").iterdir():
        path.write_bytes(b"{")
    out = tmp_path / "t.csv"
    out.write_text("old")
    with pytest.raises(FeedError, match="and 1 more failed") as error:
        replay_to_file("wyscout", [root], out)
    assert error.value.code == "truncated_file"
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["archive", "t.csv"]


def test_a_defect_of_ours_in_one_match_does_not_lose_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batch.match_table

    def faulty(match_id: str, *rest: Any, **more: Any) -> Any:
        if match_id == "52":
            raise ZeroDivisionError("oh")
        return real(match_id, *rest, **more)

    monkeypatch.setattr(batch, "match_table", faulty)
    report = replay_to_file("wyscout", [folder_of(tmp_path, (51, 52, 53))], tmp_path / "t.csv")
    assert report.matches == 2
    (failure,) = report.failures
    assert failure.code == "defect"
    assert "match 52" in failure.text
    assert "ZeroDivisionError" in failure.text
    assert "report it" in failure.text


def _die(*_args: object) -> None:
    os._exit(9)


def test_a_worker_that_is_killed_ends_in_one_sentence_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_equip", _die)
    with pytest.raises(FeedError, match="fewer --jobs") as error:
        replay_to_file("wyscout", [folder_of(tmp_path, (1, 2))], tmp_path / "t.csv", jobs=2)
    assert error.value.code == "worker_died"
    assert [p.name for p in tmp_path.iterdir()] == ["archive"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupting_leaves_no_file(jobs: int, tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    for name in ("t.csv", "t.parquet"):
        with pytest.raises(KeyboardInterrupt):
            replay_to_file(
                "wyscout", [folder_of(tmp_path / name[2:], (1, 2))], tmp_path / name, jobs=jobs, progress=stop
            )
        assert not list(tmp_path.glob("t.*"))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_folder_that_does_not_exist_is_named_in_one_plain_sentence(ending: str, tmp_path: Path) -> None:
    out = tmp_path / "none" / f"t.{ending}"
    done = invoke("--provider", "wyscout", "--input", WYSCOUT, "--out", out)
    assert done.exception is not None
    shown = as_user_error(done.exception)
    assert shown is not None
    assert shown.code == "cannot_write"
    assert f"cannot write {out} (No such file or directory)" in str(shown)


def test_another_ending_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"neither \.csv nor \.parquet") as error:
        TableFile(tmp_path / "t.xlsx")
    assert error.value.code == "unknown_ending"


def test_one_match_of_a_folder_can_be_picked_and_an_unknown_one_is_named(tmp_path: Path) -> None:
    root = folder_of(tmp_path, (61, 62))
    assert replay_to_file("wyscout", [root], tmp_path / "t.csv", match="62").matches == 1
    with pytest.raises(FeedError, match="no match 99"):
        replay_to_file("wyscout", [root], tmp_path / "u.csv", match="99")


def test_two_files_of_one_match_are_refused_and_cost_only_that_match(tmp_path: Path) -> None:
    root = folder_of(tmp_path, (71, 72))
    (root / "events" / "71.json").write_bytes(orjson.dumps(document(71)))
    report = replay_to_file("wyscout", [root], tmp_path / "t.csv")
    assert [f.code for f in report.failures] == ["wyscout_which_match"]
    assert report.matches == 1


def test_a_stats_perform_folder_pairs_its_documents_and_a_broken_one_costs_only_itself(tmp_path: Path) -> None:
    root = tmp_path / "sp"
    root.mkdir()
    ma1, ma3 = (path.read_bytes() for path in default_match_paths())
    (root / "a1.json").write_bytes(ma1)
    (root / "a3.json").write_bytes(ma3)
    other = orjson.loads(ma3)
    other["matchInfo"]["id"] = "second"
    (root / "b3.json").write_bytes(orjson.dumps(other))
    (root / "c.json").write_bytes(b"{")
    (root / "notes.json").write_bytes(b"{}")
    found = adapter("statsperform").sources([root])
    own = orjson.loads(ma3)["matchInfo"]["id"]
    assert {key: [p.name for p in files] for key, files in found.items()} == {
        own: ["a1.json", "a3.json"],
        "second": ["b3.json"],
        "c.json": ["c.json"],
    }
    report = replay_to_file("statsperform", [root], tmp_path / "t.csv")
    assert report.matches == 2
    assert [(f.match_id, f.code) for f in report.failures] == [("c.json", "bad_json")]


def test_a_match_id_with_a_comma_or_a_quote_stays_one_cell() -> None:
    _, events = final_events(adapter("wyscout"), [WYSCOUT])
    line = csv_lines(match_table('a,"b"', events)).decode().splitlines()[0]
    assert next(csv.reader([line]))[0] == 'a,"b"'


# Priors

GOOD = "match_id,competition,prior_logit,p_home,p_draw,p_away\n"


def prior_file(tmp_path: Path, text: str, packed: bool = False) -> Path:
    path = tmp_path / ("p.csv.gz" if packed else "p.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_priors_are_read_plain_and_packed_and_brought_to_sum_one(packed: bool, tmp_path: Path) -> None:
    priors = read_priors(prior_file(tmp_path, GOOD + "1,X,,0.5,0.3,0.201\n2,X,0.4,,,\n3,X,,,,\n", packed))
    assert math.isclose(priors["1"].home, 0.5 / 1.001)
    assert math.isclose(sum((priors["1"].home, priors["1"].draw, priors["1"].away)), 1)
    assert priors["2"] == from_logit(0.4)
    assert set(priors) == {"1", "2"}


def test_a_prior_with_only_a_logit_keeps_it_and_is_mirrored_by_its_negative() -> None:
    for logit in (-3.0, -0.2, 0.0, 1.1):
        prior = from_logit(logit)
        assert math.isclose(math.log(prior.home / prior.away), logit, abs_tol=1e-12)
        assert math.isclose(prior.home + prior.draw + prior.away, 1)
        mirror = from_logit(-logit)
        assert math.isclose(mirror.home, prior.away)
    assert 0.25 < from_logit(0).draw < 0.33
    assert from_logit(3).draw < 0.15


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("match_id,home\n1,0.5\n", "prior_lacks_columns", "p_home"),
        ("", "prior_lacks_columns", "match_id"),
        (GOOD + "1,X,,0.5,0.3,0.2\n2,X,,0.5,,0.2\n", "prior_bad_row", "line 3"),
        (GOOD + "1,X,,nan,0.3,0.2\n", "prior_bad_row", "line 2"),
        (GOOD + "1,X,,1.5,-0.3,-0.2\n", "prior_bad_row", "between 0 and 1"),
        (GOOD + "1,X,,0.6,0.3,0.2\n", "prior_bad_row", "margin"),
        (GOOD + "1,X,nan,,,\n", "prior_bad_row", "prior_logit"),
        (GOOD + ",X,,0.5,0.3,0.2\n", "prior_bad_row", "match id"),
        (GOOD + "1,X,,0.5,0.3,0.2\n1,X,,0.4,0.3,0.3\n", "prior_bad_row", "second time"),
    ],
)
def test_a_bad_prior_file_is_one_sentence_that_names_the_place(text: str, code: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=told) as error:
        read_priors(prior_file(tmp_path, text))
    assert error.value.code == code


def test_prior_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    whole = gzip.compress((GOOD + "1,X,,0.5,0.3,0.2\n").encode())
    (tmp_path / "cut.gz").write_bytes(whole[:-9])
    (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00\x80")
    for name, code in (("cut.gz", "truncated_file"), ("none.csv", "file_unreadable"), ("noise.csv", "prior_not_csv")):
        with pytest.raises(FeedError) as error:
            read_priors(tmp_path / name)
        assert error.value.code == code


def test_the_command_takes_a_prior_and_tells_how_many_matches_have_one(tmp_path: Path) -> None:
    root = folder_of(tmp_path, (81, 82))
    prior = prior_file(tmp_path, GOOD + "81,X,,0.5,0.3,0.2\n99,X,,0.5,0.3,0.2\n")
    out = tmp_path / "t.csv"
    done = invoke("--provider", "wyscout", "--input", root, "--out", out, "--prior", prior, "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert "2 matches" in done.stdout
    assert "1 with a prior" in done.stdout
    assert {row["match_id"] for row in read_csv(out) if row["model_prior"]} == {"81"}


def test_a_prior_is_found_by_the_matchs_own_id_whatever_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "renamed.json"
    path.write_bytes(orjson.dumps(document(91)))
    out = tmp_path / "t.csv"
    assert replay_to_file("wyscout", [path], out, priors={"91": Prior(0.5, 0.3, 0.2)}).priors == 1
    assert all(row["model_prior"] for row in read_csv(out))


def test_without_a_terminal_there_is_no_bar_and_with_one_it_counts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with command.progress_bar("matches") as progress:
        assert progress is None
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with command.progress_bar("matches") as progress:
        assert progress is not None
        progress(3, 7)
    assert "3/7" in capsys.readouterr().err


def test_the_command_shows_a_mistake_as_the_user_error_with_its_code(tmp_path: Path) -> None:
    done = invoke("--provider", "wyscout", "--input", WYSCOUT, "--out", tmp_path / "t.xls")
    assert done.exception is not None
    shown = as_user_error(done.exception)
    assert shown is not None
    assert (shown.code, shown.exit_code) == ("unknown_ending", 2)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the development data beside the repository")
def test_matches_of_the_development_data_are_replayed_with_their_priors(tmp_path: Path) -> None:
    priors = read_priors(SHARED / "prior.csv.gz")
    assert len(priors) == 1_204
    out = tmp_path / "t.csv"
    assert replay_to_file("wyscout", [SHARED / "wyscout"], out, match="2057954", priors=priors).priors == 1
    rows = read_csv(out)
    assert len(rows) > 5_400
    assert all(row["model_prior"] for row in rows)
