"""The feed file: every raw message of a match with its arrival time, as JSON lines with a rolling digest.

Line 1 is the header, the others are ``{"at_ms": arrival in data ms, "doc": raw provider fragment}``. The digest
chains SHA-256 over the exact bytes of the lines (newline included), so that a sample which commits to it commits
to every byte that had arrived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ingest.events import FeedError

FORMAT = "futstar/1"


@dataclass(frozen=True, slots=True)
class FeedHeader:
    """Where the feed comes from. ``info`` is the provider's own match header, parsed again by the adapter.

    ``terms`` is what its publishers agreed on beside it (`momentum.forecast.terms`); the digest commits to it as well.
    """

    provider: str
    match_id: str
    start_unix_ms: int
    seed: int
    info: dict[str, Any]
    terms: dict[str, Any]
    line: bytes

    @staticmethod
    def make(
        provider: str,
        match_id: str,
        start_unix_ms: int,
        seed: int,
        info: dict[str, Any],
        terms: dict[str, Any] | None = None,
    ) -> FeedHeader:
        """Build the header together with its line."""
        head = {
            "feed": FORMAT,
            "provider": provider,
            "match_id": match_id,
            "start_unix_ms": start_unix_ms,
            "seed": seed,
            "info": info,
        }
        if terms:
            head["terms"] = terms
        return FeedHeader(provider, match_id, start_unix_ms, seed, info, terms or {}, orjson.dumps(head) + b"\n")


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """One raw message; ``at_ms`` is its arrival in data time, ``line`` its exact bytes in the file."""

    at_ms: int
    doc: dict[str, Any]
    line: bytes

    @staticmethod
    def make(at_ms: int, doc: dict[str, Any]) -> FeedMessage:
        """Build the message together with its line."""
        return FeedMessage(at_ms, doc, orjson.dumps({"at_ms": at_ms, "doc": doc}) + b"\n")


def genesis(header_line: bytes) -> bytes:
    """Digest of the header line: 32 bytes."""
    return hashlib.sha256(header_line).digest()


def feed_digest(previous: bytes, line: bytes) -> bytes:
    """Digest after one more line: SHA-256 of the previous digest and the line's bytes."""
    return hashlib.sha256(previous + line).digest()


def parse_header(line: bytes) -> FeedHeader:
    """Read the first line. Raises FeedError when it is not the header of a feed file."""
    try:
        head = orjson.loads(line)
        if head["feed"] != FORMAT:
            raise KeyError("feed")
        return FeedHeader(
            str(head["provider"]),
            str(head["match_id"]),
            int(head["start_unix_ms"]),
            int(head["seed"]),
            head["info"],
            dict(head.get("terms", {})),
            line,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise FeedError(
            "not_a_feed_file", f"the first line is not a {FORMAT} header ({error}): give the feed.jsonl of a run"
        ) from error


def parse_message(line: bytes) -> FeedMessage:
    """Read one message line. Raises FeedError when it is not one."""
    try:
        row = orjson.loads(line)
        at_ms, doc = row["at_ms"], row["doc"]
        if not isinstance(at_ms, int) or not isinstance(doc, dict):
            raise TypeError("at_ms or doc has the wrong type")
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise FeedError("bad_feed_line", f"not a feed message ({error}): the file was changed or cut") from error
    return FeedMessage(at_ms, doc, line)


def read_lines(path: Path) -> list[bytes]:
    """The file's lines with their newlines. Raises FeedError when it cannot be read."""
    try:
        return path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise FeedError("feed_unreadable", f"cannot read {path} ({error.strerror}): check the path") from error


def read_feed(path: Path) -> tuple[FeedHeader, list[FeedMessage]]:
    """A whole feed file. Raises FeedError naming the line that is wrong."""
    lines = read_lines(path)
    if not lines:
        raise FeedError("not_a_feed_file", f"{path} is empty: give the feed.jsonl of a run")
    messages = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            messages.append(parse_message(line))
        except FeedError as error:
            raise FeedError(error.code, f"{path} line {number}: {error}") from error
    return parse_header(lines[0]), messages


def write_feed(path: Path, header: FeedHeader, messages: Iterable[FeedMessage]) -> None:
    """Write a feed file whole."""
    with path.open("wb") as out:
        out.write(header.line)
        out.writelines(message.line for message in messages)
