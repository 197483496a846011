"""What Prometheus is told, each metric declared once with its type and meaning. Pure: rows in, text out.

Feeds carry the labels ``match`` and ``provider``. Times are seconds and shares are ratios, as Prometheus wants them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FeedMetric:
    """A metric of each feed: its row's ``column`` divided by ``scale``; a counter's name gets ``_total``."""

    name: str
    text: str
    column: str
    scale: int = 1
    counter: bool = False


FEED_METRICS = (
    FeedMetric("futstar_feed_health", "100 less what silence, gaps, faults and disagreement take.", "health"),
    FeedMetric("futstar_feed_silence_seconds", "Since the feed's last sign of life.", "silence_ms", 1000),
    FeedMetric("futstar_feed_quiet_seconds", "Since the last new event, in play.", "quiet_ms", 1000),
    FeedMetric("futstar_feed_gap_seconds", "Silence in play beyond what is allowed.", "gap_ms", 1000, True),
    FeedMetric("futstar_feed_skew_seconds", "Least arrival less event time.", "skew_ms", 1000),
    FeedMetric("futstar_feed_difference_ratio", "Difference from the other providers.", "difference_e4", 10_000),
    FeedMetric("futstar_feed_corrections_last_minute", "Corrections in the newest minute.", "corrections_last_minute"),
    FeedMetric("futstar_feed_arrivals", "Documents and fragments that arrived.", "arrivals", 1, True),
    FeedMetric("futstar_feed_unchanged", "Arrivals that told nothing new.", "unchanged", 1, True),
    FeedMetric("futstar_feed_older", "Arrivals older than what was known.", "older", 1, True),
    FeedMetric("futstar_feed_broken", "Arrivals that were none of this match.", "broken", 1, True),
    FeedMetric("futstar_feed_connections_lost", "Connections lost.", "lost", 1, True),
    FeedMetric("futstar_feed_events", "New events.", "events", 1, True),
    FeedMetric("futstar_feed_corrections", "Corrections of events.", "corrections", 1, True),
    FeedMetric("futstar_feed_deletions", "Events withdrawn.", "deletions", 1, True),
    FeedMetric("futstar_feed_late_events", "New events that came late.", "late", 1, True),
    FeedMetric("futstar_feed_unknown_types", "Events of a type the adapter does not know.", "unknown_types", 1, True),
    FeedMetric("futstar_feed_problems", "Fragments that could not be used, of all kinds.", "problems", 1, True),
)


class _Once(Collector):
    """Hands out families that were made for one answer."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def text(feeds: Sequence[Row], history_strays: int, stream_clients: int, mirror: Mapping[str, Any] | None) -> bytes:
    """The page that Prometheus reads."""
    families: list[Metric] = [_feed_family(metric, feeds) for metric in FEED_METRICS]
    families.append(
        GaugeMetricFamily(
            "futstar_history_stray_rows", "Rows of history that found no partition of their day.", history_strays
        )
    )
    families.append(GaugeMetricFamily("futstar_stream_clients", "Subscribers of the stream.", stream_clients))
    if mirror is not None:
        families.append(
            GaugeMetricFamily("futstar_mirror_healthy", "1 while the mirror follows the chain.", int(mirror["healthy"]))
        )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(families))
    return generate_latest(registry)


def _feed_family(metric: FeedMetric, feeds: Sequence[Row]) -> Metric:
    kind = CounterMetricFamily if metric.counter else GaugeMetricFamily
    family = kind(metric.name, metric.text, labels=["match", "provider"])
    for feed in feeds:
        value = feed[metric.column]
        if value is not None:
            family.add_metric([feed["match_id"], feed["provider"]], value / metric.scale)
    return family
