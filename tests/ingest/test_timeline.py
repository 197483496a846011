from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Delete, Event, Kind, Side, Upsert, score
from ingest.timeline import Applied, Timeline


def event(event_id: str = "a", version: int = 1, play_ms: int = 1000, **more: object) -> Event:
    return Event(event_id, version, 1, play_ms, Kind.PASS, Side.HOME, **more)  # type: ignore[arg-type]


def test_a_new_event_is_applied_and_its_correction_tells_both_versions() -> None:
    timeline = Timeline()
    first, second = event(version=1, x=10.0), event(version=2, x=70.0)
    assert timeline.apply([Upsert(first)]) == (Applied(None, first),)
    assert timeline.apply([Upsert(second)]) == (Applied(first, second),)
    assert timeline.events() == (second,)


def test_an_older_version_and_a_duplicate_change_nothing_and_are_counted() -> None:
    timeline = Timeline()
    timeline.apply([Upsert(event(version=2))])
    assert timeline.apply([Upsert(event(version=1)), Upsert(event(version=2))]) == ()
    assert timeline.stale == 2


def test_a_deletion_of_an_id_never_seen_leaves_a_tombstone_that_keeps_an_older_event_out() -> None:
    timeline = Timeline()
    assert timeline.apply([Delete("a", 5)]) == ()
    assert timeline.apply([Upsert(event(version=4))]) == ()
    assert timeline.tombstones() == {"a"}
    assert len(timeline) == 0


def test_a_newer_version_brings_a_deleted_event_back() -> None:
    timeline = Timeline()
    timeline.apply([Upsert(event(version=1)), Delete("a", 2)])
    back = event(version=3)
    assert timeline.apply([Upsert(back)]) == (Applied(None, back),)


def test_of_equal_versions_a_deletion_wins_in_either_order() -> None:
    changes = [Upsert(event(version=7)), Delete("a", 7)]
    for order in (changes, changes[::-1]):
        timeline = Timeline()
        timeline.apply(order)
        assert timeline.events() == ()


def test_events_come_by_period_time_and_id() -> None:
    timeline = Timeline()
    timeline.apply([Upsert(event("b", play_ms=5)), Upsert(event("c", play_ms=1)), Upsert(event("a", play_ms=5))])
    assert [e.event_id for e in timeline.events()] == ["c", "a", "b"]


def test_a_goal_dropped_from_the_next_full_document_is_withdrawn_and_a_newer_event_stays() -> None:
    timeline = Timeline()
    kept, dropped, newer = event("a"), event("b", version=3), event("c", version=9)
    timeline.apply([Upsert(kept), Upsert(dropped), Upsert(newer)])
    late = event("d", version=5)
    assert timeline.snapshot([Upsert(kept), Upsert(late)], 5) == (Applied(None, late), Applied(dropped, None))
    assert timeline.events() == (kept, newer, late)
    assert timeline.snapshot([Upsert(kept), Upsert(late)], 5) == ()


changes = st.one_of(
    st.builds(
        lambda i, v, ms, x: Upsert(event(i, v, ms, x=x)),
        st.sampled_from("abcd"),
        st.integers(1, 4),
        st.integers(0, 3),
        st.floats(0, 100),
    ),
    st.builds(Delete, st.sampled_from("abcd"), st.integers(1, 4)),
)


@given(st.lists(changes, max_size=30), st.integers(0, 2**32), st.data())
def test_any_order_with_any_duplicates_ends_in_the_same_events(
    messages: list[Upsert | Delete], seed: int, data: st.DataObject
) -> None:
    plain = Timeline()
    plain.apply(messages)
    repeated = messages + (data.draw(st.lists(st.sampled_from(messages), max_size=10)) if messages else [])
    random.Random(seed).shuffle(repeated)
    shuffled = Timeline()
    for message in repeated:
        shuffled.apply([message])
    assert shuffled.events() == plain.events()
    assert shuffled.tombstones() == plain.tombstones()


@given(st.lists(changes, max_size=30))
def test_what_is_reported_as_applied_rebuilds_the_events(messages: list[Upsert | Delete]) -> None:
    timeline = Timeline()
    mirror: dict[str, Event] = {}
    for applied in timeline.apply(messages):
        if applied.old is not None:
            assert mirror.pop(applied.old.event_id) == applied.old
        if applied.new is not None:
            mirror[applied.new.event_id] = applied.new
    assert sorted(mirror.values(), key=lambda e: (e.period, e.play_ms, e.event_id)) == list(timeline.events())


def test_the_score_counts_own_goals_for_the_side_that_gains_and_leaves_the_shoot_out_out() -> None:
    def goal(period: int, side: Side, own: bool = False) -> Event:
        return Event(f"{period}{side}{own}", 1, period, 0, Kind.SHOT, side, goal=True, own_goal=own)

    saved = Event("s", 1, 1, 0, Kind.SHOT, Side.AWAY)
    events = [goal(1, Side.HOME), goal(2, Side.AWAY, own=True), goal(5, Side.AWAY), saved]
    assert score(events) == (1, 1)
