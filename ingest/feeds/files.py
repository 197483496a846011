"""Reading the files a person points at: one clear error for each way they can be wrong."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import orjson

from ingest.events import FeedError
from ingest.feeds import xmldoc

Doc = dict[str, Any]
MAX_BYTES = 256 * 1024 * 1024

JSON = (".json",)
JSON_OR_XML = (".json", ".xml")


def match_files(paths: Sequence[Path], endings: tuple[str, ...] = JSON_OR_XML) -> list[Path]:
    """The files with one of ``endings`` (``.gz`` or not) at ``paths``; folders are searched one level deep."""
    return [path for path, _ in _found(paths, endings)]


def json_files(paths: Sequence[Path]) -> list[Path]:
    """The JSON files (``.json``, ``.json.gz``) at ``paths``; folders are searched one level deep."""
    return match_files(paths, JSON)


def _found(paths: Sequence[Path], endings: tuple[str, ...]) -> list[tuple[Path, bool]]:
    """Files with whether they were named themselves rather than found in a folder."""
    wanted = (*endings, *(f"{ending}.gz" for ending in endings))
    found: list[tuple[Path, bool]] = []
    for path in map(Path, paths):
        try:
            if path.is_dir():
                inside = sorted(p for p in path.iterdir() if p.name.endswith(wanted) and p.is_file())
                if not inside:
                    listed = " or ".join([", ".join(wanted[:-1]), wanted[-1]])
                    raise FeedError("no_match_files", f"{path} holds no {listed} file: give a match or its folder")
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


def read_bytes(path: Path) -> bytes:
    """A file's content, unpacked where it is gzip. Raises FeedError for unreadable, truncated or oversized files."""
    try:
        with path.open("rb") as raw:
            packed = path.suffix == ".gz" or raw.read(2) == GZIP
            raw.seek(0)
            data = (gzip.GzipFile(fileobj=raw) if packed else raw).read(MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FeedError("truncated_file", f"{path} is not a whole gzip file ({error}): fetch it again") from error
    except OSError as error:
        raise FeedError("file_unreadable", f"cannot read {path} ({error.strerror or error}): check the file") from error
    if len(data) > MAX_BYTES:
        raise FeedError("file_too_large", f"{path} is larger than {MAX_BYTES >> 20} MiB: that is no match file")
    return data


def decode(body: bytes, rows: xmldoc.Rows | None = None) -> object:
    """A body's content: what JSON holds, or the root of an XML tree (``rows`` as in `xmldoc.parse`).

    Raises FeedError: ``empty_document``, ``html_page``, ``bad_json``, ``json_lines``, or `xmldoc.parse`'s.
    """
    if not body.strip():
        raise FeedError("empty_document", "empty: fetch it again")
    if xmldoc.looks_like_xml(body):
        head = body[:1024].lower()
        if b"<html" in head or b"<!doctype html" in head:
            raise FeedError(
                "html_page", "an HTML page, as a provider answers when something is wrong: open it to see what"
            )
        return xmldoc.parse(body, rows)
    start = body.removeprefix(codecs.BOM_UTF8).lstrip()
    try:
        content: object = orjson.loads(start)
    except orjson.JSONDecodeError as error:
        if start[:1] not in (b"{", b"["):
            begins = start[:12].decode("ascii", "replace")
            raise FeedError(
                "bad_json", f"neither JSON nor XML (it begins with {begins!r}): give a provider's file"
            ) from error
        if _is_json(start.partition(b"\n")[0]):
            raise FeedError(
                "json_lines", "JSON line by line, as tracking comes, not one document: give the events of a match"
            ) from error
        raise FeedError(
            "bad_json", f"no complete JSON (line {error.lineno}, column {error.colno}): give a match or fetch it again"
        ) from error
    return content


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


GZIP = b"\x1f\x8b"


def read_document(path: Path, rows: xmldoc.Rows | None = None) -> object:
    """One JSON or XML document as `decode` gives it. Raises FeedError naming the file."""
    data = read_bytes(path)
    try:
        return decode(data, rows)
    except FeedError as error:
        raise FeedError(error.code, f"{path} is {error}") from error


def documents(
    paths: Sequence[Path], endings: tuple[str, ...] = JSON_OR_XML, rows: xmldoc.Rows | None = None
) -> Iterator[tuple[Path, object, bool]]:
    """Every document at ``paths`` with its path and whether it was named itself rather than found in a folder."""
    for path, named in _found(paths, endings):
        yield path, read_document(path, rows), named


def match_documents(
    provider: str, paths: Sequence[Path], is_match: Callable[[object], TypeGuard[Doc]], wanted: str
) -> list[tuple[Path, Doc]]:
    """The documents of a provider who puts a whole match in one. A file that was named itself must hold one."""
    found = []
    for path, content, named in documents(paths, JSON):
        if is_match(content):
            found.append((path, content))
        elif named:
            raise not_a_match(provider, path, content, wanted)
    return found


def match_sources(
    provider: str,
    paths: Sequence[Path],
    is_match: Callable[[object], TypeGuard[Doc]],
    match_id: Callable[[Doc], str],
    wanted: str,
) -> dict[str, tuple[Path, ...]]:
    """The files of each match, as `match_documents` finds them; one that cannot be read stands under its own name."""
    named = {Path(path) for path in paths}
    found: dict[str, tuple[Path, ...]] = {}
    for path in json_files(paths):
        try:
            content = read_document(path)
        except FeedError:
            if path in named:
                raise
            found[path.name] = (path,)
            continue
        if is_match(content):
            found[match_id(content)] = (*found.get(match_id(content), ()), path)
        elif path in named:
            raise not_a_match(provider, path, content, wanted)
    return found


XML_ROOTS = {"matchEvents": "statsperform", "match": "statsperform", "Games": "opta", "SoccerFeed": "opta"}


def looks_like(document: object, depth: int = 3) -> str | None:
    """The provider whose documents have this shape, for a helpful error; None when no known one has."""
    if isinstance(document, xmldoc.Element):
        return XML_ROOTS.get(document.tag)
    if isinstance(document, list):
        return next((name for row in document[:4] if (name := looks_like(row, depth - 1))), None) if depth else None
    if not isinstance(document, dict) or not depth:
        return None
    if isinstance(document.get("matchInfo"), dict) and isinstance(document.get("liveData"), dict):
        return "statsperform"
    if isinstance(document.get("events"), list) and isinstance(document.get("teams"), dict):
        return "wyscout"
    if isinstance(document.get("match"), dict) and isinstance(document.get("incidences"), dict):
        return "datafactory"
    if isinstance(document.get("sport_event"), dict) and "timeline" in document:
        return "sportradar"
    if document.get("scraper") == 1 and isinstance(document.get("events"), list):
        return "scraper"
    if {"wyId", "teamsData"} <= document.keys():
        return "wyscout"
    if {"event_uuid", "freeze_frame"} <= document.keys():
        return "statsbomb"
    if {"type", "period", "timestamp"} <= document.keys() or {"team_id", "lineup"} <= document.keys():
        return "statsbomb"
    inside = [value for value in document.values() if isinstance(value, dict)]
    return next((name for value in inside if (name := looks_like(value, depth - 1))), None)


def not_a_match(provider: str, path: Path, document: object, wanted: str) -> FeedError:
    """The error for a document that is not one of ``provider``'s, naming the right provider where it shows."""
    other = looks_like(document)
    if other is not None and other != provider:
        return FeedError("wrong_provider", f"{path} is a {other} document, not {provider}: use provider {other}")
    return FeedError(f"{provider}_not_a_match", f"{path} is no {provider} document ({wanted}): check provider and path")
