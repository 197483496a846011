"""Methodologies are data that never change, and their integers obey exact symmetries."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momentum.methodology import (
    INPUTS,
    LEVEL_E6,
    MAX_E6,
    METHODOLOGIES,
    SHARE_E6,
    SPEC_BOX,
    SPEC_DECAY,
    SPEC_DECAY_1,
    WEIGHT_ONE,
    Methodology,
    by_hash,
    by_name,
    index_e6,
    index_e6_array,
    inputs_hash,
)

amounts = st.one_of(st.integers(0, 3), st.integers(0, 300_000 * WEIGHT_ONE))
rows = st.lists(st.lists(amounts, min_size=10, max_size=10), min_size=1, max_size=6)
both = pytest.mark.parametrize("methodology", METHODOLOGIES, ids=lambda m: m.name)


def swapped(row: list[int]) -> list[int]:
    return [row[i ^ 1] for i in range(10)]


def test_a_published_version_never_changes() -> None:
    # If this fails, do not edit the hash: publish the next version instead.
    assert {m.name: m.hash.hex() for m in METHODOLOGIES} == {
        "spec-box/1": "f344801bbeeaeb8eac6f52c17f08f5d94eb879144facf768db1083b99d27d622",
        "spec-decay/1": "7029b2d05f27141ca31da693191204168c1e4904b0c116f9e26db12b1744073c",
        "spec-decay/2": "17d49153952956024b6ada41f15b2d586beb17af701ef1bb1bacb0d1820b3d94",
    }


@both
def test_the_canonical_text_is_canonical(methodology: Methodology) -> None:
    text = methodology.canonical
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")).encode() == text
    assert by_hash(methodology.hash) is methodology
    assert by_name(methodology.name) is methodology


def test_unknown_names_and_hashes_are_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"spec-box/1, spec-decay/1"):
        by_name("spec-box/9")
    with pytest.raises(KeyError, match="00" * 32):
        by_hash(bytes(32))


def test_the_box_remembers_exactly_three_hundred_seconds() -> None:
    assert SPEC_BOX.memories[0].table.tolist() == [WEIGHT_ONE] * 300


def test_the_decay_halves_every_three_minutes_and_has_no_step_at_its_end() -> None:
    table = SPEC_DECAY_1.memories[0].table
    assert table[0] == WEIGHT_ONE
    assert (table[180], table[360], table[720]) == (WEIGHT_ONE // 2, WEIGHT_ONE // 4, WEIGHT_ONE // 16)
    assert (np.diff(table) <= 0).all()
    assert table[-1] == 1  # the next entry is 0: forgetting is never more than a 2^-32nd


def test_every_weight_is_the_rounded_power_of_two() -> None:
    # Half up of 2^32 * 2^(-age/180), checked without the table's own recipe: (w -+ 1/2)^180 brackets 2^(32*180-age).
    for age in (1, 2, 17, 90, 179, 181, 1_000, 3_333, 5_940):
        weight = int(SPEC_DECAY_1.memories[0].table[age])
        target = Fraction(2) ** (32 * 180 - age)
        assert (weight - Fraction(1, 2)) ** 180 <= target < (weight + Fraction(1, 2)) ** 180


def test_the_tables_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        SPEC_BOX.memories[0].table[0] = 1


def test_the_shares_weigh_one_hundred_points_in_all() -> None:
    assert SHARE_E6 == (10_000_000, 10_000_000, 15_000_000, 10_000_000, 5_000_000)
    assert len(INPUTS) == 10


@both
def test_nothing_is_level(methodology: Methodology) -> None:
    assert index_e6([0] * 10, methodology) == LEVEL_E6


def test_everything_for_one_side_is_the_end_of_the_scale_without_pseudo_counts() -> None:
    assert index_e6([WEIGHT_ONE, 0] * 5, SPEC_BOX) == MAX_E6
    assert index_e6([0, WEIGHT_ONE] * 5, SPEC_BOX) == 0


def test_one_cheap_shot_is_three_quarters_of_a_share_only_without_pseudo_counts() -> None:
    shot = [0, 0, WEIGHT_ONE, 0, 0, 0, 0, 0, 0, 0]
    assert index_e6(shot, SPEC_BOX) == 60_000_000
    assert index_e6(shot, SPEC_DECAY_1) == 50_000_000 + 10_000_000 // 3
    assert index_e6(shot, SPEC_DECAY) == 50_000_000 + 10_000_000 // 17


@both
@given(rows)
def test_swapping_the_sides_mirrors_the_index_exactly(methodology: Methodology, values: list[list[int]]) -> None:
    for row in values:
        assert index_e6(swapped(row), methodology) == MAX_E6 - index_e6(row, methodology)


@both
@given(rows)
def test_the_index_is_a_bounded_share_within_a_rounding_of_the_formula(
    methodology: Methodology, values: list[list[int]]
) -> None:
    for row in values:
        exact = Fraction(0)
        for j, share_e6 in enumerate(SHARE_E6):
            home, away = (v + methodology.pseudo[j] * WEIGHT_ONE for v in row[2 * j : 2 * j + 2])
            exact += 2 * share_e6 * (Fraction(home, home + away) if home + away else Fraction(1, 2))
        assert 0 <= index_e6(row, methodology) <= MAX_E6
        assert abs(index_e6(row, methodology) - exact) < 5


@both
@given(rows)
def test_the_vectorised_index_gives_the_same_integers(methodology: Methodology, values: list[list[int]]) -> None:
    assert index_e6_array(np.array(values, dtype=np.int64), methodology).tolist() == [
        index_e6(row, methodology) for row in values
    ]


def test_amounts_too_large_for_long_division_take_the_exact_road() -> None:
    row = [1 << 58, 3, 1 << 57, 1 << 58, 5, 0, 0, 7, 0, 0]
    assert index_e6_array(np.array([row], dtype=np.int64), SPEC_DECAY).tolist() == [index_e6(row, SPEC_DECAY)]


def test_the_inputs_hash_commits_to_methodology_inputs_and_feed() -> None:
    base = inputs_hash(SPEC_DECAY, range(10), bytes(32))
    others = {
        inputs_hash(SPEC_BOX, range(10), bytes(32)),
        inputs_hash(SPEC_DECAY, range(1, 11), bytes(32)),
        inputs_hash(SPEC_DECAY, range(10), bytes([1]) + bytes(31)),
    }
    assert len(base) == 32
    assert base not in others
    assert len(others) == 3
    assert math.prod(base) >= 0
