"""DataFactory incidences to canonical values. Pure functions; bad content becomes a `Problem`.

A row is an incidence with what its document tells about it: ``id``, the player's ``name``, ``right`` (which side
attacks towards x = 1 in its half: places are given in the pitch's frame, not the team's), ``restart`` (a free kick).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert
from ingest.feeds.base import Parsed, Problem, plain_text, text_id
from ingest.feeds.datafactory import constants as c
from ingest.feeds.reading import (
    LONGEST_PERIOD_MS,
    UNKNOWN_KICKOFF_MS,
    flipped,
    per_cent,
    side_of,
    time_ms,
    type_number,
)

Doc = dict[str, Any]


def parse_info(raw: Doc) -> MatchInfo:
    """The document's ``match`` with its ``teams``. Raises FeedError when teams or id are missing."""
    try:
        match, teams = raw["match"], raw["teams"]
        sides = [
            Team(team_id, plain_text(teams[team_id]["name"]), plain_text(teams[team_id].get("initials"), 4))
            for team_id in (text_id(match["homeTeamId"]), text_id(match["awayTeamId"]))
        ]
        match_id = text_id(match["matchId"])
        if not match_id or sides[0].team_id == sides[1].team_id:
            raise ValueError("matchId or the teams' ids")
        competition = plain_text(match.get("competition"))
        return MatchInfo("datafactory", match_id, sides[0], sides[1], _kickoff_ms(match), competition)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FeedError(
            "datafactory_bad_match", f"match or teams lack or garble {error}: give a complete document"
        ) from error


def _kickoff_ms(match: Doc) -> int:
    """The scheduled start at the stadium; UNKNOWN_KICKOFF_MS where date, time or zone are missing or none."""
    try:
        written = f"{match['date']} {match['scheduledStart']} {match['stadiumGMT']}"
        return int(datetime.strptime(written, "%Y%m%d %H:%M %z").timestamp()) * 1000
    except (KeyError, ValueError, OverflowError):
        return UNKNOWN_KICKOFF_MS


def moment(doc: Doc) -> tuple[int, int]:
    """Period and playing time in ms (whole seconds). Raises ValueError, KeyError or TypeError for what is none."""
    half, minute, second = (doc["t"][key] or 0 for key in ("half", "m", "s"))
    if type_number(doc["type"]) == c.MATCH_START:
        half = 1
    period = int(half)
    play_ms = (int(minute) - c.PERIOD_BASE_MIN[period]) * 60_000 + int(second) * 1000
    if not 0 <= play_ms <= LONGEST_PERIOD_MS:
        raise ValueError(f"{minute}:{second} is not in period {period}")
    return period, play_ms


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one incidence."""
    where = "event without id"
    try:
        event_id = text_id(doc.get("id"))
        if not event_id:
            return (Problem("bad_event", where, "it has no id"),)
        where = f"event {event_id[:40]}"
        version = time_ms(doc.get("modified", 0))
        if doc.get("deleted"):
            return (Delete(event_id, version), Delete(f"{event_id}:award", version))
        type_id = type_number(doc["type"])
        period, play_ms = moment(doc)
        side = None
        if type_id not in c.STARTS | c.ENDS and doc.get("team") is not None:
            side = side_of(info, doc["team"])
            if side is None:
                return (Problem("unknown_team", where, f"team {str(doc['team'])[:40]} does not play here"),)
        event = _event(doc, type_id, Event(event_id, version, period, play_ms, Kind.OTHER, side))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        return (Problem("bad_event", where, f"{type(error).__name__}: {error}"[:200]),)
    changes: list[Parsed] = [Upsert(event)]
    if type_id == c.CLEARED_TO_CORNER and side is not None:
        award = Event(f"{event_id}:award", version, period, play_ms, Kind.CORNER_AWARDED, side.other)
        changes.append(Upsert(award))
    elif type_id == c.CLEARED_TO_CORNER - 1 and version:  # a clearance that is no corner after all
        changes.append(Delete(f"{event_id}:award", version))
    if type_id not in c.NAMES:
        changes.append(Problem("unknown_type", where, f"incidence type {type_id}"))
    return tuple(changes)


def _event(doc: Doc, type_id: int, event: Event) -> Event:
    kind, side = c.KINDS.get(type_id, Kind.OTHER), event.side
    if kind is Kind.PASS and doc.get("restart"):
        kind = Kind.FREE_KICK
    x, y = _place(doc, side)
    if kind is Kind.PENALTY_AWARDED and side is not None:
        # The row is the offender's; the award is the other side's, seen from its end.
        side, x, y = side.other, flipped(x), flipped(y)
    own_goal = type_id == c.OWN_GOAL
    if own_goal and side is not None:
        side, x, y = side.other, flipped(x), flipped(y)
    shot = kind is Kind.SHOT and not own_goal
    awarded = kind is Kind.PENALTY_AWARDED
    success = {180: True, c.PASS_FAILED: False}.get(type_id)
    return Event(
        event_id=event.event_id,
        version=event.version,
        period=event.period,
        play_ms=event.play_ms,
        kind=kind,
        side=side,
        x=x,
        y=y,
        success=type_id in c.ON_TARGET or own_goal if kind is Kind.SHOT else success,
        goal=type_id in c.GOALS,
        own_goal=own_goal,
        big_chance=type_id in c.PENALTIES,  # the provider flags none; a penalty always is one
        penalty=type_id in c.PENALTIES,
        direct_free_kick=type_id == c.FREE_KICK_GOAL,
        body=BodyPart.HEAD if type_id == c.HEADER_GOAL else None if not shot else BodyPart.FOOT,
        player=None if awarded else plain_text(doc.get("name")) or None,
        player_id=None if awarded else text_id(doc.get("plyrId")) or None,
        text=c.NAMES.get(type_id, f"type {type_id}"),
    )


def _place(doc: Doc, side: Side | None) -> tuple[float | None, float | None]:
    """From the pitch's frame (x and y from -1 to 1, y downwards) to the acting team's."""
    point = (doc.get("coord") or {}).get("1")
    if point is None or side is None:
        return None, None
    x, y = per_cent(point["x"], -1.0, 1.0), per_cent(point["y"], -1.0, 1.0)
    if Side(doc["right"]) is side:
        return x, y
    return flipped(x), flipped(y)
