"""A small chain in this process: LiteSVM with the committed programs, a clock in match time and named errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from solders.account import Account
from solders.clock import Clock
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

ARTIFACTS = Path(__file__).parents[2] / "programs" / "artifacts"
BUDGET_UNITS = 150
"""What setting a limit costs."""
MEASURED = 40_000
"""Limit of a transaction whose cost is looked at: nothing here may need more."""
START_UNIX_S = 1_750_000_000


class Rejected(Exception):  # noqa: N818 - it reads well in `pytest.raises(Rejected)`
    """A transaction failed; `code` is the program's error number, if it gave one."""

    def __init__(self, meta: FailedTransactionMetadata) -> None:
        self.error = meta.err()
        inner = getattr(self.error, "err", self.error)
        inner = inner() if callable(inner) else inner
        code = getattr(inner, "code", None)
        self.code: int | None = code if isinstance(code, int) else None
        super().__init__(f"{self.error}\n" + "\n".join(meta.meta().logs()))


@dataclass
class Chain:
    """LiteSVM, a fee payer and the clock."""

    svm: LiteSVM = field(default_factory=LiteSVM)
    payer: Keypair = field(default_factory=Keypair)
    unix_s: int = START_UNIX_S
    slot: int = 1
    keys: dict[Pubkey, Keypair] = field(default_factory=dict)
    """Every key that has been made here or has signed."""
    unit_limit: int | None = None
    """Limit in compute units that every transaction carries; None: the cluster's default."""

    def __post_init__(self) -> None:
        self.svm.airdrop(self.payer.pubkey(), 1_000_000_000_000)
        self.keys[self.payer.pubkey()] = self.payer
        self.clock(self.unix_s)

    def load(self, program: Pubkey, name: str) -> None:
        """Load a committed program."""
        self.svm.add_program_from_file(program, ARTIFACTS / f"{name}.so")

    def clock(self, unix_s: int) -> None:
        """Set the cluster's time and go to the next slot."""
        self.unix_s, self.slot = unix_s, self.slot + 1
        old = self.svm.get_clock()
        self.svm.set_clock(Clock(self.slot, old.epoch_start_timestamp, old.epoch, old.leader_schedule_epoch, unix_s))

    def wallet(self) -> Keypair:
        """Return a new key with 10 SOL."""
        key = Keypair()
        self.svm.airdrop(key.pubkey(), 10_000_000_000)
        self.keys[key.pubkey()] = key
        return key

    def send(self, instructions: Sequence[Instruction] | Instruction, *signers: Keypair) -> TransactionMetadata:
        """Send one transaction paid by `payer`; raises `Rejected`."""
        if isinstance(instructions, Instruction):
            instructions = [instructions]
        if self.unit_limit is not None:
            instructions = [set_compute_unit_limit(self.unit_limit + BUDGET_UNITS), *instructions]
        self.svm.expire_blockhash()
        message = Message(list(instructions), self.payer.pubkey())
        unique = {key.pubkey(): key for key in (self.payer, *signers)}
        self.keys |= unique
        result = self.svm.send_transaction(Transaction(list(unique.values()), message, self.svm.latest_blockhash()))
        if isinstance(result, FailedTransactionMetadata):
            raise Rejected(result)
        return result

    def cu(self, instructions: Sequence[Instruction] | Instruction, *signers: Keypair, limit: int = MEASURED) -> int:
        """Send under `limit` and return the compute units consumed, those of setting the limit left out."""
        with self.limited(limit):
            return self.send(instructions, *signers).compute_units_consumed() - BUDGET_UNITS

    @contextmanager
    def limited(self, units: int) -> Iterator[None]:
        """Let every transaction carry this limit: whoever needs more fails."""
        before, self.unit_limit = self.unit_limit, units
        try:
            yield
        finally:
            self.unit_limit = before

    def account(self, address: Pubkey) -> Account:
        """Return an account that must exist."""
        found = self.svm.get_account(address)
        assert found is not None, f"no account {address}"
        return found

    def data(self, address: Pubkey) -> bytes:
        """Return the bytes of an account that must exist."""
        return bytes(self.account(address).data)
