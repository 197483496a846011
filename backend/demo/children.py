"""Child processes that cannot outlive the demo.

Each child holds the read end of a pipe whose only write end is in this process and stops when it closes
(``--die-with-parent``): that also covers ``kill -9`` of the demo, on every platform.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from backend.errors import UserError

STOP_GRACE_S = 5.0


class Child:
    """One supervised process; its output goes to a log file in the run's folder."""

    def __init__(self, name: str, args: list[str], log: Path) -> None:
        self.name = name
        self._args = args
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Spawn it; readiness is the caller's to ask for."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._args,
                "--die-with-parent",
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C goes to the demo alone, which then stops its children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id; 0 before the start."""
        return self._process.pid if self._process else 0

    def check(self) -> None:
        """Raise when the process has ended, with the last line it wrote."""
        if self._process is not None and self._process.returncode is not None:
            raise UserError(f"{self.name}_failed", f"{self.name} ended early: {self._last_line()}", 1)

    async def ended(self) -> None:
        """Return when the process has ended by itself."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """Close its pipe, wait, then insist."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_GRACE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _last_line(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{lines[-1]} (all of it in {self._log})" if lines else f"no output in {self._log}"
