"""The real matches that the simulation plays: what is installed, and what lies beside the repository."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from ingest.feeds import ADAPTERS, Recorded, default_match_paths
from ingest.twin.forms import FORMS

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ARCHIVE_MATCHES = 40


def installed() -> list[Recorded]:
    """One whole match of each provider that has a twin, from the installed packages."""
    found = []
    for name in sorted(FORMS):
        if name != "opta":  # the installed file is an excerpt: rows picked by hand
            found.append(ADAPTERS[name].load(default_match_paths(name)))
    return found


def all_there() -> list[Recorded]:
    """Those, mixed with matches of the archive beside the repository where it is."""
    near = installed()
    opta = sorted((SHARED / "provider_formats" / "opta").glob("f*-23-2018-1009316-*"))
    if opta:
        near.append(ADAPTERS["opta"].load(opta))
    folder = SHARED / "wyscout"
    if not (folder / "events").is_dir():
        return near
    adapter = ADAPTERS["wyscout"]
    sources = adapter.sources((folder,))
    chosen: Sequence[str] = sorted(sources)[:: max(1, len(sources) // ARCHIVE_MATCHES)]
    archive = [adapter.load(sources[match], match) for match in chosen]
    pairs = zip_longest(archive, near * (len(archive) // max(1, len(near)) + 1))
    return [recorded for pair in pairs for recorded in pair if recorded is not None]
