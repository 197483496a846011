"""Accounts are laid out as committed; accounts that live long only ever grow."""

from __future__ import annotations

import copy

from tests.programs.negative.layouts import DISCRIMINATOR, RUST, broken, committed, layouts, rust


def test_every_account_has_the_committed_layout() -> None:
    table, now = committed(), layouts()
    changed = [name for name in table.keys() | now.keys() if table.get(name) != now.get(name)]
    assert not changed, f"{sorted(changed)}: if this is wanted, run `python -m tests.programs.negative.layouts`"


def test_the_compiler_is_asked_for_the_same_layout() -> None:
    assert RUST.read_text() == rust(layouts()), "run `python -m tests.programs.negative.layouts`"


def test_fields_follow_each_other_without_a_gap_and_the_version_stands_first() -> None:
    for name, layout in layouts().items():
        at = DISCRIMINATOR
        for field, (offset, size) in layout["fields"].items():
            assert offset == at, f"{name}.{field} is at {offset}, not at {at}"
            at += size
        assert at == layout["size"], f"{name} has {layout['size'] - at} bytes without a name"
        assert layout["fields"]["version"] == [DISCRIMINATOR, 1], name


def test_discriminators_are_different() -> None:
    heads = [layout["discriminator"] for layout in layouts().values()]
    assert len(set(heads)) == len(heads)


def test_a_moved_field_of_a_long_lived_account_is_noticed() -> None:
    table = committed()
    moved, shorter, longer = (copy.deepcopy(table) for _ in range(3))
    moved["market.Pool"]["fields"]["cash_e6"][0] += 8
    shorter["market.Margin"]["size"] -= 8
    longer["market.Exchange"]["fields"]["new"] = [longer["market.Exchange"]["size"], 8]
    longer["market.Exchange"]["size"] += 8
    assert broken(table, moved) == ["market.Pool.cash_e6 moved from [112, 8] to [120, 8]"]
    assert broken(table, shorter) == ["market.Margin shrank or has another discriminator"]
    assert broken(table, longer) == []
