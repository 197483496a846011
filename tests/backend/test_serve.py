"""`python -m backend.serve` as a process: it starts, dies with its parent, and says in one line what is wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import httpx
import psycopg
import pytest

from backend.db.migrate import HEAD, migrate, version
from backend.engines.postgres import Postgres
from backend.errors import UserError
from backend.serve import bind, main


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "backend.serve", "--port", "0", "--die-with-parent", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("backend ready: "), process.stderr.read() if process.stderr else ""
    return line.removeprefix("backend ready: ").strip()


def close(stream: IO[str] | None) -> None:
    if stream is not None:
        stream.close()


def end(process: subprocess.Popen[str]) -> int:
    close(process.stdin)
    code = process.wait(15)
    close(process.stdout)
    close(process.stderr)
    return code


def test_it_serves_and_ends_when_its_parent_lets_go(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("hello")
    process = start("--database", dsn, "--static", str(tmp_path))
    url = ready(process)
    assert httpx.get(f"{url}/v1/health").json()["status"] == "ok"
    assert httpx.get(f"{url}/").text == "hello"
    assert end(process) == 0


def test_it_brings_its_own_database_and_takes_it_along(tmp_path: Path) -> None:
    process = start("--data-dir", str(tmp_path / "db"))
    url = ready(process)
    assert httpx.get(f"{url}/v1/matches").json() == {"data": [], "next_cursor": None}
    assert end(process) == 0
    time.sleep(0.1)
    assert not (tmp_path / "db" / "cluster" / "postmaster.pid").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "database_missing"),
        (["--database", "postgresql://nobody@127.0.0.1:1/x"], "database_unreachable"),
        (["--rpc", "http://127.0.0.1:1"], "chain_incomplete"),
        (["--exchange", "x"], "bad_address"),
        (["--static", "/nowhere"], "static_missing"),
    ],
)
def test_a_mistake_gives_one_line(arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", *arguments]) != 0
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"backend: [{code}] ")


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    assert main(["--port", str(port), "--database", "unused"]) == 2
    assert f"cannot listen on 127.0.0.1:{port} (address already in use)" in capsys.readouterr().err
    listener.close()


def test_migrations_are_applied_once(postgres: Postgres) -> None:
    with psycopg.connect(postgres.dsn_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty_one")
    dsn = postgres.dsn_of("empty_one")
    assert version(dsn) is None
    migrate(dsn)
    migrate(dsn)
    assert version(dsn) == HEAD


def test_the_newest_migration_is_the_one_that_is_named() -> None:
    folder = Path(migrate.__code__.co_filename).parent / "migrations" / "versions"
    newest = max(path.stem for path in folder.glob("v*.py"))
    assert newest.startswith(f"v{HEAD}_")


def test_an_unreachable_database_is_a_users_error() -> None:
    with pytest.raises(UserError, match="does not answer"):
        version("postgresql://nobody@127.0.0.1:1/x")
