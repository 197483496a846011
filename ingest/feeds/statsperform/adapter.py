"""The Stats Perform adapter: reads MA1 + MA3 recordings and parses live fragments."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.events import FeedError, MatchInfo
from ingest.feeds.base import Parsed, Problem, Recorded, Row
from ingest.feeds.files import json_documents
from ingest.feeds.statsperform import constants as c
from ingest.feeds.statsperform import parse

Doc = dict[str, Any]


class StatsPerform:
    """See `ingest.feeds.base.Adapter`."""

    name = "statsperform"

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match from its MA3 document and, where given, its MA1 document, in any order."""
        found: dict[str, list[Doc]] = {}
        raw_info: dict[str, Doc] = {}
        for path, document in json_documents(paths):
            raw, live = _sections(path, document)
            raw_info.setdefault(str(raw.get("id")), raw)
            if isinstance(live.get("event"), list):
                found[str(raw.get("id"))] = live["event"]
        if match is not None:
            found = {key: value for key, value in found.items() if key == match}
        if len(found) != 1:
            what = "no MA3 document (liveData.event)" if not found else f"{len(found)} matches"
            raise FeedError(
                "statsperform_no_events",
                f"{what} in {', '.join(map(str, paths))}: give the MA3 file of one match, its MA1 beside it",
            )
        ((key, events),) = found.items()
        info = parse.parse_info(raw_info[key])
        rows, problems = _rows(info, events)
        if not rows:
            raise FeedError("statsperform_no_play", f"match {key} holds no event of any period: give a played match")
        return Recorded(info, _slim(raw_info[key]), rows, problems)

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches whose events are there."""
        ids = []
        for path, document in json_documents(paths):
            info, live = _sections(path, document)
            if isinstance(live.get("event"), list):
                ids.append(str(info.get("id")))
        return ids

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays."""
        return parse.parse_info(raw_info)

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one MA3 event."""
        return parse.parse_event(info, doc)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """First reports are off by some metres, miss a qualifier, or have the wrong outcome; never a goal or a card."""
        if doc["typeId"] in (c.GOAL, c.CARD, c.PERIOD_START, c.PERIOD_END) or "x" not in doc:
            return None
        first = dict(doc)
        first["x"] = round(min(100.0, max(0.0, float(doc["x"]) + rng.uniform(-12, 12))), 1)
        first["y"] = round(min(100.0, max(0.0, float(doc["y"]) + rng.uniform(-12, 12))), 1)
        if doc["typeId"] == c.PASS and rng.random() < 0.1:
            first["outcome"] = 1 - int(doc.get("outcome", 0))
        if doc["typeId"] in c.SHOTS:
            first["qualifier"] = [q for q in doc.get("qualifier", []) if q["qualifierId"] != c.Q_BIG_CHANCE]
        return first

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``lastModified``."""
        return {**doc, "lastModified": parse.iso(unix_ms)}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        return doc["typeId"] in (c.PERIOD_START, c.PERIOD_END)


def _sections(path: Path, document: object) -> tuple[Doc, Doc]:
    if isinstance(document, dict):
        info, live = document.get("matchInfo"), document.get("liveData")
        if isinstance(info, dict) and isinstance(live, dict):
            return info, live
    raise FeedError(
        "statsperform_not_a_match",
        f"{path} is no Stats Perform MA1 or MA3 document (no matchInfo and liveData): check --provider and the path",
    )


def _slim(raw_info: Doc) -> Doc:
    keys = ("id", "date", "time", "description", "contestant", "competition", "venue")
    return {key: raw_info[key] for key in keys if key in raw_info}


def _rows(info: MatchInfo, events: Sequence[object]) -> tuple[tuple[Row, ...], tuple[Problem, ...]]:
    rows, problems = [], []
    for index, doc in enumerate(events):
        try:
            if not isinstance(doc, dict):
                raise TypeError("not an object")
            period = int(doc["periodId"])
            if period not in c.PERIOD_BASE_MIN:
                continue
            unix, type_id = parse.unix_ms(str(doc["timeStamp"])), int(doc["typeId"])
            if type_id != c.DELETED:
                rows.append(Row(doc, unix, period))
                continue
            former = next((q["value"] for q in doc.get("qualifier") or () if q["qualifierId"] == c.Q_FORMER_TYPE), None)
            rows.append(Row({**doc, "typeId": int(former)} if former else doc, unix, period, withdrawn=doc))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            problems.append(Problem("bad_event", f"event number {index}", f"{type(error).__name__}: {error}"[:200]))
    rows.sort(key=lambda row: row.unix_ms)
    return tuple(rows), tuple(problems)


ADAPTER = StatsPerform()
