"""Wrong accounts for every slot of an instruction, generated from its IDL and from what is on the chain."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from solders.account import Account
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from tests.programs.negative.world import BOOKS, IDLS, IDS, World, definition

OWNER = "wrong owner"
TYPE = "wrong type"
OTHER = "wrong PDA"
SIGNATURE = "missing signature"
SIGNER = "wrong signer"
READONLY = "not writable"
DUPLICATE = "duplicate"
STRANGER = "stranger"
LEFT_OUT = "left out"
KINDS = (LEFT_OUT, OWNER, TYPE, OTHER, SIGNATURE, SIGNER, READONLY, DUPLICATE, STRANGER)

FOREIGN_PROGRAM = Pubkey.from_string("Fake111111111111111111111111111111111111111")
Type = tuple[Pubkey, bytes]


@dataclass(frozen=True)
class Substitution:
    """One wrong account: which slot, of which kind, and the account list. `forged` is an account that changes owner."""

    slot: str
    kind: str
    detail: str
    metas: Sequence[AccountMeta]
    forged: Pubkey | None = None


def type_of(account: Account) -> Type:
    """Return what tells accounts apart: owner and discriminator, or owner and length for tokens and mints."""
    data = bytes(account.data)
    return (account.owner, data[:8]) if account.owner in IDS.values() else (account.owner, bytes([len(data) % 251]))


def substitutions(world: World) -> Iterator[Substitution]:
    """Yield every wrong account list of the world's instruction."""
    for index, meta in enumerate(world.case.instruction.accounts):
        yield from flags(world, index, meta)
        yield from omission(world, index, meta)
        yield from aliases(world, index, meta)
        yield from strangers(world, index, meta)
        yield from others(world, index, meta)


def replaced(world: World, index: int, key: Pubkey) -> list[AccountMeta]:
    """Return the accounts with `key` in slot `index`, its flags unchanged."""
    metas = list(world.case.instruction.accounts)
    metas[index] = AccountMeta(key, metas[index].is_signer, metas[index].is_writable)
    return metas


def flags(world: World, index: int, meta: AccountMeta) -> Iterator[Substitution]:
    """Take the signature, or the permission to write, away."""
    slot, metas = world.slots[index], list(world.case.instruction.accounts)
    if meta.is_signer:
        metas[index] = AccountMeta(meta.pubkey, False, meta.is_writable)
        yield Substitution(slot, SIGNATURE, "does not sign", list(metas))
    if meta.is_writable:
        metas[index] = AccountMeta(meta.pubkey, meta.is_signer, False)
        yield Substitution(slot, READONLY, "read-only", list(metas))


def omission(world: World, index: int, meta: AccountMeta) -> Iterator[Substitution]:
    """Leave an optional account out: the program's own id stands for none."""
    declared, none = definition(world.name).accounts, world.case.instruction.program_id
    if index < len(declared) and declared[index].optional and meta.pubkey != none:
        metas = list(world.case.instruction.accounts)
        metas[index] = AccountMeta(none, False, False)
        yield Substitution(world.slots[index], LEFT_OUT, "none", metas)


def aliases(world: World, index: int, meta: AccountMeta) -> Iterator[Substitution]:
    """Put the key of each other slot in this one."""
    for other, name in zip(world.case.instruction.accounts, world.slots, strict=True):
        if other.pubkey != meta.pubkey and (not meta.is_signer or other.pubkey in world.keys):
            yield Substitution(world.slots[index], DUPLICATE, f"`{name}`", replaced(world, index, other.pubkey))


