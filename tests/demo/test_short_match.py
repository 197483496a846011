"""The run itself, in this process, on an abandoned match: two short halves cut out of the real one."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from backend.cli.main import main
from backend.db.pool import Row
from backend.demo.run import Demo, Options
from backend.demo.summary import print_summary
from backend.demo.workspace import free_port
from backend.history import runs
from backend.history.places import opened
from backend.history.quality import minutes
from ingest.feeds import default_match_paths
from ingest.history.model import MatchHistory
from oracle import transcript

HALF_S = 240
BASE_MIN = {1: 0, 2: 45}
pytestmark = pytest.mark.timeout(240)


def abandoned(folder: Path) -> tuple[Path, Path]:
    """The default match with both halves blown off after four minutes."""
    ma1, ma3 = (json.loads(path.read_bytes()) for path in default_match_paths())
    kept = []
    for event in ma3["liveData"]["event"]:
        if event["periodId"] not in BASE_MIN:
            continue
        play_s = (event["timeMin"] - BASE_MIN[event["periodId"]]) * 60 + event["timeSec"]
        if event["typeId"] == 30:
            start = next(e for e in kept if e["typeId"] == 32 and e["periodId"] == event["periodId"])
            minute, second = divmod(HALF_S + BASE_MIN[event["periodId"]] * 60, 60)
            stamp = start["timeStamp"].replace("18:30:06", "18:34:06").replace("19:34:13", "19:38:13")
            kept.append({**event, "timeMin": minute, "timeSec": second, "timeStamp": stamp})
        elif play_s < HALF_S:
            kept.append(event)
    ma3["liveData"]["event"] = kept
    paths = folder / "ma1.json", folder / "ma3.json"
    for path, document in zip(paths, (ma1, ma3), strict=True):
        path.write_text(json.dumps(document))
    return paths


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("short")
    options = Options(
        paths=abandoned(folder),
        speed=None,
        port=free_port(),
        data_dir=folder / "data",
        headless=True,
        json_path=folder / "report.json",
    )
    return folder, asyncio.run(Demo(options).run())


def test_an_abandoned_match_voids_every_window_and_gives_the_money_back(short_run) -> None:
    report = short_run[1]
    assert {w["state"] for w in report["windows"]} == {"void"}
    assert all(w["settlement"] is None for w in report["windows"])
    assert report["fills"] > 0
    assert report["samples"]["missed"] == 0
    assert report["fees"]["lp_e6"] == report["fees"]["protocol_e6"] == 0
    assert all(check["ok"] for check in report["invariants"].values()), report["invariants"]


def test_whoever_never_closed_before_the_match_was_abandoned_loses_nothing(short_run) -> None:
    holders = {t["name"]: t for t in short_run[1]["traders"]}
    assert holders["Mia"]["orders"] >= 1
    assert holders["Mia"]["profit_e6"] == 0
    assert holders["Max"]["profit_e6"] == 0


def test_the_transcript_aggregates_to_the_account_and_a_missing_quote_shows(short_run) -> None:
    record = transcript.read(short_run[0] / "report.files" / "chain.jsonl.gz")
    samples = transcript.aggregate(record)
    assert len(samples) == short_run[1]["samples"]["landed"] == record.account.samples
    assert [p.tick for p in transcript.published(samples)] == list(range(1, len(samples) + 1))
    # Without two of a tick's three quotes its sample cannot have been aggregated.
    at = 3 * 50
    fewer = transcript.Transcript(record.feed, record.account, record.quotes[:at] + record.quotes[at + 2 :])
    with pytest.raises(transcript.FeedError, match="transcript"):
        transcript.aggregate(fewer)


def test_the_summary_tells_a_person_the_score_the_money_and_the_checks(short_run) -> None:
    console = Console(file=io.StringIO(), width=120)
    print_summary(short_run[1], Path("report.json"), console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for word in ("Hamburger SV 0 - 0 Sandhausen", "0 missed", "void", "Mia", "I12", "futstar verify"):
        assert word in text
    assert "FAILED" not in text


def test_the_run_wrote_the_history_that_its_files_give(short_run, capsys: pytest.CaptureFixture[str]) -> None:
    folder, report = short_run
    run = folder / "data" / "runs" / "000001"
    (given,) = runs.read(run)
    assert len(given.samples) == report["samples"]["landed"]

    async def kept() -> tuple[MatchHistory, list[Row]]:
        async with opened(None, folder / "data") as places:
            ((place, row),) = await places.matches()
            assert place == "run_000001"
            history = await (await places.store(place)).read(row["match_id"])
            database = await places.database(place)
            async with database.connection() as connection:
                return history, await minutes(connection, row["match_id"], None, 100)

    history, measured = asyncio.run(kept())
    assert history == given
    assert {row["provider"] for row in measured} == {"statsperform"}
    assert len(measured) >= 8, "a row for each minute of play"
    last = measured[-1]
    assert last["arrivals"] == len(given.lines)
    assert last["corrections"] + last["deletions"] == len(given.corrections)
    out = folder / "feed-again.jsonl"
    assert (
        main(["history", "replay", given.match.match_id, "--data-dir", str(folder / "data"), "--feed", str(out)]) == 0
    )
    assert capsys.readouterr().out == f"{len(given.samples)} samples, 0 differ\n"
    assert out.read_bytes() == (run / "feed.jsonl").read_bytes()


def test_a_run_is_imported_from_its_report(short_run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = short_run[0] / "report.json"
    assert main(["history", "import", str(report), "--data-dir", str(tmp_path)]) == 0
    assert f"{short_run[1]['samples']['landed']} samples" in capsys.readouterr().out
