"""The Kafka of tests and benches: it runs what was reviewed, says what is missing, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from backend.errors import UserError
from scripts.engines import kafka


@pytest.fixture
def broker(tmp_path: Path) -> kafka.Kafka:
    if not os.environ.get("FUTSTAR_KAFKA"):
        pytest.skip("Kafka takes its time: make test-bus runs this on a real broker")
    if kafka.missing():
        pytest.skip(f"no Kafka here: {kafka.missing()}")
    return kafka.Kafka(tmp_path / "data")


def gone(pid: int, within_s: float = 15.0) -> bool:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.kafka
def test_the_broker_goes_with_its_keeper_and_comes_back_at_the_same_address(broker: kafka.Kafka) -> None:
    url = broker.start()
    pid = broker.pid
    os.kill(broker._child.keeper_pid, signal.SIGKILL)
    assert gone(pid)
    broker.stop()
    assert broker.start() == url
    pid = broker.pid
    broker.stop()
    assert gone(pid)


def test_jars_that_are_not_those_reviewed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "ROOT", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")

    def other(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "kafka_2.13-4.1.1.jar").write_bytes(b"not it")

    monkeypatch.setattr(kafka, "_copy_jars", other)
    with pytest.raises(UserError, match=r"not what is locked in kafka.sha256: .*kafka_2.13-4.1.1.jar") as caught:
        kafka.fetch()
    assert caught.value.code == "engine_changed"
    assert list((tmp_path / ".tools" / "kafka").iterdir()) == []  # nothing half done


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "ROOT", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert kafka.missing() == "no Java on PATH"
    with pytest.raises(UserError, match="needs Maven"):
        kafka.fetch()
    with pytest.raises(UserError, match="no Kafka here: no Java on PATH"):
        kafka.Kafka(tmp_path / "data").start()
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(kafka, "_java_version", lambda: 11)
    assert kafka.missing() == "Java 11 is on PATH, Kafka needs 17"
    monkeypatch.setattr(kafka, "_java_version", lambda: 17)
    assert "make test-bus" in kafka.missing()
    assert kafka.main(["nonsense"]) == 2
