"""The Stats Perform adapter: reads MA1 + MA3 recordings, JSON or XML, and parses live fragments."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ingest.events import FeedError, MatchInfo
from ingest.facts import MatchFacts
from ingest.feeds import base, xmldoc
from ingest.feeds.base import Parsed, Recorded, text_id
from ingest.feeds.files import decode, documents, match_files, not_a_match, read_document
from ingest.feeds.opta import constants as c
from ingest.feeds.opta.recording import compare_score, rows_of
from ingest.feeds.opta.rows import beyond_lines
from ingest.feeds.reading import MAX_VERSION
from ingest.feeds.statsperform import facts, parse, xml
from ingest.feeds.statsperform.constants import MA3
from ingest.feeds.statsperform.replay import spoil

Doc = dict[str, Any]
_WHISTLES = (str(c.PERIOD_START), str(c.PERIOD_END))


class StatsPerform:
    """See `ingest.feeds.base.Adapter`."""

    name = "statsperform"
    versioned = True
    feeds_index = True

    def document(self, body: bytes) -> base.Document:
        """An MA1 or MA3 document, or both of one match in one body."""
        parts = _parts(body)
        played = [part for part in parts if isinstance(part["liveData"].get("event"), list)]
        events = played[0]["liveData"]["event"] if played else []
        good, problems = base.objects(events)
        header = (played or parts)[0]["matchInfo"]
        version_ms = max(_updated(part["matchInfo"]) for part in parts)
        return base.Document(text_id(header.get("id")), _slim(header), good, version_ms, problems=problems)

    def facts(self, body: bytes) -> MatchFacts:
        """Status, score and what MA1 has beside: see `ingest.facts`."""
        parts = _parts(body)
        return facts.facts(next((part for part in parts if "lineUp" in part["liveData"]), parts[0]))

    def key(self, doc: Doc) -> str:
        """``id`` is unique in the match; ``eventId`` only within a team."""
        return text_id(doc.get("id"))

    def withdrawal(self, key: str, version: int) -> Doc:
        """A row of type 43, as a deleted event becomes."""
        return {"id": key, "typeId": c.DELETED, "periodId": 0, "lastModified": parse.iso(version)}

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match from its MA3 document and, where given, its MA1 document, in any order or one file."""
        events: dict[str, list[object]] = {}
        infos: dict[str, Doc] = {}
        ma1: dict[str, Doc] = {}
        for document in _sections(paths):
            key = str(document["matchInfo"].get("id"))
            rows = document["liveData"].get("event")
            if not isinstance(rows, list):
                ma1[key] = document
            elif key not in infos or _updated(document["matchInfo"]) > _updated(infos[key]):
                events[key], infos[key] = rows, document["matchInfo"]
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
        if ma1 and key not in ma1:
            raise FeedError(
                "statsperform_other_match",
                f"the MA1 and the MA3 document in {', '.join(map(str, paths))} are of different matches: pair them",
            )
        raw_info = ma1[key]["matchInfo"] if key in ma1 else infos[key]
        info = parse.parse_info(raw_info)
        rows, problems = rows_of(info, raw_rows, MA3, _stamp_of, parse.version_of)
        if not rows:
            raise FeedError("statsperform_no_play", f"match {key} holds no event of any period: give a played match")
        official = facts.score_of(ma1[key]) if key in ma1 else None
        problems += compare_score(info, rows, MA3, parse.parse_event, official, "MA1")
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
        for path in match_files(paths):
            try:
                content = read_document(path, xml.ROWS)
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

    def beyond_lines(self, doc: Doc) -> float:
        """How far off the pitch the row's place lies, per cent."""
        return beyond_lines(doc, MA3)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """See `ingest.feeds.statsperform.replay.spoil`."""
        return spoil(doc, rng)

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``lastModified``."""
        return {**doc, "lastModified": parse.iso(unix_ms)}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        return str(doc.get("typeId")) in _WHISTLES


def _parts(body: bytes) -> list[Doc]:
    """The sections in one body, all of one match. Raises FeedError."""
    parts = _sections_in(decode(body, xml.ROWS))
    if not parts:
        raise FeedError("statsperform_not_a_match", "no matchInfo and liveData: check provider and address")
    ids = {text_id(part["matchInfo"].get("id")) for part in parts}
    if len(ids) != 1:
        raise FeedError("statsperform_which_match", f"{len(ids)} matches in one document: ask for one match")
    return parts


def _sections(paths: Sequence[Path]) -> Iterator[Doc]:
    """The MA1 and MA3 documents at ``paths``: one a file, a list of them, or an object that holds them by name."""
    for path, content, named in documents(paths, rows=xml.ROWS):
        yield from _sections_of(path, content, named)


def _sections_of(path: Path, content: object, named: bool) -> list[Doc]:
    """The sections of one document; a file that was named itself must hold one."""
    found = _sections_in(content)
    if not found and named:
        raise not_a_match("statsperform", path, content, "no matchInfo and liveData")
    return found


def _sections_in(content: object) -> list[Doc]:
    if isinstance(content, xmldoc.Element):
        content = xml.document(content) if content.tag in xml.ROOTS else {}
    parts = content if isinstance(content, list) else [content]
    if isinstance(content, dict) and "matchInfo" not in content:
        parts = list(content.values())
    return [part for part in parts if isinstance(part, dict) and _is_section(part)]


def _is_section(part: Doc) -> bool:
    return (
        isinstance(part.get("matchInfo"), dict)
        and isinstance(part.get("liveData"), dict)
        and ("event" in part["liveData"] or "matchDetails" in part["liveData"])
    )


def _slim(raw_info: Doc) -> Doc:
    keys = ("id", "date", "time", "description", "contestant", "competition", "venue")
    return {key: raw_info[key] for key in keys if key in raw_info}


def _stamp_of(doc: Doc) -> int:
    return parse.unix_ms(str(doc["timeStamp"]))


def _updated(raw_info: Doc) -> int:
    """When the provider made the document, unix ms; 0 where it does not tell."""
    try:
        version_ms = parse.unix_ms(str(raw_info["lastUpdated"]))
        return version_ms if 0 < version_ms <= MAX_VERSION else 0
    except (KeyError, ValueError, OverflowError):
        return 0


ADAPTER = StatsPerform()
