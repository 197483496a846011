"""The DataFactory adapter: one document holds teams, players, score, all incidences and the ids of deleted ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

from ingest.events import FeedError, MatchInfo, Upsert
from ingest.feeds import base
from ingest.feeds.base import Parsed, Problem, Recorded, text_id
from ingest.feeds.datafactory import constants as c
from ingest.feeds.datafactory import parse
from ingest.feeds.datafactory.context import free_kicks, right_side
from ingest.feeds.datafactory.replay import spoil
from ingest.feeds.files import decode, match_documents, match_sources
from ingest.feeds.reading import lay_out, score_problems

Doc = dict[str, Any]
WANTED = "no match and incidences"


class DataFactory:
    """See `ingest.feeds.base.Adapter`."""

    name = "datafactory"
    versioned = False
    feeds_index = True

    def document(self, body: bytes) -> base.Document:
        """A whole match; every poll brings all of it."""
        content = decode(body)
        if not is_match(content):
            raise FeedError("datafactory_not_a_match", f"{WANTED}: check the address")
        raw_info = _slim(content)
        info = parse.parse_info(raw_info)
        rows, problems = incidences(content, info)
        deleted = tuple({"id": key, "deleted": True} for key in _deleted(content))
        return base.Document(info.match_id, raw_info, (*rows, *deleted), problems=problems)

    def key(self, doc: Doc) -> str:
        """``id``, under which the document has the incidence."""
        return text_id(doc.get("id"))

    def withdrawal(self, key: str, version: int) -> Doc:
        """As an id in ``deletedIncidences`` reads."""
        return {"id": key, "deleted": True, "modified": version}

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match; in a folder of many, ``match`` names it."""
        found = [
            (path, content)
            for path, content in match_documents(self.name, paths, is_match, WANTED)
            if match in (None, _match_id(content))
        ]
        if len(found) != 1:
            number = f"{len(found)} matches" if found else f"no match {match or ''}".rstrip()
            raise FeedError(
                "datafactory_which_match", f"{number} in {', '.join(map(str, paths))}: name one match or give its file"
            )
        ((path, content),) = found
        raw_info = _slim(content)
        info = parse.parse_info(raw_info)
        rows, problems = incidences(content, info)
        moments, bad = _clean(rows)
        if not moments:
            raise FeedError("datafactory_no_events", f"{path} holds no usable incidence: give a played match")
        official = _official_score(content, info)
        laid = lay_out([*moments, *_tombstones(content, moments)], info.kickoff_unix_ms)
        problems = (*problems, *bad, *_compare(info, [doc for _, _, doc in moments], official))
        return Recorded(info, raw_info, laid, problems, official)

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> base.Replay:
        """The recording as a live feed."""
        return base.replay(self, self.load(paths, match), seed, base.ReplayOptions(halftime_ms=halftime_ms))

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches that are there."""
        return [_match_id(content) for _, content in match_documents(self.name, paths, is_match, WANTED)]

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The file of each match; one that cannot be read stands under its own name."""
        return match_sources(self.name, paths, is_match, _match_id, WANTED)

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays."""
        return parse.parse_info(raw_info)

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one incidence."""
        return parse.parse_event(info, doc)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """See `ingest.feeds.datafactory.replay.spoil`."""
        return spoil(doc, rng)

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``modified`` (ours: incidences have no versions)."""
        return {**doc, "modified": unix_ms}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        return doc.get("type") in c.STARTS | c.ENDS if isinstance(doc.get("type"), int) else False


def is_match(content: object) -> TypeGuard[Doc]:
    """Whether this is one of the provider's match documents."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("match"), dict)
        and isinstance(content.get("incidences"), dict)
    )


