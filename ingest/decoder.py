"""From the lines of a feed file to canonical changes: one object for the keeper and for whoever checks it.

A plain feed's lines mean the same whenever they are read. A fused feed's depend on data time as well: a provider that
falls silent is noticed by the time that passes. So a decoder is told the time, too, and the answer never depends on
how often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from ingest.events import MatchInfo
from ingest.feed import FeedHeader, FeedMessage
from ingest.feeds import adapter
from ingest.feeds.base import Adapter, Problem, split
from ingest.fusion import Condition, Fused, Fusion, Switch
from ingest.fusion.journal import FUSED, match_of, routes_of
from ingest.quality import Sign
from ingest.session import Delivery, Item, Outcome
from ingest.timeline import Change, Timeline


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a line, or the passing of time, did. ``whistles``: arrival of kick-offs and final whistles by event id,
    where it is not the line's own time.
    """

    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    switches: tuple[Switch, ...] = ()
    whistles: Mapping[str, int] = field(default_factory=dict)


class Decoder(Protocol):
    """A feed being read."""

    info: MatchInfo
    adapters: tuple[str, ...]
    """Adapters of the providers whose lines may come."""

    def decode(self, message: FeedMessage) -> Decoded:
        """Read the next line. Never raises for bad content."""
        ...

    def advance(self, data_ms: int) -> Decoded:
        """Data time has come to ``data_ms``. Splitting a stretch of time into several calls changes nothing."""
        ...

    @property
    def condition(self) -> Condition | None:
        """The fused feed's condition; None for a plain feed, which cannot tell."""
        ...


def decoder(header: FeedHeader) -> Decoder:
    """The decoder of the feed with this header. Raises FeedError for a header that is none."""
    return FusedDecoder(header) if header.provider == FUSED else PlainDecoder(header)


class PlainDecoder:
    """One provider's feed: every line by itself."""

    condition: Condition | None = None

    def __init__(self, header: FeedHeader) -> None:
        self._adapter = adapter(header.provider)
        self.info = self._adapter.info(header.info)
        self.adapters: tuple[str, ...] = (header.provider,)

    def decode(self, message: FeedMessage) -> Decoded:
        """See `Decoder`."""
        changes, problems = split(self._adapter.parse(self.info, message.doc))
        return Decoded(tuple(changes), tuple(problems))

    def advance(self, _data_ms: int) -> Decoded:
        """Time tells nothing."""
        return Decoded()


@dataclass(slots=True)
class _Intake:
    """One provider's lines."""

    adapter: Adapter
    info: MatchInfo
    timeline: Timeline

    def read(self, doc: dict[str, Any]) -> Delivery:
        changes, problems = split(self.adapter.parse(self.info, doc))
        applied = self.timeline.apply(changes)
        # The raw fragment's name is history's business: nobody asks for it here.
        return Delivery(Outcome.CHANGED, (Item(doc, "", tuple(changes)),), applied, tuple(problems))


class FusedDecoder:
    """Several providers' lines (`ingest.fusion.journal`), fused as they are read."""

    def __init__(self, header: FeedHeader) -> None:
        routes, bounds = routes_of(header.info)
        sources = [route.source() for route in routes]
        self.fusion = Fusion(sources, bounds)
        self.info = match_of(header.match_id, sources)
        self.adapters: tuple[str, ...] = tuple(dict.fromkeys(route.adapter for route in routes))
        self._intakes = {
            route.name: _Intake(route.reader(), source.info, Timeline())
            for route, source in zip(routes, sources, strict=True)
        }

    @property
    def condition(self) -> Condition | None:
        """See `Decoder`."""
        return self.fusion.condition

    def decode(self, message: FeedMessage) -> Decoded:
        """See `Decoder`."""
        name, doc, sign = message.doc.get("from"), message.doc.get("doc"), message.doc.get("sign")
        intake = self._intakes.get(name) if isinstance(name, str) else None
        if intake is not None and isinstance(doc, dict):
            delivery = intake.read(doc)
            return _decoded(self.fusion.receive(str(name), message.at_ms, delivery), delivery.problems)
        if intake is not None and sign in set(Sign):
            return _decoded(self.fusion.sign(str(name), message.at_ms, Sign(sign)))
        text = orjson.dumps(message.doc)[:80].decode(errors="replace")
        problem = Problem("bad_fused_line", f"data time {message.at_ms} ms", f"no provider's fragment or sign: {text}")
        return _decoded(self.fusion.tick(message.at_ms), (problem,))

    def advance(self, data_ms: int) -> Decoded:
        """See `Decoder`."""
        return _decoded(self.fusion.tick(data_ms))


def _decoded(fused: Fused, problems: tuple[Problem, ...] = ()) -> Decoded:
    return Decoded(fused.changes, problems, fused.switches, fused.whistles)
