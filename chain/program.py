"""What every generated client shares: the description of a program, its events and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from chain.codec import DecodeError, Struct

EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
"""First bytes of the inner instruction by which `emit_cpi!` records an event."""


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """A custom error of a program: its code, its name and what the user is told."""

    code: int
    name: str
    message: str


@dataclass(frozen=True)
class Program:
    """A program as its generated client describes it; the mappings are keyed by discriminator or error code."""

    name: str
    id: Pubkey
    instructions: Mapping[bytes, tuple[str, Struct[Any]]]
    accounts: Mapping[bytes, Struct[Any]]
    events: Mapping[bytes, Struct[Any]]
    errors: Mapping[int, ErrorInfo]

    def decode_event(self, data: bytes) -> Any | None:
        """Decode the data of an `emit_cpi!` inner instruction; None when it is not an event.

        Raises `DecodeError` for an event this client does not know: money must not be skipped in silence.
        """
        if not data.startswith(EVENT_TAG):
            return None
        found = _longest(self.events, data, len(EVENT_TAG))
        if found is None:
            raise DecodeError(f"{self.name}: unknown event {data[8:16].hex()}; the client is older than the program")
        length, codec = found
        return codec.decode(data, len(EVENT_TAG) + length)

    def decode_account(self, data: bytes) -> Any:
        """Decode any account of the program; raises `DecodeError` when it is none of them."""
        found = _longest(self.accounts, data, 0)
        if found is None:
            raise DecodeError(f"{self.name}: unknown account type {bytes(data[:8]).hex()}")
        length, codec = found
        return codec.decode(data, length)

    def decode_instruction(self, data: bytes) -> tuple[str, Any]:
        """Return name and arguments of an instruction; raises `DecodeError` when it is unknown."""
        found = _longest(self.instructions, data, 0)
        if found is None:
            raise DecodeError(f"{self.name}: unknown instruction {bytes(data[:8]).hex()}")
        length, (name, codec) = found
        return name, codec.decode(data, length)


def _longest(table: Mapping[bytes, Any], data: bytes, at: int) -> tuple[int, Any] | None:
    for length in sorted({len(key) for key in table}, reverse=True):
        value = table.get(bytes(data[at : at + length]))
        if value is not None:
            return length, value
    return None
