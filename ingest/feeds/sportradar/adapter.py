"""The Sportradar adapter: timeline documents, recorded or polled, and push messages."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

from ingest.events import FeedError, MatchInfo, Upsert
from ingest.feeds import base, reading
from ingest.feeds.base import Parsed, Problem, Recorded, Row, text_id
from ingest.feeds.files import decode, match_documents, match_sources
from ingest.feeds.reading import unix_ms
from ingest.feeds.sportradar import constants as c
from ingest.feeds.sportradar import parse

Doc = dict[str, Any]
WANTED = "no sport_event and timeline"


class Sportradar:
    """See `ingest.feeds.base.Adapter`."""

    name = "sportradar"
    versioned = True
    feeds_index = False
    """The feed has no passes and no touches; its ball positions carry no time. It backs scores, cards and shots up."""

    def document(self, body: bytes) -> base.Document:
        """A sport event timeline."""
        return self._document(decode(body))

    def _document(self, content: object) -> base.Document:
        if not isinstance(content, dict) or not isinstance(content.get("sport_event"), dict):
            raise FeedError("sportradar_not_a_match", "no sport_event: check the address")
        info = content["sport_event"]
        timeline = content.get("timeline")
        rows, problems = base.objects(timeline if isinstance(timeline, list) else ())
        try:
            version_ms = reading.time_ms(unix_ms(str(content["generated_at"])))
        except (KeyError, ValueError, OverflowError):
            version_ms = 0
        return base.Document(text_id(info.get("id")), _slim(info), _placed(rows), version_ms, problems=problems)

    def key(self, doc: Doc) -> str:
        """The row's ``id``."""
        return text_id(parse.row_of(doc).get("id"))

    def withdrawal(self, key: str, version: int) -> Doc:
        """A row of our own type: the provider has none."""
        return {"id": key, "type": c.WITHDRAWN, parse.VERSION: version}

    def load(self, paths: Sequence[Path], match: str | None = None) -> Recorded:
        """One match from its timeline document."""
        given = self._timelines(paths)
        found = {key: content for key, content in given if match is None or parse.same_match(key, match)}
        if len(found) != 1:
            what = f"{len(found)} matches" if found else "no timeline"
            raise FeedError(
                "sportradar_which_match" if found else "sportradar_no_events",
                f"{what} in {', '.join(map(str, paths))}: give the timeline.json of one match",
            )
        ((_, content),) = found.items()
        document = self._document(content)
        assert document.raw_info is not None
        info = parse.parse_info(document.raw_info)
        rows, problems = _rows(info, document.rows)
        if not rows:
            raise FeedError("sportradar_no_play", f"match {info.match_id} holds no event: give a played match")
        official = _official_score(content)
        problems += _compare(info, rows, official)
        return Recorded(info, document.raw_info, rows, (*document.problems, *problems), official)

    def replay(
        self, paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS, match: str | None = None
    ) -> base.Replay:
        """The recording as a live feed."""
        return base.replay(self, self.load(paths, match), seed, base.ReplayOptions(halftime_ms=halftime_ms))

    def matches(self, paths: Sequence[Path]) -> list[str]:
        """Ids of the matches found."""
        return [key for key, _ in self._timelines(paths)]

    def sources(self, paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        """The file of each match; one that cannot be read stands under its own name."""
        return match_sources(self.name, paths, _is_timeline, _match_id, WANTED)

    def _timelines(self, paths: Sequence[Path]) -> list[tuple[str, Doc]]:
        return [(_match_id(content), content) for _, content in match_documents(self.name, paths, _is_timeline, WANTED)]

    def info(self, raw_info: Doc) -> MatchInfo:
        """Who plays."""
        return parse.parse_info(raw_info)

    def parse(self, info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
        """Canonical changes of one row or push message."""
        return parse.parse_event(info, doc)

    def spoil(self, doc: Doc, rng: random.Random) -> Doc | None:
        """None: nothing is published on what this provider corrects."""
        return None

    def stamp(self, doc: Doc, unix_ms: int) -> Doc:
        """Set the version."""
        return {**doc, parse.VERSION: unix_ms}

    def urgent(self, doc: Doc) -> bool:
        """Kick-offs and final whistles."""
        return str(parse.row_of(doc).get("type")) in c.WHISTLES


def _slim(info: Doc) -> Doc:
    keys = ("id", "start_time", "competitors", "sport_event_context", "replaced_by")
    return {key: info[key] for key in keys if key in info}


def _placed(rows: tuple[Doc, ...]) -> tuple[Doc, ...]:
    """Final whistles have no clock, and the last one no period: both from the kick-off before it."""
    placed: list[Doc] = []
    kicked_off: tuple[int, int] | None = None  # period, Unix ms
    for row in rows:
        try:
            if row.get("type") == "period_start":
                period = parse.period_number(row.get("period_type"), row.get("period"))
                kicked_off = None if period is None else (period, unix_ms(str(row["time"])))
            elif row.get("type") in ("period_score", "match_ended") and kicked_off is not None:
                period, started_ms = kicked_off
                played_ms = unix_ms(str(row["time"])) - started_ms
                same = parse.period_number(row.get("period_type"), row.get("period", period)) == period
                if same and not row.get("updated") and 0 <= played_ms <= reading.LONGEST_PERIOD_MS:
                    row = {**row, parse.PERIOD: period, parse.PLAY_MS: played_ms}
                else:
                    row = {**row, parse.PERIOD: period}
        except (KeyError, TypeError, ValueError, OverflowError):
            pass  # `parse` tells what is wrong with it
        placed.append(row)
    return tuple(placed)


def _is_timeline(content: object) -> TypeGuard[Doc]:
    return (
        isinstance(content, dict)
        and isinstance(content.get("sport_event"), dict)
        and isinstance(content.get("timeline"), list)
    )


def _match_id(content: Doc) -> str:
    return text_id(content["sport_event"].get("id"))


def _rows(info: MatchInfo, docs: Sequence[Doc]) -> tuple[tuple[Row, ...], tuple[Problem, ...]]:
    rows: list[Row] = []
    problems: list[Problem] = []
    for doc in docs:
        for item in parse.parse_event(info, doc):
            if isinstance(item, Problem):
                problems.append(item)
            elif isinstance(item, Upsert):
                rows.append(Row(doc, unix_ms(str(doc["time"])), item.event.period))
    rows.sort(key=lambda row: row.unix_ms)
    return tuple(rows), tuple(problems)


def _official_score(content: Doc) -> tuple[int, int] | None:
    """Without a shoot-out: after extra time, or after 90 minutes, where the document tells them apart."""
    status = content.get("sport_event_status")
    if not isinstance(status, dict):
        return None
    try:
        if status.get("match_status") == "ap":
            parts = [
                (int(part["home_score"]), int(part["away_score"]))
                for part in status["period_scores"]
                if part.get("type") != c.PENALTIES
            ]
            return sum(home for home, _ in parts), sum(away for _, away in parts)
        return int(status["home_score"]), int(status["away_score"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _compare(info: MatchInfo, rows: Sequence[Row], official: tuple[int, int] | None) -> tuple[Problem, ...]:
    changes = [change for row in rows for change in parse.parse_event(info, row.doc)]
    events = (change.event for change in changes if isinstance(change, Upsert))
    return reading.score_problems(info, events, official, "the document")


ADAPTER = Sportradar()
