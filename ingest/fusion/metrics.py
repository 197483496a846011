"""Feed quality as metrics: names, labels and values for whoever exports them. A pure function.

Names, types and meaning stand once, in `METRICS`; docs/fusion.md has the table. Times are in seconds, shares from 0
to 1, as Prometheus has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.fusion.core import Condition, Switch
from ingest.fusion.doubt import Cause
from ingest.fusion.member import State
from ingest.quality import Quality

METRICS: dict[str, tuple[str, str]] = {
    "futstar_feed_silence_seconds": ("gauge", "Time since the provider's last sign of life."),
    "futstar_feed_quiet_seconds": ("gauge", "Time since the last new event of a period under way."),
    "futstar_feed_gap_seconds_total": ("counter", "Silence in play beyond what the provider is allowed."),
    "futstar_feed_arrivals_total": ("counter", "Documents, fragments and signs, by what they were."),
    "futstar_feed_events_total": ("counter", "Events by what became of them: new, corrected, deleted, late."),
    "futstar_feed_corrections_per_minute": ("gauge", "Corrections of the last minute."),
    "futstar_feed_unknown_types_total": ("counter", "Events of a type that the adapter does not know."),
    "futstar_feed_problems_total": ("counter", "Fragments or parts of them that could not be used."),
    "futstar_feed_unchanged_ratio": ("gauge", "Share of arrivals that brought nothing new."),
    "futstar_feed_skew_seconds": ("gauge", "Least arrival less event time: delay and difference of clocks."),
    "futstar_feed_difference_ratio": ("gauge", "Share of seconds with the ball at the other side by another provider."),
    "futstar_feed_health": ("gauge", "Health from 0 to 100."),
    "futstar_feed_health_loss": ("gauge", "What each part takes from a health of 100."),
    "futstar_feed_connections_lost_total": ("counter", "Connections lost."),
    "futstar_fusion_state": ("gauge", "1 for the state that the provider is in."),
    "futstar_fusion_active": ("gauge", "1 for the provider that leads, 0 for the others."),
    "futstar_fusion_single": ("gauge", "1 while one provider works and nobody contradicts it."),
    "futstar_fusion_suspended": ("gauge", "1 for each cause for which the feed must not be traded on."),
    "futstar_fusion_doubt_points": ("gauge", "What the providers' difference adds to the quote's uncertainty."),
    "futstar_fusion_switches_total": ("counter", "Switches by why the former provider was left."),
}
"""Type and meaning of every metric."""

Row = tuple[str, dict[str, str], float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A match's feeds at one time: `Fusion.quality`, `states`, `condition` and `switches`.

    A feed without fusion has a quality alone.
    """

    match_id: str
    quality: Mapping[str, Quality]
    states: Mapping[str, State] | None = None
    condition: Condition | None = None
    switches: tuple[Switch, ...] = ()


def metrics(snapshot: Snapshot) -> list[Row]:
    """Every metric of the match with its labels; what is not known has no row."""
    match = {"match": snapshot.match_id}
    rows: list[Row] = []
    for provider, quality in snapshot.quality.items():
        rows += _feed({**match, "provider": provider}, quality)
    for provider, state in (snapshot.states or {}).items():
        rows += [
            ("futstar_fusion_state", {**match, "provider": provider, "state": one.value}, float(one is state))
            for one in State
        ]
    if snapshot.condition is not None:
        rows += _fusion(match, snapshot.condition, snapshot)
    return rows


def _feed(labels: dict[str, str], q: Quality) -> list[Row]:
    changed = q.arrivals - q.unchanged - q.older - q.broken
    found: list[tuple[str, dict[str, str], float | None]] = [
        ("silence_seconds", {}, _seconds(q.silence_ms)),
        ("quiet_seconds", {}, _seconds(q.quiet_ms)),
        ("gap_seconds_total", {}, _seconds(q.gap_ms)),
        ("arrivals_total", {"outcome": "changed"}, changed),
        ("arrivals_total", {"outcome": "unchanged"}, q.unchanged),
        ("arrivals_total", {"outcome": "older"}, q.older),
        ("arrivals_total", {"outcome": "broken"}, q.broken),
        ("events_total", {"what": "new"}, q.events),
        ("events_total", {"what": "corrected"}, q.corrections),
        ("events_total", {"what": "deleted"}, q.deletions),
        ("events_total", {"what": "late"}, q.late),
        ("corrections_per_minute", {}, q.corrections_last_minute),
        ("unknown_types_total", {}, q.unknown_types),
        ("problems_total", {}, q.problems),
        ("unchanged_ratio", {}, q.unchanged_share_e4 / 10_000),
        ("skew_seconds", {}, _seconds(q.skew_ms)),
        ("difference_ratio", {}, q.difference_e4 / 10_000),
        ("health", {}, q.health.score),
        ("health_loss", {"part": "freshness"}, q.health.freshness),
        ("health_loss", {"part": "gaps"}, q.health.gaps),
        ("health_loss", {"part": "faults"}, q.health.faults),
        ("health_loss", {"part": "disagreement"}, q.health.disagreement),
        ("connections_lost_total", {}, q.lost),
    ]
    return [(f"futstar_feed_{name}", {**labels, **more}, float(v)) for name, more, v in found if v is not None]


def _fusion(match: dict[str, str], condition: Condition, snapshot: Snapshot) -> list[Row]:
    causes = {cause for cause, _ in condition.causes}
    rows: list[Row] = [
        ("futstar_fusion_active", {**match, "provider": name}, float(name == condition.active))
        for name in snapshot.quality
    ]
    rows.append(("futstar_fusion_single", match, float(condition.single)))
    rows += [("futstar_fusion_suspended", {**match, "cause": one.value}, float(one in causes)) for one in Cause]
    rows.append(("futstar_fusion_doubt_points", match, condition.doubt_e4 / 10_000))
    for why in State:
        count = sum(switch.why is why for switch in snapshot.switches)
        rows.append(("futstar_fusion_switches_total", {**match, "why": why.value}, float(count)))
    return rows


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
