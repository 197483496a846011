"""Raw MA1/MA3 fragments to canonical values. Pure functions; bad content becomes a `Problem`."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert
from ingest.feeds.base import Parsed, Problem
from ingest.feeds.statsperform import constants as c

Doc = dict[str, Any]


def unix_ms(stamp: str) -> int:
    """Milliseconds since 1970 of a provider time stamp such as ``2021-09-11T18:30:06.787Z``. ValueError if not one."""
    moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def iso(unix: int) -> str:
    """The provider's form of a time."""
    return datetime.fromtimestamp(unix / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{unix % 1000:03d}Z"


def parse_info(raw: Doc) -> MatchInfo:
    """MA1's (or MA3's) ``matchInfo``. Raises FeedError when teams or id are missing."""
    try:
        teams = {}
        for row in raw["contestant"]:
            name = str(row["name"])
            teams[str(row["position"])] = Team(str(row["id"]), name, str(row.get("code") or name[:3].upper()))
        day = str(raw["date"]).rstrip("Z")
        clock = str(raw.get("time") or "00:00:00Z").rstrip("Z")
        competition = raw.get("competition") or {}
        return MatchInfo(
            provider="statsperform",
            match_id=str(raw["id"]),
            home=teams["home"],
            away=teams["away"],
            kickoff_unix_ms=unix_ms(f"{day}T{clock}Z"),
            competition=str(competition.get("name", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FeedError(
            "statsperform_bad_match", f"matchInfo lacks or garbles {error}: give a complete MA1 or MA3 document"
        ) from error


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one MA3 event; empty for events outside play (line-ups, after the match)."""
    where = f"event {doc.get('id', '?')}"
    try:
        event_id, type_id, period = str(doc["id"]), int(doc["typeId"]), int(doc["periodId"])
        version = unix_ms(str(doc["lastModified"]))
        if type_id == c.DELETED:
            return (Delete(event_id, version),)
        if period not in c.PERIOD_BASE_MIN:
            return ()
        play_ms = (int(doc["timeMin"]) - c.PERIOD_BASE_MIN[period]) * 60_000 + int(doc["timeSec"]) * 1000
        if not 0 <= play_ms <= 75 * 60_000:
            return (Problem("out_of_period", where, f"{doc['timeMin']}:{doc['timeSec']} is not in period {period}"),)
        side = _side(info, doc.get("contestantId"))
        if side is None and doc.get("contestantId") is not None:
            return (Problem("unknown_team", where, f"contestant {str(doc['contestantId'])[:40]} does not play here"),)
        event = _event(doc, event_id, version, period, play_ms, type_id, side, _qualifiers(doc))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        return (Problem("bad_event", where, f"{type(error).__name__}: {error}"[:200]),)
    unknown = event.kind is Kind.OTHER and type_id not in c.KNOWN_OTHER and type_id not in (c.FOUL, c.CORNER_AWARDED)
    if unknown:
        return (Upsert(event), Problem("unknown_type", where, f"event type {type_id}"))
    return (Upsert(event),)


def _qualifiers(doc: Doc) -> dict[int, str]:
    return {int(q["qualifierId"]): str(q.get("value") or "") for q in doc.get("qualifier") or ()}


def _side(info: MatchInfo, team_id: object) -> Side | None:
    if team_id == info.home.team_id:
        return Side.HOME
    return Side.AWAY if team_id == info.away.team_id else None


def _per_cent(value: object) -> float | None:
    if value is None:
        return None
    number = float(str(value))
    if math.isnan(number):
        raise ValueError("coordinate is not a number")
    return min(100.0, max(0.0, number))


def _event(
    doc: Doc,
    event_id: str,
    version: int,
    period: int,
    play_ms: int,
    type_id: int,
    side: Side | None,
    q: dict[int, str],
) -> Event:
    kind, success = Kind.OTHER, bool(doc.get("outcome"))
    attacking: bool | None = None
    aerial = own_goal = False
    if type_id == c.PASS:
        kind = next((k for qualifier, k in c.RESTARTS.items() if qualifier in q), Kind.PASS)
    elif type_id in c.SHOTS:
        kind = Kind.SHOT
        own_goal = type_id == c.GOAL and c.Q_OWN_GOAL in q
    elif type_id in c.DUELS:
        kind = Kind.DUEL
        attacking, aerial = c.DUELS[type_id]
    elif type_id == c.CARD:
        kind = Kind.RED if (c.Q_RED in q or c.Q_SECOND_YELLOW in q) else Kind.YELLOW
    elif type_id == c.FOUL and not success:
        kind = Kind.PENALTY_AWARDED if c.Q_PENALTY in q else Kind.FOUL
    elif type_id == c.CORNER_AWARDED and success:
        kind = Kind.CORNER_AWARDED
    elif type_id == c.DELAY_START and "var" in q.get(c.Q_DELAY_REASON, "").lower():
        kind = Kind.VAR_START
    elif type_id in c.SIMPLE:
        kind = c.SIMPLE[type_id]
    if type_id == c.OFFSIDE_PASS:
        success = False
    if side is not None and (own_goal or kind is Kind.PENALTY_AWARDED):
        side = side.other
    shot = kind is Kind.SHOT and not own_goal
    return Event(
        event_id=event_id,
        version=version,
        period=period,
        play_ms=play_ms,
        kind=kind,
        side=side,
        x=_per_cent(doc.get("x")),
        y=_per_cent(doc.get("y")),
        success=success,
        goal=type_id == c.GOAL,
        own_goal=own_goal,
        big_chance=shot and c.Q_BIG_CHANCE in q,
        penalty=shot and c.Q_PENALTY in q,
        direct_free_kick=shot and c.Q_DIRECT_FREE_KICK in q,
        body=_body(q) if shot else None,
        attacking=attacking,
        aerial=aerial,
        xg_e6=_xg_e6(q) if shot else None,
        player=str(doc["playerName"]) if doc.get("playerName") else None,
    )


def _body(q: dict[int, str]) -> BodyPart:
    if c.Q_HEAD in q:
        return BodyPart.HEAD
    return BodyPart.OTHER if c.Q_OTHER_BODY in q else BodyPart.FOOT


def _xg_e6(q: dict[int, str]) -> int | None:
    if not q.get(c.Q_XG):
        return None
    value = round(float(q[c.Q_XG]) * 1_000_000)
    if not 0 <= value <= 1_000_000:
        raise ValueError(f"expected goals {q[c.Q_XG]} is not a probability")
    return value
