"""One whole run of the demo, shared by the tests that look at what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backend.demo.workspace import free_port

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


def futstar(*args: object, timeout_s: float = 280, cwd: Path = ROOT) -> Finished:
    """Run the command as a person would, and wait for it."""
    done = subprocess.run(
        [sys.executable, "-m", "backend.cli.main", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def demo(folder: Path, *args: object, **how: Any) -> tuple[Finished, dict[str, Any]]:
    """A headless demo at full speed with its own folder and port; the report is empty when none was written."""
    report = folder / "report.json"
    done = futstar(
        "demo",
        "--headless",
        "--speed",
        "max",
        "--json",
        report,
        "--data-dir",
        folder / "data",
        "--port",
        free_port(),
        *args,
        **how,
    )
    return done, json.loads(report.read_text()) if report.exists() else {}


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished, dict[str, Any]]:
    """The default match from kick-off to closed books: (folder, command, report)."""
    folder = tmp_path_factory.mktemp("whole")
    return (folder, *demo(folder))
