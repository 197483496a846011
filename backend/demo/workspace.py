"""The demo's data folder: one run at a time, each run in a folder of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import IO

from backend.errors import UserError

KEEP_RUNS = 3


class Workspace:
    """A locked data folder.

    The lock is the kernel's (``flock``): it vanishes with the process, so a killed run never blocks the next.
    Use as a context manager; `run` is this run's own empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = root / "runs" / "none"
        self._lock: IO[str] | None = None

    def __enter__(self) -> Workspace:
        try:
            (self.root / "runs").mkdir(parents=True, exist_ok=True)
            self._lock = (self.root / "lock").open("a+")
        except OSError as error:
            raise UserError(
                "data_dir_unwritable",
                f"cannot write to the data folder {self.root} ({error.strerror}): "
                "choose another with --data-dir or make it writable",
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise UserError(
                "already_running",
                f"another demo (process {owner}) is using {self.root}: "
                "stop it, or start this one with --data-dir DIR --port PORT",
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        self.run = self._new_run()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def _new_run(self) -> Path:
        """Number the runs; keep the newest few, so that reports can still be verified."""
        runs = sorted(p for p in (self.root / "runs").iterdir() if p.name.isdigit())
        for old in runs[: max(0, len(runs) - KEEP_RUNS + 1)]:
            shutil.rmtree(old, ignore_errors=True)
        number = int(runs[-1].name) + 1 if runs else 1
        path = self.root / "runs" / f"{number:06d}"
        path.mkdir()
        return path


def evidence_folder(report: Path) -> Path:
    """Where the raw feed and the chain's transcript of a report lie, when they are not right beside it."""
    return report.with_suffix(".files")


def run_file(report: Path, name: str) -> Path:
    """A run's file: in the folder kept for the report, or else right beside it."""
    kept = evidence_folder(report) / name
    return kept if kept.exists() else report.parent / name


def require_free_port(port: int, option: str = "--port") -> None:
    """Fail now, with a name for the cure, rather than later inside a server."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(
                "port_in_use",
                f"port {port} on 127.0.0.1 cannot be used ({error.strerror}): "
                f"stop what holds it or choose another with {option} PORT",
            ) from error


def free_port() -> int:
    """A port that is free at this moment, for the engines nobody types the address of."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
