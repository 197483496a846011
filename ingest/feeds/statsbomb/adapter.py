"""The StatsBomb adapter: an events document, with its match list and line-ups where given.

An events document names the teams but not who is at home, and carries no date: both stand in the match list. Without
one the team whose eleven comes first is taken for the home side, which holds in every file we have; the order of the
line-ups document does not. Line-ups and 360 documents may lie beside the events; line-ups of other teams are refused.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.events import FeedError, MatchInfo, Upsert
from ingest.feeds import base
from ingest.feeds.base import Parsed, Problem, Recorded, text_id
from ingest.feeds.files import decode, json_files, not_a_match, read_document
from ingest.feeds.reading import UNKNOWN_KICKOFF_MS, lay_out, score_problems
from ingest.feeds.statsbomb import constants as c
from ingest.feeds.statsbomb import parse
from ingest.feeds.statsbomb.replay import spoil

Doc = dict[str, Any]
EVENTS, LINEUPS, MATCHES, FRAMES = "events", "line-ups", "matches", "360 frames"
_KEYS = {
    EVENTS: ("type", "period", "timestamp"),
    LINEUPS: ("team_id", "lineup"),
    MATCHES: ("match_id", "home_team", "away_team"),
    FRAMES: ("event_uuid", "freeze_frame"),
}


class StatsBomb:
    """See `ingest.feeds.base.Adapter`."""

    name = "statsbomb"
    versioned = False
    feeds_index = True

    def document(self, body: bytes) -> base.Document:
        """An events document (it does not tell who is at home), one match's row (which does), line-ups or frames."""
        content = decode(body)
        if isinstance(content, dict) and shape([content]) == MATCHES:
            return base.Document(text_id(content["match_id"]), header(content), ())
        what = shape(content)
        if what is None or what == MATCHES or not isinstance(content, list):
            raise FeedError("statsbomb_not_a_match", "neither events, line-ups nor one match: check the address")
        if what != EVENTS:
            return base.Document("", None, ())
        rows, problems = base.objects(content)
        return base.Document("", None, rows, problems=problems)

    def key(self, doc: Doc) -> str:
        """``id`` is a UUID."""
        return text_id(doc.get("id"))

    def withdrawal(self, key: str, version: int) -> Doc:
        """Marked ``deleted`` (ours: the provider drops the row)."""
        return {"id": key, "deleted": True, "modified": version}

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match; in a folder of many, ``match`` names it."""
        found = list(_documents(paths, match))
        events = [(path, rows) for path, rows, what in found if what == EVENTS]
        if len(events) != 1:
            number = f"{len(events)} matches" if events else f"no events document {match or ''}".rstrip()
            beside = ", ".join(sorted({what for _, _, what in found} - {EVENTS}))
            only = f" ({beside} only)" if beside and not events else ""
            raise FeedError(
                "statsbomb_which_match",
                f"{number} in {', '.join(map(str, paths))}{only}: name one match or give its events file",
            )
        path, rows = events[0]
        match_id = match_id_of(path)
        listed = _listed(path, [content for _, content, what in found if what == MATCHES], match_id)
        moments, problems = _clean(rows)
        if not moments:
            raise FeedError("statsbomb_no_events", f"{path} holds no usable event: give a played match")
        raw_info = header(listed) if listed is not None else _guessed(path, match_id, [doc for _, _, doc in moments])
        info = parse.parse_info(raw_info)
        playing = {info.home.team_id, info.away.team_id}
        for other, lineups, what in found:
            if what == LINEUPS and {text_id(row.get("team_id")) for row in lineups} != playing:
                raise FeedError("statsbomb_other_match", f"{other} and {path} are of different matches: pair them")
        if listed is None:
            text = "no match list beside the events: the team whose eleven comes first is taken for the home side"
            problems = (*problems, Problem("home_side_unknown", f"match {match_id}", text))
        official = None if listed is None else _official_score(listed)
        problems = (*problems, *_compare(info, [doc for _, _, doc in moments], official))
        return Recorded(info, raw_info, lay_out(moments, info.kickoff_unix_ms), problems, official)

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> base.Replay:
        """The recording as a live feed."""
        return base.replay(self, self.load(paths, match), seed, base.ReplayOptions(halftime_ms=halftime_ms))

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches whose events are there."""
        return list(self.sources(paths))

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The events file of each match with what lies beside it; in an archive no document is opened."""
        events: dict[str, list[Path]] = {}
        beside: dict[str, list[Path]] = {}
        for path, what in _files(paths):
            where = events if what == EVENTS else beside
            where.setdefault("" if what == MATCHES else match_id_of(path), []).append(path)
        alone = len(events) == 1
        found = {}
        for key, files in events.items():
            others = [path for name, listed in beside.items() if alone or name in (key, "") for path in listed]
            found[key] = (*files, *others)
        return found

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays."""
        return parse.parse_info(raw_info)

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one event."""
        return parse.parse_event(info, doc)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """See `ingest.feeds.statsbomb.replay.spoil`."""
        return spoil(doc, rng)

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``modified`` (ours: the provider has no versions)."""
        return {**doc, "modified": unix_ms}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        kind = doc.get("type")
        return isinstance(kind, dict) and kind.get("id") in (c.HALF_START, c.HALF_END)


