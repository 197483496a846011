"""Reading the files a person points at: one clear error for each way they can be wrong."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from ingest.events import FeedError

MAX_BYTES = 256 * 1024 * 1024


def json_files(paths: Sequence[Path]) -> list[Path]:
    """The JSON files (``.json``, ``.json.gz``) at ``paths``; folders are searched one level deep."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.name.endswith((".json", ".json.gz")))
            if not inside:
                raise FeedError("no_match_files", f"{path} holds no .json or .json.gz file: give a match or its folder")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise FeedError("no_such_file", f"{path} does not exist: check the path")
    return found


def read_json(path: Path) -> object:
    """One document. Raises FeedError for unreadable, truncated or oversized files."""
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            with gzip.open(path) as packed:
                data = packed.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FeedError("file_too_large", f"{path} is larger than {MAX_BYTES >> 20} MiB: that is no match file")
        document: object = orjson.loads(data)
    except OSError as error:
        raise FeedError("file_unreadable", f"cannot read {path} ({error.strerror or error}): check the file") from error
    except (EOFError, zlib.error) as error:
        raise FeedError("truncated_file", f"{path} ends before its end ({error}): fetch it again") from error
    except orjson.JSONDecodeError as error:
        raise FeedError(
            "bad_json", f"{path} is not complete JSON (line {error.lineno}, column {error.colno}): fetch it again"
        ) from error
    return document


def json_documents(paths: Sequence[Path]) -> Iterator[tuple[Path, object]]:
    """Every document at ``paths`` with its path."""
    for path in json_files(paths):
        yield path, read_json(path)
