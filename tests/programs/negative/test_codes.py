"""Every error code of every program is reached by name, or listed as unreachable with the reason."""

from __future__ import annotations

import pytest

from tests.programs.negative.codes import REACHED, SPOILED, UNREACHABLE
from tests.programs.negative.reaching import reached
from tests.programs.negative.world import IDLS, PROGRAMS

OVERWRITTEN = [(program, name) for program in PROGRAMS for name in sorted(SPOILED[program])]
CODES = [(program, name) for program in PROGRAMS for name in sorted(REACHED[program])]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_code_is_either_reached_or_explained(program: str) -> None:
    codes = {error.name for error in IDLS[program].errors}
    reachable, explained = set(REACHED[program]), set(UNREACHABLE[program])
    assert not reachable & explained
    assert codes - reachable - explained == set(), "add these to negative/codes.py"
    assert (reachable | explained) - codes == set(), "the program has these no more"
    assert 20 * len(explained) <= len(codes)
    assert all(UNREACHABLE[program].values())
    assert explained == set(SPOILED[program])


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_message_says_what_is_wrong_in_a_sentence(program: str) -> None:
    messages = [error.message for error in IDLS[program].errors]
    assert all(text[:1].isupper() and text.endswith(".") for text in messages)
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize(("program", "name"), CODES)
def test_the_code_is_reached(program: str, name: str) -> None:
    assert f"{program}.{name}" in reached(REACHED[program][name])


@pytest.mark.parametrize(("program", "name"), OVERWRITTEN)
def test_a_code_that_no_transaction_produces_meets_overwritten_bytes(program: str, name: str) -> None:
    assert f"{program}.{name}" in reached(SPOILED[program][name])
