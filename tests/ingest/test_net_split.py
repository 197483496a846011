"""JSON objects out of a stream cut anywhere."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.net.split import Splitter

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just('}{"\\'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), max_size=8)


def split(stream: bytes, cuts: list[int], limit: int = 10**6) -> tuple[list[Any], Splitter]:
    """Feed the stream cut at those places."""
    splitter = Splitter(limit)
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    found = [m for a, b in itertools.pairwise(places) for m in splitter.feed(stream[a:b])]
    return [json.loads(m) for m in found], splitter


@given(OBJECTS, st.sampled_from(["\n", "", "\r\n", " ", "\x1e", ",\n"]), st.booleans(), st.lists(st.integers(0, 10**6)))
def test_objects_come_out_as_they_went_in_however_they_are_cut(
    objects: list[Any], between: str, pretty: bool, cuts: list[int]
) -> None:
    stream = between.join(json.dumps(doc, indent=3 if pretty else None) for doc in objects).encode()
    found, splitter = split(stream, cuts)
    assert found == objects
    assert splitter.dropped == 0
    assert not splitter.pending()


@given(OBJECTS, st.integers(0, 10**6), st.lists(st.integers(0, 10**6)))
def test_an_object_too_large_is_dropped_and_the_next_ones_come(objects: list[Any], at: int, cuts: list[int]) -> None:
    large = {"x": "y" * 3_000, "z": {"a": ["}"] * 200}}
    at %= len(objects) + 1
    stream = "\n".join(json.dumps(doc) for doc in [*objects[:at], large, *objects[at:]]).encode()
    found, splitter = split(stream, cuts, limit=2_000)
    assert found == objects
    assert splitter.dropped == 1


@given(OBJECTS, st.integers(1, 30), st.lists(st.integers(0, 10**6)))
def test_an_object_cut_off_in_a_string_costs_no_other_line(objects: list[Any], length: int, cuts: list[int]) -> None:
    broken = '{"key":"' + "v" * length
    stream = (broken + "\n" + "\n".join(json.dumps(doc) for doc in objects)).encode()
    found, splitter = split(stream, cuts)
    assert found == objects
    assert splitter.dropped == 1


@given(OBJECTS, VALUES, st.integers(0, 10**6), st.lists(st.integers(0, 10**6)))
@example([{}], "\x1f", 9, [])  # cut behind a backslash
def test_an_object_cut_off_anywhere_costs_no_other_line(
    objects: list[Any], value: Any, at: int, cuts: list[int]
) -> None:
    whole = json.dumps({"key": value, "list": [{"a": 1}, 2]})
    broken = whole[: 1 + at % (len(whole) - 1)]
    stream = (broken + "\n" + "\n".join(json.dumps(doc) for doc in objects)).encode()
    found, splitter = split(stream, cuts)
    assert found == objects
    assert splitter.dropped + splitter.pending() == 1


@given(st.binary(max_size=3_000), st.lists(st.integers(0, 10**6), max_size=20))
def test_any_bytes_are_read_without_growing_beyond_the_limit(noise: bytes, cuts: list[int]) -> None:
    splitter = Splitter(200)
    places = sorted({cut % (len(noise) + 1) for cut in cuts} | {0, len(noise)})
    for a, b in itertools.pairwise(places):
        for message in splitter.feed(noise[a:b]):
            assert len(message) <= 200
        assert len(splitter._buffer) <= 200 + (b - a)


def test_an_object_that_never_closes_ends_at_the_next_line_that_starts_with_a_brace() -> None:
    splitter = Splitter(50)
    assert splitter.feed(b'{"a":[{' + b"1," * 100 + b"\n") == []
    assert splitter.feed(b'{"b":1}\n{"c":2}') == [b'{"b":1}', b'{"c":2}']
    assert splitter.dropped == 1


def test_noise_between_objects_is_counted() -> None:
    splitter = Splitter()
    assert splitter.feed(b'HTTP error {"a":1}') == [b'{"a":1}']
    assert splitter.dropped == 1
