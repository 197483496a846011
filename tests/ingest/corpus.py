"""Documents of every adapter: what the tests that run over all of them are fed with. A new form adds a line to each.

A form is a provider, with a version where one adapter reads two: ``wyscout-v3``. Real documents stand in the installed
kloppy package or in the development data beside the repository. Of two adapters there are none: Sportradar's is
written by hand from its public pages, the scraper's is what it makes of a page made up for the tests.
"""

from __future__ import annotations

import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest.feeds import ADAPTERS, Adapter, Recorded, load_paths
from ingest.feeds.files import read_document
from tests.ingest import scraper_synthetic, sportradar_synthetic

KLOPPY = Path(str(resources.files("kloppy"))) / "tests" / "files"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OPTA = SHARED / "provider_formats" / "opta"
_MADE = tempfile.TemporaryDirectory(prefix="futstar-corpus-")


def _written(name: str, body: bytes) -> Path:
    path = Path(_MADE.name) / name
    path.write_bytes(body)
    return path


SPORTRADAR = _written("sportradar_timeline.json", orjson.dumps(sportradar_synthetic.document()))
SCRAPER = _written("scraper_match.json", scraper_synthetic.document())

COMPLETE: dict[str, tuple[Path, ...]] = {
    "datafactory": (KLOPPY / "datafactory_events.json",),
    "opta": (
        OPTA / "f24-23-2018-1009316-eventdetails.xml.gz",
        OPTA / "f7-23-2018-1009316-matchresults.xml.gz",
    ),
    "statsbomb": (KLOPPY / "statsbomb_3788741_event.json", KLOPPY / "statsbomb_3788741_lineup.json"),
    "statsperform": (KLOPPY / "statsperform_event_ma1.json", KLOPPY / "statsperform_event_ma3.json"),
    "wyscout": (KLOPPY / "wyscout_events_v2.json",),
    "wyscout-v3": (KLOPPY / "wyscout_events_v3.json",),
}
"""A complete real match of each form: the header's file, if it is one of its own, and the events' file."""

SYNTHETIC: dict[str, tuple[Path, ...]] = {"scraper": (SCRAPER,), "sportradar": (SPORTRADAR,)}
"""The forms without a real document."""

DOCUMENTS: dict[str, tuple[Path, ...]] = {
    **COMPLETE,
    **SYNTHETIC,
    "opta": (KLOPPY / "opta_f24.xml", KLOPPY / "opta_f7.xml", KLOPPY / "opta_f73.xml"),
    "statsperform": (
        KLOPPY / "statsperform_event_ma1.json",
        KLOPPY / "statsperform_event_ma3.json",
        KLOPPY / "statsperform_event_ma1.xml",
        KLOPPY / "statsperform_event_ma3.xml",
    ),
}
"""Documents on any machine, complete or not, for damage: all that the adapter reads."""

FORMS = sorted(DOCUMENTS)


def of(form: str) -> Adapter:
    """The adapter that reads a form."""
    return ADAPTERS[form.partition("-")[0]]


def complete(form: str) -> tuple[Path, ...]:
    """A complete real match; skips the test where the development data is needed and absent."""
    for path in COMPLETE[form]:
        if not path.is_file():
            pytest.skip(f"the development data ({path.name}) is not beside this repository")
    return COMPLETE[form]


@cache
def recorded(form: str) -> Recorded:
    """The complete match where it is at hand, else the documents; loaded once."""
    paths = COMPLETE.get(form, ())
    at_hand = paths if paths and all(path.is_file() for path in paths) else DOCUMENTS[form]
    return load_paths(of(form).name, at_hand)


LARGE = 40_000
"""Documents are shortened to about so many bytes for damage, so that damage meets all their parts."""


@cache
def body_of(path: Path) -> bytes:
    """A document, shortened where it is long to two rows of every type and some others."""
    body = path.read_bytes()
    if len(body) <= LARGE:
        return body
    if path.suffix == ".json":
        return orjson.dumps(shortened(read_document(path)))
    head, end = body[: LARGE // 2], b"</event>\n    </events>\n  </liveData>\n</matchEvents>\n"
    return head[: head.rindex(b"</event>")] + end


def shortened(node: Any) -> Any:
    """JSON with long lists, and long objects of objects, cut to two rows of every type and some others."""
    if isinstance(node, dict):
        if len(node) > 8 and all(isinstance(value, dict) for value in node.values()):
            node = dict(list(node.items())[:4])
        return {key: shortened(value) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    seen: dict[str, int] = {}
    kept = []
    for number, row in enumerate(node):
        name = _type_of(row)
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= 2 or number % 200 == 0:
            kept.append(row)
    return [shortened(row) for row in (kept if len(node) > 40 else node)]


def _type_of(row: Any) -> str:
    if not isinstance(row, dict):
        return ""
    told = next((row[name] for name in ("typeId", "type", "eventId") if name in row), None)
    return str(told.get("primary", told.get("id")) if isinstance(told, dict) else told)
