"""The embedded Valkey lives exactly as long as its owner, keeps what it acknowledged, and answers nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis

from backend.engines import child, keeper, valkey
from backend.engines.valkey import Valkey
from backend.errors import UserError

OWNER = """
import sys, time
from pathlib import Path
from backend.engines.valkey import Valkey
engine = Valkey(Path(sys.argv[1]))
engine.start()
print(engine.pid, engine.keeper_pid, flush=True)
time.sleep(60)
"""


def gone(pid: int, within_s: float = 10.0) -> bool:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def client(engine: Valkey) -> Redis:
    return Redis.from_url(engine.url)


def test_it_starts_at_once_and_keeps_its_data(tmp_path: Path) -> None:
    begun = time.monotonic()
    with Valkey(tmp_path / "v") as engine:
        assert time.monotonic() - begun < 10  # 0.15 s on a quiet machine
        assert engine.running
        with client(engine) as redis:
            redis.set("kept", 7)
            assert redis.config_get("port") == {"port": "0"}  # no network at all
            assert redis.config_get("appendonly") == {"appendonly": "yes"}
        pid = engine.pid
    assert gone(pid)
    assert not engine.running
    with Valkey(tmp_path / "v") as engine, client(engine) as redis:
        assert redis.get("kept") == b"7"


def test_what_it_answered_survives_its_own_death(tmp_path: Path) -> None:
    engine = Valkey(tmp_path / "v")
    url = engine.start()
    with client(engine) as redis:
        for n in range(2_000):
            redis.set(f"k{n}", n)
    os.kill(engine.pid, signal.SIGKILL)
    engine.stop()
    assert engine.start() == url
    with client(engine) as redis:
        assert redis.dbsize() == 2_000
    engine.stop()


def test_a_killed_owner_takes_it_along_and_the_next_start_works(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "v")], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    server, kept = map(int, owner.stdout.readline().split())
    owner.kill()
    owner.wait()
    owner.stdout.close()
    with Valkey(tmp_path / "v") as engine, client(engine) as redis:
        assert redis.ping()
    assert gone(server)
    assert gone(kept)


def test_a_killed_keeper_takes_the_server_along(tmp_path: Path) -> None:
    engine = Valkey(tmp_path / "v")
    engine.start()
    os.kill(engine.keeper_pid, signal.SIGKILL)
    assert gone(engine.pid)
    engine.stop()
    with Valkey(tmp_path / "v") as again, client(again) as redis:
        assert redis.ping()


def test_only_its_user_may_enter(tmp_path: Path) -> None:
    with Valkey(tmp_path / "v") as engine:
        path = Path(engine.url.removeprefix("unix://"))
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    with Valkey(tmp_path / ("d" * 90) / "v") as engine, client(engine) as redis:
        assert redis.ping()


def test_celery_can_use_it_as_its_broker(tmp_path: Path) -> None:
    with Valkey(tmp_path / "v") as engine, Celery(broker=engine.celery_url).connection_for_write() as connection:
        queue = connection.SimpleQueue("jobs")
        queue.put({"n": 1})
        assert queue.get(timeout=5).payload == {"n": 1}
        queue.close()


def test_a_folder_in_use_is_named(tmp_path: Path) -> None:
    with Valkey(tmp_path / "v") as engine, pytest.raises(UserError, match="another process is using the folder"):
        Valkey(engine.data_dir).start()


def test_an_unusable_folder_gives_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to the folder of the embedded Valkey") as caught:
        Valkey(tmp_path / "file" / "v").start()
    assert caught.value.code == "data_dir_unwritable"


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(valkey.SETTINGS, "appendfsync", "nonsense")
    with pytest.raises(UserError, match="the embedded Valkey did not start: .*all of it in") as caught:
        Valkey(tmp_path / "v").start()
    assert caught.value.code == "engine_failed"
    silent = child.Child("the server", tmp_path / "s", patience_s=0.1)
    with pytest.raises(UserError, match="did not start within 0 s: no output"):
        silent.start(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], lambda: False, 0.3, {})
    assert gone(silent.pid)
    with pytest.raises(UserError, match="cannot use /nowhere"):
        silent.start(["/nowhere"], lambda: True, 1, {})


def test_a_machine_without_a_server_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey.platform, "machine", lambda: "abacus")
    with pytest.raises(UserError, match="no embedded Valkey for .* on abacus") as caught:
        valkey.binary()
    assert caught.value.code == "engine_missing"


async def test_it_starts_from_an_event_loop(tmp_path: Path) -> None:
    engine = Valkey(tmp_path / "v")
    await engine.astart()
    with pytest.raises(RuntimeError):
        engine.start()
    await engine.astop()
    await engine.astop()


def test_a_lock_waits_and_then_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_LOCK_WAIT_S", 0.1)
    held = keeper.take_lock(tmp_path)
    with pytest.raises(TimeoutError, match="another process"):
        keeper.take_lock(tmp_path)
    os.close(held)
    os.close(keeper.take_lock(tmp_path))
