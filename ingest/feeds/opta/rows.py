"""What an Opta event row means, whichever feed brings it (MA3, F24). Pure functions; bad content becomes a `Problem`.

`kloppy` reads whole documents and drops deleted rows; a live feed comes in fragments, deletions included, so the
event rows are read here and kloppy's reading of the same files is the cross-check (tests/ingest). Opta's y runs from
the acting team's right to its left; the canonical y the other way.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ingest.events import BodyPart, Delete, Event, Kind, MatchInfo, Side, Upsert
from ingest.feeds.base import Parsed, Problem, plain_text, text_id
from ingest.feeds.opta import constants as c
from ingest.feeds.reading import LONGEST_PERIOD_MS, MAX_VERSION, flipped, side_of

Doc = dict[str, Any]


def iso(unix: int) -> str:
    """The provider's form of a time."""
    return datetime.fromtimestamp(unix // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{unix % 1000:03d}Z"


def parse_row(info: MatchInfo, doc: Doc, shape: c.Shape, version_of: Callable[[Doc], int]) -> tuple[Parsed, ...]:
    """Canonical changes of one row; empty for rows outside play (line-ups, after the match)."""
    event_id = text_id(doc.get("id"))
    where = f"event {event_id[:40]}" if event_id else "event without id"
    try:
        if not event_id:
            raise ValueError("no id that can be kept")
        type_id, period = int(doc[shape.type_id]), int(doc[shape.period])
        version = version_of(doc)
        if not 0 <= version <= MAX_VERSION:
            raise ValueError("a version out of range")
        if type_id in (c.DELETED, c.DELETED_AFTER_REVIEW):
            return (Delete(event_id, version),)
        if period not in c.PERIOD_BASE_MIN:
            return ()
        minute, second = int(doc[shape.minute]), int(doc[shape.second])
        play_ms = (minute - c.PERIOD_BASE_MIN[period]) * 60_000 + second * 1000
        if not 0 <= play_ms <= LONGEST_PERIOD_MS:
            return (Problem("out_of_period", where, f"minute {_short(minute)} is not in period {period}"),)
        team = doc.get(shape.team)
        side = side_of(info, team)
        if side is None and team is not None:
            return (Problem("unknown_team", where, f"team {str(team)[:40]} does not play here"),)
        event = _event(doc, shape, event_id, version, period, play_ms, type_id, side)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        return (Problem("bad_event", where, f"{type(error).__name__}: {error}"[:200]),)
    if type_id not in c.NAMES:
        return (Upsert(event), Problem("unknown_type", where, f"event type {_short(type_id)}"))
    if type_id == c.CARD and event.kind is Kind.OTHER and not event.text.endswith("rescinded"):
        return (Upsert(event), Problem("unknown_card", where, "a card without its colour"))
    return (Upsert(event),)


def qualifiers_of(doc: Doc, shape: c.Shape) -> dict[int, str]:
    """The row's qualifiers, number to value; a flag's value is empty."""
    return {int(q[shape.qualifier_id]): str(q.get("value") or "") for q in doc.get(shape.qualifiers) or ()}


def beyond_lines(doc: Doc, shape: c.Shape) -> float:
    """How far beyond the lines a row's place lies, per cent of the pitch; 0 on it, or where the row has none."""
    try:
        if int(doc[shape.type_id]) in c.UNLOCATED:
            return 0.0
        found = max(max(-value, value - 100.0) for value in (float(doc["x"]), float(doc["y"])))
        return found if math.isfinite(found) and found > 0 else 0.0
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0.0


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**9 else "beyond all bounds"


def _per_cent(value: object) -> float | None:
    if value is None:
        return None
    number = float(value) if isinstance(value, str | int | float) else math.nan
    if not math.isfinite(number):
        raise ValueError("a coordinate is not a number")
    return min(100.0, max(0.0, number))


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
    name = c.NAMES.get(type_id) or f"type {_short(type_id)}"
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
    if type_id == c.ADDED_TIME and q.get(c.Q_MINUTES):
        return f"{q[c.Q_MINUTES][:3]} minutes added"
    return name


_VERDICTS = {c.Q_CONFIRMED: "decision confirmed", c.Q_CANCELLED: "decision cancelled"}


def _event(
    doc: Doc,
    shape: c.Shape,
    event_id: str,
    version: int,
    period: int,
    play_ms: int,
    type_id: int,
    side: Side | None,
) -> Event:
    q = qualifiers_of(doc, shape)
    outcome = None if doc.get("outcome") is None else int(doc["outcome"]) == 1
    kind = _kind(type_id, outcome, q)
    own_goal = type_id == c.GOAL and c.Q_OWN_GOAL in q
    shot = kind is Kind.SHOT and not own_goal
    success = outcome
    if type_id == c.OFFSIDE_PASS:
        success = False
    elif kind is Kind.SHOT:
        success = type_id == c.GOAL or (type_id == c.SAVED and c.Q_BLOCKED not in q)  # on target
    attacking, aerial = c.DUELS.get(type_id, (None, False))
    x, y = (None, None) if type_id in c.UNLOCATED else (_per_cent(doc.get("x")), flipped(_per_cent(doc.get("y"))))
    if side is not None and (own_goal or kind is Kind.PENALTY_AWARDED or type_id == c.OFFSIDE_PROVOKED):
        # The row is the other team's: an own goal, a penalty and an offside belong to the side they are about.
        side, x, y = side.other, flipped(x), flipped(y)
    # Thirty players make sixteen hundred events: their names are kept once.
    player_id = sys.intern(text_id(doc.get(shape.player))) or None
    name = sys.intern(plain_text(doc.get(shape.player_name)))
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
        provisional=type_id in c.PROVISIONAL or kind is Kind.VAR_START,
        player=name or player_id,
        player_id=player_id,
        added_s=_added_s(q) if type_id == c.ADDED_TIME else None,
        text=sys.intern(_text(type_id, kind, q)),
    )


def _body(q: dict[int, str]) -> BodyPart:
    if c.Q_HEAD in q:
        return BodyPart.HEAD
    return BodyPart.OTHER if c.Q_OTHER_BODY in q else BodyPart.FOOT


def _added_s(q: dict[int, str]) -> int | None:
    if not q.get(c.Q_MINUTES):
        return None
    minutes = float(q[c.Q_MINUTES])
    if not 0 <= minutes <= c.MOST_ADDED_MIN:
        raise ValueError(f"{q[c.Q_MINUTES][:20]} minutes of added time")
    return round(minutes * 60)


def _xg_e6(q: dict[int, str]) -> int | None:
    if not q.get(c.Q_XG):
        return None
    value = round(float(q[c.Q_XG]) * 1_000_000)
    if not 0 <= value <= 1_000_000:
        raise ValueError(f"expected goals {q[c.Q_XG][:20]} is not a probability")
    return value
