"""The Wyscout adapter, versions 2 and 3: an events document, or a folder ``events/`` with ``matches_*.json`` lists.

The documents have neither kick-off rows nor versions nor wall-clock times: the loader adds the whistles and lays the
periods out from the kick-off. Who is at home stands in the document's ``match`` or in a match list; without either the
sides are taken in the document's order.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingest.events import FeedError, MatchInfo, Upsert
from ingest.feeds import base
from ingest.feeds.base import Parsed, Problem, Recorded, Row, text_id
from ingest.feeds.files import decode, json_files, looks_like, not_a_match, read_document
from ingest.feeds.reading import LONGEST_PERIOD_MS, lay_out, score_problems
from ingest.feeds.wyscout import constants as c
from ingest.feeds.wyscout import parse
from ingest.feeds.wyscout.replay import spoil

Doc = dict[str, Any]
UNKNOWN_DATE = "1970-02-01 00:00:00"


class Wyscout:
    """See `ingest.feeds.base.Adapter`."""

    name = "wyscout"
    versioned = False
    feeds_index = True

    def document(self, body: bytes) -> base.Document:
        """An events document; it tells who is at home only where it holds the ``match``, too."""
        document = decode(body)
        if not isinstance(document, dict) or not isinstance(document.get("events"), list):
            raise FeedError("wyscout_not_a_match", "no events list: check the address")
        rows, problems = base.objects(document["events"])
        match = _own_match(document)
        match_id = text_id((match or {}).get("wyId")) or _match_of(rows)
        raw_info = None if match is None else _raw_info("the document", document, list(rows), match_id, match)
        return base.Document(match_id, raw_info, rows, problems=problems)

    def key(self, doc: Doc) -> str:
        """``id`` is unique in the match."""
        return text_id(doc.get("id"))

    def withdrawal(self, key: str, version: int) -> Doc:
        """Marked ``deleted``, as version 3 of the provider's interface does."""
        return {"id": key, "deleted": True, "modified": version}

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match; in a folder of many, ``match`` names it."""
        files, lists = _event_files(paths)
        if match is not None:
            files = [f for f in files if _match_id(f) == match]
        if len(files) != 1:
            what = f"{len(files)} matches" if files else f"no match {match or ''}".rstrip()
            raise FeedError(
                "wyscout_which_match", f"{what} in {', '.join(map(str, paths))}: name one match or give its events file"
            )
        path = files[0]
        document = read_document(path)
        other = looks_like(document) not in (None, self.name)  # others have lists of events, too
        if other or not isinstance(document, dict) or not isinstance(document.get("events"), list):
            raise not_a_match("wyscout", path, document, "no events list")
        events, problems = _clean(document["events"])
        if not events:
            raise FeedError("wyscout_no_events", f"{path} holds no usable event: give a played match")
        match_id = str(events[0].get("matchId") or _match_id(path))
        listed = _own_match(document) or _listed(path, lists, match_id)
        raw_info = _raw_info(str(path), document, events, match_id, listed)
        info = parse.parse_info(raw_info)
        official = None if listed is None else _official_score(listed)
        if listed is None:
            text = "no match list beside the events: the document's first team is taken for the home side"
            problems = (*problems, Problem("home_side_unknown", f"match {match_id}", text))
        return Recorded(info, raw_info, _rows(info, events), (*problems, *_compare(info, events, official)), official)

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> base.Replay:
        """The recording as a live feed."""
        return base.replay(self, self.load(paths, match), seed, base.ReplayOptions(halftime_ms=halftime_ms))

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches whose events are there."""
        return [_match_id(path) for path in _event_files(paths)[0]]

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The events file and the match lists of each match; no document is opened."""
        files, lists = _event_files(paths)
        found: dict[str, tuple[Path, ...]] = {}
        for path in files:  # two files of one name stay together: `load` refuses the pair in clear words
            found[_match_id(path)] = (path, *found.get(_match_id(path), lists))
        return found

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays."""
        return parse.parse_info(raw_info)

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one event."""
        return parse.parse_event(info, doc)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """See `ingest.feeds.wyscout.replay.spoil`."""
        return spoil(doc, rng)

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``modified`` (ours: the archive has no versions)."""
        return {**doc, "modified": unix_ms}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        return doc.get("eventName") in (parse.PERIOD_START, parse.PERIOD_END)


def _match_of(rows: Sequence[Doc]) -> str:
    """The match that the rows name; the loader's whistles name none."""
    return next((text_id(row["matchId"]) for row in rows if "matchId" in row), "")


def _match_id(path: Path) -> str:
    return path.name.split(".")[0]


