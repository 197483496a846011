"""What is counted of a feed, and how its health comes about."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Event, Kind, Side, Upsert
from ingest.feeds.base import Problem
from ingest.fusion import Condition, State
from ingest.fusion.doubt import Cause
from ingest.fusion.metrics import METRICS, Snapshot, metrics
from ingest.quality import Quality, QualityMeter, Sign
from ingest.session import Delivery, Item, Outcome
from ingest.timeline import Applied


def event(number: int, play_ms: int, kind: Kind = Kind.PASS, period: int = 1) -> Event:
    side = None if kind in (Kind.PERIOD_START, Kind.PERIOD_END) else Side.HOME
    return Event(f"e{number}", 1, period, play_ms, kind, side)


def news(*new: Event, old: Event | None = None) -> Delivery:
    items = tuple(Item({}, "", (Upsert(one),)) for one in new)
    return Delivery(Outcome.CHANGED, items, tuple(Applied(old, one) for one in new))


def started(silent_ms: int = 2_500) -> QualityMeter:
    meter = QualityMeter(silent_ms)
    meter.observe(10_000, news(event(0, 0, Kind.PERIOD_START)))
    return meter


def test_a_lost_heartbeat_makes_the_feed_silent_and_its_health_fall() -> None:
    meter = started()
    for at_ms in range(11_000, 20_000, 1_000):
        meter.sign(at_ms, Sign.HEARTBEAT)
    assert meter.snapshot(19_500).silence_ms == 500
    assert meter.snapshot(19_500).health.score == 100
    assert meter.snapshot(22_000).silence_ms == 3_000
    assert meter.snapshot(22_000).health.freshness == 40


def test_quiet_play_is_no_silence() -> None:
    meter = started()
    for at_ms in range(11_000, 100_000, 1_000):
        meter.sign(at_ms, Sign.UNCHANGED)
    quality = meter.snapshot(99_000)
    assert (quality.silence_ms, quality.quiet_ms, quality.health.score) == (0, 89_000, 100)
    assert quality.unchanged_share_e4 == 9_888


def test_gap_seconds_count_only_in_play_and_the_gap_under_way_with_them() -> None:
    meter = QualityMeter(2_500)
    meter.sign(0, Sign.HEARTBEAT)
    meter.sign(9_000, Sign.HEARTBEAT)  # before kick-off nobody waits for anything
    meter.observe(10_000, news(event(0, 0, Kind.PERIOD_START)))
    meter.sign(16_500, Sign.HEARTBEAT)
    assert meter.snapshot(16_500).gap_ms == 4_000
    assert meter.snapshot(21_000).gap_ms == 6_000
    meter.observe(21_000, news(event(1, 11_000, Kind.PERIOD_END)))
    meter.sign(90_000, Sign.HEARTBEAT)
    assert meter.snapshot(90_000).gap_ms == 6_000
    assert meter.snapshot(90_000).health.gaps == 6
    later = meter.snapshot(90_000 + 300_000)
    assert (later.gap_ms, later.gap_recent_ms, later.health.gaps) == (6_000, 0, 0)


def test_broken_documents_and_older_ones_are_no_sign_of_life() -> None:
    meter = started()
    broken = Delivery(Outcome.BROKEN, problems=(Problem("bad_json", "match m", "cut"),))
    useless = Delivery(Outcome.CHANGED, (Item({}, "", ()),), (), (Problem("unknown_type", "event e", "type 999"),))
    meter.observe(11_000, broken)
    meter.observe(12_000, Delivery(Outcome.OLDER))
    meter.observe(12_500, useless)
    meter.sign(13_000, Sign.BROKEN)
    meter.sign(13_500, Sign.LOST)
    quality = meter.snapshot(14_000)
    assert quality.silence_ms == 4_000
    assert (quality.broken, quality.older, quality.lost) == (2, 1, 1)
    assert (quality.problems, quality.unknown_types) == (2, 1)
    assert quality.health.faults == 40 * 4 // 5
    assert meter.snapshot(80_000).health.faults == 0


def test_corrections_are_counted_over_a_rolling_minute_and_deletions_apart() -> None:
    meter, first = started(), event(1, 1_000)
    meter.observe(11_000, news(first))
    for at_ms in (20_000, 30_000, 85_000):
        meter.observe(at_ms, news(replace(first, version=2), old=first))
    meter.observe(86_000, Delivery(Outcome.CHANGED, (), (Applied(first, None),)))
    quality = meter.snapshot(86_000)
    assert (quality.events, quality.corrections, quality.corrections_last_minute) == (2, 3, 2)
    assert quality.deletions == 1


def test_an_event_that_comes_much_later_than_the_quickest_is_late_and_the_clocks_difference_is_estimated() -> None:
    meter = started()
    for number in range(1, 150):
        delay = 700 if number % 10 else 9_000
        meter.observe(10_000 + number * 2_000 + delay, news(event(number, number * 2_000)))
    quality = meter.snapshot(400_000)
    assert quality.skew_ms == 700
    assert quality.late == 14
    fast = started()
    fast.observe(12_000, news(event(1, 5_000)))  # told before it happened: the provider's clock is fast
    assert fast.snapshot(12_000).skew_ms == -3_000


def test_the_skew_follows_a_clock_that_drifts() -> None:
    meter = started()
    for number in range(1, 400):
        meter.observe(10_000 + number * 2_000 + 500 + number * 10, news(event(number, number * 2_000)))
    assert 2_000 < (meter.snapshot(900_000).skew_ms or 0) < 4_600


def test_health_is_a_hundred_less_its_parts_and_never_below_nothing() -> None:
    meter = started()
    meter.sign(70_000, Sign.BROKEN)
    meter.difference_e4 = 10_000
    health = meter.health(70_000)
    assert (health.freshness, health.gaps, health.faults, health.disagreement) == (40, 30, 40, 30)
    assert health.score == 0
    meter.difference_e4 = 2_500
    assert meter.health(70_000).disagreement == 15


@given(st.lists(st.tuples(st.integers(1, 5_000), st.sampled_from(list(Sign))), max_size=60))
def test_counts_add_up_and_asking_changes_nothing(steps: list[tuple[int, Sign]]) -> None:
    asked, silent, now = started(), started(), 10_000
    for wait_ms, sign in steps:
        now += wait_ms
        asked.snapshot(now)
        asked.sign(now, sign)
        silent.sign(now, sign)
    quality = asked.snapshot(now)
    assert quality == silent.snapshot(now)
    assert quality.arrivals == 1 + sum(sign not in (Sign.LOST, Sign.RESTORED) for _, sign in steps) - sum(
        sign is Sign.HEARTBEAT for _, sign in steps
    )
    assert 0 <= quality.health.score <= 100
    assert quality.gap_recent_ms <= quality.gap_ms


def quality() -> Quality:
    meter = started()
    meter.observe(12_000, news(event(1, 1_500)))
    return meter.snapshot(13_000)


def test_every_metric_has_a_documented_name_unit_and_match_label() -> None:
    condition = Condition("a", ((Cause.SCORE, "b"),), False, 12_000)
    snapshot = Snapshot("m1", {"a": quality(), "b": quality()}, {"a": State.UP, "b": State.SILENT}, condition)
    rows = metrics(snapshot)
    assert {name for name, _, _ in rows} == set(METRICS)
    assert len({(name, tuple(sorted(labels.items()))) for name, labels, _ in rows}) == len(rows)
    for name, labels, value in rows:
        assert re.fullmatch(r"futstar_(feed|fusion)_[a-z_]+", name)
        assert (METRICS[name][0] == "counter") == name.endswith("_total")
        assert labels["match"] == "m1"
        assert isinstance(value, float)
    by_name = {(name, labels.get("cause"), labels.get("provider")): value for name, labels, value in rows}
    assert by_name["futstar_fusion_suspended", "score", None] == 1.0
    assert by_name["futstar_fusion_suspended", "stale", None] == 0.0
    assert by_name["futstar_fusion_doubt_points", None, None] == 1.2
    assert by_name["futstar_feed_silence_seconds", None, "a"] == 1.0


def test_a_feed_without_fusion_has_its_own_metrics_and_unknown_values_no_row() -> None:
    rows = metrics(Snapshot("m1", {"a": QualityMeter(2_500).snapshot(5_000)}))
    names = {name for name, _, _ in rows}
    assert all(name.startswith("futstar_feed_") for name in names)
    assert "futstar_feed_silence_seconds" not in names
    assert "futstar_feed_health" in names
