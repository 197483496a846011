"""`futstar ingest doctor` on good files and on every way a file can be wrong."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from backend.cli.main import main
from ingest import doctor
from ingest.doctor import Report, examine
from ingest.events import FeedError
from ingest.feed import write_feed
from ingest.feeds import adapter, default_match_paths
from ingest.intake import material, recognise
from tests.ingest.corpus import COMPLETE, DOCUMENTS, FORMS, KLOPPY, SYNTHETIC, complete, of

MA1, MA3 = default_match_paths("statsperform")
MATCH = "71pif9hi2vwzp6q0xzilyxst0"
Doc = dict[str, Any]


def report(*paths: Path, provider: str | None = None, gap_s: int = doctor.GAP_S) -> Report:
    one, sources = recognise(paths, provider)
    ((match, files),) = sources.items()
    return examine(material(one, files, match), gap_s)


def edited(folder: Path, change: Callable[[list[Doc]], object]) -> tuple[Path, Path]:
    document = orjson.loads(MA3.read_bytes())
    change(document["liveData"]["event"])
    path = folder / "ma3.json"
    path.write_bytes(orjson.dumps(document))
    return path, MA1


def found(report: Report) -> dict[str, int]:
    codes: dict[str, int] = {}
    for one in report.findings:
        codes[one.code] = codes.get(one.code, 0) + 1
        assert one.where
        assert one.text
        assert one.advice, one.code
    return codes


@pytest.mark.parametrize("form", sorted(COMPLETE))
def test_a_complete_real_match_of_every_provider_is_recognised_and_whole(form: str) -> None:
    seen = report(*complete(form))
    assert seen.provider == of(form).name
    assert seen.whole
    assert seen.feeds_index
    assert seen.rows == seen.used + seen.outside + seen.unusable
    assert {finding.code for finding in seen.findings if finding.problem} <= {"home_side_unknown"}


@pytest.mark.parametrize(("form", "goals"), [("scraper", (2, 0)), ("sportradar", (2, 1))])
def test_a_feed_that_no_index_can_be_made_of_is_told_so(
    form: str, goals: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    seen = report(*SYNTHETIC[form])
    assert (seen.provider, seen.score_by_events, seen.feeds_index, seen.clean) == (form, goals, False, True)
    assert set(found(seen)) == {"no_index"}
    assert run("--input", *SYNTHETIC[form]) == 0
    assert f"no index can be made of {form}: it has no passes" in capsys.readouterr().out


@pytest.mark.parametrize("form", FORMS)
def test_every_document_at_hand_gets_a_report_or_says_what_is_missing(form: str, tmp_path: Path) -> None:
    for path in DOCUMENTS[form]:
        packed = tmp_path / f"{path.name}.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        assert main(["ingest", "doctor", "--input", str(packed)]) in (0, 1, 2)


def test_the_demos_match_is_clean_down_to_its_clock() -> None:
    seen = report(MA3, MA1)
    assert (seen.clean, seen.rows, seen.used, seen.outside, seen.unusable) == (True, 1737, 1731, 6, 0)
    assert (seen.events, seen.deleted, seen.duplicates, seen.corrections) == (1660, 71, 0, 0)
    assert (seen.score_by_events, seen.score_by_header, seen.status) == ((2, 1), (2, 1), "played")
    assert seen.line_ups == (20, 20)
    assert [(p.last_ms, p.announced_s, p.longest_gap_ms) for p in seen.periods] == [
        (2_702_000, None, 69_000),
        (3_158_000, 240, 119_000),
    ]
    assert dict(seen.kinds)["pass"] == 831


def test_json_and_xml_of_the_same_match_give_the_same_report() -> None:
    one, other = report(MA3, MA1), report(MA3.with_suffix(".xml"), MA1.with_suffix(".xml"))
    assert one.sources != other.sources
    for name in ("rows", "events", "kinds", "periods", "findings", "line_ups", "score_by_header"):
        assert getattr(one, name) == getattr(other, name)


def test_the_same_match_in_two_forms_counts_once(tmp_path: Path) -> None:
    for path in (MA3, MA3.with_suffix(".xml"), MA1):
        shutil.copy(path, tmp_path)
    assert report(tmp_path).rows == 1737


def test_a_gap_is_told_with_its_clock(tmp_path: Path) -> None:
    def silence(rows: list[Doc]) -> None:
        rows[:] = [r for r in rows if not (r["periodId"] == 1 and 10 <= r["timeMin"] < 20) or r["typeId"] == 32]

    seen = report(*edited(tmp_path, silence))
    (gap,) = [one for one in seen.findings if one.code == "gap"]
    assert "period 1 at 9:" in gap.where
    assert gap.text == "no event for 607 s"
    assert report(MA3, MA1, gap_s=100).findings[0].code == "gap"


@pytest.mark.parametrize(
    ("name", "change", "codes"),
    [
        ("no kick-off", lambda rows: [r for r in rows if r["typeId"] != 32], {"no_period_start": 2}),
        ("cut", lambda rows: rows[:600], {"no_period_end": 1}),
        ("twice", lambda rows: [*rows, *rows[100:103]], {}),
        ("goal lost", lambda rows: [r for r in rows if r["typeId"] != 16], {"score_differs": 1}),
        ("another team", lambda rows: [{**r, "contestantId": "x"} if n == 50 else r for n, r in enumerate(rows)], {}),
        ("no clock", lambda rows: [{**r, "timeMin": 200} if n == 50 else r for n, r in enumerate(rows)], {}),
        ("new type", lambda rows: [{**r, "typeId": 999} if n == 50 else r for n, r in enumerate(rows)], {}),
        ("off the pitch", lambda rows: [{**r, "x": 130} if n == 50 else r for n, r in enumerate(rows)], {}),
        ("no id", lambda rows: [{**r, "id": None} if n == 50 else r for n, r in enumerate(rows)], {}),
        ("no row", lambda rows: [5, *rows], {}),
    ],
)
def test_what_is_wrong_is_found_counted_and_located(
    name: str, change: Callable[[list[Doc]], list[Any]], codes: dict[str, int], tmp_path: Path
) -> None:
    expected = {
        "another team": "unknown_team",
        "no clock": "out_of_period",
        "new type": "unknown_type",
        "off the pitch": "off_pitch",
        "no id": "bad_event",
        "no row": "bad_event",
    }

    def apply(rows: list[Doc]) -> None:
        rows[:] = change(list(rows))

    seen = report(*edited(tmp_path, apply))
    counts = found(seen)
    for code, number in codes.items():
        assert counts[code] == number
    if name in expected:
        (one,) = [one for one in seen.findings if one.code == expected[name]]
        assert one.where.startswith("row 1" if name == "no row" else "row 51, ")
    if name == "twice":
        assert (seen.duplicates, seen.clean) == (3, True)


def test_rows_that_come_again_with_other_content_are_corrections(tmp_path: Path) -> None:
    later = {"lastModified": "2021-09-20T00:00:00Z", "x": 1.0}
    seen = report(*edited(tmp_path, lambda rows: rows.append({**rows[60], **later})))
    assert (seen.corrections, seen.clean, found(seen)) == (1, True, {"conflicting_rows": 1})


def test_rows_out_of_time_order_are_counted(tmp_path: Path) -> None:
    assert report(*edited(tmp_path, lambda rows: rows.insert(500, rows.pop(100)))).out_of_order == 1


def test_events_after_the_whistle_are_found(tmp_path: Path) -> None:
    def late(rows: list[Doc]) -> None:
        next(r for r in rows if r["typeId"] == 1 and r["periodId"] == 2).update(timeMin=110)

    assert found(report(*edited(tmp_path, late)))["outside_whistles"] == 1


def test_a_period_of_ten_minutes_is_told(tmp_path: Path) -> None:
    def short(rows: list[Doc]) -> None:
        rows[:] = [r for r in rows if r["periodId"] != 2 or r["timeMin"] < 55 or r["typeId"] == 30]
        for row in rows:
            if row["typeId"] == 30 and row["periodId"] == 2:
                row.update(timeMin=55)

    counts = found(report(*edited(tmp_path, short)))
    assert counts["period_length"] == counts["not_a_whole_match"] == 1


def test_a_recorded_feed_is_examined_in_order_of_arrival(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    header, messages = adapter("statsperform").replay([MA1, MA3], 7)
    write_feed(path, header, messages)
    seen = report(path)
    assert (seen.provider, seen.match_id, seen.whole, seen.clean) == ("statsperform", MATCH, True, True)
    assert (seen.events, seen.deleted, seen.rows) == (1660, 71, len(messages))
    assert seen.corrections > 300
    lines = path.read_bytes().splitlines(keepends=True)
    lines[40], lines[900], lines[500] = b"{}\n", lines[30], b"not JSON\n"
    packed = tmp_path / "feed.jsonl.gz"
    packed.write_bytes(gzip.compress(b"".join(lines)))
    worse = report(packed)
    counts = found(worse)
    assert (counts["bad_feed_line"], counts["arrival_runs_back"]) == (2, 1)
    assert {"line 41", "line 501"} <= {one.where for one in worse.findings}


def run(*args: str | Path) -> int:
    return main(["ingest", "doctor", *map(str, args)])


def test_the_command_prints_what_a_person_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--input", MA3, MA1) == 0
    text = capsys.readouterr().out
    for words in (
        *("Hamburger SV - Sandhausen", "2021-09-11 18:30 UTC", "2. Bundesliga", MATCH, "statsperform"),
        *("JSON, 1.8 MB, 1,737 rows", "a whole match", "line-ups of 20 and 20", "2-1 by the events, 2-1 by the header"),
        *("1,660 events, 71 deleted", "pass 831", "+4 announced", "longest silence 119 s at 50:22", "clean"),
    ):
        assert words in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_problems_make_the_status_one_and_are_listed_by_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--provider", "opta", "--input", KLOPPY / "opta_f24.xml", KLOPPY / "opta_f7.xml") == 1
    text = capsys.readouterr().out
    assert "problem   [out_of_period] 6: the row's clock" in text
    assert "and 1 more (--all writes them out)" in text
    assert "row 40, event 2360555167: minute 19 is not in period 2" in text
    assert run("--input", KLOPPY / "opta_f24.xml", KLOPPY / "opta_f7.xml", "--all") == 1
    assert "more (--all" not in capsys.readouterr().out


def test_json_carries_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--input", MA3, MA1) == 0
    (one,) = json.loads(capsys.readouterr().out)["reports"]
    assert (one["match_id"], one["clean"], one["kinds"]["shot"], one["findings"]) == (MATCH, True, 33, [])
    assert one["sources"][0]["rows"] == 1737


@pytest.mark.parametrize("name", ["statsperform_event_ma1.json", "statsperform_event_ma1.xml", "opta_f7.xml"])
def test_a_header_alone_is_told_apart_from_a_match(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--input", KLOPPY / name) == 1
    text = capsys.readouterr().out
    assert "a match header without events, status played, line-ups of" in text
    assert "[no_events]" in text


def test_events_that_cannot_be_read_are_told_beside_the_header(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = tmp_path / "ma3.json"
    half.write_bytes(MA3.read_bytes()[:100_000])
    assert run("--input", half, "--input", KLOPPY / "statsperform_event_ma1.json") == 1
    said = capsys.readouterr()
    assert "[no_events]" in said.out
    assert f"[bad_json] {half} is" in said.err


def test_the_journal_of_several_feeds_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(b'{"feed":"futstar/1","provider":"fused","match_id":"1","start_unix_ms":0,"seed":1,"info":{}}\n')
    with pytest.raises(FeedError, match="history import reads it") as error:
        recognise([path])
    assert error.value.code == "fused_journal"


def test_a_match_that_has_not_begun_is_a_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _ = edited(tmp_path, list.clear)
    assert run("--input", path) == 1
    assert "a header of Hamburger SV - Sandhausen, and no events" in capsys.readouterr().out


def test_a_folder_of_matches_is_examined_match_by_match(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(MA3, tmp_path)
    other = orjson.loads(MA3.read_bytes())
    other["matchInfo"]["id"] = "other"
    (tmp_path / "other.json.gz").write_bytes(gzip.compress(orjson.dumps(other)))
    (tmp_path / "broken.json").write_bytes(b"{")
    assert run("--input", tmp_path) == 1
    said = capsys.readouterr()
    assert said.out.count("verdict   clean") == 2
    assert "[bad_json]" in said.err
    assert run("--input", tmp_path, "--match", "other") == 0
    assert run("--input", tmp_path, "--match", "none") == 2
    assert "no_such_match" in capsys.readouterr().err


def bad_inputs() -> list[tuple[str, bytes | None, str]]:
    ma3 = MA3.read_bytes()
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha">]><Games><Game id="&a;"/></Games>'
    return [
        ("missing.json", None, "no_such_file"),
        ("empty.json", b"", "empty_document"),
        ("empty.xml", b" \n", "empty_document"),
        (
            "binary.json",
            os.urandom(2000).replace(b"<", b"").replace(b"{", b"").replace(b"\x1f\x8b", b"") + b"\x00",
            "bad_json",
        ),
        ("picture.xml", b"\x89PNG\r\n\x1a\n" + bytes(100), "bad_json"),
        ("cut.json", ma3[: len(ma3) // 2], "bad_json"),
        ("cut.xml", MA3.with_suffix(".xml").read_bytes()[:9000], "bad_xml"),
        ("cut.json.gz", gzip.compress(ma3)[:5000], "truncated_file"),
        ("plain.json.gz", ma3, "truncated_file"),
        ("bomb.xml", bomb, "xml_forbidden"),
        ("deep.xml", b"<a>" * 100_000, "xml_too_deep"),
        ("deep.json", b"[" * 100_000, "bad_json"),
        ("nested.json", b'{"a":' * 900 + b"1" + b"}" * 900, "unknown_document"),
        ("error.json", b"<!DOCTYPE html><html><body>503</body></html>", "html_page"),
        ("error.xml", b"<html><head/></html>", "html_page"),
        ("other.xml", b"<rss><channel/></rss>", "unknown_document"),
        ("other.json", b'{"hello": "world"}', "unknown_document"),
        ("number.json", b"7", "unknown_document"),
        ("large.json", b"[" + b" " * (52 * 1024 * 1024), "bad_json"),
        ("large.xml", b"<Games>" + b" " * (52 * 1024 * 1024) + b"</Games>", "xml_too_large"),
    ]


BAD = bad_inputs()


@pytest.mark.parametrize(("name", "content", "code"), BAD, ids=[name for name, _, _ in BAD])
def test_what_cannot_be_used_is_one_line_with_a_code_and_status_two(
    name: str, content: bytes | None, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert run("--input", path) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"futstar: [{code}] ")
    assert name in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_the_wrong_provider_is_told_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--provider", "wyscout", "--input", MA3) == 2
    assert "use provider statsperform" in capsys.readouterr().err
    assert run("--provider", "opta", "--input", MA3.with_suffix(".xml")) == 2
    assert "use provider statsperform" in capsys.readouterr().err
    assert run("--provider", "bigco", "--input", MA3) == 2
    assert "[unknown_provider]" in capsys.readouterr().err


def test_a_feed_file_of_another_provider_or_match(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(b'{"feed":"futstar/1","provider":"bigco","match_id":"1","start_unix_ms":0,"seed":1,"info":{}}\n')
    with pytest.raises(FeedError) as error:
        recognise([path])
    assert error.value.code == "unknown_provider"


@pytest.mark.shared
def test_a_match_of_the_archive_is_recognised_with_its_list(shared: Path) -> None:
    events = sorted((shared / "wyscout" / "events").glob("*.json.gz"))[:3]
    for path in events:
        seen = report(path)
        assert (seen.provider, seen.whole, found(seen)) == ("wyscout", True, {})
        assert seen.score_by_header == seen.score_by_events
