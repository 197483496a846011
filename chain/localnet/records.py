"""What the ledger remembers about a landed transaction. Encoding happens when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

AnyMessage = Message | MessageV0


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """The token balance of one account of a transaction, in the mint's smallest unit."""

    account_index: int
    mint: Pubkey
    owner: Pubkey
    program_id: Pubkey
    amount: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Change:
    """One account that a transaction changed; None means it did not or does not exist."""

    address: Pubkey
    before: Account | None
    after: Account | None


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction that is part of the ledger, successful (`err` None) or failed.

    `keys` are all accounts in the order instructions index them: static, loaded writable, loaded readonly.
    Balances are lamports. `err` is the JSON form of the error. `unix_s` is match time in whole seconds.
    """

    signature: Signature
    slot: int
    unix_s: int
    wire: bytes
    err: Any
    meta: TransactionMetadata
    keys: tuple[Pubkey, ...]
    loaded_writable: int
    loaded_readonly: int
    pre_balances: tuple[int, ...]
    post_balances: tuple[int, ...]
    pre_tokens: tuple[TokenBalance, ...]
    post_tokens: tuple[TokenBalance, ...]

    def transaction(self) -> VersionedTransaction:
        """Decode the transaction from its wire bytes."""
        return VersionedTransaction.from_bytes(self.wire)

    def message(self) -> AnyMessage:
        """Decode the message of the transaction."""
        return message_of(self.transaction())


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a transaction would do now. `accounts` are the writable accounts afterwards."""

    err: Any
    meta: TransactionMetadata | None
    accounts: tuple[tuple[Pubkey, Account], ...]
    keys: tuple[Pubkey, ...]


class NotLandedError(Exception):
    """The transaction cannot become part of the ledger; `err` is the JSON form of the error."""

    def __init__(self, err: Any) -> None:
        super().__init__(str(err))
        self.err = err


def message_of(transaction: VersionedTransaction) -> AnyMessage:
    """Return the legacy or v0 message; raises `NotLandedError` for versions this cluster does not run."""
    message = transaction.message
    if not isinstance(message, Message | MessageV0):
        raise NotLandedError("UnsupportedVersion")
    return message
