"""docs/events.md and the providers' pages say what the adapters do."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

from ingest.events import Kind, Upsert
from ingest.feeds import adapter, default_match_paths, load_paths, split
from ingest.feeds.datafactory import constants as datafactory
from ingest.feeds.wyscout import constants_v3 as wyscout_v3

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = default_match_paths("statsbomb")[0].parent
EVENTS = (DOCS / "events.md").read_text()


def section(name: str) -> str:
    return EVENTS.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def test_every_type_of_statsbombs_real_files_has_its_row() -> None:
    names = set()
    for path in FOLDER.glob("statsbomb_*event.json"):
        names |= {row["type"]["name"].rstrip("*") for row in orjson.loads(path.read_bytes())}
    assert len(names) > 30
    assert {name for name in names if name not in section("StatsBomb")} == set()


def test_every_name_of_wyscout_version_3_has_its_row() -> None:
    missing = {name for name in wyscout_v3.KINDS if name not in section("Wyscout")}
    assert missing == {"postmatch_penalty", "postmatch_penalty_faced"}  # of the shoot-out, as penalty and shot_against


def test_every_class_and_type_of_datafactory_has_its_row() -> None:
    text = section("DataFactory")
    assert {name for name in datafactory.CLASSES - {"goals", "redCards", "yellowCards"} if name not in text} == set()
    told: set[int] = set()
    for first, last in re.findall(r"\b(\d{1,3})(?:-(\d{1,3}))?\b", text):
        told |= set(range(int(first), int(last or first) + 1))
    assert datafactory.NAMES.keys() - {507, 509} <= told


def test_every_kind_is_defined() -> None:
    definitions = section("Definitions").lower()
    for kind in Kind:
        if not kind.value.startswith(("var_", "period_", "other", "substitution")):
            assert kind.value.replace("_", " ").removesuffix(" awarded").removesuffix(" in") in definitions.replace(
                "_", " "
            ), kind


def test_types_marked_unverified_occur_in_no_real_file_and_all_others_do() -> None:
    match = load_paths("datafactory", default_match_paths("datafactory"))
    seen = {row.doc["type"] for row in match.rows if not row.doc.get("deleted")}
    assert seen == datafactory.NAMES.keys() - datafactory.UNVERIFIED
    kinds = [
        change.event.kind
        for row in match.rows
        for change in split(adapter("datafactory").parse(match.info, row.doc))[0]
        if isinstance(change, Upsert)
    ]
    assert Kind.ADDED_TIME not in kinds  # none of these providers announces added time
