"""Raw MA1/MA3 fragments to canonical values. Pure functions; bad content becomes a `Problem`.

`kloppy` reads whole documents and drops deleted rows; a live feed comes in fragments, deletions included, so the
event rows are read here and kloppy's reading of the same file is the cross-check (tests/ingest). Opta's y runs from
the acting team's right to its left; the canonical y the other way.
"""

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
    return datetime.fromtimestamp(unix // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{unix % 1000:03d}Z"


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
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise FeedError(
            "statsperform_bad_match", f"matchInfo lacks or garbles {error}: give a complete MA1 or MA3 document"
        ) from error


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one MA3 event; empty for events outside play (line-ups, after the match)."""
    where = "event without id"
    try:
        where = f"event {str(doc['id'])[:40]}"
        event_id, type_id, period = str(doc["id"]), int(doc["typeId"]), int(doc["periodId"])
        version = unix_ms(str(doc["lastModified"]))
        if type_id in (c.DELETED, c.DELETED_AFTER_REVIEW):
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
    if type_id not in c.NAMES:
        return (Upsert(event), Problem("unknown_type", where, f"event type {type_id}"))
    if type_id == c.CARD and event.kind is Kind.OTHER and not event.text.endswith("rescinded"):
        return (Upsert(event), Problem("unknown_card", where, "a card without its colour"))
    return (Upsert(event),)


def _qualifiers(doc: Doc) -> dict[int, str]:
    return {int(q["qualifierId"]): str(q.get("value") or "") for q in doc.get("qualifier") or ()}


def _side(info: MatchInfo, team_id: object) -> Side | None:
    if str(team_id) == info.home.team_id:
        return Side.HOME
    return Side.AWAY if str(team_id) == info.away.team_id else None


def _per_cent(value: object) -> float | None:
    if value is None:
        return None
    number = float(str(value))
    if not math.isfinite(number):
        raise ValueError("coordinate is not a number")
    return min(100.0, max(0.0, number))


def _flipped(value: float | None) -> float | None:
    return None if value is None else round(100.0 - value, 6)


def _outcome(doc: Doc) -> bool | None:
    outcome = doc.get("outcome")
    return None if outcome is None else int(outcome) == 1


def _kind(type_id: int, success: bool | None, q: dict[int, str]) -> Kind:
    """What the row is. A corner, a foul and a ball out come as two rows, one for each team; ``success`` tells which."""
    if type_id == c.PASS:
        return next((kind for qualifier, kind in c.RESTARTS.items() if qualifier in q), Kind.PASS)
    if type_id in c.SHOTS:
        return Kind.SHOT
    if type_id in c.DUELS:
        return Kind.DUEL
    if type_id == c.CARD:
        if c.Q_RESCINDED in q:
            return Kind.OTHER
        if c.Q_RED in q or c.Q_SECOND_YELLOW in q:
            return Kind.RED
        return Kind.YELLOW if c.Q_YELLOW in q else Kind.OTHER
    if type_id == c.FOUL and not success:
        return Kind.PENALTY_AWARDED if c.Q_PENALTY in q else Kind.FOUL
    if type_id == c.CORNER_AWARDED:
        return Kind.CORNER_AWARDED if success else Kind.OUT
    if type_id == c.BALL_TOUCH:
        # With outcome 1 the ball merely hit the player: nobody controls it.
        return Kind.OTHER if success else Kind.TOUCH
    if type_id in (c.DELAY_START, c.DELAY_END) and c.VAR_QUALIFIERS & q.keys():
        return Kind.VAR_START if type_id == c.DELAY_START else Kind.VAR_END
    if type_id == c.DECISION and (c.VAR_QUALIFIERS | {c.Q_CONFIRMED, c.Q_CANCELLED}) & q.keys():
        return Kind.VAR_END if q.keys() & {c.Q_CONFIRMED, c.Q_CANCELLED} else Kind.VAR_START
    return c.SIMPLE.get(type_id, Kind.OTHER)


def _text(type_id: int, kind: Kind, q: dict[int, str]) -> str:
    name = c.NAMES.get(type_id, f"type {type_id}")
    if kind in (Kind.VAR_START, Kind.VAR_END):
        about = [text for qualifier, text in c.VAR_SUBJECTS.items() if qualifier in q]
        about += [text for qualifier, text in _VERDICTS.items() if qualifier in q]
        return ": ".join(["VAR", ", ".join(about)]) if about else "VAR"
    if type_id == c.CARD:
        if c.Q_RESCINDED in q:
            return "card rescinded"
        colour = "second yellow" if c.Q_SECOND_YELLOW in q else kind.value
        return f"{colour} card for the staff" if c.Q_STAFF in q else f"{colour} card"
    if type_id == c.GOAL:
        return "own goal" if c.Q_OWN_GOAL in q else "penalty scored" if c.Q_PENALTY in q else name
    if kind is Kind.PENALTY_AWARDED:
        return "penalty awarded"
    if type_id == 70 and q.get(c.Q_MINUTES):
        return f"{q[c.Q_MINUTES][:3]} minutes added"
    return name


_VERDICTS = {c.Q_CONFIRMED: "decision confirmed", c.Q_CANCELLED: "decision cancelled"}


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
    outcome = _outcome(doc)
    kind = _kind(type_id, outcome, q)
    own_goal = type_id == c.GOAL and c.Q_OWN_GOAL in q
    shot = kind is Kind.SHOT and not own_goal
    success = outcome
    if type_id == c.OFFSIDE_PASS:
        success = False
    elif kind is Kind.SHOT:
        success = type_id == c.GOAL or (type_id == c.SAVED and c.Q_BLOCKED not in q)  # on target
    attacking, aerial = c.DUELS.get(type_id, (None, False))
    x, y = (None, None) if type_id in c.UNLOCATED else (_per_cent(doc.get("x")), _flipped(_per_cent(doc.get("y"))))
    if side is not None and (own_goal or kind is Kind.PENALTY_AWARDED or type_id == c.OFFSIDE_PROVOKED):
        # The row is the other team's: an own goal, a penalty and an offside belong to the side they are about.
        side, x, y = side.other, _flipped(x), _flipped(y)
    return Event(
        event_id=event_id,
        version=version,
        period=period,
        play_ms=play_ms,
        kind=kind,
        side=None if type_id in c.TEAMLESS else side,
        x=x,
        y=y,
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
        provisional=type_id in c.PROVISIONAL,
        player=str(doc["playerName"]) if doc.get("playerName") else None,
        text=_text(type_id, kind, q),
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
        raise ValueError(f"expected goals {q[c.Q_XG][:20]} is not a probability")
    return value
