"""One run at a time, clear words when something is in the way, and no process left behind."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from backend.demo.children import Child
from backend.demo.workspace import KEEP_RUNS, Workspace, free_port, require_free_port
from backend.errors import UserError, as_user_error
from ingest.events import FeedError


def test_a_second_run_in_the_same_folder_is_told_who_is_there(tmp_path: Path) -> None:
    with Workspace(tmp_path / "data"), pytest.raises(UserError) as caught, Workspace(tmp_path / "data"):
        pass
    assert caught.value.code == "already_running"
    assert str(os.getpid()) in str(caught.value)
    assert "--data-dir" in str(caught.value)


def test_the_folder_is_free_again_after_a_run_and_keeps_the_newest_runs(tmp_path: Path) -> None:
    names = []
    for _ in range(KEEP_RUNS + 2):
        with Workspace(tmp_path) as workspace:
            names.append(workspace.run.name)
    assert len(set(names)) == KEEP_RUNS + 2
    left = sorted(p.name for p in (tmp_path / "runs").iterdir())
    assert left == names[-KEEP_RUNS:]


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught, Workspace(tmp_path / "file" / "data"):
        pass
    assert caught.value.code == "data_dir_unwritable"
    assert "--data-dir" in str(caught.value)


def test_a_port_in_use_names_the_option_that_helps() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="--port PORT") as caught:
            require_free_port(taken.getsockname()[1])
    assert caught.value.code == "port_in_use"
    require_free_port(free_port())


async def test_a_child_stops_when_its_pipe_closes(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text("import sys\nprint('up', sys.argv[1], flush=True)\nsys.stdin.read()\n")
    child = Child("helper", [str(script)], tmp_path / "log")
    await child.start()
    child.check()
    await child.stop()
    assert (tmp_path / "log").read_text() == "up --die-with-parent\n"
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_a_child_that_ignores_its_pipe_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.demo.children.STOP_GRACE_S", 0.2)
    script = tmp_path / "child.py"
    script.write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    child = Child("stubborn", [str(script)], tmp_path / "log")
    await child.start()
    await child.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_a_child_that_ends_early_is_reported_with_its_last_line(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text("import sys\nprint('no room', file=sys.stderr)\nsys.exit(3)\n")
    child = Child("chain", [str(script)], tmp_path / "log")
    await child.start()
    await child.ended()
    with pytest.raises(UserError, match="chain ended early: no room") as caught:
        child.check()
    assert caught.value.exit_code == 1
    await child.stop()


def test_coded_errors_of_every_room_are_shown_and_defects_are_not() -> None:
    shown = as_user_error(FeedError("bad_json", "that is not JSON"))
    assert shown is not None
    assert (shown.code, str(shown)) == ("bad_json", "that is not JSON")
    assert as_user_error(ValueError("a defect")) is None
    assert as_user_error(UserError("x", "y")) is not None
    assert sys.exc_info() == (None, None, None)
