"""What the RPC pool answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from solders.hash import Hash
from solders.pubkey import Pubkey


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A blockhash, the last block height at which it is accepted, and the slot it was read at."""

    blockhash: Hash
    last_valid_block_height: int
    slot: int


@dataclass(frozen=True, slots=True)
class AccountData:
    """An account as read at `slot`; balances in lamports."""

    address: Pubkey
    owner: Pubkey
    lamports: int
    data: bytes
    slot: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """A landed transaction: its slot, its error in JSON form (None: success) and how final it is."""

    slot: int
    err: Any
    commitment: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction would do; `return_data` of the last program that returned something."""

    err: Any
    logs: tuple[str, ...]
    units: int
    return_data: bytes
    slot: int
    accounts: tuple[AccountData | None, ...] = ()
