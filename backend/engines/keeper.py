"""Keeps one server process alive exactly as long as its parent: run as a script by `backend.engines.child`.

The parent holds the write end of our standard input. When it closes (a clean stop, a crash, `kill -9`) the server
is asked to stop, then killed, and this process ends. Should this process itself be killed, the kernel tells the server
(`PR_SET_PDEATHSIG`); where that does not exist, the server keeps the folder's lock, so that no second one starts on
its data.

The specification is one JSON argument: `data_dir`, `command`, `log`, `environment`, `patience_s`. Progress goes to
standard output: `started`, or `error <sentence>`; readiness is for the parent to find out.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_LOCK_WAIT_S = 6.0


def take_lock(data_dir: Path) -> int:
    """Hold the folder; raises TimeoutError when another process does."""
    handle = os.open(data_dir / "futstar.lock", os.O_RDWR | os.O_CREAT, 0o600)
    give_up = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError:
            if time.monotonic() > give_up:
                os.close(handle)
                raise TimeoutError(
                    f"another process is using the folder {data_dir}: stop it or choose another folder"
                ) from None
            time.sleep(0.05)


def _as_child() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def watch(server: subprocess.Popen[bytes], patience_s: float) -> int:
    """Wait until the parent lets go or the server ends; return the exit status."""
    while True:
        readable, _, _ = select.select([0], [], [], 0.1)
        if readable and not os.read(0, 4096):
            break
        if server.poll() is not None:
            return 1
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(patience_s)
        return 0
    server.kill()
    server.wait()
    return 0


def main() -> int:
    """Run."""
    # Ctrl-C at the terminal reaches the whole group: the parent decides when the server goes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spec = json.loads(sys.argv[1])
    try:
        lock = take_lock(Path(spec["data_dir"]))
        with Path(spec["log"]).open("ab") as out:
            server = subprocess.Popen(
                spec["command"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=spec["data_dir"],
                env=spec["environment"],
                pass_fds=(lock,),
                preexec_fn=_as_child,  # noqa: PLW1509 - this process has one thread
            )
    except TimeoutError as error:
        print(f"error {error}", flush=True)
        return 1
    except OSError as error:
        print(f"error cannot use {error.filename}: {(error.strerror or str(error)).lower()}", flush=True)
        return 1
    print(f"started {server.pid}", flush=True)
    return watch(server, spec["patience_s"])


if __name__ == "__main__":
    sys.exit(main())
