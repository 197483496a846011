"""docs/providers.md says how many rows of which real file survive: it is true, for every adapter."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from ingest.doctor import Report, examine
from ingest.feeds import ADAPTERS
from ingest.intake import material
from tests.ingest.corpus import COMPLETE, FORMS, KLOPPY, SYNTHETIC, complete, of

ROOT = Path(__file__).resolve().parents[2]
OTHERS = [
    ("opta", (KLOPPY / "opta_f24.xml", KLOPPY / "opta_f7.xml")),
    ("statsbomb", (KLOPPY / "statsbomb_event.json", KLOPPY / "statsbomb_lineup.json")),
    ("statsbomb", (KLOPPY / "statsbomb_15986_event.json", KLOPPY / "statsbomb_15986_lineup.json")),
]


def page() -> str:
    return (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")


@cache
def examined(provider: str, paths: tuple[Path, ...]) -> Report:
    return examine(material(ADAPTERS[provider], paths, ""))


def line(provider: str, paths: tuple[Path, ...]) -> str:
    """The line of the table, computed from the files."""
    seen = examined(provider, paths)
    names = " + ".join(f"`{path.name.removesuffix('.gz')}`" for path in paths)
    by_events = "{}-{}".format(*seen.score_by_events)
    header = "none" if seen.score_by_header is None else "{}-{}".format(*seen.score_by_header)
    kind = "whole" if seen.whole else "excerpt"
    return (
        f"| {provider} | {names} | {kind} | {seen.rows:,} | {seen.events:,} | {seen.deleted} | {seen.outside} "
        f"| {seen.unusable} | {by_events} / {header} |"
    )


@pytest.mark.parametrize("form", sorted(COMPLETE))
def test_the_figures_of_every_adapter_are_those_of_its_real_match(form: str) -> None:
    assert line(of(form).name, complete(form)) in page().splitlines()


@pytest.mark.parametrize(("provider", "paths"), OTHERS, ids=lambda value: str(value)[:12])
def test_the_figures_of_the_other_matches_are_true(provider: str, paths: tuple[Path, ...]) -> None:
    assert line(provider, paths) in page().splitlines()


def rows_of_support() -> list[tuple[str, str]]:
    """Name and whole row of every form that an adapter reads."""
    return [(found[1], found[0]) for found in re.finditer(r"^\| [^|]+ \| `(\w+)` \|.*$", page(), re.MULTILINE)]


def test_every_adapter_has_its_row_of_what_it_supports() -> None:
    assert {name for name, _ in rows_of_support()} == set(ADAPTERS)
    assert len(rows_of_support()) == len(FORMS)


@pytest.mark.parametrize("form", sorted(SYNTHETIC))
def test_what_no_real_document_was_seen_of_is_said_to_be_unverified(form: str) -> None:
    ((_, row),) = [found for found in rows_of_support() if found[0] == form]
    assert "synthetic" in row
    assert "unverified" in row
    assert not [row for row in page().splitlines() if row.startswith(f"| {form} | ")]  # no figures of real files
    assert not of(form).feeds_index


def _codes(pattern: str) -> set[str]:
    sources = (ROOT / "ingest" / "feeds").rglob("*.py")
    return {
        code for source in sources for code in re.findall(pattern, source.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_every_code_that_an_adapter_can_raise_or_report_is_explained() -> None:
    raised = _codes(r'FeedError\(\s*"(\w+)"') | _codes(r'Problem\(\s*"(\w+)"') | _codes(r'^\s*"(\w+)" if .* else "')
    raised |= _codes(r' else "(\w+)",?$')
    explained = set(re.findall(r"`(\w+)`", page() + (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")))
    assert {code for code in raised if "_" in code} <= explained
