"""Raw MA1/MA3 fragments to canonical values. Pure functions; bad content becomes a `Problem`."""

from __future__ import annotations

from typing import Any

from ingest.events import FeedError, MatchInfo, Team
from ingest.feeds.base import Parsed, plain_text, text_id
from ingest.feeds.opta.rows import iso, parse_row
from ingest.feeds.reading import unix_ms
from ingest.feeds.statsperform.constants import MA3

__all__ = ["iso", "parse_event", "parse_info", "unix_ms", "version_of"]

Doc = dict[str, Any]


def parse_info(raw: Doc) -> MatchInfo:
    """MA1's (or MA3's) ``matchInfo``. Raises FeedError when teams or id are missing."""
    try:
        teams = {str(row["position"]): _team(row) for row in raw["contestant"]}
        match_id = text_id(raw["id"])
        if not match_id or teams["home"].team_id == teams["away"].team_id:
            raise ValueError("its id or the ids of its teams")
        day = str(raw["date"]).rstrip("Z")
        clock = str(raw.get("time") or "00:00:00Z").rstrip("Z")
        competition = raw.get("competition") or {}
        return MatchInfo(
            provider="statsperform",
            match_id=match_id,
            home=teams["home"],
            away=teams["away"],
            kickoff_unix_ms=unix_ms(f"{day}T{clock}Z"),
            competition=plain_text(competition.get("name")),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise FeedError(
            "statsperform_bad_match", f"matchInfo lacks or garbles {error}: give a complete MA1 or MA3 document"[:300]
        ) from error


def _team(row: Doc) -> Team:
    team_id, name = text_id(row["id"]), plain_text(row["name"])
    if not team_id:
        raise ValueError("the id of a team")
    return Team(team_id, name, plain_text(row.get("code")) or name[:3].upper())


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one MA3 event; empty for events outside play (line-ups, after the match)."""
    return parse_row(info, doc, MA3, version_of)


def version_of(doc: Doc) -> int:
    """``lastModified`` in unix ms. KeyError or ValueError where there is none."""
    return unix_ms(str(doc["lastModified"]))
