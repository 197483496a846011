"""Every instruction has a valid transaction, and no wrong account in any slot of it is accepted."""

from __future__ import annotations

import pytest
from solders.instruction import AccountMeta

from tests.programs.negative import (  # noqa: F401 - they register scenes
    scenes_delegates,
    scenes_exchange,
    scenes_lifecycle,
    scenes_liquidity,
    scenes_market,
    scenes_oracle,
    scenes_registry,
    scenes_treasury,
)
from tests.programs.negative.allowed import ALLOWED, INDEPENDENT, REPEATABLE, reason
from tests.programs.negative.substitute import forgery, mixtures, substitutions
from tests.programs.negative.world import IDLS, SCENES, World, base

INSTRUCTIONS = sorted(f"{program}.{item.name}" for program, parsed in IDLS.items() for item in parsed.instructions)


def test_every_instruction_of_every_program_has_a_scene() -> None:
    missing, gone = sorted(set(INSTRUCTIONS) - set(SCENES)), sorted({base(name) for name in SCENES} - set(INSTRUCTIONS))
    assert not missing, "these have no scene, write one in negative/scenes_*.py: " + ", ".join(missing)
    assert not gone, "no program has these any more: " + ", ".join(gone)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_wrong_account_is_refused_and_changes_nothing(name: str) -> None:
    world = World.make(name)
    before, holes, used, tried = world.digest(), [], set(), 0
    for one in substitutions(world):
        tried += 1
        with forgery(world, one.forged):
            refused = world.attempt(one.metas)
        if refused is not None:
            continue
        world.restore()
        found = reason(name, one.slot, one.kind)
        if found is None:
            holes.append(f"{name}: slot `{one.slot}`: {one.kind} accepted: {one.detail}")
        else:
            used.add((found[0], one.kind))
    assert not holes, "\n".join(holes)
    assert world.digest() == before, f"{name}: a refused transaction changed an account (I10)"
    listed = {(key, kind) for key, (kinds, _) in ALLOWED.items() if key[0] == name for kind in kinds}
    assert listed <= used, f"ALLOWED names what is refused anyway: {sorted(listed - used)}"
    assert tried >= len(world.slots)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_the_scenes_own_transaction_is_valid_and_makes_no_account_twice(name: str) -> None:
    world = World.make(name)
    svm, keys = world.case.chain.svm, [meta.pubkey for meta in world.case.instruction.accounts]
    before = {key for key in keys if svm.get_account(key)}
    assert world.attempt() is None, f"{name}: the scene's own transaction must be valid"
    made = {slot for slot, key in zip(world.slots, keys, strict=True) if svm.get_account(key) and key not in before}
    if made and name not in REPEATABLE:
        state = world.digest()
        assert world.attempt() is not None, f"{name}: {sorted(made)} made a second time"
        assert world.digest() == state


@pytest.mark.parametrize("name", sorted(SCENES))
def test_accounts_of_two_venues_do_not_mix(name: str) -> None:
    world = World.make(name)
    before, holes = world.digest(), []
    accepted = set()
    for slots, metas in mixtures(world):
        if world.attempt(metas) is None:
            world.restore()
            accepted.add(slots)
    differ = {world.slots[i] for i, (mine, other) in enumerate(pairs(world)) if mine.pubkey != other.pubkey}
    free = {next(iter(slots)) for slots in accepted if len(slots) == 1} | INDEPENDENT.get(name, (frozenset(), ""))[0]
    free |= {slot for slot in differ if reason(name, slot, "wrong PDA") or reason(name, slot, "wrong signer")}
    for slots in accepted:
        if not (slots <= free or differ - slots <= free):
            holes.append(f"{name}: {sorted(slots)} of another venue accepted")
    assert not holes, "\n".join(sorted(holes))
    assert world.digest() == before, f"{name}: a refused transaction changed an account (I10)"


def pairs(world: World) -> list[tuple[AccountMeta, AccountMeta]]:
    """Return each slot's account with the twin's."""
    return list(zip(world.case.instruction.accounts, world.twin.instruction.accounts, strict=False))
