"""docs/providers.md says how many rows of which real file survive: it is true, for every adapter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.doctor import examine
from ingest.feeds import ADAPTERS
from ingest.intake import material
from tests.ingest.corpus import COMPLETE, KLOPPY, complete, providers

ROOT = Path(__file__).resolve().parents[2]
EXCERPTS = [("opta", (KLOPPY / "opta_f24.xml", KLOPPY / "opta_f7.xml"))]


def page() -> str:
    return (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")


def line(provider: str, paths: tuple[Path, ...]) -> str:
    """The line of the table, computed from the files."""
    seen = examine(material(ADAPTERS[provider], paths, ""))
    names = " + ".join(f"`{path.name.removesuffix('.gz')}`" for path in paths)
    by_events = "{}-{}".format(*seen.score_by_events)
    header = "none" if seen.score_by_header is None else "{}-{}".format(*seen.score_by_header)
    kind = "whole" if seen.whole else "excerpt"
    return (
        f"| {provider} | {names} | {kind} | {seen.rows:,} | {seen.events:,} | {seen.deleted} | {seen.outside} "
        f"| {seen.unusable} | {by_events} / {header} |"
    )


@pytest.mark.parametrize("provider", providers())
def test_the_figures_of_every_adapter_are_those_of_its_real_match(provider: str) -> None:
    assert line(provider, complete(provider)) in page().splitlines()


@pytest.mark.parametrize(("provider", "paths"), EXCERPTS, ids=lambda value: str(value)[:12])
def test_the_figures_of_the_excerpts_are_true(provider: str, paths: tuple[Path, ...]) -> None:
    assert line(provider, paths) in page().splitlines()


def test_every_adapter_has_its_row_of_what_it_supports() -> None:
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \|", page(), re.MULTILINE)
    assert set(ADAPTERS) <= set(rows) >= set(COMPLETE)


def _codes(pattern: str) -> set[str]:
    sources = (ROOT / "ingest" / "feeds").rglob("*.py")
    return {code for source in sources for code in re.findall(pattern, source.read_text(encoding="utf-8"))}


def test_every_code_that_an_adapter_can_raise_or_report_is_explained() -> None:
    raised = _codes(r'FeedError\(\s*"(\w+)"') | _codes(r'Problem\(\s*"(\w+)"')
    assert raised <= set(re.findall(r"`(\w+)`", page()))
