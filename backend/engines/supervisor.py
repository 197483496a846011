"""Keeps one PostgreSQL server alive exactly as long as its parent: run as a script by `backend.engines.postgres`.

The parent holds the write end of our standard input. When it closes (a clean stop, a crash, `kill -9`) the server
is shut down and this process ends. Should this process itself be killed, the kernel tells the server
(`PR_SET_PDEATHSIG`); where that does not exist, the next start stops the orphan.

Only the standard library is imported, and it runs as a script: start-up is a few hundredths of a second.
Progress goes to standard output, one word per line: `ready`, or `error <sentence>`.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE = 1
_LOCK_WAIT_S = 6.0
_SHUTDOWN_S = (3.0, 2.0)
"""Patience after SIGINT (fast shutdown) and then after SIGQUIT (immediate; the log is replayed at the next start)."""


class StartError(Exception):
    """Why the server cannot run, in one sentence."""


def drop_root(data_dir: Path, socket_dir: Path) -> None:
    """PostgreSQL refuses to run as root: become `nobody`, who owns both folders from now on.

    The one capability kept, passing file permissions, makes folders such as /root reachable; without it (some
    containers) everything works as long as `nobody` may enter the folders on the way.
    """
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam("nobody")
    for folder in (data_dir, socket_dir):
        _give(folder, user.pw_uid, user.pw_gid)
    libc = ctypes.CDLL(None, use_errno=True)
    linux = sys.platform == "linux"
    if linux:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid) if hasattr(os, "setresgid") else os.setgid(user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid) if hasattr(os, "setresuid") else os.setuid(user.pw_uid)
    if linux:
        mask = 1 << _CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if libc.capset(ctypes.byref(header), ctypes.byref(sets)) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _give(folder: Path, uid: int, gid: int) -> None:
    """Change the owner of a folder and of what is in it; skipped when the folder is its already."""
    if folder.stat().st_uid == uid:
        return
    for root, _folders, files in os.walk(folder):
        os.chown(root, uid, gid)
        for name in files:
            os.chown(Path(root) / name, uid, gid, follow_symlinks=False)


def take_lock(data_dir: Path) -> int:
    """Hold the folder; the lock is the kernel's, so a killed owner never blocks the next for longer than it dies."""
    handle = os.open(data_dir / "futstar.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError:
            if time.monotonic() > give_up:
                raise StartError(
                    f"another process is using the database folder {data_dir}: stop it or choose another folder"
                ) from None
            time.sleep(0.05)


def stop_orphan(cluster: Path) -> None:
    """Stop a server that a killed supervisor left behind, and remove a lock file that names nobody of ours."""
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    if _is_server(pid, cluster):
        _stop(pid)
    # The number may belong to a stranger by now, which PostgreSQL would take for a running server.
    pid_file.unlink(missing_ok=True)


def _is_server(pid: int, cluster: Path) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        # Not Linux, or no such process; -ww, or the line is cut at the terminal's width.
        command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
        try:
            line = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
        except (OSError, subprocess.SubprocessError):
            return False
    return "postgres" in line and str(cluster) in line


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stop(pid: int) -> None:
    """Stop a server that is not our child: its own processes leave when it is gone."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        give_up = time.monotonic() + 2.0
        while _alive(pid) and time.monotonic() < give_up:
            time.sleep(0.02)
        if not _alive(pid):
            return


def create_cluster(bin_dir: Path, cluster: Path, user: str, log: Path) -> None:
    """Run initdb into a folder beside, then rename: a kill in the middle leaves nothing that looks finished."""
    if (cluster / "PG_VERSION").exists():
        return
    unfinished = cluster.with_name(cluster.name + ".new")
    for leftover in (unfinished, cluster):
        if leftover.exists():
            shutil.rmtree(leftover)
    # Without --no-sync the first start takes seconds longer, and what it protects can be made again.
    args = [str(bin_dir / "initdb"), "-D", str(unfinished), "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync"]
    # Naming the two settings spares initdb the trial starts by which it would look for good ones.
    args += ["--locale=C", "--no-instructions", "--wal-segsize=4"]
    args += ["-c", "shared_buffers=64MB", "-c", "max_connections=60"]
    with log.open("ab") as out:
        done = subprocess.run(args, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise StartError(f"the database folder {cluster} cannot be created: {last_line(log)}")
    unfinished.rename(cluster)


def last_line(log: Path) -> str:
    """The last complaint in the log."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    complaints = [line for line in lines if "error" in line.lower() or "FATAL" in line or "PANIC" in line]
    return (complaints or lines or ["no output"])[-1]


def _die_with_supervisor() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


def launch(spec: dict[str, Any], cluster: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start the server and wait until it takes connections."""
    args = [str(Path(spec["bin_dir"]) / "postgres"), "-D", str(cluster), "-p", "5432"]
    for name, value in spec["settings"].items():
        args += ["-c", f"{name}={value}"]
    with log.open("ab") as out:
        server = subprocess.Popen(
            args,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            preexec_fn=_die_with_supervisor,  # noqa: PLW1509 - this process has one thread
        )
    give_up = time.monotonic() + spec["timeout_s"]
    while server.poll() is None and time.monotonic() < give_up:
        try:
            if (cluster / "postmaster.pid").read_text().split("\n")[7].strip() == "ready":
                return server
        except (OSError, IndexError):
            pass
        time.sleep(0.01)
    if server.poll() is None:
        server.kill()
        server.wait()
        raise StartError(f"the database did not start within {spec['timeout_s']:.0f} s: {last_line(log)}")
    raise StartError(f"the database did not start: {last_line(log)} (all of it in {log})")


def watch(server: subprocess.Popen[bytes]) -> int:
    """Wait until the parent lets go or the server ends; return the exit status."""
    while True:
        readable, _, _ = select.select([0], [], [], 0.5)
        if readable and not os.read(0, 4096):
            break
        if server.poll() is not None:
            return 1
    for number, patience in zip((signal.SIGINT, signal.SIGQUIT), _SHUTDOWN_S, strict=True):
        server.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience)
            return 0
    server.kill()
    server.wait()
    return 0


def main() -> int:
    """Run; the specification is one JSON argument."""
    # Ctrl-C at the terminal reaches the whole group: the parent decides when the database goes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spec = json.loads(sys.argv[1])
    data_dir, socket_dir = Path(spec["data_dir"]), Path(spec["socket_dir"])
    cluster, log = data_dir / "cluster", data_dir / "postgres.log"
    try:
        drop_root(data_dir, socket_dir)
        lock = take_lock(data_dir)
        stop_orphan(cluster)
        socket_dir.mkdir(mode=0o700, exist_ok=True)  # the previous owner may have taken it along
        (socket_dir / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        create_cluster(Path(spec["bin_dir"]), cluster, spec["user"], log)
        server = launch(spec, cluster, log)
    except StartError as error:
        print(f"error {error}", flush=True)
        return 1
    except OSError as error:
        where = error.filename or data_dir
        print(f"error the database cannot use {where}: {(error.strerror or str(error)).lower()}", flush=True)
        return 1
    print("ready", flush=True)
    status = watch(server)
    if data_dir not in socket_dir.parents:
        with contextlib.suppress(OSError):  # the next owner of the folder may be starting already
            socket_dir.rmdir()
    os.close(lock)
    return status


if __name__ == "__main__":
    sys.exit(main())
