"""The embedded PostgreSQL lives exactly as long as its owner and comes back after any death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from backend.engines import supervisor
from backend.engines.postgres import Postgres
from backend.errors import UserError

OWNER = """
import sys, time
from pathlib import Path
from backend.engines.postgres import Postgres
engine = Postgres(Path(sys.argv[1]))
engine.start()
print(engine.supervisor_pid, flush=True)
time.sleep(60)
"""


def server_pid(data: Path) -> int:
    return int((data / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0])


def gone(pid: int, within_s: float = 10.0) -> bool:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def works(engine: Postgres) -> bool:
    with psycopg.connect(engine.dsn) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_it_starts_within_seconds_and_keeps_its_data(tmp_path: Path) -> None:
    begun = time.monotonic()
    with Postgres(tmp_path / "db") as engine:
        assert time.monotonic() - begun < 15  # 0.6 s on a quiet machine
        with psycopg.connect(engine.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
            assert connection.execute("SHOW shared_buffers").fetchone() == ("64MB",)
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        pid = server_pid(tmp_path / "db")
    assert gone(pid)
    with Postgres(tmp_path / "db") as engine, psycopg.connect(engine.dsn) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_killed_owner_takes_the_server_along_and_the_next_start_works(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "db")], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    keeper = int(owner.stdout.readline())
    pid = server_pid(tmp_path / "db")
    owner.kill()
    owner.wait()
    owner.stdout.close()
    engine = Postgres(tmp_path / "db")
    engine.start()  # at once: it waits for the old one to leave
    assert works(engine)
    assert gone(pid)
    assert gone(keeper)
    engine.stop()


def test_a_killed_supervisor_leaves_nothing_that_blocks_the_next_start(tmp_path: Path) -> None:
    engine = Postgres(tmp_path / "db")
    engine.start()
    pid = server_pid(tmp_path / "db")
    os.kill(engine.supervisor_pid, signal.SIGKILL)
    engine.stop()
    assert not engine.running
    with Postgres(tmp_path / "db") as again:
        assert works(again)
    assert gone(pid)


def test_a_lock_file_that_names_a_stranger_is_removed(tmp_path: Path) -> None:
    with Postgres(tmp_path / "db"):
        pass
    (tmp_path / "db" / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with Postgres(tmp_path / "db") as engine:
        assert works(engine)


def test_an_interrupted_first_start_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "db" / "cluster.new").mkdir(parents=True)
    (tmp_path / "db" / "cluster").mkdir()
    with Postgres(tmp_path / "db") as engine:
        assert works(engine)


def test_a_folder_in_use_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Postgres(tmp_path / "db"), pytest.raises(UserError, match="another process is using the database folder"):
        Postgres(tmp_path / "db").start()


def test_an_unusable_folder_gives_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to the database folder") as caught:
        Postgres(tmp_path / "file" / "db").start()
    assert caught.value.code == "data_dir_unwritable"
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_noticed_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.engines.postgres.MIN_FREE_BYTES", 1 << 60)
    with pytest.raises(UserError, match="are free for the database") as caught:
        Postgres(tmp_path / "db").start()
    assert caught.value.code == "disk_full"


def test_a_broken_cluster_is_reported_with_the_servers_own_words(tmp_path: Path) -> None:
    with Postgres(tmp_path / "db"):
        pass
    (tmp_path / "db" / "cluster" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(UserError, match="postgresql.conf.* contains errors .all of it in"):
        Postgres(tmp_path / "db").start()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    with Postgres(tmp_path / ("d" * 90) / "db") as engine:
        assert works(engine)


def test_the_users_own_settings_do_not_leak_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with Postgres(tmp_path / "db") as engine:
        assert works(engine)


async def test_it_starts_from_an_event_loop(tmp_path: Path) -> None:
    engine = Postgres(tmp_path / "db")
    await engine.astart()
    with pytest.raises(RuntimeError):
        engine.start()
    assert works(engine)
    await engine.astop()
    await engine.astop()


def test_the_last_complaint_of_a_log_is_what_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("LOG: starting\nFATAL: could not do it\nHINT: try\n")
    assert supervisor.last_line(log) == "FATAL: could not do it"
    log.write_text("")
    assert supervisor.last_line(log) == "no output"


def test_a_lock_waits_and_then_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_LOCK_WAIT_S", 0.1)
    held = supervisor.take_lock(tmp_path)
    with pytest.raises(supervisor.StartError, match="another process"):
        supervisor.take_lock(tmp_path)
    os.close(held)
    os.close(supervisor.take_lock(tmp_path))


def test_an_orphan_is_stopped_and_a_stranger_is_not(tmp_path: Path) -> None:
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    supervisor.stop_orphan(cluster)  # nothing there
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "postgres", str(cluster)])
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n")
    supervisor.stop_orphan(cluster)
    assert stranger.poll() is None
    assert not (cluster / "postmaster.pid").exists()
    assert supervisor._is_server(orphan.pid, cluster)
    (cluster / "postmaster.pid").write_text(f"{orphan.pid}\n")
    supervisor.stop_orphan(cluster)
    assert orphan.wait(5) != 0
    stranger.kill()
    stranger.wait()


def test_a_server_that_cannot_be_made_or_started_is_said_so(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("initdb", "postgres"):
        (tools / name).write_text("#!/bin/sh\necho 'error: no luck'\nexit 3\n")
        (tools / name).chmod(0o755)
    cluster, log = tmp_path / "cluster", tmp_path / "log"
    with pytest.raises(supervisor.StartError, match="cannot be created: error: no luck"):
        supervisor.create_cluster(tools, cluster, "u", log)
    spec = {"bin_dir": str(tools), "settings": {"a": "b"}, "timeout_s": 5}
    with pytest.raises(supervisor.StartError, match="did not start: error: no luck"):
        supervisor.launch(spec, cluster, log)
    (tools / "postgres").write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(supervisor.StartError, match=r"did not start within 0 s"):
        supervisor.launch({**spec, "timeout_s": 0.2}, cluster, log)