def shape(content: object) -> str | None:
    """Which of the provider's documents this is; None for none of them."""
    if not isinstance(content, list):
        return None
    rows = [row for row in content[:8] if isinstance(row, dict)]
    return next((name for name, keys in _KEYS.items() if any(all(key in row for key in keys) for row in rows)), None)


def match_id_of(path: Path) -> str:
    """The match's number in a file's name (``15946.json.gz``, ``statsbomb_15986_event.json``), else the name."""
    name = path.name.removesuffix(".gz").removesuffix(".json")
    numbers = re.findall(r"\d{3,}", name)
    return str(max(numbers, key=len)) if numbers else name


def header(row: Doc) -> Doc:
    """A match's row as `parse.parse_info` takes it. The kick-off is local time: the provider tells no zone.

    Raises FeedError when it lacks the teams.
    """
    try:
        sides = {"home": row["home_team"], "away": row["away_team"]}
        teams = {side: _team(team[f"{side}_team_id"], team[f"{side}_team_name"]) for side, team in sides.items()}
        if "" in (team["id"] for team in teams.values()):
            raise ValueError("a team's id")
        competition = row.get("competition") or {}
        return {
            "id": text_id(row["match_id"]),
            "kickoff_unix_ms": _kickoff_ms(row),
            "competition": str(competition.get("competition_name", "")),
            "teams": teams,
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FeedError("statsbomb_bad_list", f"the match's row lacks or garbles {error}: give a whole list") from error


def _team(team_id: object, name: object) -> Doc:
    return {"id": text_id(team_id), "name": str(name), "short": str(name)[:3].upper()}


def _kickoff_ms(row: Doc) -> int:
    try:
        clock = str(row.get("kick_off") or "00:00:00")
        found = datetime.fromisoformat(f"{row['match_date']}T{clock}").replace(tzinfo=UTC)
        return int(found.timestamp()) * 1000
    except (KeyError, ValueError, OverflowError):
        return UNKNOWN_KICKOFF_MS


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """The provider's files at ``paths``; a folder that holds ``events/`` stands for an archive and is told by place."""
    for path in map(Path, paths):
        if (path / "events").is_dir():
            for folder, what in (("events", EVENTS), ("lineups", LINEUPS), ("three-sixty", FRAMES)):
                if (path / folder).is_dir():
                    yield from ((file, what) for file in json_files([path / folder]))
            for pattern in ("matches*.json*", "matches/*.json*", "matches/*/*.json*"):
                yield from ((file, MATCHES) for file in sorted(path.glob(pattern)))
            continue
        named = path.is_file()
        for file in json_files([path]):
            try:
                content = read_document(file)
            except FeedError:
                if named:
                    raise
                yield file, EVENTS  # loading it tells what is wrong with it
                continue
            found = shape(content)
            if found is not None:
                yield file, found
            elif named:
                raise not_a_match("statsbomb", file, content, "no list of events, line-ups or matches")


def _documents(paths: Sequence[Path], match: str | None) -> Iterator[tuple[Path, list[Doc], str]]:
    """What is there, or what belongs to ``match``; 360 frames are not needed and not opened."""
    for path, what in _files(paths):
        if what == FRAMES or (match is not None and what == EVENTS and match_id_of(path) != match):
            continue
        other = match_id_of(path)
        if match is not None and what == LINEUPS and other != match and other.isdigit():
            continue
        content = read_document(path)
        if shape(content) != what or not isinstance(content, list):
            raise not_a_match("statsbomb", path, content, f"no list of {what}")
        yield path, [row for row in content if isinstance(row, dict)], what


def _listed(path: Path, lists: Sequence[list[Doc]], match_id: str) -> Doc | None:
    """The match's row in a given list or in one beside the events, if there is one."""
    given = [row for rows in lists for row in rows]
    for folder in (path.parent, path.parent.parent):
        if any(text_id(row.get("match_id")) == match_id for row in given):
            break
        files = [f for pattern in ("matches*.json*", "matches/*/*.json*") for f in sorted(folder.glob(pattern))]
        contents = [content for content in map(read_document, files) if shape(content) == MATCHES]
        given += [row for content in contents if isinstance(content, list) for row in content if isinstance(row, dict)]
    return next((row for row in given if text_id(row.get("match_id")) == match_id), None)


def _clean(rows: Sequence[Doc]) -> tuple[list[tuple[int, int, Doc]], tuple[Problem, ...]]:
    """Events with a period and a time; the rest are problems."""
    good, problems = [], []
    for index, row in enumerate(rows):
        try:
            good.append((*parse.moment(row), row))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            problems.append(Problem("bad_event", f"event number {index}", f"{type(error).__name__}: {error}"[:200]))
    return good, tuple(problems)


def _guessed(path: Path, match_id: str, rows: Sequence[Doc]) -> Doc:
    """A header from the events alone: the teams in the order of their elevens."""
    eleven_first = sorted(rows, key=lambda row: _type_id(row) != c.STARTING_XI)
    teams: dict[str, Doc] = {}
    for row in eleven_first:
        team = row.get("team")
        if isinstance(team, dict) and text_id(team.get("id")):
            teams.setdefault(text_id(team["id"]), _team(team["id"], team.get("name") or f"Team {team['id']}"))
    if len(teams) != 2:
        raise FeedError("statsbomb_no_teams", f"{path} names {len(teams)} teams, not two: give a complete document")
    sides = dict(zip(("home", "away"), teams.values(), strict=True))
    return {"id": match_id, "kickoff_unix_ms": UNKNOWN_KICKOFF_MS, "competition": "", "teams": sides}


def _type_id(row: Doc) -> object:
    kind = row.get("type")
    return kind.get("id") if isinstance(kind, dict) else None


def _official_score(listed: Doc) -> tuple[int, int] | None:
    try:
        return int(listed["home_score"]), int(listed["away_score"])
    except (KeyError, TypeError, ValueError):
        return None


def _compare(info: MatchInfo, rows: Sequence[Doc], official: tuple[int, int] | None) -> tuple[Problem, ...]:
    """A problem when the goals among the events are not the official score."""
    if official is None:
        return ()
    goals = [row for row in rows if _type_id(row) in (c.SHOT, c.OWN_GOAL_FOR)]
    changes = [change for row in goals for change in parse.parse_event(info, row)]
    events = (change.event for change in changes if isinstance(change, Upsert))
    return score_problems(info, events, official, "the match list")


ADAPTER = StatsBomb()
