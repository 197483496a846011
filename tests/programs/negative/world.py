"""A prepared chain with one valid transaction, and a parallel venue on the same chain to take wrong accounts from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from chain import idl
from tests.programs.svm import ARTIFACTS, Chain

PROGRAMS = ("oracle", "market", "treasury")
IDLS = {name: idl.parse((Path(ARTIFACTS) / f"{name}.json").read_text()) for name in PROGRAMS}
IDS = {name: Pubkey.from_string(parsed.address) for name, parsed in IDLS.items()}
TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
SYSTEM_PROGRAM = Pubkey.default()
BOOKS = (*IDS.values(), TOKEN_PROGRAM)
"""Owners of the accounts that hold anything worth stealing."""

RUNTIME = ("TransactionErrorInstructionError", "TransactionErrorInsufficientFundsForRent")
"""How errors begin that come from running the instructions, not from the envelope around them."""


@dataclass
class Case:
    """A chain on which `instruction` is valid now. `before` runs in front of it in the same transaction."""

    chain: Chain
    instruction: Instruction
    before: Sequence[Instruction] = ()
    after: Sequence[Instruction] = ()


Scene = Callable[[], Case]
SCENES: dict[str, Scene] = {}
"""Every scene by `program.instruction`; `negative/test_scenes.py` fails when an instruction has none."""


def scene(name: str) -> Callable[[Scene], Scene]:
    """Register a function as the scene of an instruction."""

    def register(function: Scene) -> Scene:
        assert name not in SCENES, f"{name} has two scenes"
        SCENES[name] = function
        return function

    return register


def base(name: str) -> str:
    """Return `program.instruction` of a scene, which may be called `market.submit_order (delegate)`."""
    return name.split(" ", maxsplit=1)[0]


def definition(name: str) -> idl.InstructionDef:
    """Return what the IDL says about `program.instruction`."""
    program, instruction = base(name).split(".")
    return next(item for item in IDLS[program].instructions if item.name == instruction)


@dataclass
class World:
    """A case, the same case of other people on the same chain (`twin`), and what both hold."""

    name: str
    case: Case
    twin: Case
    relayer: Keypair
    """Pays every fee and is in no slot."""
    stranger: Keypair
    """Signs where nobody expects it."""
    slots: list[str] = field(default_factory=list)
    keys: dict[Pubkey, Keypair] = field(default_factory=dict)
    start: dict[Pubkey, Account] = field(default_factory=dict)

    @staticmethod
    def make(name: str) -> World:
        """Build the scene twice and carry the second one's accounts over to the first one's chain."""
        case, twin = SCENES[name](), SCENES[name]()
        world = World(name, case, twin, case.chain.wallet(), case.chain.wallet())
        accounts = definition(name).accounts
        rest = len(case.instruction.accounts) - len(accounts)
        world.slots = [item.name for item in accounts] + [f"rest {i}" for i in range(rest)]
        world.keys = twin.chain.keys | case.chain.keys
        assert set(twin.chain.keys).isdisjoint(case.chain.keys), f"{name}: its keys must be new in every scene"
        for key in (*twin.chain.keys, *(meta.pubkey for meta in twin.instruction.accounts)):
            found = twin.chain.svm.get_account(key)
            if found is not None and not found.executable and case.chain.svm.get_account(key) is None:
                case.chain.svm.set_account(key, found)
        for owner in BOOKS:
            for key, account in twin.chain.svm.get_program_accounts(owner):
                case.chain.svm.set_account(key, account)
        world.start = world.dump()
        case.chain.svm.with_sigverify(False)
        return world

    def dump(self) -> dict[Pubkey, Account]:
        """Return every account of the programs and of the token program, and every wallet but the relayer's."""
        svm = self.case.chain.svm
        found = {key: account for owner in BOOKS for key, account in svm.get_program_accounts(owner)}
        touched = [*self.keys, *(meta.pubkey for meta in self.case.instruction.accounts)]
        for key in touched:
            account = svm.get_account(key)
            if key != self.relayer.pubkey() and account is not None and not account.executable:
                found[key] = account
        return found

    def digest(self) -> bytes:
        """Return a hash of `dump()`."""
        digest = hashlib.sha256()
        for key, account in sorted(self.dump().items(), key=lambda item: bytes(item[0])):
            digest.update(bytes(key) + bytes(account.owner) + account.lamports.to_bytes(8, "little") + account.data)
        return digest.digest()

    def restore(self) -> None:
        """Undo what an accepted transaction did."""
        now = self.dump()
        for key in now.keys() | self.start.keys():
            if now.get(key) != self.start.get(key):
                self.case.chain.svm.set_account(key, self.start.get(key, Account(0, b"", SYSTEM_PROGRAM)))

    def attempt(self, metas: Sequence[AccountMeta] | None = None) -> str | None:
        """Send the case with other accounts, paid by the relayer; return None when accepted, else the error.

        Signatures are not verified: programs see who must sign, and nobody here has the key of an executor.
        """
        result = self.send(metas)
        if not isinstance(result, FailedTransactionMetadata):
            return None
        error = str(result.err())
        assert error.startswith(RUNTIME), f"{self.name}: no program ran: {error}"
        return error

    def send(self, metas: Sequence[AccountMeta] | None = None) -> TransactionMetadata | FailedTransactionMetadata:
        """Send the case, with other accounts if given."""
        ix = self.case.instruction
        if metas is not None:
            ix = Instruction(ix.program_id, bytes(ix.data), list(metas))
        every = [*self.case.before, ix, *self.case.after]
        svm = self.case.chain.svm
        svm.expire_blockhash()
        message = Message.new_with_blockhash(every, self.relayer.pubkey(), svm.latest_blockhash())
        signed = [Signature.new_unique() for _ in range(message.header.num_required_signatures)]
        return svm.send_transaction(Transaction.populate(message, signed))
