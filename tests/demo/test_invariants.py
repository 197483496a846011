"""Each invariant compares two sides, and each can fail alone."""

from __future__ import annotations

import dataclasses

import pytest

from backend.demo.invariants import (
    RULES,
    SPOILERS,
    Evidence,
    Fill,
    LiquidityChange,
    Movement,
    PositionRow,
    SampleRow,
    Settlement,
    Snapshot,
    check,
    inject,
)

POSITIONS = (PositionRow("w", 0, 3_000_000, 150_000_000), PositionRow("w", 1, 1_000_000, 50_000_000))
SOUND = Evidence(
    snapshots=(
        Snapshot(1_000_000_000, (900_000_000, 100_000_000), 900_000_000, 0, 0, 0, 0, ()),
        Snapshot(
            1_000_000_000,
            (850_000_000, 150_000_000),
            850_000_000,
            200_000_000,
            200_000_000,
            3_000_000,
            1_000_000,
            POSITIONS,
        ),
    ),
    movements=(Movement("a", True, 5, 5), Movement("b", True, -3, -3), Movement("c", False, 0, 0)),
    fills=(Fill(1_000, 6_000, 5_000, 2, 2),),
    settlements=(
        # long 2 contracts bought at 50, settled at 60: gains 20; short 1 sold at 50, settled at 60: loses 10
        Settlement(0, 2_000_000, 100_000_000, 30_000_000, 100_000_000, 60_000_000, 50_000_000, 20_000_000, 0),
        Settlement(1, 1_000_000, 50_000_000, 15_000_000, 50_000_000, 60_000_000, 5_000_000, 0, 10_000_000),
    ),
    liquidity=(LiquidityChange(0, 1_000_000, 0, 1_000_000), LiquidityChange(1_000_000, 500_000, 1_000_000, 500_000)),
    samples=(SampleRow(1, 50_000_000, 50_000_000, 0, 100_000_000), SampleRow(2, 51_000_000, 0, 0, 0)),
    leftovers_e6=(0, 0, 0),
    fees_booked_e6=42,
    fees_charged_e6=42,
)


def failing(evidence: Evidence) -> list[str]:
    return [name for name, found in check(evidence).items() if not found.ok]


def test_sound_books_pass_every_invariant() -> None:
    assert failing(SOUND) == []
    assert list(RULES) == [f"I{n}" for n in range(1, 13)]


@pytest.mark.parametrize("name", list(SPOILERS))
def test_an_injected_fault_breaks_exactly_its_own_invariant(name: str) -> None:
    assert failing(inject(SOUND, name)) == [name]


@pytest.mark.parametrize("name", list(SPOILERS))
def test_an_injected_fault_breaks_its_invariant_even_where_nothing_was_traded(name: str) -> None:
    empty = dataclasses.replace(SOUND, movements=(), fills=(), settlements=(), liquidity=(), samples=())
    assert failing(empty) == []
    assert failing(inject(empty, name)) == [name]


def test_one_wrong_snapshot_among_good_ones_is_found_and_shown() -> None:
    wrong = dataclasses.replace(SOUND.snapshots[0], vault_e6=1)
    found = check(dataclasses.replace(SOUND, snapshots=(wrong, *SOUND.snapshots)))["I1"]
    assert (found.ok, found.left, found.right) == (False, 1, 1_000_000_000)


def test_errors_that_cancel_out_in_the_sum_are_still_found() -> None:
    movements = (Movement("a", True, 5, 4), Movement("b", True, 4, 5))
    assert failing(dataclasses.replace(SOUND, movements=movements)) == ["I4"]


@pytest.mark.parametrize(
    "fill",
    [
        Fill(1_000, 5_999, 5_000, 2, 2),  # a millisecond early
        Fill(1_000, 6_000, 5_000, 2, 4),  # across a suspension
        Fill(1_000, 6_000, 5_000, 3, 3),  # while suspended
    ],
)
def test_a_fill_that_is_early_or_crosses_a_suspension_breaks_i8(fill: Fill) -> None:
    assert failing(dataclasses.replace(SOUND, fills=(fill,))) == ["I8"]


def test_a_settlement_that_pays_another_amount_than_the_model_breaks_i11() -> None:
    first = dataclasses.replace(SOUND.settlements[0], gain_e6=19_999_999)
    assert failing(dataclasses.replace(SOUND, settlements=(first, SOUND.settlements[1]))) == ["I11"]


def test_an_unknown_invariant_cannot_be_injected() -> None:
    with pytest.raises(KeyError):
        inject(SOUND, "I13")
