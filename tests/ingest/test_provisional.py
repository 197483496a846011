"""An announcement stays open until an event settles it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Event, Kind, Side, Upsert
from ingest.feeds import Recorded, adapter, split
from ingest.provisional import unsettled

REVIEW = Event("v", 1, 2, 600_000, Kind.VAR_START, None, provisional=True)
POSSIBLE = Event("p", 1, 2, 600_000, Kind.OTHER, Side.HOME, provisional=True, text="possible goal")


def at(kind: Kind, play_ms: int, period: int = 2, event_id: str = "o") -> Event:
    return Event(event_id, 1, period, play_ms, kind, Side.HOME)


def test_an_announcement_alone_is_open() -> None:
    assert unsettled([REVIEW, POSSIBLE, at(Kind.PASS, 650_000)]) == (POSSIBLE, REVIEW)


@pytest.mark.parametrize("kind", [Kind.VAR_END, Kind.RESUME, Kind.PERIOD_START])
def test_a_review_ends_with_its_verdict_or_when_play_goes_on(kind: Kind) -> None:
    assert unsettled([REVIEW, at(kind, 600_000)]) == ()
    assert unsettled([REVIEW, at(kind, 599_000)]) == (REVIEW,)
    assert unsettled([REVIEW, at(kind, 0, period=3)]) == ()


def test_a_shot_during_a_review_does_not_end_it() -> None:
    assert unsettled([REVIEW, at(Kind.SHOT, 601_000), at(Kind.CORNER, 602_000, event_id="c")]) == (REVIEW,)


@pytest.mark.parametrize(
    ("kind", "play_ms", "open_still"),
    [
        (Kind.SHOT, 590_000, False),
        (Kind.SHOT, 589_000, True),
        (Kind.SAVE, 605_000, False),
        (Kind.GOAL_KICK, 620_000, False),
        (Kind.GOAL_KICK, 600_000, True),
        (Kind.PERIOD_END, 700_000, False),
        (Kind.PASS, 620_000, True),
    ],
)
def test_a_possible_goal_is_settled_by_the_shot_or_by_what_follows(kind: Kind, play_ms: int, open_still: bool) -> None:
    assert bool(unsettled([POSSIBLE, at(kind, play_ms)])) is open_still


def test_one_announcement_does_not_settle_another() -> None:
    other = replace(POSSIBLE, event_id="q", play_ms=605_000)
    assert unsettled([POSSIBLE, other]) == (POSSIBLE, other)


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(0, 3_000_000), st.booleans()), max_size=20))
def test_more_events_never_open_what_was_settled(rows: list[tuple[Kind, int, bool]]) -> None:
    events = [
        replace(at(kind, play_ms, event_id=str(number)), provisional=provisional)
        for number, (kind, play_ms, provisional) in enumerate(rows)
    ]
    for number in range(len(events)):
        before, after = set(unsettled(events[:number])), set(unsettled(events[: number + 1]))
        assert after - before <= {events[number]}


def test_nothing_stays_open_in_the_real_match(hsv: Recorded) -> None:
    changes = [c for row in hsv.rows for c in split(adapter("statsperform").parse(hsv.info, row.doc))[0]]
    assert unsettled([change.event for change in changes if isinstance(change, Upsert)]) == ()
