"""Little-endian codecs the generated clients are made of: Borsh, and memory layouts without padding.

Both agree on fixed-size data because `Pod` forbids padding. Consecutive scalars of a struct are read by one
`struct.Struct`; long arrays of memory layouts become NumPy arrays that share the bytes they were read from.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from solders.pubkey import Pubkey

T = TypeVar("T")


class DecodeError(ValueError):
    """The bytes are not what the layout says; the message names type and place."""


class Codec(Protocol):
    """Reads and writes one type. `size` is its length in bytes, None when it varies."""

    @property
    def size(self) -> int | None:
        """Bytes one value takes; None when that depends on the value."""

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the value at offset `at` and the offset behind it."""

    def write(self, value: Any, out: bytearray) -> None:
        """Append the value."""


class Scalar:
    """A number or bool in one `struct` code."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._struct = struct.Struct("<" + code)
        self.size = self._struct.size

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the number and the offset behind it."""
        return self._struct.unpack_from(data, at)[0], at + self.size

    def write(self, value: Any, out: bytearray) -> None:
        """Append the number; raises `struct.error` when it does not fit."""
        out += self._struct.pack(value)


class WideInt:
    """An integer of 128 or 256 bits."""

    def __init__(self, size: int, *, signed: bool) -> None:
        self.size = size
        self._signed = signed

    def read(self, data: bytes, at: int) -> tuple[int, int]:
        """Return the integer and the offset behind it."""
        raw = _take(data, at, self.size)
        return int.from_bytes(raw, "little", signed=self._signed), at + self.size

    def write(self, value: int, out: bytearray) -> None:
        """Append the integer; raises `OverflowError` when it does not fit."""
        out += value.to_bytes(self.size, "little", signed=self._signed)


class FixedBytes:
    """`[u8; N]` as `bytes`."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Return the bytes and the offset behind them."""
        return bytes(_take(data, at, self.size)), at + self.size

    def write(self, value: bytes, out: bytearray) -> None:
        """Append exactly `size` bytes."""
        if len(value) != self.size:
            raise ValueError(f"needs {self.size} bytes, got {len(value)}")
        out += value


class Key:
    """A 32-byte address."""

    size = 32

    def read(self, data: bytes, at: int) -> tuple[Pubkey, int]:
        """Return the address and the offset behind it."""
        return Pubkey.from_bytes(bytes(_take(data, at, 32))), at + 32

    def write(self, value: Pubkey, out: bytearray) -> None:
        """Append the address."""
        out += bytes(value)