def _event_files(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Event files and match lists at ``paths``; a folder that holds ``events/`` stands for the archive."""
    roots = [Path(path) for path in paths]
    files = json_files([path / "events" if (path / "events").is_dir() else path for path in roots])
    lists = [f for f in files if f.name.startswith("matches_")]
    return [f for f in files if not f.name.startswith(("matches_", "teams.", "players."))], lists


def _clean(rows: Sequence[object]) -> tuple[list[Doc], tuple[Problem, ...]]:
    """Events with a period and a time, in that order; the rest are problems."""
    good, problems = [], []
    for index, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise TypeError("not an object")
            _, play_ms = parse.moment(row)
            if not 0 <= play_ms <= LONGEST_PERIOD_MS:
                raise ValueError(f"{row['matchPeriod']} {play_ms / 1000}")
            good.append(row)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            problems.append(Problem("bad_event", f"event number {index}", f"{type(error).__name__}: {error}"[:200]))
    good.sort(key=parse.moment)
    return good, tuple(problems)


def _own_match(document: Doc) -> Doc | None:
    """The ``match`` that current documents hold beside their events, if it tells the sides."""
    match = document.get("match")
    return match if isinstance(match, dict) and match.get("teamsData") else None


def _raw_info(source: str, document: Doc, events: list[Doc], match_id: str, listed: Doc | None) -> Doc:
    names = _team_names(document, events)
    dateutc, competition = UNKNOWN_DATE, ""
    if listed is not None:
        try:
            sides = {str(t["side"]): str(t["teamId"]) for t in listed["teamsData"].values()}
            dateutc, competition = str(listed["dateutc"]), str(listed.get("competitionId", ""))
        except (KeyError, TypeError, AttributeError) as error:
            raise FeedError(
                "wyscout_bad_list", f"the match list's row {match_id} lacks {error}: give a whole matches file"
            ) from error
    else:
        # Without a match list the order of the teams is all there is; kloppy reads it the same way.
        ids = list(names) or list(dict.fromkeys(str(e.get("teamId")) for e in events))
        if len(ids) != 2:
            raise FeedError("wyscout_no_teams", f"{source} names {len(ids)} teams, not two: give a complete document")
        sides = {"home": ids[0], "away": ids[1]}
    teams = {}
    for side, team_id in sides.items():
        name = names.get(team_id, f"Team {team_id}")
        teams[side] = {"id": team_id, "name": name, "short": name[:3].upper()}
    return {"id": match_id, "dateutc": dateutc, "competition": competition, "teams": teams}


def _listed(path: Path, lists: Sequence[Path], match_id: str) -> Doc | None:
    """The match's row in a given ``matches_*.json`` list or one beside the events, if there is one."""
    beside = [
        listing
        for folder in (path.parent, path.parent.parent)
        for pattern in ("matches_*.json.gz", "matches_*.json")
        for listing in sorted(folder.glob(pattern))
    ]
    for listing in dict.fromkeys((*lists, *beside)):
        row = _list_rows(listing, listing.stat().st_mtime_ns).get(match_id)
        if row is not None:
            return row
    return None


@lru_cache(maxsize=16)
def _list_rows(listing: Path, _changed_ns: int) -> dict[str, Doc]:
    """A match list by match id, kept because whoever reads an archive asks once a match."""
    rows = read_document(listing)
    return {str(row.get("wyId")): row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict)}


def _official_score(listed: Doc) -> tuple[int, int] | None:
    """Goals after extra time where there was one; the shoot-out stands apart."""
    try:
        sides = {str(t["side"]): max(int(t["score"]), int(t.get("scoreET") or 0)) for t in listed["teamsData"].values()}
        return sides["home"], sides["away"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _compare(info: MatchInfo, events: Sequence[Doc], official: tuple[int, int] | None) -> tuple[Problem, ...]:
    """A problem when the goals among the events are not the official score."""
    changes = [change for doc in events for change in parse.parse_event(info, doc)] if official else []
    events_of = (change.event for change in changes if isinstance(change, Upsert))
    return score_problems(info, events_of, official, "the match list")


def _team_names(document: Doc, events: Sequence[Doc]) -> dict[str, str]:
    names: dict[str, str] = {}
    teams = document.get("teams")
    if not isinstance(teams, dict) or not teams:
        named = [row["team"] for row in events if isinstance(row.get("team"), dict)]  # every row of version 3 does
        return {str(team.get("id")): str(team.get("name")) for team in named}
    for team_id, row in teams.items():
        team = row.get("team", row) if isinstance(row, dict) else None
        raw = str((team.get("name") if isinstance(team, dict) else None) or f"Team {team_id}")
        try:  # the archive escapes names twice
            names[str(team_id)] = raw.encode("latin-1").decode("unicode_escape") if "\\u" in raw else raw
        except UnicodeError:
            names[str(team_id)] = raw
    return names


def _rows(info: MatchInfo, events: list[Doc]) -> tuple[Row, ...]:
    """The events between whistles, laid out in time."""
    moments: list[tuple[int, int, Doc]] = []
    for name, period in c.PERIODS.items():
        of_period = [(*parse.moment(e), e) for e in events if parse.moment(e)[0] == period]
        if not of_period:
            continue
        end_ms = max(play_ms for _, play_ms, _ in of_period) + 1000
        whistle = {"matchPeriod": name, "tags": [], "positions": []}
        start = {**whistle, "id": f"{name}:start", "eventName": parse.PERIOD_START, "eventSec": 0.0}
        end = {**whistle, "id": f"{name}:end", "eventName": parse.PERIOD_END, "eventSec": end_ms / 1000}
        moments += [(period, 0, start), *of_period, (period, end_ms, end)]
    return lay_out(moments, info.kickoff_unix_ms)


ADAPTER = Wyscout()
