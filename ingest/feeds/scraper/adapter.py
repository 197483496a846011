"""The scraper's adapter: reads what `client` made of a match's page, a document of our own.

``{"scraper": 1, "site", "url", "match": {"id", "home", "away", "kickoff_unix_ms", "competition"}, "events": [...]}``.
Fallback quality: goals, cards and substitutions by the minute, no places, no passes, no whistles. Every event's text
says so.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

from ingest.events import Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert
from ingest.feeds import base
from ingest.feeds.base import Parsed, Problem, Recorded, Row, plain_text, text_id
from ingest.feeds.files import decode, match_documents, match_sources
from ingest.feeds.reading import time_ms

Doc = dict[str, Any]
WANTED = "no scraper, match and events"
_KINDS = {
    "goal": Kind.SHOT,
    "own_goal": Kind.SHOT,
    "penalty_goal": Kind.SHOT,
    "missed_penalty": Kind.SHOT,
    "yellow": Kind.YELLOW,
    "second_yellow": Kind.RED,
    "red": Kind.RED,
    "substitution": Kind.SUBSTITUTION,
}
_PERIODS = ((1, 45, 0), (2, 90, 45), (3, 105, 90), (4, 120, 105))  # period, its last minute, minutes before it


class Scraper:
    """See `ingest.feeds.base.Adapter`."""

    name = "scraper"
    versioned = False
    feeds_index = False
    """A fallback for the score and the cards; no index can be made of it."""

    def document(self, body: bytes) -> base.Document:
        """What the client made of a page."""
        content = decode(body)
        if not _is_document(content):
            raise FeedError("scraper_not_a_match", "no document of the scraper's: check the address")
        rows, problems = base.objects(content["events"])
        return base.Document(_match_id(content), content["match"], rows, problems=problems)

    def key(self, doc: Doc) -> str:
        """The page's id of the event, or one made of its words."""
        return text_id(doc.get("id"))

    def withdrawal(self, key: str, version: int) -> Doc:
        """Marked ``deleted``."""
        return {"id": key, "deleted": True, "modified": version}

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One kept document."""
        found = {key: content for key, content in self._documents(paths) if match is None or key == match}
        if len(found) != 1:
            code = "scraper_which_match" if found else "scraper_no_events"
            raise FeedError(code, f"{len(found)} matches in {', '.join(map(str, paths))}: give the document of one")
        ((_, content),) = found.items()
        info = self.info(content["match"])
        rows, problems = [], []
        for doc in content["events"]:
            for item in self.parse(info, doc if isinstance(doc, dict) else {}):
                if isinstance(item, Problem):
                    problems.append(item)
                elif isinstance(item, Upsert):
                    shift_ms = next(before for period, _, before in _PERIODS if period == item.event.period) * 60_000
                    at_ms = info.kickoff_unix_ms + shift_ms + item.event.play_ms
                    rows.append(Row(doc, at_ms, item.event.period))
        if not rows:
            raise FeedError("scraper_no_play", f"match {info.match_id} holds no event: give a played match")
        rows.sort(key=lambda row: row.unix_ms)
        return Recorded(info, content["match"], tuple(rows), tuple(problems))

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> base.Replay:
        """The document as a live feed."""
        return base.replay(self, self.load(paths, match), seed, base.ReplayOptions(halftime_ms=halftime_ms))

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches found."""
        return [key for key, _ in self._documents(paths)]

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The file of each match; one that cannot be read stands under its own name."""
        return match_sources(self.name, paths, _is_document, _match_id, WANTED)

    def _documents(self, paths: Sequence[Path]) -> list[tuple[str, Doc]]:
        return [(_match_id(content), content) for _, content in match_documents(self.name, paths, _is_document, WANTED)]

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays; teams are known by their names alone."""
        try:
            home, away, match_id = plain_text(raw_info["home"]), plain_text(raw_info["away"]), text_id(raw_info["id"])
            if not match_id or not home or not away or home == away:
                raise ValueError("its id or its teams")
            return MatchInfo(
                provider="scraper",
                match_id=match_id,
                home=Team(f"name:{home}", home, home[:3].upper()),
                away=Team(f"name:{away}", away, away[:3].upper()),
                kickoff_unix_ms=time_ms(raw_info["kickoff_unix_ms"] or 0),
                competition=plain_text(raw_info.get("competition")),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FeedError("scraper_bad_match", f"the match lacks or garbles {error}: read the page again") from error

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one event."""
        where = "event without id"
        try:
            event_id = text_id(doc.get("id"))
            if not event_id:
                return (Problem("bad_event", where, "no id that can be kept"),)
            where = f"event {event_id[:40]}"
            version = time_ms(doc.get("modified", 0))
            if doc.get("deleted"):
                return (Delete(event_id, version),)
            kind, side = str(doc["kind"]), Side(str(doc["side"]))
            minute, added = int(doc["minute"]), int(doc.get("added") or 0)
            if not (1 <= minute <= 120 and 0 <= added <= 30):
                return (Problem("out_of_period", where, f"minute {minute}+{added}"),)
            period, last, before = next(span for span in _PERIODS if minute <= span[1])
            play_min = last - before + added - 1 if added else minute - before - 1  # "23rd minute": 22 are played
            shot = _KINDS[kind] is Kind.SHOT
            goal = shot and kind != "missed_penalty"
            event = Event(
                event_id=event_id,
                version=version,
                period=period,
                play_ms=play_min * 60_000,
                kind=_KINDS[kind],
                side=side,
                success=goal if shot else None,
                goal=goal,
                own_goal=kind == "own_goal",
                penalty=kind in ("penalty_goal", "missed_penalty"),
                player=plain_text(doc.get("player")) or None,
                text=f"fallback: {kind.replace('_', ' ')}",
            )
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            return (Problem("bad_event", where, f"{type(error).__name__}: {error}"[:200]),)
        return (Upsert(event),)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """None: pages are what they are."""
        return None

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set ``modified``."""
        return {**doc, "modified": unix_ms}

    def urgent(self, doc: Doc) -> bool:
        """Pages tell no whistles."""
        return False


def _is_document(content: object) -> TypeGuard[Doc]:
    return (
        isinstance(content, dict)
        and content.get("scraper") == 1
        and isinstance(content.get("match"), dict)
        and isinstance(content.get("events"), list)
    )


def _match_id(content: Doc) -> str:
    return text_id(content["match"].get("id"))


ADAPTER = Scraper()
