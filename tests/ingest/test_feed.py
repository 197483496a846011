from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ingest.events import FeedError
from ingest.feed import FeedHeader, FeedMessage, feed_digest, genesis, parse_header, read_feed, write_feed

HEADER = FeedHeader.make("statsperform", "m1", 1_631_385_000_000, 7, {"id": "m1"})
MESSAGES = [FeedMessage.make(10, {"a": 1}), FeedMessage.make(20, {"b": "é"})]


def test_a_written_feed_reads_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    write_feed(path, HEADER, MESSAGES)
    header, messages = read_feed(path)
    assert header == HEADER
    assert messages == MESSAGES


def test_the_digest_chains_over_the_exact_bytes(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    write_feed(path, HEADER, MESSAGES)
    digest = b""
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True)):
        digest = hashlib.sha256(digest + line).digest() if number else hashlib.sha256(line).digest()
    chained = genesis(HEADER.line)
    for message in MESSAGES:
        chained = feed_digest(chained, message.line)
    assert chained == digest
    assert feed_digest(genesis(HEADER.line), MESSAGES[0].line.replace(b"1", b"2")) != feed_digest(
        genesis(HEADER.line), MESSAGES[0].line
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_feed_file"),
        (b"{}\n", "not_a_feed_file"),
        (b"[1]\n", "not_a_feed_file"),
        (b"not json\n", "not_a_feed_file"),
        (HEADER.line + b'{"at_ms": "x", "doc": {}}\n', "bad_feed_line"),
        (HEADER.line + b'{"at_ms": 5, "doc": {"a":', "bad_feed_line"),
        (HEADER.line + b"7\n", "bad_feed_line"),
    ],
)
def test_a_file_that_is_no_feed_is_one_clear_error(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(content)
    with pytest.raises(FeedError) as error:
        read_feed(path)
    assert error.value.code == code


def test_the_line_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(HEADER.line + MESSAGES[0].line + b"oops\n")
    with pytest.raises(FeedError, match="line 3"):
        read_feed(path)


def test_a_missing_feed_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(FeedError) as error:
        read_feed(tmp_path / "none.jsonl")
    assert error.value.code == "feed_unreadable"


def test_a_header_with_a_wrong_number_is_no_header() -> None:
    with pytest.raises(FeedError):
        parse_header(HEADER.line.replace(b":7,", b':"seven",'))
