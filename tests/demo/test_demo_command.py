"""The demo as a command: equal seeds, bad input, a second one beside the first, Ctrl-C and kill -9."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from backend.demo.workspace import free_port
from tests.demo.conftest import ROOT, demo, futstar

pytestmark = pytest.mark.timeout(420)
TIMINGS = ("latency_ms", "options")


def untimed(report: dict) -> dict:
    return {key: value for key, value in report.items() if key not in TIMINGS}


def test_equal_seeds_give_equal_reports_and_a_spoilt_invariant_fails_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = demo(tmp_path / "a", "--until", 400)
    second = demo(tmp_path / "b", "--until", 400, "--inject", "I3")
    assert first[0].code == 0, first[0].err[-2_000:]
    assert second[0].code == 1
    broken = [name for name, check in second[1]["invariants"].items() if not check["ok"]]
    assert broken == ["I3"]
    left, right = untimed(first[1]), untimed(second[1])
    assert {**left, "invariants": 0} == {**right, "invariants": 0}


def test_a_wyscout_match_of_unknown_date_runs_and_verifies_too(tmp_path: Path) -> None:
    done, report = demo(tmp_path, "--provider", "wyscout", "--until", 90)
    assert done.code == 0, done.err[-2_000:]
    assert (report["match"]["provider"], report["samples"]["landed"]) == ("wyscout", 90)
    assert futstar("verify", "--report", tmp_path / "report.json").out.strip() == "90 samples, 0 differ"


BAD = {
    "not a match": ("x.json", b'{"hello": 1}', (), "statsperform_not_a_match"),
    "truncated": ("x.json", b'{"matchInfo": {"id": 1', (), "bad_json"),
    "wrong provider": ("x.json", b'{"matchInfo": {}, "liveData": {}}', ("--provider", "wyscout"), "wyscout"),
    "unknown provider": ("x.json", b"{}", ("--provider", "opta9"), "unknown_provider"),
    "no index": ("x.json", b"{}", ("--provider", "sportradar"), "no_index"),
    "bad speed": ("x.json", b"{}", ("--speed", "fast"), "bad_speed"),
    "bad port": ("x.json", b"{}", ("--port", "99999"), "bad_option"),
    "bad until": ("x.json", b"{}", ("--until", "0"), "bad_option"),
    "bad invariant": ("x.json", b"{}", ("--inject", "I99"), "unknown_invariant"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input_is_one_clear_line_and_starts_nothing(case: str, tmp_path: Path) -> None:
    name, data, args, code = BAD[case]
    (tmp_path / name).write_bytes(data)
    done = futstar("demo", "--headless", "--match", tmp_path / name, "--data-dir", tmp_path / "d", *args)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert code in done.err
    assert not (tmp_path / "d").exists()


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = futstar("demo", "--headless", "--data-dir", tmp_path / "d", "--port", taken.getsockname()[1])
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "port_in_use" in done.err


def heed_ctrl_c() -> None:
    """Whoever runs the tests in the background of a script has Ctrl-C ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def running(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A demo under way (the page answers), and its port."""
    port = free_port()
    args = ["demo", "--headless", "--speed", "20", "--data-dir", str(folder), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.cli.main", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509 - the tests have no threads that hold locks
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.1)
    process.kill()
    raise AssertionError(process.communicate())


def descendants(pid: int) -> list[psutil.Process]:
    found = psutil.Process(pid).children(recursive=True)
    assert len(found) >= 3  # chain, backend, database
    return found


def test_a_second_demo_beside_the_first_is_refused_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    first, port = running(tmp_path / "d")
    children = descendants(first.pid)
    second = futstar("demo", "--headless", "--data-dir", tmp_path / "d", "--port", free_port())
    assert (second.code, second.err.count("\n")) == (2, 1)
    assert "already_running" in second.err
    assert "port_in_use" in futstar("demo", "--headless", "--data-dir", tmp_path / "e", "--port", port).err
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=30)
    assert first.returncode == 130
    assert err == "futstar: interrupted\n"
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_after_a_kill_the_children_stop_and_the_next_start_just_works(tmp_path: Path) -> None:
    first, _ = running(tmp_path / "data")
    children = descendants(first.pid)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []
    done, report = demo(tmp_path, "--until", 60)
    assert done.code == 0, done.err[-2_000:]
    assert report["samples"] == {**report["samples"], "due": 60, "landed": 60, "missed": 0}


def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = futstar("demo", "--headless", "--data-dir", tmp_path / "file" / "d", "--port", free_port())
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "data_dir_unwritable" in done.err
