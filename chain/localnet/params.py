"""Reading JSON-RPC parameters: every wrong one becomes error -32602 with the reason."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from solders.hash import Hash
from solders.message import Message, MessageV0, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chain import base58
from chain.localnet.encode import ACCOUNT_ENCODINGS, TRANSACTION_ENCODINGS, Slice
from chain.localnet.errors import invalid_params

PACKET_BYTES = 1232
COMMITMENTS = ("processed", "confirmed", "finalized")
_MAX_U64 = (1 << 64) - 1


def pubkey(value: Any) -> Pubkey:
    """Return an address; raises `RpcError` with a node's words."""
    if not isinstance(value, str):
        raise invalid_params(f"invalid type: {_kind(value)}, expected a string")
    try:
        return Pubkey.from_string(value)
    except ValueError:
        reason = "WrongSize" if set(value) <= set(base58._ALPHABET) else "Invalid"
        raise invalid_params(f"Invalid param: {reason}") from None


def signature(value: Any) -> Signature:
    """Return a transaction signature."""
    if not isinstance(value, str):
        raise invalid_params(f"invalid type: {_kind(value)}, expected a string")
    try:
        return Signature.from_string(value)
    except ValueError:
        raise invalid_params("Invalid param: WrongSize") from None


def blockhash(value: Any) -> Hash:
    """Return a blockhash."""
    try:
        return Hash.from_string(value)
    except (TypeError, ValueError):
        raise invalid_params("Invalid param: Invalid") from None


def integer(value: Any, name: str, low: int = 0, high: int = _MAX_U64) -> int:
    """Return an integer in low..=high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid_params(f"Invalid params: {name} must be an integer from {low} to {high}")
    return value


def _kind(value: Any) -> str:
    return "null" if value is None else f"{type(value).__name__} `{value}`"


class Params:
    """The positional parameters of one request."""

    def __init__(self, values: Any) -> None:
        if values is None:
            values = []
        if not isinstance(values, list):
            raise invalid_params("`params` should be an array")
        self._values: list[Any] = values

    def get(self, index: int) -> Any:
        """Return a parameter, None when it is not there."""
        return self._values[index] if index < len(self._values) else None

    def need(self, index: int) -> Any:
        """Return a parameter that must be there."""
        if index >= len(self._values):
            raise invalid_params(f"`params` should have at least {index + 1} argument(s)")
        return self._values[index]

    def pubkey(self, index: int) -> Pubkey:
        """Return the address at `index`."""
        return pubkey(self.need(index))

    def config(self, index: int) -> Config:
        """Return the configuration object at `index`; an empty one when it is not there."""
        value = self.get(index)
        if value is None:
            return Config({})
        if not isinstance(value, dict):
            raise invalid_params(f"invalid type: {_kind(value)}, expected a configuration object")
        return Config(value)


class Config:
    """The configuration object most methods take last."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def get(self, name: str) -> Any:
        """Return an option, None when it is not set."""
        return self.values.get(name)

    def flag(self, name: str) -> bool:
        """Return a boolean option, False when it is not set."""
        value = self.values.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise invalid_params(f"Invalid params: {name} must be a boolean")
        return value

    def integer(self, name: str, default: int | None, high: int = _MAX_U64) -> int | None:
        """Return an unsigned option, `default` when it is not set."""
        value = self.values.get(name)
        return default if value is None else integer(value, name, 0, high)

    def commitment(self) -> str:
        """Return the commitment; nodes default to finalized."""
        value = self.values.get("commitment")
        if value is None:
            return "finalized"
        known = {"recent": "processed", "single": "confirmed", "singleGossip": "confirmed", "root": "finalized",
                 "max": "finalized"}  # fmt: skip
        value = known.get(value, value) if isinstance(value, str) else value
        if value not in COMMITMENTS:
            raise invalid_params(f"unknown variant `{value}`, expected one of `processed`, `confirmed`, `finalized`")
        return str(value)

    @property
    def finalized(self) -> bool:
        """Whether the request asks for the finalized state."""
        return self.commitment() == "finalized"

    def account_encoding(self, default: str = "binary") -> str:
        """Return the account encoding."""
        return self._choice("encoding", default, ACCOUNT_ENCODINGS)

    def transaction_encoding(self, default: str = "json") -> str:
        """Return the transaction encoding."""
        return self._choice("encoding", default, TRANSACTION_ENCODINGS)

    def _choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if value not in choices:
            expected = ", ".join(f"`{choice}`" for choice in choices)
            raise invalid_params(f"unknown variant `{value}`, expected one of {expected}")
        return str(value)

    def data_slice(self) -> Slice | None:
        """Return (offset, length) in bytes, None when the whole data is wanted."""
        value = self.values.get("dataSlice")
        if value is None:
            return None
        if not isinstance(value, dict):
            raise invalid_params("Invalid params: dataSlice must be an object")
        return integer(value.get("offset"), "dataSlice.offset"), integer(value.get("length"), "dataSlice.length")


def wire(value: Any, encoding: Any) -> bytes:
    """Return the bytes of an encoded transaction; refuses what does not fit in a packet."""
    encoding = "base58" if encoding in {None, "binary"} else encoding
    if not isinstance(value, str):
        raise invalid_params(f"invalid type: {_kind(value)}, expected a string")
    if encoding == "base64":
        limit = 1644
        try:
            data = base64.b64decode(value, validate=True) if len(value) <= limit else b""
        except (binascii.Error, ValueError):
            raise invalid_params("invalid base64 encoding") from None
    elif encoding == "base58":
        limit = 1683
        try:
            data = base58.decode(value) if len(value) <= limit else b""
        except ValueError:
            raise invalid_params("invalid base58 encoding") from None
    else:
        raise invalid_params(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    if len(value) > limit or len(data) > PACKET_BYTES:
        raise invalid_params(
            f"{encoding} encoded transaction too large: {len(value)} bytes (max: encoded/raw {limit}/{PACKET_BYTES})"
        )
    return data


def transaction(value: Any, encoding: Any) -> VersionedTransaction:
    """Return a decoded legacy or v0 transaction whose indexes are in range."""
    data = wire(value, encoding)
    try:
        decoded = VersionedTransaction.from_bytes(data)
        decoded.sanitize()
    except Exception as error:
        raise invalid_params(f"failed to deserialize transaction: {error}") from None
    if not isinstance(decoded.message, Message | MessageV0):
        raise invalid_params("invalid transaction: Transaction version is unsupported")
    return decoded


def message(value: Any) -> Message | MessageV0:
    """Return a decoded message (base64)."""
    try:
        decoded = from_bytes_versioned(base64.b64decode(value, validate=True))
    except Exception as error:
        raise invalid_params(f"failed to deserialize message: {error}") from None
    if not isinstance(decoded, Message | MessageV0):
        raise invalid_params("invalid message: version is unsupported")
    return decoded
