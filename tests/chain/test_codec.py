"""Codecs and base58 give back what they were given, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from chain import base58
from chain import codec as c
from chain.codec import DecodeError


@dataclass(frozen=True)
class Row:
    a: int
    b: bool
    key: Pubkey
    wide: int
    maybe: int | None
    many: tuple[int, ...]
    text: str
    fixed: bytes


ROW: c.Struct[Row] = c.Struct(
    Row,
    (
        ("a", c.U64),
        ("b", c.BOOL),
        ("key", c.KEY),
        ("wide", c.I128),
        ("maybe", c.Option(c.I32)),
        ("many", c.Vec(c.U16)),
        ("text", c.STRING),
        ("fixed", c.FixedBytes(3)),
    ),
)


@given(
    st.builds(
        Row,
        a=st.integers(0, 2**64 - 1),
        b=st.booleans(),
        key=st.binary(min_size=32, max_size=32).map(Pubkey.from_bytes),
        wide=st.integers(-(2**127), 2**127 - 1),
        maybe=st.none() | st.integers(-(2**31), 2**31 - 1),
        many=st.lists(st.integers(0, 2**16 - 1), max_size=5).map(tuple),
        text=st.text(max_size=10),
        fixed=st.binary(min_size=3, max_size=3),
    )
)
def test_a_struct_is_read_as_it_was_written_and_no_shorter(row: Row) -> None:
    data = ROW.encode(row)
    assert ROW.decode(data) == row
    assert ROW.decode(b"xx" + data, 2) == row
    with pytest.raises(DecodeError):
        ROW.decode(data[:-1])


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_read_but_never_crashes(data: bytes) -> None:
    try:
        row = ROW.decode(data)
    except DecodeError:
        return
    assert ROW.decode(ROW.encode(row)) == row


@given(st.binary(max_size=80), st.integers(0, 3))
def test_base58_gives_back_its_bytes_with_leading_zeros(data: bytes, zeros: int) -> None:
    data = bytes(zeros) + data
    assert base58.decode(base58.encode(data)) == data


@given(st.binary(min_size=32, max_size=32))
def test_base58_agrees_with_solders(data: bytes) -> None:
    assert base58.encode(data) == str(Pubkey.from_bytes(data))


def test_a_foreign_character_is_named() -> None:
    with pytest.raises(base58.Base58Error, match="'0'"):
        base58.decode("ab0")


@pytest.mark.parametrize(
    ("codec", "value", "message"),
    [
        (c.Array(c.U8, 3), (1, 2), "needs 3 items, got 2"),
        (c.NumpyArray("<u4", (2, 2)), np.zeros(4), r"needs an array of shape \(2, 2\)"),
        (c.DataEnum("Choice", ()), 5, "no variant of Choice"),
        (c.FixedBytes(2), b"abc", "needs 2 bytes, got 3"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(codec: Any, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        codec.write(value, bytearray())


@pytest.mark.parametrize(
    ("codec", "data", "message"),
    [
        (c.Option(c.U8), b"\x02", "starts with 0 or 1"),
        (c.Vec(c.U64), b"\xff\xff\xff\x7f", "does not fit"),
        (c.STRING, b"\x01\x00\x00\x00\xff", "not UTF-8"),
        (c.DataEnum("Choice", ()), b"\x01", "Choice has no variant 1"),
    ],
)
def test_wrong_data_are_refused(codec: Any, data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        codec.read(data, 0)


def test_arrays_share_the_bytes_they_were_read_from() -> None:
    data = np.arange(64, dtype="<u8").tobytes()
    array, end = c.NumpyArray("<u8", (8, 8)).read(data, 0)
    assert end == 512
    assert array[7, 7] == 63
    assert not array.flags.writeable
    assert not array.flags.owndata
