"""The reference tells every instruction, event and error, as the committed programs have them."""

from __future__ import annotations

import json

import pytest

from scripts import reference
from tests.programs.svm import ARTIFACTS


def test_the_reference_is_up_to_date() -> None:
    assert reference.PAGE.read_text() == reference.page(), "run python -m scripts.reference"


@pytest.mark.parametrize("program", reference.PROGRAMS)
def test_every_instruction_and_event_says_what_it_is_for(program: str) -> None:
    idl = json.loads((ARTIFACTS / f"{program}.json").read_text())
    types = {item["name"]: item for item in idl["types"]}
    silent = [item["name"] for item in idl["instructions"] if not item.get("docs")]
    silent += [item["name"] for item in idl.get("events", []) if not types[item["name"]].get("docs")]
    assert silent == []
    page = reference.page()
    named = [item["name"] for kind in ("instructions", "events", "errors") for item in idl.get(kind, [])]
    assert [name for name in named if f"`{name}`" not in page] == []
