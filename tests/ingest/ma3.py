"""Documents made of the rows of the real Stats Perform match, for the tests of sessions."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import orjson

from ingest.events import Event
from ingest.feeds import Recorded, adapter, load_paths, split
from ingest.session import Session
from ingest.timeline import Timeline
from tests.ingest.corpus import KLOPPY

STATSPERFORM = adapter("statsperform")
AT_MS = 1_700_000_000_000
Doc = dict[str, Any]
MA1, MA3 = (KLOPPY / f"statsperform_event_{part}" for part in ("ma1.json", "ma3.json"))


@cache
def match() -> Recorded:
    return load_paths("statsperform", [MA1, MA3])


@cache
def whole() -> Doc:
    document: Doc = orjson.loads(MA3.read_bytes())
    return document


def body(rows: list[Doc], updated: str | None = None, **header: Any) -> bytes:
    """An MA3 document of these rows."""
    info = {**whole()["matchInfo"], **header}
    info.pop("lastUpdated", None)
    if updated is not None:
        info["lastUpdated"] = updated
    return orjson.dumps({"matchInfo": info, "liveData": {"event": rows}})


@cache
def rows(count: int = 200) -> tuple[Doc, ...]:
    return tuple(row for row in whole()["liveData"]["event"] if row["periodId"] in (1, 2))[:count]


def session() -> Session:
    return Session(STATSPERFORM, match().info.match_id)


def told(some: Session) -> list[Event]:
    return [replace(event, version=0) for event in some.timeline.events()]


def expected(some: tuple[Doc, ...] | list[Doc]) -> list[Event]:
    timeline = Timeline()
    for row in some:
        timeline.apply(split(STATSPERFORM.parse(match().info, row))[0])
    return [replace(event, version=0) for event in timeline.events()]
