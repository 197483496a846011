"""Every reader of calendar files by the provider's name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ingest.catalogue import openfootball, statsperform, wyscout
from ingest.catalogue.snapshot import Snapshot
from ingest.events import FeedError
from ingest.feeds.files import json_files, read_document

PROVIDERS = (statsperform.NAME, wyscout.NAME, openfootball.NAME)
_SHAPES = {
    statsperform.NAME: statsperform.is_document,
    wyscout.NAME: wyscout.is_document,
    openfootball.NAME: openfootball.is_document,
}
_BESIDE = ("teams", "players")  # of a Wyscout archive


def read(provider: str, path: Path) -> Snapshot:
    """One file. Raises FeedError for an unknown provider and for a document of another format."""
    if provider not in PROVIDERS:
        raise FeedError("unknown_source", f"source '{provider}' is not known: choose one of {', '.join(PROVIDERS)}")
    document = read_document(path)
    if not _SHAPES[provider](document):
        other = next((name for name, fits in _SHAPES.items() if fits(document)), None)
        if other is not None:
            raise FeedError("wrong_source", f"{path} is a file of {other}, not of {provider}: use --source {other}")
        raise FeedError("not_a_calendar", f"{path} holds no fixtures of {provider}: check the path and --source")
    if provider == wyscout.NAME:
        lists = [_beside(path, name) for name in _BESIDE]
        assert isinstance(document, list)
        return wyscout.read(document, lists[0], lists[1])
    if provider == statsperform.NAME:
        return statsperform.read(document)
    assert isinstance(document, dict)
    return openfootball.read(document)


def read_paths(provider: str, paths: Sequence[Path]) -> Iterator[tuple[Path, Snapshot]]:
    """Every calendar file at ``paths``; in a folder, files of other shapes are passed over, named ones are not."""
    found = 0
    for path in json_files(paths):
        if path not in [Path(p) for p in paths] and (provider not in PROVIDERS or not _fits(provider, path)):
            continue
        found += 1
        yield path, read(provider, path)
    if not found:
        places = ", ".join(map(str, paths))
        raise FeedError("not_a_calendar", f"{places} holds no fixtures of {provider}: check the path and --source")


def _fits(provider: str, path: Path) -> bool:
    beside = path.name.startswith(tuple(f"{name}.json" for name in _BESIDE))
    return not beside and _SHAPES[provider](read_document(path))


def _beside(path: Path, name: str) -> list[dict[str, Any]]:
    for file in (path.with_name(f"{name}.json.gz"), path.with_name(f"{name}.json")):
        if file.is_file():
            return _rows(read_document(file))
    return []


def _rows(document: object) -> list[dict[str, Any]]:
    return [row for row in document if isinstance(row, dict)] if isinstance(document, list) else []
