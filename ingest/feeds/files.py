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
    return [path for path, _ in _found(paths)]


def _found(paths: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Files with whether they were named themselves rather than found in a folder."""
    found: list[tuple[Path, bool]] = []
    for path in map(Path, paths):
        try:
            if path.is_dir():
                inside = sorted(p for p in path.iterdir() if p.name.endswith((".json", ".json.gz")) and p.is_file())
                if not inside:
                    raise FeedError(
                        "no_match_files", f"{path} holds no .json or .json.gz file: give a match or its folder"
                    )
                found += [(p, False) for p in inside]
            elif path.is_file():
                found.append((path, True))
            else:
                raise FeedError("no_such_file", f"{path} does not exist or is no file: check the path")
        except OSError as error:
            raise FeedError(
                "file_unreadable", f"cannot read {path} ({error.strerror or error}): check the path and its permissions"
            ) from error
    if not found:
        raise FeedError("no_match_files", "no path was given: name a match file or its folder")
    return found


def read_json(path: Path) -> object:
    """One document. Raises FeedError for unreadable, truncated or oversized files."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as packed:
                data = packed.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as plain:
                data = plain.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FeedError("file_too_large", f"{path} is larger than {MAX_BYTES >> 20} MiB: that is no match file")
        document: object = orjson.loads(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FeedError("truncated_file", f"{path} is not a whole gzip file ({error}): fetch it again") from error
    except OSError as error:
        raise FeedError("file_unreadable", f"cannot read {path} ({error.strerror or error}): check the file") from error
    except orjson.JSONDecodeError as error:
        raise FeedError(
            "bad_json",
            f"{path} is no complete JSON (line {error.lineno}, column {error.colno}): give a match or fetch it again",
        ) from error
    return document


def json_documents(paths: Sequence[Path]) -> Iterator[tuple[Path, object, bool]]:
    """Every document at ``paths`` with its path and whether it was named itself rather than found in a folder."""
    for path, named in _found(paths):
        yield path, read_json(path), named


def looks_like(document: object) -> str | None:
    """The provider whose documents have this shape, for a helpful error; None when no known one has."""
    if isinstance(document, list):
        return next((name for name in map(looks_like, document[:4]) if name), None)
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("matchInfo"), dict) and isinstance(document.get("liveData"), dict):
        return "statsperform"
    if isinstance(document.get("events"), list) and isinstance(document.get("teams"), dict):
        return "wyscout"
    if isinstance(document.get("match"), dict) and isinstance(document.get("incidences"), dict):
        return "datafactory"
    if {"type", "period", "timestamp"} <= document.keys() or {"team_id", "lineup"} <= document.keys():
        return "statsbomb"
    return next((name for name in map(looks_like, [v for v in document.values() if isinstance(v, dict)]) if name), None)


def not_a_match(provider: str, path: Path, document: object, wanted: str) -> FeedError:
    """The error for a document that is not one of ``provider``'s, naming the right provider where it shows."""
    other = looks_like(document)
    if other is not None and other != provider:
        return FeedError("wrong_provider", f"{path} is a {other} document, not {provider}: use provider {other}")
    return FeedError(f"{provider}_not_a_match", f"{path} is no {provider} document ({wanted}): check provider and path")
