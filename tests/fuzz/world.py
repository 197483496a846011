"""The chain under test: every step is predicted by the ledger, sent, compared with it and checked."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from chain.clients import market, oracle, treasury
from tests.fuzz.ledger.books import Now
from tests.fuzz.ledger.rules import Refused
from tests.programs.market_base import events
from tests.programs.svm import ARTIFACTS, Chain, Rejected

SYSTEM_PROGRAM = Pubkey.default()
PROGRAMS = (oracle, market, treasury)
Rule = Callable[[], Mapping[str, Any] | None]
"""Predicts a step: raises `Refused`, or books it and returns what the first event must say."""
RETURNED = "return data"
"""Key under which a rule says which bytes the program must return."""
NEVER: dict[Pubkey, frozenset[int]] = {
    market.PROGRAM_ID: frozenset(
        {market.ErrorCode.INVARIANT_BROKEN, market.ErrorCode.OVERFLOW, market.ErrorCode.UNDERFLOW}
    ),
    oracle.PROGRAM_ID: frozenset({oracle.ErrorCode.BROKEN_INVARIANT}),
}


class Violation(AssertionError):  # noqa: N818 - the word of the trade
    """An invariant does not hold; the message carries the figures, ``invariant`` its name."""

    def __init__(self, invariant: str, message: str) -> None:
        self.invariant = invariant
        super().__init__(f"{invariant}: {message}")


class Books(Protocol):
    """What is compared and checked after a step: an exchange with its matches, or a treasury."""

    def before(self) -> None:
        """Remember what a step must not lower."""

    def read(self, touched: Sequence[Pubkey]) -> None:
        """Read the accounts a step could write."""

    def compare(self, touched: Sequence[Pubkey]) -> None:
        """Compare the accounts a step could write with the ledger."""

    def check(self, name: str) -> None:
        """Assert the invariants after the step `name`."""


def build_svm(folder: Path) -> LiteSVM:
    """Return an SVM with the programs of a folder."""
    svm = LiteSVM().with_transaction_history(0)
    for client in PROGRAMS:
        path = folder / f"{client.PROGRAM.name}.so"
        svm.add_program_from_file(client.PROGRAM_ID, path if path.exists() else ARTIFACTS / path.name)
    return svm


@dataclass
class World:
    """The chain, the random source and what has happened."""

    seed: int
    folder: Path = ARTIFACTS
    step: int = 0
    restart_slot: int = 0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    attacks: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    """Noteworthy outcomes, for instance how orders ended."""
    trail: deque[str] = field(default_factory=lambda: deque(maxlen=12))

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.keys = random.Random(self.seed ^ 0xF0F0)
        self.chain = Chain(build_svm(self.folder), self.key())
        self.fund(self.chain.payer.pubkey())
        self.thief = self.wallet()

    def key(self) -> Keypair:
        """Return a key that depends on the seed alone, so that addresses and their bumps repeat."""
        return Keypair.from_seed(self.keys.randbytes(32))

    def address(self) -> Pubkey:
        """Return an address that depends on the seed alone."""
        return self.key().pubkey()

    def wallet(self) -> Keypair:
        """Return a key with money for rent."""
        key = self.key()
        self.fund(key.pubkey())
        return key

    def fund(self, address: Pubkey) -> None:
        """Give an address all the lamports it can ever need: the faucet of the SVM runs dry."""
        self.chain.svm.set_account(address, Account(10**15, b"", SYSTEM_PROGRAM))

    def now(self) -> Now:
        """Return the cluster's time of the next step."""
        return Now(self.chain.unix_s, self.chain.slot, self.restart_slot)

    def restart(self) -> None:
        """Let the cluster have been restarted by hand at this slot: older samples count no more."""
        self.restart_slot = self.chain.slot
        self.chain.svm.set_last_restart_slot(self.restart_slot)

    def exists(self, address: Pubkey) -> bool:
        """Whether an account exists."""
        found = self.chain.svm.get_account(address)
        return found is not None and len(found.data) > 0

    def lamports(self, address: Pubkey) -> int:
        """Return the lamports of an account; 0 if there is none."""
        return self.chain.svm.get_balance(address) or 0

    def attempt(
        self,
        name: str,
        instructions: Instruction | Sequence[Instruction],
        signers: Sequence[Keypair],
        rule: Rule,
        books: Books | None,
        *,
        role: Keypair | None = None,
        breaks: str = "ledger",
        same_slot: bool = False,
    ) -> Any:
        """Do one step, perhaps in the slot of the last, and return its first event, or None when refused as predicted.

        ``role`` is the signer who alone may do it: now and then a thief takes its place first. ``breaks`` names the
        invariant that does not hold when the event says something else than the rule.
        """
        parts = [instructions] if isinstance(instructions, Instruction) else list(instructions)
        if not same_slot and self.rng.random() < 0.85:
            self.chain.clock(self.chain.unix_s)
        self._attack(name, parts, signers, role)
        self.step += 1
        self.trail.append(f"{self.step} {name}")
        if books is not None:
            books.before()
        expected: Mapping[str, Any] | None = None
        refusal: Refused | None = None
        try:
            expected = rule()
        except Refused as error:
            refusal = error
        before = self._bytes(parts) if refusal else {}
        try:
            meta = self.chain.send(parts, *signers)
        except Rejected as error:
            if refusal is None:
                raise Violation("ledger", f"{name} was refused although the rules allow it: {error}") from error
            if any(error.code in NEVER.get(part.program_id, ()) for part in parts):
                raise Violation(refusal.invariant, f"{name} reached error {error.code}") from error
            self._unchanged(name, before)
            self.refused[f"{name}: {refusal.why.split(' is ')[0]}"] += 1
            return None
        if refusal is not None:
            raise Violation(refusal.invariant, f"{name} was accepted although: {refusal.why}")
        found = events(meta)
        event = found[0] if found else None
        for part in parts:
            self.count(part)
        touched = list(dict.fromkeys(meta.pubkey for part in parts for meta in part.accounts if meta.is_writable))
        if books is not None:
            books.read(touched)
            books.check(name)
        self._as_told(name, expected or {}, event, meta, breaks)
        if books is not None:
            books.compare(touched)
        return event

    def _as_told(
        self, name: str, expected: Mapping[str, Any], event: Any, meta: TransactionMetadata, breaks: str
    ) -> None:
        """Compare what the program says with the rule's prediction."""
        for key, value in expected.items():
            if key == RETURNED:
                returned = bytes(meta.return_data().data)
                if returned != value:
                    raise Violation("I7", f"{name} returns {returned.hex()}, by the rules {value.hex()}")
                continue
            told = getattr(event, key, None)
            if told != value:
                raise Violation(breaks, f"{name} says {key} {told}, by the rules {value}; {event}")

    def count(self, instruction: Instruction) -> None:
        """Count a successful instruction by its name."""
        for client in PROGRAMS:
            if instruction.program_id == client.PROGRAM_ID:
                name = client.PROGRAM.decode_instruction(bytes(instruction.data))[0]
                self.done[f"{client.PROGRAM.name}.{name}"] += 1

    # --- attacks that must always fail -----------------------------------------------------------------------------

    def _attack(self, name: str, parts: list[Instruction], signers: Sequence[Keypair], role: Keypair | None) -> None:
        """Now and then send the step without a signature first, or with a thief's in the place of the right one."""
        if self.rng.random() < 0.08:
            owed = [key for key in signers if key != self.chain.payer]
            if owed:
                victim = self.rng.choice(owed)
                forged = [_unsigned(part, victim.pubkey()) for part in parts]
                self._must_fail(f"{name} without the signature", forged, [k for k in signers if k != victim])
        if role is not None and self.rng.random() < 0.08:
            forged = [_replaced(part, role.pubkey(), self.thief.pubkey()) for part in parts]
            self._must_fail(f"{name} by a thief", forged, [self.thief if key == role else key for key in signers])

    def _must_fail(self, what: str, parts: list[Instruction], signers: Sequence[Keypair]) -> None:
        before = self._bytes(parts)
        try:
            self.chain.send(parts, *signers)
        except Rejected:
            self._unchanged(what, before)
            self.attacks[what] += 1
            return
        raise Violation("signer", f"{what} was accepted")

    def _bytes(self, parts: Sequence[Instruction]) -> dict[Pubkey, bytes]:
        keys = {meta.pubkey for part in parts for meta in part.accounts if meta.is_writable}
        found = {key: self.chain.svm.get_account(key) for key in keys}
        return {key: bytes(account.data) for key, account in found.items() if account is not None}

    def _unchanged(self, what: str, before: Mapping[Pubkey, bytes]) -> None:
        """Assert I10."""
        for key, data in before.items():
            account = self.chain.svm.get_account(key)
            if (bytes(account.data) if account else b"") != data:
                raise Violation("I10", f"{what} failed, yet account {key} has changed")


def _unsigned(part: Instruction, victim: Pubkey) -> Instruction:
    metas = [AccountMeta(m.pubkey, m.is_signer and m.pubkey != victim, m.is_writable) for m in part.accounts]
    return Instruction(part.program_id, bytes(part.data), metas)


def _replaced(part: Instruction, victim: Pubkey, thief: Pubkey) -> Instruction:
    """Put the thief into the signing slots of ``victim``."""
    metas = [
        AccountMeta(thief if m.pubkey == victim and m.is_signer else m.pubkey, m.is_signer, m.is_writable)
        for m in part.accounts
    ]
    return Instruction(part.program_id, bytes(part.data), metas)
