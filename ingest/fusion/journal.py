"""A fused feed as a feed file: the header names the providers, every line carries one provider's fragment or sign.

    header.provider  "fused"
    header.info      {"providers": [{"name", "adapter", "info", "sides": {"home", "away"}, "thresholds"}], "bounds"}
    a line's doc     {"from": name, "doc": raw fragment}      or   {"from": name, "sign": "heartbeat"}

Both providers' raw fragments are in it, so that the fusion is done again from the file (`ingest.decoder`) with every
switch at the same time. ``adapter`` may be the same for two routes to one provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.events import FeedError, MatchInfo
from ingest.feed import FeedHeader
from ingest.feeds import adapter
from ingest.feeds.base import Adapter
from ingest.fusion.member import Source
from ingest.fusion.policy import Bounds, Thresholds
from ingest.quality import Sign
from ingest.session import Delivery, Outcome

FUSED = "fused"
Doc = dict[str, Any]
_SIGNS = {Outcome.UNCHANGED: Sign.UNCHANGED, Outcome.OLDER: Sign.OLDER, Outcome.BROKEN: Sign.BROKEN}


@dataclass(frozen=True, slots=True)
class Route:
    """One provider of a fused feed: what its lines are parsed with, its own header, and the rest of a `Source`."""

    name: str
    adapter: str
    raw_info: Doc
    home: str
    away: str
    thresholds: Thresholds

    def source(self) -> Source:
        """For `Fusion`. Raises FeedError for an unknown adapter or a bad header."""
        reader = self.reader()
        return Source(self.name, reader.info(self.raw_info), self.home, self.away, self.thresholds, reader.feeds_index)

    def reader(self) -> Adapter:
        """What parses its fragments."""
        return adapter(self.adapter)


def header(
    match_id: str,
    start_unix_ms: int,
    seed: int,
    routes: Sequence[Route],
    bounds: Bounds | None = None,
    terms: Mapping[str, Any] | None = None,
) -> FeedHeader:
    """The fused feed's header; ``routes`` in order of preference, ``match_id`` the canonical one.

    Raises FeedError like `Route.source` and ``sides_not_mapped`` for teams that are not mapped.
    """
    for route in routes:
        _ = route.source().exchanged
    rows = [
        {
            "name": route.name,
            "adapter": route.adapter,
            "info": route.raw_info,
            "sides": {"home": route.home, "away": route.away},
            "thresholds": route.thresholds.as_dict(),
        }
        for route in routes
    ]
    info = {"providers": rows, "bounds": (bounds or Bounds()).as_dict()}
    return FeedHeader.make(FUSED, match_id, start_unix_ms, seed, info, dict(terms or {}))


def routes_of(info: Mapping[str, Any]) -> tuple[list[Route], Bounds]:
    """The providers and bounds of a header. Raises FeedError ``bad_fusion_header``."""
    try:
        routes = [
            Route(
                name=str(row["name"]),
                adapter=str(row["adapter"]),
                raw_info=dict(row["info"]),
                home=str(row["sides"]["home"]),
                away=str(row["sides"]["away"]),
                thresholds=Thresholds.of(row.get("thresholds", {})),
            )
            for row in info["providers"]
        ]
        return routes, Bounds.of(info.get("bounds", {}))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FeedError(
            "bad_fusion_header", f"the fused feed's header lacks or garbles {error}: give the feed.jsonl of a run"
        ) from error


def match_of(match_id: str, sources: Sequence[Source]) -> MatchInfo:
    """Who plays, in the words of the preferred provider."""
    first = sources[0]
    home, away = first.info.home, first.info.away
    if first.exchanged:
        home, away = away, home
    return MatchInfo(FUSED, match_id, home, away, first.info.kickoff_unix_ms, first.info.competition)


def fragment(name: str, doc: Doc) -> Doc:
    """The doc of a line with a provider's raw fragment."""
    return {"from": name, "doc": doc}


def sign(name: str, found: Sign) -> Doc:
    """The doc of a line with a provider's sign."""
    return {"from": name, "sign": found.value}


def lines(name: str, delivery: Delivery) -> Iterable[Doc]:
    """The docs that a live provider's delivery leaves in the journal: each changed fragment, or the sign it was."""
    if delivery.outcome is Outcome.CHANGED:
        return [fragment(name, item.doc) for item in delivery.items]
    return [sign(name, _SIGNS[delivery.outcome])]
