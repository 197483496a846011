"""Two feeds of a real match as one: killed at any moment, by every way a feed can die, nothing is lost or doubled."""

from __future__ import annotations

import random

import pytest

from ingest.decoder import FusedDecoder, decoder
from ingest.events import Delete, Kind
from ingest.feed import FeedMessage
from ingest.feeds import adapter, split
from ingest.fusion import Cause
from ingest.timeline import Timeline
from tests.ingest.fusion_world import ALIKE, PRIMARY, SIBLING, Outage, Sibling, World, counts, goals, load, world

HOWS = ("silent", "lost", "broken", "frozen")


def play(w: World, messages: list[FeedMessage]) -> tuple[FusedDecoder, Timeline]:
    reader, timeline = decoder(w.header()), Timeline()
    assert isinstance(reader, FusedDecoder)
    for message in messages:
        timeline.apply(reader.decode(message).changes)
    return reader, timeline


def alone(w: World) -> Timeline:
    """The primary had it never failed."""
    timeline = Timeline()
    for message in w.feeds[PRIMARY]:
        timeline.apply(split(adapter(w.provider).parse(w.recorded.info, message.doc))[0])
    return timeline


def same_goals(found: list[tuple[str, int, int]], wanted: list[tuple[str, int, int]], within_ms: int) -> bool:
    """One for one, side by side and period by period."""
    return [g[:2] for g in found] == [g[:2] for g in wanted] and all(
        abs(a[2] - b[2]) <= within_ms for a, b in zip(found, wanted, strict=True)
    )


@pytest.fixture(scope="module", params=["wyscout", "statsperform"])
def alike(request: pytest.FixtureRequest) -> World:
    return world(load(request.param), 3, ALIKE)


def test_while_the_primary_works_the_fused_feed_is_the_primarys(alike: World) -> None:
    reader, timeline = play(alike, alike.messages())
    plain = alone(alike)
    assert reader.fusion.switches == []
    told = [(e.event_id.removeprefix("primary:"), e.period, e.play_ms, e.kind, e.side) for e in timeline.events()]
    assert told == [(e.event_id, e.period, e.play_ms, e.kind, e.side) for e in plain.events()]


def marks_of(w: World, name: str) -> list[int]:
    """When the provider tells of a goal, a card, a penalty or a whistle, or withdraws something."""
    kinds = (Kind.RED, Kind.PENALTY_AWARDED, Kind.PERIOD_END, Kind.PERIOD_START)
    found = []
    for message in w.feeds[name]:
        changes = split(adapter(w.provider).parse(w.recorded.info, message.doc))[0]
        if any(isinstance(c, Delete) or c.event.goal or c.event.kind in kinds for c in changes):
            found.append(message.at_ms)
    return found


def outages(w: World, rng: random.Random) -> list[Outage]:
    """Whoever leads falls out, every half minute or so, where possible just around a goal or a whistle.

    Nobody can tell what neither provider ever sent: what is missed in an outage with a goal is told on return.
    """
    marks = {name: marks_of(w, name) for name in w.feeds}
    found, at, name = [], 20_000, PRIMARY
    while at < w.end_ms - 40_000:
        near = [mark for mark in marks[name] if at < mark < at + 25_000]
        start = max(at, rng.choice(near) + rng.randint(-4_000, 4_000)) if near else at
        length = rng.choice([4_000, 7_000, 12_000, 16_000])
        how = rng.choice(HOWS if length > 10_000 else HOWS[:3])
        missed = any(start <= mark < start + length for mark in marks[name])
        found.append(Outage(name, start, start + length, how, missed or rng.random() < 0.5))
        at = start + length + rng.randint(4_000, 12_000)
        name = SIBLING if name == PRIMARY else PRIMARY
    return found


@pytest.mark.parametrize(
    ("provider", "seed", "kind"),
    [
        ("wyscout", 1, ALIKE),
        ("wyscout", 1, Sibling(clock_ms=4_000)),
        ("statsperform", 2, ALIKE),
        ("statsperform", 2, Sibling()),
    ],
)
def test_no_goal_card_penalty_or_whistle_is_lost_or_doubled_in_a_thousand_switches(
    provider: str, seed: int, kind: Sibling
) -> None:
    w = world(load(provider), seed, kind)
    reader, timeline = play(w, w.messages(outages(w, random.Random(seed))))
    truth = alone(w)
    assert len(reader.fusion.switches) > 225  # four such matches: 1,002 in all
    assert same_goals(goals(timeline.events()), goals(truth.events()), 6_500)
    assert counts(timeline.events()) == counts(truth.events())


def test_a_clock_that_drifts_slowly_is_followed() -> None:
    """Ten seconds in three quarters of an hour: at the end of the half the seam is where it belongs."""
    w = world(load("wyscout"), 3, Sibling(dropped=0.0, jitter_ms=0, moved=0.0, drift=0.0037))
    marks = marks_of(w, PRIMARY)
    half = next(at for at in marks if at > 2_400_000)
    messages = [m for m in w.messages([Outage(PRIMARY, half - 120_000, w.end_ms, "silent", False)]) if m.at_ms < half]
    reader, timeline = play(w, messages)
    (switch,) = reader.fusion.switches
    played = switch.seam[1]
    assert switch.offset.sure
    assert abs(switch.offset.ms - played * 0.0037) < 2_500  # the last quarter of an hour's middle
    truth = [e.play_ms for e in alone(w).events() if e.period == 1 and played - 60_000 < e.play_ms < played + 60_000]
    told = [e.play_ms for e in timeline.events() if e.period == 1 and played - 60_000 < e.play_ms < played + 60_000]
    assert abs(len(told) - len(truth)) <= 2


def test_a_goal_that_the_standby_missed_stays_when_the_primary_dies_and_trading_stays_stopped() -> None:
    w = world(load("statsperform"), 3, ALIKE)
    w.feeds[SIBLING] = [m for m in w.feeds[SIBLING] if m.doc.get("typeId") != 16]  # it misses every goal
    told = next(m.at_ms for m in w.feeds[PRIMARY] if m.doc.get("typeId") == 16)
    dies, until = told + 90_000, told + 180_000
    messages = [m for m in w.messages([Outage(PRIMARY, dies, until, "silent", False)]) if m.at_ms < until]
    reader, timeline = play(w, messages)
    assert [s.target for s in reader.fusion.switches] == [SIBLING]
    assert len(goals(timeline.events())) == 1
    assert reader.fusion.condition.causes == ((Cause.SCORE, SIBLING),)


def test_a_primary_that_lies_dead_through_half_time_hands_over_in_the_break() -> None:
    w = world(load("wyscout"), 4, Sibling())
    start = [at for at in marks_of(w, PRIMARY) if at > 2_500_000]
    end = next(at for at in start if at > 2_700_000)
    reader, timeline = play(w, w.messages([Outage(PRIMARY, end + 20_000, w.end_ms, "lost", False)]))
    (switch,) = reader.fusion.switches
    assert end + 20_000 < switch.at_ms < end + 23_000
    assert counts(timeline.events()) == counts(alone(w).events())
    assert same_goals(goals(timeline.events()), goals(alone(w).events()), 4_500)
    assert {e.event_id.split(":")[0] for e in timeline.events() if e.period == 2 and e.side is not None} == {SIBLING}
