"""A server process that lives exactly as long as its owner: what the embedded Valkey and a test's Kafka share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from backend.errors import UserError


class Child:
    """One server with its data in ``data_dir``, started through `keeper`. ``what`` names it in sentences."""

    def __init__(self, what: str, data_dir: Path, *, patience_s: float = 5.0) -> None:
        self.what, self.data_dir, self.log = what, data_dir, data_dir / "server.log"
        self._patience_s = patience_s
        self._keeper: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def start(
        self, command: Sequence[str], ready: Callable[[], bool], timeout_s: float, environment: Mapping[str, str]
    ) -> None:
        """Run ``command`` and wait until ``ready``. Raises UserError with the server's last words."""
        if self._keeper is not None:
            raise RuntimeError(f"{self.what} is running already")
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(self.data_dir, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise UserError(
                "data_dir_unwritable",
                f"cannot write to the folder of {self.what} {self.data_dir} ({error.strerror}): "
                "choose another folder or make it writable",
            ) from error
        spec = {
            "data_dir": str(self.data_dir),
            "command": list(command),
            "log": str(self.log),
            "environment": dict(environment),
            "patience_s": self._patience_s,
        }
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py")), json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C goes to the owner alone, which then stops the server
        )
        assert self._keeper.stdout is not None
        word, _, rest = self._keeper.stdout.readline().decode(errors="replace").strip().partition(" ")
        if word != "started":
            self.stop()
            raise UserError("engine_failed", rest or f"the keeper of {self.what} ended at once", 1)
        self.pid = int(rest)
        give_up = time.monotonic() + timeout_s
        while not ready():
            ended = self._keeper.poll() is not None
            if ended or time.monotonic() > give_up:
                self.stop()
                fate = "did not start" if ended else f"did not start within {timeout_s:.0f} s"
                raise UserError(
                    "engine_failed", f"{self.what} {fate}: {self._last_line()} (all of it in {self.log})", 1
                )
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server and wait for it; does nothing when it is not running."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        keeper.stdin.close()
        try:
            keeper.wait(self._patience_s + 5)
        except subprocess.TimeoutExpired:
            keeper.kill()
            keeper.wait()
        keeper.stdout.close()

    @property
    def running(self) -> bool:
        """Whether it was started and its keeper lives."""
        return self._keeper is not None and self._keeper.poll() is None

    @property
    def keeper_pid(self) -> int:
        """Process id of the keeper; 0 when not started."""
        return self._keeper.pid if self._keeper else 0

    def _last_line(self) -> str:
        try:
            lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        except OSError:
            lines = []
        return (lines or ["no output"])[-1][:300]