def incidences(content: Doc, info: MatchInfo) -> tuple[tuple[Doc, ...], tuple[Problem, ...]]:
    """All incidences once, as `parse.parse_event` takes them; an unknown class is read by its types, and told."""
    found: dict[str, Doc] = {}
    problems = []
    names = _player_names(content)
    for name, rows in content["incidences"].items():
        if name not in c.CLASSES:
            problems.append(Problem("unknown_class", f"incidences {str(name)[:40]}", "a class without a known meaning"))
        if not isinstance(rows, dict):
            if rows:  # an empty class may come as an empty list
                problems.append(Problem("bad_event", f"incidences {str(name)[:40]}", "not an object of incidences"))
            continue
        for key, row in rows.items():
            if not isinstance(row, dict):
                problems.append(Problem("bad_event", f"event {key[:40]}", "not an object"))
                continue
            found[key] = {**row, "id": key, "name": names.get(text_id(row.get("plyrId")), "")}
    right, restarts = right_side(content, info, list(found.values())), free_kicks(list(found.values()))
    for key in restarts:
        found[key]["restart"] = True
    return tuple({**row, "right": right[_half(row)]} for row in found.values()), tuple(problems)


def _half(row: Doc) -> int:
    clock = row.get("t")
    half = clock.get("half") if isinstance(clock, dict) else None
    return half if isinstance(half, int) and half in c.PERIOD_BASE_MIN else 1


def _player_names(content: Doc) -> dict[str, str]:
    players = content.get("players")
    names = {}
    for key, row in players.items() if isinstance(players, dict) else ():
        name = row.get("name") if isinstance(row, dict) else None
        if isinstance(name, dict):
            whole = " ".join(str(name[part]) for part in ("first", "last") if name.get(part))
            names[str(key)] = str(name.get("nick") or name.get("shortName") or whole)
    return names


def _deleted(content: Doc) -> list[str]:
    keys = content.get("deletedIncidences")
    return [text_id(key) for key in keys if text_id(key)] if isinstance(keys, list) else []


def _match_id(content: Doc) -> str:
    return text_id(content["match"].get("matchId"))


def _slim(content: Doc) -> Doc:
    """What `parse.parse_info` needs: the match and the names of its teams."""
    return {"match": content["match"], "teams": content.get("teams")}


def _clean(rows: Sequence[Doc]) -> tuple[list[tuple[int, int, Doc]], tuple[Problem, ...]]:
    """Incidences with a period and a time; the rest are problems."""
    good, problems = [], []
    for row in rows:
        try:
            good.append((*parse.moment(row), row))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            problems.append(Problem("bad_event", f"event {row['id'][:40]}", f"{type(error).__name__}: {error}"[:200]))
    return good, tuple(problems)


def _tombstones(content: Doc, moments: Sequence[tuple[int, int, Doc]]) -> list[tuple[int, int, Doc]]:
    """The deleted ids. Their content is lost; ids rise with time, so each stands where the id before it does."""
    timed = sorted((int(doc["id"]), period, play_ms) for period, play_ms, doc in moments if _is_number(doc["id"]))
    placed = []
    for key in _deleted(content):
        before = [at for at in timed if _is_number(key) and at[0] < int(key)]
        _, period, play_ms = before[-1] if before else (0, *moments[0][:2])
        placed.append((period, play_ms, {"id": key, "deleted": True}))
    return placed


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 20


def _official_score(content: Doc, info: MatchInfo) -> tuple[int, int] | None:
    """``scoreStatus``, the shoot-out apart."""
    try:
        sides = content["scoreStatus"]
        return int(sides[info.home.team_id]["score"]), int(sides[info.away.team_id]["score"])
    except (KeyError, TypeError, ValueError):
        return None


def _compare(info: MatchInfo, rows: Sequence[Doc], official: tuple[int, int] | None) -> tuple[Problem, ...]:
    """A problem when the goals among the incidences are not the official score."""
    changes = [change for row in rows for change in parse.parse_event(info, row)]
    events = (change.event for change in changes if isinstance(change, Upsert))
    return score_problems(info, events, official, "the score")


ADAPTER = DataFactory()
