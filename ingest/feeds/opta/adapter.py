"""The Opta adapter: reads F24 + F7 recordings and parses live F24 rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ingest.events import FeedError, MatchInfo
from ingest.facts import MatchFacts, MatchStatus
from ingest.feeds import base, xmldoc
from ingest.feeds.base import Parsed, Problem, Recorded, text_id
from ingest.feeds.files import decode, documents, match_files, not_a_match, read_document
from ingest.feeds.opta import constants as c
from ingest.feeds.opta import f7, parse
from ingest.feeds.opta.recording import compare_score, rows_of
from ingest.feeds.opta.replay import spoil
from ingest.feeds.opta.rows import beyond_lines
from ingest.feeds.opta.times import london, london_ms
from ingest.feeds.reading import MAX_VERSION, unix_ms

Doc = dict[str, Any]
ROWS = xmldoc.Rows("Event", "Q", "Q")
ENDINGS = (".xml",)
UNNAMED = "unnamed"
"""The id of a match whose files do not tell it."""

_WHISTLES = (str(c.PERIOD_START), str(c.PERIOD_END))


class Section(NamedTuple):
    """One match in one document. ``rows`` is None in a document without events (F7, F9)."""

    match_id: str  # empty where the document does not tell
    header: Doc  # in F24's form, perhaps without teams
    rows: list[Doc] | None
    version_ms: int


class Opta:
    """See `ingest.feeds.base.Adapter`."""

    name = "opta"
    versioned = True
    feeds_index = True

    def document(self, body: bytes) -> base.Document:
        """An F24 or F7 document of one match."""
        section = _only(decode(body, ROWS))
        header = section.header if _has_teams(section.header) else None
        return base.Document(section.match_id, header, tuple(section.rows or ()), section.version_ms)

    def facts(self, body: bytes) -> MatchFacts:
        """Status, score and what F7 has beside: see `ingest.facts`."""
        root = decode(body, ROWS)
        section = _only(root)
        if section.rows is None and isinstance(root, xmldoc.Element):
            return f7.facts(root, f7.match_documents(root)[0], UNNAMED)
        status = MatchStatus.UNKNOWN  # F24 does not tell; its score stands in its header
        info = parse.parse_info(section.header)
        return MatchFacts(info, status, f7.score_of(section.header), updated_unix_ms=section.version_ms)

    def key(self, doc: Doc) -> str:
        """``id`` is unique in the match; ``event_id`` only within a team."""
        return text_id(doc.get("id"))

    def withdrawal(self, key: str, version: int) -> Doc:
        """A row of type 43, as a deleted event becomes."""
        return self.stamp({"id": key, "type_id": str(c.DELETED), "period_id": "0", "Q": []}, version)

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match from its F24 document and, where given, its F7 document, in any order."""
        where = ", ".join(map(str, paths))
        found = [section for _, sections in _files(paths) for section in sections]
        played = _by_match(section for section in found if section.rows is not None)
        results = _by_match(section for section in found if section.rows is None)
        if match is not None:
            played = {key: section for key, section in played.items() if key == match}
        if len(played) != 1:
            wanted = "" if match is None else f" of match {match}"
            what = f"{len(played)} matches" if played else f"no F24 document (Games, Game, Event){wanted}"
            raise FeedError(
                "opta_no_events" if not played else "opta_which_match",
                f"{what} in {where}: give the F24 file of one match, its F7 beside it",
            )
        ((key, section),) = played.items()
        raw_info, official, problems = _paired(key, section.header, results, where)
        info = parse.parse_info(raw_info)
        rows, found_problems = rows_of(info, section.rows or (), c.F24, _stamp_of, parse.version_of)
        if not rows:
            raise FeedError("opta_no_play", f"match {key} holds no event of any period: give a played match")
        problems += found_problems
        problems += compare_score(info, rows, c.F24, parse.parse_event, official, "the header")
        return Recorded(info, raw_info, rows, problems, official)

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> base.Replay:
        """The recording as a live feed."""
        return base.replay(self, self.load(paths, match), seed, base.ReplayOptions(halftime_ms=halftime_ms))

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches whose events are there."""
        return list(_by_match(s for _, sections in _files(paths) for s in sections if s.rows is not None))

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The files that hold sections of each match with events."""
        files: dict[str, dict[Path, None]] = {}
        played: dict[str, None] = {}  # ids of matches whose events are there, and names of files nobody can read
        named = {Path(path) for path in paths}
        for path in match_files(paths, ENDINGS):
            try:
                sections = _sections_of(path, read_document(path, ROWS), path in named)
            except FeedError:
                if path in named:
                    raise
                files[path.name], played[path.name] = {path: None}, None
                continue
            for section in sections:
                key = section.match_id or UNNAMED
                files.setdefault(key, {})[path] = None
                if section.rows is not None:
                    played[key] = None
        return {key: tuple(files[key]) for key in played}

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays."""
        return parse.parse_info(raw_info)

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one F24 row."""
        return parse.parse_event(info, doc)

    def beyond_lines(self, doc: Doc) -> float:
        """How far off the pitch the row's place lies, per cent."""
        return beyond_lines(doc, c.F24)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """See `ingest.feeds.opta.replay.spoil`."""
        return spoil(doc, rng, c.F24)

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``version`` and ``last_modified``."""
        return {**doc, "last_modified": london(unix_ms), "version": str(unix_ms)}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        return str(doc.get("type_id")) in _WHISTLES


def _paired(
    key: str, header: Doc, results: dict[str, Section], where: str
) -> tuple[Doc, tuple[int, int] | None, tuple[Problem, ...]]:
    """Header, official score and problems of an F24 document beside the F7 documents given. Raises FeedError."""
    result = results.get(key)
    if result is None and results and not (key == UNNAMED or UNNAMED in results):
        raise FeedError("opta_other_match", f"the F24 and the F7 document in {where} are of two matches: pair them")
    if result is None and len(results) == 1:  # one of the two does not tell its match; their teams are compared below
        ((_, result),) = results.items()
    given = result.header if result is not None else {}
    for name in ("home_team_id", "away_team_id"):
        if name in header and name in given and parse.plain_id(header[name]) != given[name]:
            raise FeedError("opta_other_match", f"the F24 and the F7 document in {where} are of other teams: pair them")
    raw = {**header, **given}
    problems: tuple[Problem, ...] = ()
    if "id" not in raw:
        raw["id"] = UNNAMED
        problems = (Problem("no_match_id", f"match {UNNAMED}", "neither document tells the match's id"),)
    return raw, f7.score_of(raw), problems


def _by_match(sections: Iterator[Section]) -> dict[str, Section]:
    """Each match's newest document."""
    found: dict[str, Section] = {}
    for section in sections:
        key = section.match_id or UNNAMED
        if key not in found or section.version_ms > found[key].version_ms:
            found[key] = section
    return found


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, list[Section]]]:
    for path, content, named in documents(paths, ENDINGS, ROWS):
        yield path, _sections_of(path, content, named)


