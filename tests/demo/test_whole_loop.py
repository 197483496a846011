"""The whole loop on the real match: what the README promises of `make demo`, read from the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.demo.conftest import futstar

pytestmark = pytest.mark.timeout(420)


def test_the_run_ends_well_and_every_invariant_holds(whole_run) -> None:
    _, done, report = whole_run
    assert done.code == 0, done.err[-2_000:] + done.out[-2_000:]
    assert list(report["invariants"]) == sorted(report["invariants"])
    assert len(report["invariants"]) == 12
    assert all(check["ok"] for check in report["invariants"].values())


def test_the_match_has_its_real_score_and_no_second_of_play_is_missed(whole_run) -> None:
    report = whole_run[2]
    assert report["score"] == {"home": 2, "away": 1}
    assert report["match"]["home"] == "Hamburger SV"
    samples = report["samples"]
    assert samples["missed"] == 0
    assert samples["landed"] == samples["due"] > 5_800
    assert samples["feed_transactions"] >= 3 * samples["due"]


def test_the_run_shows_every_kind_of_end(whole_run) -> None:
    report = whole_run[2]
    assert report["fills"] > 20
    assert report["order_ends"]["suspended"] >= 1
    assert report["order_ends"]["limit_not_met"] >= 1
    assert report["order_ends"]["cap"] >= 1
    assert report["liquidations"] >= 1
    assert report["closes"] >= 1
    assert report["samples"]["revised"] >= 1
    assert any(r["old_e6"] != r["new_e6"] for r in report["revisions"])
    assert any(t["refused"] for t in report["traders"])  # the whale, by the cap
    assert report["failed_transactions"] >= 1  # the whale, insisting
    assert report["cranked"]["done"]["settle"] >= 1


def test_every_window_settles_and_its_price_is_the_mean_of_the_index(whole_run) -> None:
    windows = {w["name"]: w for w in whole_run[2]["windows"]}
    assert list(windows) == ["0-15", "15-30", "30-45", "45-60", "60-75", "75-90", "H1", "H2", "FT"]
    assert all(w["state"] == "final" for w in windows.values())
    price = {name: float(w["settlement"]) for name, w in windows.items()}
    assert price["H1"] == pytest.approx((price["0-15"] + price["15-30"] + price["30-45"]) / 3, abs=2e-6)
    assert price["FT"] == pytest.approx((price["H1"] + price["H2"]) / 2, abs=2e-6)


def test_money_is_conserved_between_traders_providers_and_the_venue(whole_run) -> None:
    report = whole_run[2]
    people = sum(t["profit_e6"] for t in report["traders"]) + sum(p["profit_e6"] for p in report["providers"])
    fees = report["fees"]
    assert fees["charged_e6"] == fees["lp_e6"] + fees["insurance_e6"] + fees["protocol_e6"]
    # What people lost is what the treasury and the insurance have, dust of shares aside (and the keeper's rewards).
    assert people < 0
    assert -people >= fees["insurance_e6"] + fees["protocol_e6"] - 10


def test_verify_recomputes_every_sample(whole_run) -> None:
    folder, _, report = whole_run
    done = futstar("verify", "--report", folder / "report.json")
    assert done.code == 0, done.err
    assert done.out.strip() == f"{report['samples']['landed']} samples, 0 differ"


def test_verify_finds_one_changed_byte_in_the_feed(whole_run, tmp_path: Path) -> None:
    folder, _, _ = whole_run
    data = bytearray((folder / "report.files" / "feed.jsonl").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "feed.jsonl").write_bytes(data)
    done = futstar("verify", "--report", folder / "report.json", "--feed", tmp_path / "feed.jsonl")
    assert done.code == 1
    assert " 0 differ" not in done.out
    assert "differ" in done.out


def test_verify_refuses_a_changed_transcript(whole_run, tmp_path: Path) -> None:
    folder, _, _ = whole_run
    import gzip

    lines = gzip.decompress((folder / "report.files" / "chain.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (tmp_path / "chain.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:5_000] + lines[5_002:]), 1))
    done = futstar("verify", "--report", folder / "report.json", "--chain", tmp_path / "chain.jsonl.gz")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "transcript" in done.err


def test_verify_works_from_any_folder_and_on_the_run_s_own_report(whole_run, tmp_path: Path) -> None:
    (own,) = (whole_run[0] / "data" / "runs").glob("*/report.json")
    done = futstar("verify", "--report", own, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")


def test_verify_notices_a_report_that_claims_another_number_of_samples(whole_run, tmp_path: Path) -> None:
    folder, _, report = whole_run
    (tmp_path / "report.json").write_text(json.dumps({**report, "samples": {**report["samples"], "landed": 7}}))
    args = ["--feed", folder / "report.files" / "feed.jsonl", "--chain", folder / "report.files" / "chain.jsonl.gz"]
    done = futstar("verify", "--report", tmp_path / "report.json", *args)
    assert done.code == 1
    assert "claims 7 samples" in done.out


def test_the_report_is_json_with_the_promised_names(whole_run) -> None:
    text = (whole_run[0] / "report.json").read_text()
    report = json.loads(text)
    assert {"match", "score", "samples", "latency_ms", "fills", "refunds", "windows", "invariants"} <= set(report)
    assert {"due", "landed", "missed"} <= set(report["samples"])
    assert {"p50", "p95"} <= set(report["latency_ms"])
    assert all({"left", "right", "ok"} <= set(check) for check in report["invariants"].values())
