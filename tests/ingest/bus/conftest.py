"""The three engines, each real: memory here, Valkey from its wheel, Kafka from Maven Central when asked for."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.engines.valkey import Valkey
from ingest.bus import Bus, Stream, open_bus
from scripts.engines import kafka

LEASE_MS = 1_200
_names = iter(range(1_000_000))


class Rig:
    """An engine to test on. A fresh stream for each test, one server for all."""

    def __init__(self, name: str, server: Valkey | kafka.Kafka | None = None) -> None:
        self.name, self.server = name, server

    @property
    def url(self) -> str:
        return self.server.url if self.server else "memory://"

    def bus(self, *streams: Stream, lease_ms: int = LEASE_MS, patience_s: float = 30.0) -> Bus:
        return open_bus(self.url, streams, lease_ms=lease_ms, patience_s=patience_s)

    def kill(self) -> None:
        """As a machine would lose it: no goodbye."""
        assert self.server is not None
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.stop()

    def start(self) -> None:
        assert self.server is not None
        self.server.start()


def fresh() -> str:
    """A stream name that no test had before."""
    return f"s{next(_names)}-{os.getpid()}"


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    folder = Path(tempfile.mkdtemp(prefix="vk"))
    try:
        with Valkey(folder / "data") as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Kafka]:
    if not os.environ.get("FUTSTAR_KAFKA"):
        pytest.skip("Kafka takes its time: make test-bus runs this on a real broker")
    reason = kafka.missing()
    if reason:
        pytest.skip(f"no Kafka here: {reason}")
    with kafka.Kafka(tmp_path_factory.mktemp("kafka") / "data") as server:
        yield server


@pytest.fixture(params=["memory", "valkey", pytest.param("kafka", marks=pytest.mark.kafka)])
def rig(request: pytest.FixtureRequest) -> Rig:
    """Every engine."""
    return _rig(request)


@pytest.fixture(params=["valkey", pytest.param("kafka", marks=pytest.mark.kafka)])
def server_rig(request: pytest.FixtureRequest) -> Rig:
    """The engines that are servers."""
    return _rig(request)


def _rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "memory":
        return Rig("memory")
    return Rig(request.param, request.getfixturevalue("valkey" if request.param == "valkey" else "broker"))
