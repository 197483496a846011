"""Measures a keeper's feeds for the quality page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ingest.decoder import FusedDecoder
from ingest.feed import FeedHeader
from ingest.fusion import Fusion
from ingest.history.journal import NO_RAW
from ingest.quality import Quality, QualityMeter
from ingest.session import Delivery, Item, Outcome
from oracle.core import KeeperCore, Received

EVENTS_ONLY_SILENT_MS = 30_000
"""A feed file of one provider holds what it told and neither heartbeats nor unchanged answers: play itself is quiet for
so long at times."""


class Meter(Protocol):
    """Of one match: told what came, asked how good each provider's feed is. Times are data time."""

    def received(self, received: Received) -> None: ...
    def snapshots(self, data_ms: int) -> Mapping[str, Quality]: ...


class PlainMeter:
    """One provider's feed, by its messages alone."""

    def __init__(self, header: FeedHeader) -> None:
        self._provider = header.provider
        self._meter = QualityMeter(EVENTS_ONLY_SILENT_MS)

    def received(self, received: Received) -> None:
        """A message came."""
        if received.message is None:
            return
        items = (Item(received.message.doc, NO_RAW, received.changes),)
        self._meter.observe(received.at_ms, Delivery(Outcome.CHANGED, items, received.applied, received.problems))

    def snapshots(self, data_ms: int) -> Mapping[str, Quality]:
        """The feed as it is now."""
        return {self._provider: self._meter.snapshot(data_ms)}


class FusedMeter:
    """Several providers: their fusion measures them already."""

    def __init__(self, fusion: Fusion) -> None:
        self._fusion = fusion

    def received(self, received: Received) -> None:
        """The fusion has seen it."""

    def snapshots(self, data_ms: int) -> Mapping[str, Quality]:
        """Each provider's feed as it is now."""
        return self._fusion.quality(data_ms)


def meter_of(core: KeeperCore, header: FeedHeader) -> Meter:
    """The meter for a keeper's feed."""
    return FusedMeter(core.decoder.fusion) if isinstance(core.decoder, FusedDecoder) else PlainMeter(header)
