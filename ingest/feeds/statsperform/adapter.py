"""The Stats Perform adapter: reads MA1 + MA3 recordings and parses live fragments."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from ingest.events import FeedError, MatchInfo, Upsert, score
from ingest.feeds import base
from ingest.feeds.base import Parsed, Problem, Recorded, Row
from ingest.feeds.files import json_documents, json_files, not_a_match, read_json
from ingest.feeds.statsperform import constants as c
from ingest.feeds.statsperform import parse
from ingest.feeds.statsperform.replay import restore, spoil

Doc = dict[str, Any]
AROUND_KICKOFF_MS = 48 * 3_600_000
"""A row further from the kick-off than this is a mistake (a match resumed on another day is not replayed)."""


_WHISTLES = (str(c.PERIOD_START), str(c.PERIOD_END))


class StatsPerform:
    """See `ingest.feeds.base.Adapter`."""

    name = "statsperform"
    versioned = True

    def document(self, body: bytes) -> base.Document:
        """An MA1 or MA3 document."""
        try:
            part = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise FeedError("bad_json", f"no complete JSON ({error}): poll again") from error
        if not isinstance(part, dict) or not _is_section(part):
            raise FeedError("statsperform_not_a_match", "no matchInfo and liveData: check the address")
        info = part["matchInfo"]
        events = part["liveData"].get("event")
        rows = tuple(row for row in events if isinstance(row, dict)) if isinstance(events, list) else ()
        try:
            version_ms = parse.unix_ms(str(info["lastUpdated"]))
        except (KeyError, ValueError, OverflowError):
            version_ms = 0
        return base.Document(str(info.get("id", "")), _slim(info), rows, version_ms)

    def key(self, doc: Doc) -> str:
        """``id`` is unique in the match; ``eventId`` only within a team."""
        return str(doc.get("id", ""))

    def withdrawal(self, key: str, version: int) -> Doc:
        """A row of type 43, as a deleted event becomes."""
        return {"id": key, "typeId": c.DELETED, "periodId": 0, "lastModified": parse.iso(version)}

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match from its MA3 document and, where given, its MA1 document, in any order or one file."""
        events: dict[str, list[object]] = {}
        infos: dict[str, Doc] = {}
        facts: dict[str, Doc] = {}
        for document in _sections(paths):
            key = str(document["matchInfo"].get("id"))
            rows = document["liveData"].get("event")
            if isinstance(rows, list):
                events[key] = rows
                infos.setdefault(key, document["matchInfo"])
            else:
                facts[key] = document
        if match is not None:
            events = {key: value for key, value in events.items() if key == match}
        if len(events) != 1:
            wanted = "" if match is None else f" of match {match}"
            what = f"{len(events)} matches" if events else f"no MA3 document (liveData.event){wanted}"
            raise FeedError(
                "statsperform_no_events" if not events else "statsperform_which_match",
                f"{what} in {', '.join(map(str, paths))}: give the MA3 file of one match, its MA1 beside it",
            )
        ((key, raw_rows),) = events.items()
        if facts and key not in facts:
            raise FeedError(
                "statsperform_other_match",
                f"the MA1 and the MA3 document in {', '.join(map(str, paths))} are of different matches: pair them",
            )
        raw_info = facts[key]["matchInfo"] if key in facts else infos[key]
        info = parse.parse_info(raw_info)
        rows, problems = _rows(info, raw_rows)
        if not rows:
            raise FeedError("statsperform_no_play", f"match {key} holds no event of any period: give a played match")
        official = _official_score(facts.get(key))
        problems += _compare(self, info, rows, official)
        return Recorded(info, _slim(raw_info), rows, problems, official)

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> base.Replay:
        """The recording as a live feed."""
        return base.replay(self, self.load(paths, match), seed, base.ReplayOptions(halftime_ms=halftime_ms))

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches whose events are there."""
        return [
            str(document["matchInfo"].get("id"))
            for document in _sections(paths)
            if isinstance(document["liveData"].get("event"), list)
        ]

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The files that hold sections of each match with events."""
        files: dict[str, dict[Path, None]] = {}
        played: dict[str, None] = {}  # ids of matches whose events are there, and names of files nobody can read
        named = {Path(path) for path in paths}
        for path in json_files(paths):
            try:
                content = read_json(path)
            except FeedError:
                if path in named:
                    raise
                files[path.name], played[path.name] = {path: None}, None
                continue
            for document in _sections_of(path, content, path in named):
                key = str(document["matchInfo"].get("id"))
                files.setdefault(key, {})[path] = None
                if isinstance(document["liveData"].get("event"), list):
                    played[key] = None
        return {key: tuple(files[key]) for key in played}

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays."""
        return parse.parse_info(raw_info)

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one MA3 event."""
        return parse.parse_event(info, doc)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """See `ingest.feeds.statsperform.replay.spoil`."""
        return spoil(doc, rng)

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``lastModified``."""
        return {**doc, "lastModified": parse.iso(unix_ms)}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        return str(doc.get("typeId")) in _WHISTLES


def _sections(paths: Sequence[Path]) -> Iterator[Doc]:
    """The MA1 and MA3 documents at ``paths``: one a file, a list of them, or an object that holds them by name."""
    for path, content, named in json_documents(paths):
        yield from _sections_of(path, content, named)


def _sections_of(path: Path, content: object, named: bool) -> list[Doc]:
    """The sections of one document; a file that was named itself must hold one."""
    parts = content if isinstance(content, list) else [content]
    if isinstance(content, dict) and "matchInfo" not in content:
        parts = list(content.values())
    found: list[Doc] = [part for part in parts if isinstance(part, dict) and _is_section(part)]
    if not found and named:
        raise not_a_match("statsperform", path, content, "no matchInfo and liveData")
    return found


def _is_section(part: Doc) -> bool:
    return (
        isinstance(part.get("matchInfo"), dict)
        and isinstance(part.get("liveData"), dict)
        and ("event" in part["liveData"] or "matchDetails" in part["liveData"])
    )


def _slim(raw_info: Doc) -> Doc:
    keys = ("id", "date", "time", "description", "contestant", "competition", "venue")
    return {key: raw_info[key] for key in keys if key in raw_info}


def _rows(info: MatchInfo, events: Sequence[object]) -> tuple[tuple[Row, ...], tuple[Problem, ...]]:
    rows: list[Row] = []
    problems: list[Problem] = []
    for index, doc in enumerate(events):
        try:
            if not isinstance(doc, dict):
                raise TypeError("not an object")
            period = int(doc["periodId"])
            if period not in c.PERIOD_BASE_MIN:
                continue
            unix, type_id = parse.unix_ms(str(doc["timeStamp"])), int(doc["typeId"])
            if abs(unix - info.kickoff_unix_ms) > AROUND_KICKOFF_MS:
                raise ValueError(f"time stamp {doc['timeStamp']} is days from the kick-off")
            if type_id in (c.DELETED, c.DELETED_AFTER_REVIEW):
                rows.append(Row(restore(doc) or doc, unix, period, withdrawn=doc))
            else:
                rows.append(Row(doc, unix, period))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            problems.append(Problem("bad_event", f"event number {index}", f"{type(error).__name__}: {error}"[:200]))
    rows = _newest(rows)
    rows.sort(key=lambda row: row.unix_ms)
    return tuple(rows), tuple(problems)


def _newest(rows: Sequence[Row]) -> list[Row]:
    """Of several versions of a row the last one: a replay stamps rows anew and could not tell them apart."""
    newest: dict[str, tuple[int, Row]] = {}
    for number, row in enumerate(rows):
        try:
            version = parse.unix_ms(str(row.doc["lastModified"]))
        except (KeyError, ValueError, OverflowError):
            version = 0
        key = str(row.doc.get("id", f"row {number}"))
        if key not in newest or version >= newest[key][0]:
            newest[key] = (version, row)
    return [row for _, row in newest.values()]


def _official_score(ma1: Doc | None) -> tuple[int, int] | None:
    """The score by kloppy's reading of MA1; None where there is none."""
    if ma1 is None:
        return None
    # Imported here: it costs a tenth of a second that a feed without MA1 need not pay.
    from kloppy.infra.serializers.event.statsperform.parsers.ma1_json import MA1JSONParser

    try:
        found = MA1JSONParser(io.BytesIO(orjson.dumps(ma1))).extract_score()
        return None if found is None else (int(found.home), int(found.away))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _compare(
    adapter: StatsPerform, info: MatchInfo, rows: Sequence[Row], official: tuple[int, int] | None
) -> tuple[Problem, ...]:
    """A problem when the goals among the events are not the official score."""
    goals = [row.doc for row in rows if row.withdrawn is None and str(row.doc["typeId"]) == str(c.GOAL)]
    changes = [change for doc in goals for change in adapter.parse(info, doc)]
    found = score(change.event for change in changes if isinstance(change, Upsert))
    if official is None or found == official:
        return ()
    text = f"the events make it {found[0]}-{found[1]}, MA1 says {official[0]}-{official[1]}"
    return (Problem("score_differs", f"match {info.match_id}", text),)


ADAPTER = StatsPerform()
