"""Real files by provider: what the tests that run over all adapters are fed with. A new adapter adds one line to each.

Everything stands in the installed kloppy package or in the development data beside the repository.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from ingest.feeds import ADAPTERS

KLOPPY = Path(str(resources.files("kloppy"))) / "tests" / "files"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OPTA = SHARED / "provider_formats" / "opta"

COMPLETE: dict[str, tuple[Path, ...]] = {
    "opta": (
        OPTA / "f24-23-2018-1009316-eventdetails.xml.gz",
        OPTA / "f7-23-2018-1009316-matchresults.xml.gz",
    ),
    "statsperform": (KLOPPY / "statsperform_event_ma1.json", KLOPPY / "statsperform_event_ma3.json"),
    "wyscout": (KLOPPY / "wyscout_events_v2.json",),
}
"""A complete real match of each provider: the header's file, if it is one of its own, and the events' file."""

DOCUMENTS: dict[str, tuple[Path, ...]] = {
    "opta": (KLOPPY / "opta_f24.xml", KLOPPY / "opta_f7.xml", KLOPPY / "opta_f73.xml"),
    "statsperform": (
        KLOPPY / "statsperform_event_ma1.json",
        KLOPPY / "statsperform_event_ma3.json",
        KLOPPY / "statsperform_event_ma1.xml",
        KLOPPY / "statsperform_event_ma3.xml",
    ),
    "wyscout": (KLOPPY / "wyscout_events_v2.json",),
}
"""Documents on any machine, complete or not, for damage: every form that the adapter reads."""


def complete(provider: str) -> tuple[Path, ...]:
    """A complete real match; skips the test where the development data is needed and absent."""
    if provider not in COMPLETE:
        pytest.fail(f"tests/ingest/corpus.py names no complete match of {provider}: add it")
    for path in COMPLETE[provider]:
        if not path.is_file():
            pytest.skip(f"the development data ({path.name}) is not beside this repository")
    return COMPLETE[provider]


def providers() -> list[str]:
    """Every adapter there is."""
    return sorted(ADAPTERS)