def _sections_of(path: Path, content: object, named: bool) -> list[Section]:
    """The matches of one file; a file that was named itself must hold one."""
    found = _sections_in(content)
    if not found and named:
        raise not_a_match("opta", path, content, "no Games or SoccerFeed")
    return found


def _only(content: object) -> Section:
    found = _sections_in(content)
    if not found:
        raise FeedError("opta_not_a_match", "no Games (F24) or SoccerFeed (F7): check provider and address")
    if len(found) > 1:
        raise FeedError("opta_which_match", f"{len(found)} matches in one document: ask for one match")
    return found[0]


def _sections_in(content: object) -> list[Section]:
    if not isinstance(content, xmldoc.Element):
        return []
    if content.tag == "SoccerFeed":
        made = f7.updated_ms(content)
        headers = [f7.header(document) for document in f7.match_documents(content)]
        return [Section(str(raw.get("id", "")), raw, None, made) for raw in headers]
    if content.tag == "Games":
        made = _made_ms(content)
        return [Section(text_id(game.get("id")), {**game.attrib}, game.rows, made) for game in content.all("Game")]
    return []


def _has_teams(header: Doc) -> bool:
    return "id" in header and "home_team_id" in header and "away_team_id" in header


def _made_ms(root: xmldoc.Element) -> int:
    try:
        made = london_ms(root.get("timestamp"))
    except (ValueError, OverflowError):
        return 0
    return made if 0 < made <= MAX_VERSION else 0


def _stamp_of(doc: Doc) -> int:
    """When a row happened: a few rows tell it in UTC, too."""
    utc = doc.get("timestamp_utc")
    return unix_ms(str(utc)) if utc else london_ms(str(doc["timestamp"]))


ADAPTER = Opta()
