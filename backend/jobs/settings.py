"""What the jobs need to know, from the environment; a mistake is one sentence at start, not a job that fails at night.

FUTSTAR_DATABASE   connection string of the database
FUTSTAR_BROKER     address of the broker as Celery writes it (redis://, redis+socket://)
FUTSTAR_SOURCES    a JSON file: {"sources": [{"name": ..., "provider": ..., "paths": [...], "competition": ...}]}
FUTSTAR_JOB_LIMIT_S, FUTSTAR_PLAN_S   seconds a job may take (120), seconds between two looks at the calendar (60)

``competition`` is the provider's id of the one competition in the files; without it, all of the provider's count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from backend.errors import UserError
from ingest.catalogue import PROVIDERS


@dataclass(frozen=True, slots=True)
class Source:
    """Files that are read together."""

    name: str
    provider: str
    paths: tuple[Path, ...]
    competition: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the jobs are given."""

    database: str
    broker: str
    sources: tuple[Source, ...]
    limit_s: int = 120
    plan_s: float = 60.0

    def __repr__(self) -> str:
        """Addresses may carry passwords: none of them is told."""
        return f"Settings({len(self.sources)} sources, limit {self.limit_s} s)"

    def source(self, name: str) -> Source:
        """The source called ``name``. Raises UserError."""
        found = next((source for source in self.sources if source.name == name), None)
        if found is None:
            raise UserError("unknown_source", f"no source is called '{name}': see FUTSTAR_SOURCES")
        return found


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises UserError for what is missing or wrong."""
    missing = [name for name in ("FUTSTAR_DATABASE", "FUTSTAR_BROKER", "FUTSTAR_SOURCES") if not environment.get(name)]
    if missing:
        raise UserError("no_setting", f"{', '.join(missing)} not set: the jobs need database, broker and sources")
    try:
        limit_s = int(environment.get("FUTSTAR_JOB_LIMIT_S", "120"))
        plan_s = float(environment.get("FUTSTAR_PLAN_S", "60"))
        if limit_s < 1 or not 0 < plan_s <= 3_600:
            raise ValueError("out of range")
    except ValueError as error:
        raise UserError(
            "bad_setting", f"FUTSTAR_JOB_LIMIT_S or FUTSTAR_PLAN_S is no time ({error}): seconds"
        ) from error
    return Settings(
        environment["FUTSTAR_DATABASE"],
        environment["FUTSTAR_BROKER"],
        read_sources(Path(environment["FUTSTAR_SOURCES"])),
        limit_s,
        plan_s,
    )


def read_sources(path: Path) -> tuple[Source, ...]:
    """The sources of a file. Raises UserError that names the first thing wrong with it."""
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UserError(
            "sources_unreadable", f"cannot read {path} ({error.strerror}): check FUTSTAR_SOURCES"
        ) from error
    except orjson.JSONDecodeError as error:
        raise UserError("bad_sources", f"{path} is no JSON ({error}): see FUTSTAR_SOURCES") from error
    rows = document.get("sources") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise UserError("bad_sources", f'{path} lists no sources: write {{"sources": [...]}}')
    found: dict[str, Source] = {}
    for number, row in enumerate(rows, 1):
        source = _source(row, f"source {number} of {path}", path.parent)
        if source.name in found:
            raise UserError("bad_sources", f"source {number} of {path}: '{source.name}' is there twice")
        found[source.name] = source
    return tuple(found.values())


def _source(row: object, where: str, folder: Path) -> Source:
    if not isinstance(row, dict):
        raise UserError("bad_sources", f"{where} is no object: give name, provider and paths")
    name, provider, paths = row.get("name"), row.get("provider"), row.get("paths")
    if not isinstance(name, str) or not name or len(name) > 100:
        raise UserError("bad_sources", f"{where} has no name: give a short one")
    if provider not in PROVIDERS:
        raise UserError("bad_sources", f"{where}: provider '{provider}' is not known: {', '.join(PROVIDERS)}")
    if not isinstance(paths, list) or not paths or not all(isinstance(p, str) for p in paths):
        raise UserError("bad_sources", f"{where} has no paths: give a list of files or folders")
    return Source(name, str(provider), tuple(folder / p for p in paths), str(row.get("competition") or ""))
