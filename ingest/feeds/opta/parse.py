"""Raw F24/F7 fragments to canonical values. Pure functions; bad content becomes a `Problem`.

The dict form: an F24 row is its attributes with its qualifiers under ``Q``; a match header is F24's ``Game`` with its
attributes, into which F7's header is brought. Ids are plain numbers as F24 has them: F7's ``t174`` is team 174.
"""

from __future__ import annotations

import re
from typing import Any

from ingest.events import FeedError, MatchInfo, Team
from ingest.feeds.base import Parsed, plain_text, text_id
from ingest.feeds.opta import constants as c
from ingest.feeds.opta.rows import parse_row
from ingest.feeds.opta.times import london_ms
from ingest.feeds.reading import MAX_VERSION, unix_ms

Doc = dict[str, Any]
LAG_MS = 5_000
"""``last_modified`` is when the row was stored: up to so much later than the ``version`` of the same edit."""

_PREFIXED = re.compile(r"[a-z]{1,3}(\d+)")


def plain_id(value: object) -> str:
    """An id without the letters that tell its kind in F7 (``t174``, ``p76012``, ``f1009316``); empty if it is none."""
    text = text_id(value)
    prefixed = _PREFIXED.fullmatch(text)
    return prefixed[1] if prefixed else text


def parse_info(raw: Doc) -> MatchInfo:
    """A match header in F24's form. Raises FeedError when teams or id are missing."""
    try:
        home, away = (_team(raw, side) for side in ("home", "away"))
        match_id = text_id(raw["id"])
        if not match_id or home.team_id == away.team_id:
            raise ValueError("its id or the ids of its teams")
        return MatchInfo(
            provider="opta",
            match_id=match_id,
            home=home,
            away=away,
            kickoff_unix_ms=_kickoff_ms(str(raw["game_date"])),
            competition=plain_text(raw.get("competition_name")),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FeedError(
            "opta_bad_match",
            f"the header lacks or garbles {error}: give a complete F24 document or the F7 beside it"[:300],
        ) from error


def _team(raw: Doc, side: str) -> Team:
    team_id = plain_id(raw[f"{side}_team_id"])
    if not team_id:
        raise ValueError(f"the id of the {side} team")
    name = plain_text(raw.get(f"{side}_team_name")) or f"Team {team_id}"
    return Team(team_id, name, name[:3].upper())


def _kickoff_ms(date: str) -> int:
    """F24's London clock, or F7's time with its offset (``20180820T210000+0100``)."""
    return unix_ms(date) if date[-5:-4] in ("+", "-") and "T" in date[:-5] and date[8:9] == "T" else london_ms(date)


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one F24 row; empty for rows outside play (line-ups, after the match)."""
    return parse_row(info, doc, c.F24, version_of)


def version_of(doc: Doc) -> int:
    """What orders the versions of a row, unix ms. KeyError or ValueError where it tells neither.

    It is ``version``, to the millisecond, but that is not enough: in the real match no deletion has a new one, only
    ``last_modified`` moves, by up to a day. So a row counts as no older than `LAG_MS` before it was stored. As both
    only grow, so does this; equal versions are settled by `ingest.timeline` (a deletion wins).
    """
    stored = london_ms(str(doc["last_modified"])) - LAG_MS if doc.get("last_modified") else 0
    version = int(str(doc["version"])[:20]) if doc.get("version") else 0
    if not 0 <= version <= MAX_VERSION or not (version or stored):
        raise ValueError("no usable version or last_modified")
    return max(version, stored)
