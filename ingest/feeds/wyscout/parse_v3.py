"""Raw Wyscout v3 events to canonical values; `ingest.feeds.wyscout.parse` calls this for rows of that shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingest.events import BodyPart, Delete, Event, Kind, MatchInfo, Upsert
from ingest.feeds.base import Parsed, Problem, plain_text, text_id
from ingest.feeds.reading import chance_e6, clock_ms, flipped, per_cent, side_of
from ingest.feeds.wyscout import constants_v3 as c

Doc = dict[str, Any]


def is_v3(doc: Doc) -> bool:
    """Version 3 has an object ``type``; version 2 has numbers ``eventId`` and ``subEventId``."""
    return isinstance(doc.get("type"), dict)


def moment(doc: Doc) -> tuple[int, int]:
    """Period and playing time in ms; ``matchTimestamp`` runs through the match. Raises KeyError or ValueError."""
    period = c.PERIODS[doc["matchPeriod"]]
    return period, clock_ms(doc["matchTimestamp"]) - c.PERIOD_BASE_MS[period]


def parse_event(
    info: MatchInfo, doc: Doc, event_id: str, version: int, period: int, play_ms: int
) -> tuple[Parsed, ...]:
    """Canonical changes of one event. Raises like `moment` for content of the wrong shape."""
    side = side_of(info, (doc.get("team") or {}).get("id"))
    if side is None:
        team = str((doc.get("team") or {}).get("id"))[:40]
        return (Problem("unknown_team", f"event {event_id[:40]}", f"team {team} does not play here"),)
    primary, secondary = plain_text(doc["type"]["primary"]), {str(name) for name in doc["type"].get("secondary") or ()}
    player = doc.get("player") or {}
    player_id = text_id(player.get("id") or None) or None  # 0 stands for nobody
    name = (plain_text(player.get("name")) if player_id else "") or player_id
    kind = _kind(doc, primary, secondary)
    x, y = _place(doc)
    own_goal = primary == "own_goal"
    if own_goal:
        # The row is the unlucky side's; the event is the gaining side's, seen from its end.
        side, x, y = side.other, flipped(x), flipped(y)
    shot = (doc.get("shot") or {}) if kind is Kind.SHOT and not own_goal else None
    goal = own_goal or (shot is not None and (bool(shot.get("isGoal")) or "goal" in secondary))
    xg_e6 = None if shot is None else chance_e6(shot.get("xg"))
    event = Event(
        event_id=event_id,
        version=version,
        period=period,
        play_ms=play_ms,
        kind=kind,
        side=side,
        x=x,
        y=y,
        success=_success(doc, kind, goal),
        goal=goal,
        own_goal=own_goal,
        big_chance=xg_e6 is not None and xg_e6 >= c.BIG_CHANCE_E6,
        penalty=primary in c.PENALTIES,
        direct_free_kick=shot is not None and primary == "free_kick",
        body=None if shot is None else c.BODY.get(str(shot.get("bodyPart")), BodyPart.FOOT),
        attacking=next((value for key, value in c.ATTACKING.items() if key in secondary), None)
        if kind is Kind.DUEL
        else None,
        aerial=kind is Kind.DUEL and "aerial_duel" in secondary,
        xg_e6=xg_e6,
        player=name,
        player_id=player_id,
        text="own goal" if own_goal else f"goal ({primary})" if goal else primary.replace("_", " "),
    )
    changes: list[Parsed] = [Upsert(event)]
    card = _card(doc, secondary)
    if card is not None:
        booked = Event(f"{event_id}:card", version, period, play_ms, card, side, text=f"{card.value} card")
        changes.append(Upsert(replace(booked, player=name, player_id=player_id)))
    elif primary == "infraction" and version:
        changes.append(Delete(f"{event_id}:card", version))
    if primary not in c.KINDS:
        changes.append(Problem("unknown_type", f"event {event_id[:40]}", f"event type {primary[:40]}"))
    return tuple(changes)


def _kind(doc: Doc, primary: str, secondary: set[str]) -> Kind:
    if primary in ("free_kick", "corner") and (doc.get("shot") or secondary & c.SHOTS_OF_RESTARTS):
        return Kind.SHOT
    if primary == "game_interruption" and "ball_out" in secondary:
        return Kind.OUT
    if primary == "interception" and doc.get("pass"):
        return Kind.PASS  # played on at once: version 2 has it as a pass that is tagged an interception
    return c.KINDS.get(primary, Kind.OTHER)


def _success(doc: Doc, kind: Kind, goal: bool) -> bool | None:
    if kind is Kind.SHOT:
        return goal or bool((doc.get("shot") or {}).get("onTarget"))
    accurate = (doc.get("pass") or {}).get("accurate")
    return accurate if isinstance(accurate, bool) else None


def _card(doc: Doc, secondary: set[str]) -> Kind | None:
    told = doc.get("infraction") or {}
    if "red_card" in secondary or told.get("redCard"):
        return Kind.RED
    return Kind.YELLOW if "yellow_card" in secondary or told.get("yellowCard") else None


def _place(doc: Doc) -> tuple[float | None, float | None]:
    location = doc.get("location")
    if not location:
        return None, None
    return per_cent(location["x"], 0.0, 100.0), per_cent(location["y"], 0.0, 100.0)