class Array:
    """`[T; N]` as a tuple."""

    def __init__(self, item: Codec, length: int) -> None:
        self._item, self._length = item, length
        self.size = None if item.size is None else item.size * length

    def read(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        """Return the items and the offset behind them."""
        items = []
        for _ in range(self._length):
            value, at = self._item.read(data, at)
            items.append(value)
        return tuple(items), at

    def write(self, value: Sequence[Any], out: bytearray) -> None:
        """Append exactly N items."""
        if len(value) != self._length:
            raise ValueError(f"needs {self._length} items, got {len(value)}")
        for item in value:
            self._item.write(item, out)


class NumpyArray:
    """`[T; N]` of fixed-size T as a read-only NumPy array over the same bytes."""

    def __init__(self, dtype: Any, shape: tuple[int, ...]) -> None:
        self.dtype = np.dtype(dtype)
        self._shape = shape
        self._count = int(np.prod(shape))
        self.size = self.dtype.itemsize * self._count

    def read(self, data: bytes, at: int) -> tuple[np.ndarray[Any, Any], int]:
        """Return the array and the offset behind it."""
        _take(data, at, self.size)
        array: np.ndarray[Any, Any] = np.frombuffer(data, self.dtype, self._count, at)
        return array.reshape(self._shape), at + self.size

    def write(self, value: Any, out: bytearray) -> None:
        """Append the array."""
        array = np.ascontiguousarray(value, dtype=self.dtype)
        if array.shape != self._shape:
            raise ValueError(f"needs an array of shape {self._shape}, got {array.shape}")
        out += array.tobytes()


class Vec:
    """`Vec<T>`: a u32 length, then the items."""

    size = None

    def __init__(self, item: Codec) -> None:
        self._item = item

    def read(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        """Return the items and the offset behind them."""
        count, at = U32.read(data, at)
        if self._item.size and count * self._item.size > len(data) - at:
            raise DecodeError(f"a vector of {count} items does not fit in {len(data) - at} bytes")
        return Array(self._item, count).read(data, at)

    def write(self, value: Sequence[Any], out: bytearray) -> None:
        """Append length and items."""
        U32.write(len(value), out)
        Array(self._item, len(value)).write(value, out)


class Option:
    """`Option<T>`: one byte 0 or 1, then the value."""

    size = None

    def __init__(self, item: Codec) -> None:
        self._item = item

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the value or None and the offset behind it."""
        tag, at = U8.read(data, at)
        if tag > 1:
            raise DecodeError(f"an option starts with 0 or 1, not {tag}")
        return self._item.read(data, at) if tag else (None, at)

    def write(self, value: Any, out: bytearray) -> None:
        """Append the value or None."""
        U8.write(0 if value is None else 1, out)
        if value is not None:
            self._item.write(value, out)


class Blob:
    """Bytes or text with a u32 length."""

    size = None

    def __init__(self, *, text: bool) -> None:
        self._text = text

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the bytes or text and the offset behind them."""
        length, at = U32.read(data, at)
        raw = bytes(_take(data, at, length))
        try:
            return (raw.decode() if self._text else raw), at + length
        except UnicodeDecodeError as error:
            raise DecodeError(f"text is not UTF-8: {error}") from None

    def write(self, value: Any, out: bytearray) -> None:
        """Append length and bytes."""
        raw = value.encode() if self._text else value
        U32.write(len(raw), out)
        out += raw


class UnitEnum:
    """An enum without data as an `IntEnum`: one byte."""

    size = 1

    def __init__(self, cls: Any) -> None:
        self._cls = cls

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the member and the offset behind it."""
        tag, at = U8.read(data, at)
        try:
            return self._cls(tag), at
        except ValueError:
            raise DecodeError(f"{self._cls.__name__} has no variant {tag}") from None

    def write(self, value: Any, out: bytearray) -> None:
        """Append the member."""
        U8.write(int(value), out)


class DataEnum:
    """An enum with data: one byte, then the struct of the variant."""

    size = None

    def __init__(self, name: str, variants: Sequence[Struct[Any]]) -> None:
        self._name, self._variants = name, variants

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the variant's value and the offset behind it."""
        tag, at = U8.read(data, at)
        if tag >= len(self._variants):
            raise DecodeError(f"{self._name} has no variant {tag}")
        value, at = self._variants[tag].read(data, at)
        return value, at

    def write(self, value: Any, out: bytearray) -> None:
        """Append the tag and the variant."""
        for tag, variant in enumerate(self._variants):
            if isinstance(value, variant.cls):
                U8.write(tag, out)
                variant.write(value, out)
                return
        raise ValueError(f"{value!r} is no variant of {self._name}")


class Struct(Generic[T]):
    """A dataclass `cls` whose fields stand one after the other."""

    def __init__(self, cls: type[T], fields: Sequence[tuple[str, Codec]]) -> None:
        self.cls = cls
        self._fields = tuple(fields)
        sizes = [codec.size for _, codec in fields]
        self.size = None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)
        self._runs = _runs(fields)

    def read(self, data: bytes, at: int) -> tuple[T, int]:
        """Return the value at `at` and the offset behind it."""
        values: dict[str, Any] = {}
        for names, reader in self._runs:
            if isinstance(reader, struct.Struct):
                values.update(zip(names, reader.unpack_from(data, at), strict=True))
                at += reader.size
            else:
                values[names[0]], at = reader.read(data, at)
        return self.cls(**values), at

    def write(self, value: Any, out: bytearray) -> None:
        """Append every field."""
        for name, codec in self._fields:
            try:
                codec.write(getattr(value, name), out)
            except (struct.error, OverflowError, ValueError, TypeError) as error:
                raise ValueError(f"{self.cls.__name__}.{name}: {error}") from error

    def decode(self, data: bytes, at: int = 0) -> T:
        """Return the value at `at`; raises `DecodeError` when the data are too short or wrong."""
        try:
            return self.read(data, at)[0]
        except struct.error as error:
            raise DecodeError(f"{self.cls.__name__}: {error}") from None
        except DecodeError as error:
            raise DecodeError(f"{self.cls.__name__}: {error}") from None

    def encode(self, value: T) -> bytes:
        """Return the bytes of `value`; raises `ValueError` naming the field that does not fit."""
        out = bytearray()
        self.write(value, out)
        return bytes(out)

    def decode_account(self, data: bytes, discriminator: bytes) -> T:
        """Return an account's value; raises `DecodeError` when it is another account or shorter."""
        if data[: len(discriminator)] != discriminator:
            found = bytes(data[: len(discriminator)]).hex() or "no data"
            raise DecodeError(f"not a {self.cls.__name__} account: it starts with {found}")
        return self.decode(data, len(discriminator))


def _runs(fields: Sequence[tuple[str, Codec]]) -> list[tuple[tuple[str, ...], Any]]:
    """Join neighbouring scalars into one `struct.Struct`."""
    runs: list[tuple[tuple[str, ...], Any]] = []
    names: list[str] = []
    codes = ""
    for name, codec in fields:
        if isinstance(codec, Scalar):
            names.append(name)
            codes += codec.code
            continue
        if names:
            runs.append((tuple(names), struct.Struct("<" + codes)))
            names, codes = [], ""
        runs.append(((name,), codec))
    if names:
        runs.append((tuple(names), struct.Struct("<" + codes)))
    return runs


def _take(data: bytes, at: int, size: int) -> bytes:
    raw = data[at : at + size]
    if len(raw) != size:
        raise DecodeError(f"needs {size} bytes at offset {at}, there are {len(raw)}")
    return raw


BOOL, F32, F64 = Scalar("?"), Scalar("f"), Scalar("d")
U8, U16, U32, U64 = Scalar("B"), Scalar("H"), Scalar("I"), Scalar("Q")
I8, I16, I32, I64 = Scalar("b"), Scalar("h"), Scalar("i"), Scalar("q")
U128, I128 = WideInt(16, signed=False), WideInt(16, signed=True)
U256, I256 = WideInt(32, signed=False), WideInt(32, signed=True)
KEY, BYTES, STRING = Key(), Blob(text=False), Blob(text=True)
