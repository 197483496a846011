"""From an address to a bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingest.bus.bus import Bus
from ingest.bus.engine import Engine
from ingest.bus.memory import memory
from ingest.bus.model import Stream
from ingest.events import FeedError

VALKEY = ("redis", "rediss", "valkey", "valkeys", "unix")


def open_bus(
    url: str,
    streams: Sequence[Stream],
    *,
    lease_ms: int = 10_000,
    patience_s: float = 30.0,
    now_ms: Callable[[], int] | None = None,
) -> Bus:
    """A bus that connects when entered: ``memory://``, ``redis://``, ``valkey://``, ``unix://path``, ``kafka://host:port``.

    ``lease_ms`` is how soon a dead consumer's shards go to another. Raises FeedError ``bad_bus_url``.
    """
    return Bus(_engine(url, lease_ms), streams, patience_s=patience_s, now_ms=now_ms)


def _engine(url: str, lease_ms: int) -> Engine:
    """The clients are imported when they are needed: each takes a tenth of a second."""
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme == "memory":
        return memory(url, lease_ms)
    if scheme in VALKEY:
        from ingest.bus.valkey import Valkey

        return Valkey(url, lease_ms)
    if scheme == "kafka":
        from ingest.bus.kafka import Kafka

        return Kafka(url, lease_ms)
    raise FeedError(
        "bad_bus_url",
        f"no bus speaks '{scheme[:20]}://': write memory://, redis://host, valkey://host or kafka://host:port",
    )
