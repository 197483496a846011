"""An exported folder: Parquet files of one or more matches, and a manifest with the SHA-256 of each.

    manifest.json
    <match>/fragments.parquet  lines.parquet  records.parquet  corrections.parquet  samples.parquet  revisions.parquet

The manifest is the proof: nothing is read from a file whose bytes are not the ones that it names.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from ingest.events import FeedError
from ingest.history.model import Match, MatchHistory, sha256
from ingest.history.parquet import FORMAT, KINDS, decode, encode

MANIFEST = "manifest.json"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What an export holds."""

    matches: int
    rows: int
    size: int  # bytes of all files


def folder_of(match_id: str) -> str:
    """A match's folder: its id where that is a plain name, otherwise a hash of it."""
    return match_id if _PLAIN.fullmatch(match_id) else "match-" + sha256(match_id.encode())[:16]


class ArchiveWriter:
    """Context: `add` match by match, `keep` at the end, or nothing is left behind."""

    def __init__(self, out: Path) -> None:
        """Raises FeedError ``out_exists`` for a folder with something in it, OSError when it cannot be written."""
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FeedError("out_exists", f"{out} exists already: name a new folder")
        self._out, self._part = out, out.with_name(out.name + ".part")
        _remove(self._part)
        self._part.mkdir(parents=True)
        self._entries: list[Entry] = []

    def add(self, history: MatchHistory) -> None:
        """Write one match. Raises FeedError when its rows do not belong together, or fit no column."""
        self._entries.append(_write_match(self._part, history))

    def keep(self) -> Written:
        """The export is whole: give it its manifest and its name."""
        manifest = orjson.dumps({"format": FORMAT, "matches": self._entries}, option=orjson.OPT_INDENT_2)
        (self._part / MANIFEST).write_bytes(manifest + b"\n")
        if self._out.exists():
            self._out.rmdir()
        self._part.rename(self._out)
        files = [file for entry in self._entries for file in entry["files"].values()]
        return Written(len(self._entries), sum(f["rows"] for f in files), sum(f["bytes"] for f in files))

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _remove(self._part)


def _write_match(root: Path, history: MatchHistory) -> Entry:
    match = history.match
    folder = folder_of(match.match_id)
    (root / folder).mkdir()
    files: dict[str, Any] = {}
    for kind in KINDS:
        rows = getattr(history, kind.name)
        data = encode(kind, match, rows)
        (root / folder / f"{kind.name}.parquet").write_bytes(data)
        files[kind.name] = {"rows": len(rows), "bytes": len(data), "sha256": sha256(data)}
    return {
        "match_id": match.match_id,
        "provider": match.provider,
        "day": match.day.isoformat(),
        "header": base64.b64encode(match.header).decode(),
        "digest": history.digest().hex() if match.header and history.lines else None,
        "folder": folder,
        "files": files,
    }


def _remove(folder: Path) -> None:
    """What an export that failed left; its files are known by name."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def is_archive(path: Path) -> bool:
    """Whether ``path`` is an exported folder, by its manifest."""
    return (path / MANIFEST).is_file()


@dataclass(frozen=True, slots=True)
class Archive:
    """An export opened for reading; `match` checks the bytes of every file before it is used."""

    root: Path
    entries: tuple[Entry, ...]

    @staticmethod
    def open(root: Path) -> Archive:
        """Raises FeedError ``not_an_export``, ``other_version``, ``bad_manifest``."""
        try:
            document = orjson.loads((root / MANIFEST).read_bytes())
        except OSError as error:
            raise FeedError(
                "not_an_export", f"{root} has no {MANIFEST} ({error.strerror}): give a folder that was exported"
            ) from error
        except orjson.JSONDecodeError as error:
            raise FeedError("bad_manifest", f"{root / MANIFEST} is not JSON ({error}): export again") from error
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            told = document.get("format") if isinstance(document, dict) else None
            raise FeedError(
                "other_version",
                f"{root} is in format {told or 'unknown'}, here is {FORMAT}: read it with the version of futstar that "
                "wrote it",
            )
        try:
            entries = tuple(document["matches"])
            for entry in entries:
                _match(entry)
                if not _PLAIN.fullmatch(entry["folder"]):
                    raise ValueError(f"folder {entry['folder']!r}")
                for kind in KINDS:
                    file = entry["files"][kind.name]
                    _ = int(file["rows"]), int(file["bytes"]), str(file["sha256"])
        except (KeyError, TypeError, ValueError) as error:
            raise FeedError("bad_manifest", f"{root / MANIFEST} is incomplete ({error}): export again") from error
        return Archive(root, entries)

    @property
    def matches(self) -> tuple[str, ...]:
        """Ids of the matches in it."""
        return tuple(entry["match_id"] for entry in self.entries)

    def histories(self) -> Iterator[MatchHistory]:
        """Every match, one at a time."""
        for entry in self.entries:
            yield self._read(entry)

    def match(self, match_id: str) -> MatchHistory:
        """One match. Raises FeedError ``unknown_match``, and like `decode` for files that are not what they were."""
        for entry in self.entries:
            if entry["match_id"] == match_id:
                return self._read(entry)
        known = ", ".join(self.matches[:5]) or "none"
        raise FeedError("unknown_match", f"{self.root} has no match {match_id}: it has {known}")

    def _read(self, entry: Entry) -> MatchHistory:
        match = _match(entry)
        rows: dict[str, Any] = {}
        for kind in KINDS:
            path = self.root / entry["folder"] / f"{kind.name}.parquet"
            told = entry["files"][kind.name]
            rows[kind.name] = decode(kind, match, _checked(path, told), str(path))
            if len(rows[kind.name]) != told["rows"]:
                raise FeedError("bad_manifest", f"{path} has {len(rows[kind.name])} rows, not {told['rows']}")
        history = MatchHistory(match, **rows)
        for fragment in history.fragments:
            if sha256(fragment.doc) != fragment.raw:
                raise FeedError(
                    "wrong_hash", f"a fragment of match {match.match_id} is not {fragment.raw}: export again"
                )
        if entry.get("digest") is not None and history.digest().hex() != entry["digest"]:
            raise FeedError(
                "wrong_hash", f"the feed of match {match.match_id} does not give digest {entry['digest'][:16]}"
            )
        return history


def _match(entry: Entry) -> Match:
    header = base64.b64decode(entry["header"], validate=True)
    return Match(str(entry["match_id"]), str(entry["provider"]), date.fromisoformat(entry["day"]), header)


def _checked(path: Path, told: Entry) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FeedError("file_missing", f"cannot read {path} ({error.strerror}): copy the whole export") from error
    if len(data) < told["bytes"]:
        raise FeedError("file_cut", f"{path} has {len(data)} of {told['bytes']} bytes: copy it again")
    if sha256(data) != told["sha256"]:
        raise FeedError("file_changed", f"{path} is not the file that was exported (SHA-256 differs): copy it again")
    return data