def strangers(world: World, index: int, meta: AccountMeta) -> Iterator[Substitution]:
    """Put a key there that nobody has seen, and every signature that can be had."""
    slot, mine = world.slots[index], {m.pubkey for m in world.case.instruction.accounts}
    if not meta.is_signer:
        yield Substitution(slot, STRANGER, "an unused address", replaced(world, index, Pubkey.new_unique()))
        yield Substitution(slot, STRANGER, "a wallet", replaced(world, index, world.stranger.pubkey()))
        return
    for key in world.keys:
        if key not in mine:
            whose = "the twin's wallet" if key in world.twin.chain.keys else "another wallet"
            whose = "a stranger" if key == world.stranger.pubkey() else whose
            yield Substitution(slot, SIGNER, whose, replaced(world, index, key))


def others(world: World, index: int, meta: AccountMeta) -> Iterator[Substitution]:
    """Put other accounts there: of another type, the same of someone else, the same bytes of another owner."""
    slot, svm = world.slots[index], world.case.chain.svm
    declared = definition(world.name).accounts
    if index < len(declared) and declared[index].address is not None:
        for name, program in IDS.items():
            yield Substitution(slot, OTHER, f"the {name} program", replaced(world, index, program))
        return
    mine = {m.pubkey for m in world.case.instruction.accounts}
    twin = world.twin.instruction.accounts
    if index < len(twin) and twin[index].pubkey not in mine and not meta.is_signer:
        yield Substitution(slot, OTHER, "the twin's", replaced(world, index, twin[index].pubkey))
    found = svm.get_account(meta.pubkey)
    own = type_of(found) if found is not None and found.owner in BOOKS else None
    seen: set[Type] = set()
    for key, account in world.start.items():
        if account.owner not in BOOKS or key in mine or meta.is_signer:
            continue
        kind = type_of(account)
        if kind == own:
            yield Substitution(slot, OTHER, f"another account of its type, {key}", replaced(world, index, key))
        elif kind not in seen:
            seen.add(kind)
            yield Substitution(slot, TYPE, describe(account), replaced(world, index, key))
    if own is not None and found is not None:
        forged = Pubkey.new_unique()
        svm.set_account(forged, Account(found.lamports, bytes(found.data), FOREIGN_PROGRAM))
        yield Substitution(slot, OWNER, "the same bytes elsewhere", replaced(world, index, forged))
        metas = replaced(world, index, meta.pubkey)
        yield Substitution(slot, OWNER, "the same address of another program", metas, forged=meta.pubkey)


def mixtures(world: World, limit: int = 256) -> Iterator[tuple[frozenset[str], list[AccountMeta]]]:
    """Yield account lists of which some slots come from the twin; all subsets or `limit` random ones."""
    mine, theirs = world.case.instruction.accounts, world.twin.instruction.accounts
    differ = [i for i in range(min(len(mine), len(theirs))) if mine[i].pubkey != theirs[i].pubkey]
    masks: Sequence[int] = range(1, 2 ** len(differ) - 1)
    if len(masks) > limit:
        masks = random.Random(world.name).sample(masks, limit)
    for mask in masks:
        taken = {index for bit, index in enumerate(differ) if mask >> bit & 1}
        metas = [theirs[i] if i in taken else meta for i, meta in enumerate(mine)]
        yield frozenset(world.slots[i] for i in taken), metas


def describe(account: Account) -> str:
    """Return the type of an account in words."""
    for name, program in IDS.items():
        if account.owner == program:
            known = {head: kind for kind, head in IDLS[name].accounts.items()}
            return f"{name}.{known.get(bytes(account.data[:8]), 'without discriminator')}"
    return f"a token program's account of {len(account.data)} bytes"


@contextmanager
def forgery(world: World, key: Pubkey | None) -> Iterator[None]:
    """Give an account to another program for a moment."""
    if key is None:
        yield
        return
    svm = world.case.chain.svm
    true = svm.get_account(key)
    assert true is not None
    svm.set_account(key, Account(true.lamports, bytes(true.data), FOREIGN_PROGRAM))
    yield
    now = svm.get_account(key)
    assert now is not None
    assert (now.data, now.lamports) == (true.data, true.lamports), f"{world.name}: wrote an account of another program"
    svm.set_account(key, true)
