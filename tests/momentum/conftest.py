"""Synthetic matches for the momentum tests."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import strategies as st

from ingest.events import BodyPart, Event, Kind, Side
from ingest.timeline import Applied

PERIOD_MS = 400_000
_POOL = [Kind.PASS] * 6 + [k for k in Kind if k not in (Kind.PERIOD_START, Kind.PERIOD_END)] + [Kind.SHOT] * 2


@st.composite
def events(draw: st.DrawFn, event_id: str = "e", periods: tuple[int, ...] = (1, 2, 3, 5)) -> Event:
    """Any event that an adapter may produce, times on and off whole seconds, ties included."""
    kind = draw(st.sampled_from(_POOL))
    own_goal = kind is Kind.SHOT and draw(st.integers(0, 9)) == 0
    second = draw(st.integers(0, PERIOD_MS // 1000))
    return Event(
        event_id=event_id,
        version=1,
        period=draw(st.sampled_from(periods)),
        play_ms=second * 1000 + draw(st.sampled_from([0, 0, 1, 400, 999])),
        kind=kind,
        side=draw(st.sampled_from([Side.HOME, Side.AWAY, Side.HOME, Side.AWAY, None])),
        x=draw(st.sampled_from([None, 0.0, 12.5, 66.6, 66.7, 88.0, 99.9, 100.0])),
        y=draw(st.sampled_from([None, 0.0, 31.0, 50.0, 50.1, 100.0])),
        goal=own_goal or (kind is Kind.SHOT and draw(st.integers(0, 4)) == 0),
        own_goal=own_goal,
        big_chance=kind is Kind.SHOT and draw(st.booleans()),
        penalty=kind is Kind.SHOT and draw(st.integers(0, 9)) == 0,
        body=draw(st.sampled_from([None, BodyPart.HEAD, BodyPart.FOOT])) if kind is Kind.SHOT else None,
        attacking=draw(st.sampled_from([None, True, False])),
        aerial=draw(st.booleans()),
        xg_e6=draw(st.sampled_from([None, 0, 1, 43_210, 1_000_000])) if kind is Kind.SHOT else None,
    )


@st.composite
def matches(draw: st.DrawFn, most: int = 40) -> list[Event]:
    """A short match: up to ``most`` events with distinct ids whose order has nothing to do with time."""
    drawn = draw(st.lists(events(), min_size=1, max_size=most))
    ids = draw(st.permutations(range(len(drawn))))
    return [replace(event, event_id=f"e{i}") for event, i in zip(drawn, ids, strict=True)]


def added(*new: Event) -> list[Applied]:
    """The changes that make ``new`` known."""
    return [Applied(None, event) for event in new]


def season_match(seed: int, count: int = 1_700) -> list[Event]:
    """A full-length synthetic match, about as busy as a real one."""
    rng = random.Random(seed)
    kinds = [Kind.PASS] * 40 + [Kind.TOUCH] * 8 + [Kind.DUEL] * 6 + [Kind.OUT] * 3 + [Kind.FOUL, Kind.SHOT, Kind.CORNER]
    kinds += [Kind.SAVE, Kind.THROW_IN]
    result = []
    for number in range(count):
        kind = rng.choice(kinds)
        result.append(
            Event(
                event_id=str(number),
                version=1,
                period=1 + (number >= count // 2),
                play_ms=rng.randrange(0, 2_820_000),
                kind=kind,
                side=rng.choice([Side.HOME, Side.AWAY]),
                x=round(rng.random() * 100, 1),
                y=round(rng.random() * 100, 1),
                goal=kind is Kind.SHOT and rng.random() < 0.1,
                attacking=rng.random() < 0.5,
            )
        )
    return result
