"""The set of covered slots against a plain set of numbers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.mirror.cursor import Covered

INTERVAL = st.tuples(st.integers(0, 40), st.integers(0, 40))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.booleans(), INTERVAL), max_size=12), INTERVAL)
def test_it_behaves_like_a_set_of_slots(steps: list[tuple[bool, tuple[int, int]]], asked: tuple[int, int]) -> None:
    covered, model = Covered(), set[int]()
    for add, (first, last) in steps:
        if add:
            covered.add(first, last)
            model |= set(range(first, last + 1))
        else:
            covered.remove(first, last)
            model -= set(range(first, last + 1))
    assert {slot for first, last in covered.intervals for slot in range(first, last + 1)} == model
    assert all(covered.covers(slot) == (slot in model) for slot in range(42))
    holes = covered.holes(*asked)
    assert {s for first, last in holes for s in range(first, last + 1)} == set(range(asked[0], asked[1] + 1)) - model
    assert covered.last == (max(model) if model else None)
    gaps = zip(covered.intervals, covered.intervals[1:], strict=False)
    assert all(left[1] + 1 < right[0] for left, right in gaps)


def test_an_empty_interval_changes_nothing() -> None:
    covered = Covered([(5, 9)])
    covered.add(3, 2)
    assert covered.intervals == ((5, 9),)
    assert covered.holes(9, 8) == []
