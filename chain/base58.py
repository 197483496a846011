"""Base58 (Bitcoin alphabet) as Solana's JSON-RPC uses it for keys, signatures and short data.

Works ten digits at a time: Python's big integers then do the arithmetic in C.
"""

from __future__ import annotations

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {char: value for value, char in enumerate(_ALPHABET)}
_CHUNK = 10
_BASE = 58**_CHUNK


class Base58Error(ValueError):
    """The text holds a character outside the base58 alphabet."""


def encode(data: bytes) -> str:
    """Return `data` as base58 text; each leading zero byte becomes one leading `1`."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    chunks: list[str] = []
    while number:
        number, rest = divmod(number, _BASE)
        digits = ""
        for _ in range(_CHUNK):
            rest, digit = divmod(rest, 58)
            digits = _ALPHABET[digit] + digits
        chunks.append(digits)
    return "1" * zeros + "".join(reversed(chunks)).lstrip("1")


def decode(text: str) -> bytes:
    """Return the bytes behind base58 `text`; raises `Base58Error` on a foreign character."""
    number = 0
    try:
        for start in range(0, len(text), _CHUNK):
            part = text[start : start + _CHUNK]
            value = 0
            for char in part:
                value = value * 58 + _DIGIT[char]
            number = number * 58 ** len(part) + value
    except KeyError as error:
        raise Base58Error(f"not a base58 character: {error.args[0]!r}") from None
    zeros = len(text) - len(text.lstrip("1"))
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return b"\0" * zeros + body
