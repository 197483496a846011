"""Two feeds of a real match as one: killed at any moment, by every way a feed can die, nothing is lost or doubled."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from ingest.decoder import FusedDecoder, decoder
from ingest.events import Delete, Kind
from ingest.feed import FeedMessage
from ingest.feeds import adapter, split
from ingest.fusion import Bounds, Cause, State, Thresholds
from ingest.timeline import Timeline
from tests.ingest.fusion_world import ALIKE, PRIMARY, SIBLING, Outage, Sibling, World, counts, goals, load, world

HOWS = ("silent", "lost", "broken", "frozen")


def play(w: World, messages: list[FeedMessage]) -> tuple[FusedDecoder, Timeline]:
    reader, timeline = decoder(w.header()), Timeline()
    assert isinstance(reader, FusedDecoder)
    for message in messages:
        timeline.apply(reader.decode(message).changes)
    return reader, timeline


def same_goals(found: list[tuple[str, int, int]], wanted: list[tuple[str, int, int]], within_ms: int) -> bool:
    """One for one, side by side and period by period."""
    return [g[:2] for g in found] == [g[:2] for g in wanted] and all(
        abs(a[2] - b[2]) <= within_ms for a, b in zip(found, wanted, strict=True)
    )


@pytest.fixture(scope="module", params=["wyscout", "statsperform"])
def alike(request: pytest.FixtureRequest) -> World:
    return world(load(request.param), 3, ALIKE)


@pytest.fixture(scope="module")
def sibling() -> World:
    return world(load("wyscout"), 5, Sibling())


def test_while_the_primary_works_the_fused_feed_is_the_primarys(alike: World) -> None:
    reader, timeline = play(alike, alike.messages())
    plain = Timeline()
    for message in alike.feeds[PRIMARY]:
        plain.apply(split(adapter(alike.provider).parse(alike.recorded.info, message.doc))[0])
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


@pytest.mark.parametrize("kind", [ALIKE, Sibling(), Sibling(clock_ms=4_000)], ids=["alike", "sibling", "clock"])
@pytest.mark.parametrize(("provider", "seed"), [("wyscout", 1), ("statsperform", 2)])
def test_no_goal_card_penalty_or_whistle_is_lost_or_doubled_in_a_thousand_switches(
    provider: str, seed: int, kind: Sibling
) -> None:
    w = world(load(provider), seed, kind)
    reader, timeline = play(w, w.messages(outages(w, random.Random(seed))))
    truth = play(w, w.messages())[1]
    assert len(reader.fusion.switches) > 170  # six such matches
    assert same_goals(goals(timeline.events()), goals(truth.events()), 6_500)
    assert counts(timeline.events()) == counts(truth.events())
