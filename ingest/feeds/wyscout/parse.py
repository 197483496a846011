"""Raw Wyscout events to canonical values: version 2 here, version 3 in `parse_v3`, told apart by the row's shape.

Pure functions; bad content becomes a `Problem`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert
from ingest.feeds.base import Parsed, Problem, text_id
from ingest.feeds.reading import LONGEST_PERIOD_MS, finite, flipped, per_cent, side_of, time_ms, type_number
from ingest.feeds.wyscout import constants as c
from ingest.feeds.wyscout import parse_v3

Doc = dict[str, Any]
PERIOD_START, PERIOD_END = "futstar_period_start", "futstar_period_end"
"""The archive has no rows for kick-off and final whistle: the loader adds these, named so that nobody mistakes them."""


def parse_info(raw: Doc) -> MatchInfo:
    """The loader's own header (see `adapter`). Raises FeedError when it is incomplete."""
    try:
        teams = {side: Team(str(t["id"]), str(t["name"]), str(t["short"])) for side, t in raw["teams"].items()}
        kickoff = datetime.strptime(str(raw["dateutc"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return MatchInfo(
            provider="wyscout",
            match_id=str(raw["id"]),
            home=teams["home"],
            away=teams["away"],
            kickoff_unix_ms=int(kickoff.timestamp()) * 1000,
            competition=str(raw.get("competition", "")),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise FeedError("wyscout_bad_match", f"the match header lacks or garbles {error}: give a whole file") from error


def number(doc: Doc, *names: str) -> int:
    """The first of ``names`` that holds an integer; older exports keep the ids under the names' keys. 0 if none."""
    for name in names:
        value = doc.get(name)
        if isinstance(value, int) or (isinstance(value, str) and value.strip().isdecimal()):
            return type_number(value)
    return 0


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one event: cards ride on fouls, so a foul can give two events."""
    where = "event without id"
    try:
        event_id = text_id(doc.get("id"))
        if not event_id:
            return (Problem("bad_event", where, "no id that can be kept"),)
        where = f"event {event_id[:40]}"
        version = time_ms(doc.get("modified", 0))
        if doc.get("deleted"):
            return (Delete(event_id, version), Delete(f"{event_id}:card", version))
        period, play_ms = moment(doc)
        if not 0 <= play_ms <= LONGEST_PERIOD_MS:
            return (Problem("out_of_period", where, f"second {play_ms / 1000} is not in {doc['matchPeriod']}"),)
        if doc.get("eventName") in (PERIOD_START, PERIOD_END):
            kind = Kind.PERIOD_START if doc["eventName"] == PERIOD_START else Kind.PERIOD_END
            return (Upsert(Event(event_id, version, period, play_ms, kind, None)),)
        if parse_v3.is_v3(doc):
            return parse_v3.parse_event(info, doc, event_id, version, period, play_ms)
        side = side_of(info, doc.get("teamId"))
        if side is None:
            return (Problem("unknown_team", where, f"team {str(doc.get('teamId'))[:40]} does not play here"),)
        return _changes(doc, event_id, version, period, play_ms, side)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError) as error:
        return (Problem("bad_event", where, f"{type(error).__name__}: {error}"[:200]),)


def moment(doc: Doc) -> tuple[int, int]:
    """Period and playing time in ms. Raises KeyError, TypeError, ValueError or OverflowError for what is none."""
    if parse_v3.is_v3(doc):
        return parse_v3.moment(doc)
    return c.PERIODS[doc["matchPeriod"]], round(finite(float(doc["eventSec"])) * 1000)


def _changes(doc: Doc, event_id: str, version: int, period: int, play_ms: int, side: Side) -> tuple[Parsed, ...]:
    tags = {int(tag["id"]) for tag in doc.get("tags") or ()}
    event_type = number(doc, "eventId", "eventName")
    sub_type = number(doc, "subEventId", "subEventName")
    x, y = _place(doc)
    player_id = text_id(doc.get("playerId") or None) or None
    kind, attacking, aerial = Kind.OTHER, None, False
    penalty = direct = False
    # A goal straight from a corner carries the goal tag on the corner itself (once in 1,204 matches): it is a shot.
    straight_in = event_type == c.FREE_KICK and c.TAG_GOAL in tags
    if event_type == c.SHOT or sub_type in (c.SUB_FREE_KICK_SHOT, c.SUB_PENALTY) or straight_in:
        kind = Kind.SHOT
        penalty, direct = sub_type == c.SUB_PENALTY, sub_type == c.SUB_FREE_KICK_SHOT
    elif event_type == c.FREE_KICK:
        kind = c.SET_PIECES.get(sub_type, Kind.FREE_KICK)
    elif event_type == c.DUEL:
        kind = Kind.DUEL
        aerial = sub_type == c.SUB_AERIAL
        attacking = {c.SUB_GROUND_ATTACK: True, c.SUB_GROUND_DEFENCE: False}.get(sub_type)
    elif event_type == c.INTERRUPTION:
        kind = Kind.OUT if sub_type == c.SUB_BALL_OUT else Kind.INTERRUPTION
    else:
        kind = {
            c.PASS: Kind.PASS,
            c.ON_BALL: Kind.TOUCH,
            c.FOUL: Kind.FOUL,
            c.OFFSIDE: Kind.OFFSIDE,
            c.SAVE: Kind.SAVE,
            c.KEEPER_OUT: Kind.TOUCH,
        }.get(event_type, Kind.OTHER)
    own_goal = c.TAG_OWN_GOAL in tags
    if own_goal:
        # The row is the unlucky side's; the event is the gaining side's, seen from its end.
        kind, side, x, y = Kind.SHOT, side.other, flipped(x), flipped(y)
    shot = kind is Kind.SHOT and not own_goal
    event = Event(
        event_id=event_id,
        version=version,
        period=period,
        play_ms=play_ms,
        kind=kind,
        side=side,
        x=x,
        y=y,
        success=True if own_goal else _success(tags),
        # 101 also marks the beaten keeper's save attempt: a goal is only ever a shot's.
        goal=own_goal or (shot and c.TAG_GOAL in tags),
        own_goal=own_goal,
        big_chance=shot and c.TAG_OPPORTUNITY in tags,
        penalty=penalty and shot,
        direct_free_kick=direct and shot,
        body=(BodyPart.HEAD if c.TAG_HEAD_BODY in tags else BodyPart.FOOT) if shot else None,
        attacking=attacking,
        aerial=aerial,
        player=player_id,
        player_id=player_id,
        text=_text(kind, event_type, sub_type, tags, own_goal),
    )
    changes: list[Parsed] = [Upsert(event)]
    card = _card(tags)
    if card is not None:
        text = "second yellow card" if c.TAG_SECOND_YELLOW in tags else f"{card.value} card"
        booked = Event(f"{event_id}:card", version, period, play_ms, card, side, player=player_id, text=text)
        changes.append(Upsert(replace(booked, player_id=player_id)))
    elif event_type == c.FOUL and version:
        changes.append(Delete(f"{event_id}:card", version))
    if kind is Kind.OTHER and event_type not in c.NAMES:
        changes.append(Problem("unknown_type", f"event {event_id}", f"event type {event_type}, sub-type {sub_type}"))
    return tuple(changes)


def _success(tags: set[int]) -> bool | None:
    if c.TAG_ACCURATE in tags:
        return True
    return False if c.TAG_NOT_ACCURATE in tags else None


def _text(kind: Kind, event_type: int, sub_type: int, tags: set[int], own_goal: bool) -> str:
    if own_goal:
        return "own goal"
    name = c.SUB_NAMES.get(sub_type) or c.NAMES.get(event_type, f"type {event_type}")
    return f"goal ({name})" if kind is Kind.SHOT and c.TAG_GOAL in tags else name


def _card(tags: set[int]) -> Kind | None:
    if tags & {c.TAG_RED, c.TAG_SECOND_YELLOW}:
        return Kind.RED
    return Kind.YELLOW if c.TAG_YELLOW in tags else None


def _place(doc: Doc) -> tuple[float | None, float | None]:
    positions = doc.get("positions") or ()
    if not positions or positions[0]["x"] is None or positions[0]["y"] is None:
        return None, None
    x, y = (float(positions[0][axis]) for axis in ("x", "y"))  # exports differ in whether they are text
    return per_cent(x, 0.0, 100.0), per_cent(y, 0.0, 100.0)
