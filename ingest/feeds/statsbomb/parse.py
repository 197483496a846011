"""Raw StatsBomb events to canonical values. Pure functions; bad content becomes a `Problem`.

One row can tell of more than one thing: a pass that went out or to a player offside, a foul with a card. These are
events of their own, ``<id>:out``, ``<id>:offside`` and ``<id>:card``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Team, Upsert
from ingest.feeds.base import Parsed, Problem, plain_text, text_id
from ingest.feeds.reading import (
    LONGEST_PERIOD_MS,
    chance_e6,
    clock_ms,
    finite,
    flipped,
    per_cent,
    side_of,
    time_ms,
    type_number,
)
from ingest.feeds.statsbomb import constants as c

Doc = dict[str, Any]
PERIODS = frozenset({1, 2, 3, 4, 5})


def parse_info(raw: Doc) -> MatchInfo:
    """The adapter's own header (see `adapter.header`). Raises FeedError when it is incomplete."""
    try:
        teams = {side: Team(str(t["id"]), str(t["name"]), str(t["short"])) for side, t in raw["teams"].items()}
        return MatchInfo(
            provider="statsbomb",
            match_id=str(raw["id"]),
            home=teams["home"],
            away=teams["away"],
            kickoff_unix_ms=time_ms(raw["kickoff_unix_ms"]),
            competition=str(raw.get("competition", "")),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise FeedError(
            "statsbomb_bad_match", f"the match header lacks or garbles {error}: give a whole document"
        ) from error


def moment(doc: Doc) -> tuple[int, int]:
    """Period and playing time in ms. Raises ValueError, KeyError or TypeError for what is none."""
    period, play_ms = doc["period"], clock_ms(doc["timestamp"])
    if isinstance(period, bool) or period not in PERIODS:
        raise ValueError(f"there is no period {str(period)[:20]}")
    if play_ms > LONGEST_PERIOD_MS:
        raise ValueError(f"{str(doc['timestamp'])[:20]} is not in period {period}")
    return int(period), play_ms


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one event."""
    where = "event without id"
    try:
        event_id = text_id(doc.get("id"))
        if not event_id:
            return (Problem("bad_event", where, "it has no id"),)
        where = f"event {event_id[:40]}"
        version = time_ms(doc.get("modified", 0))
        if doc.get("deleted"):
            return tuple(Delete(f"{event_id}{part}", version) for part in ("", ":out", ":offside", ":card"))
        period, play_ms = moment(doc)
        type_id = type_number(doc["type"]["id"])
        team = doc.get("team")
        side = side_of(info, team["id"]) if team is not None else None
        if side is None and team is not None:
            return (Problem("unknown_team", where, f"team {str(team['id'])[:40]} does not play here"),)
        name, player_id = _player(doc)
        base = Event(event_id, version, period, play_ms, Kind.OTHER, side, player=name, player_id=player_id)
        event, extras = _event(doc, type_id, base), _extras(doc, type_id, base)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError) as error:
        return (Problem("bad_event", where, f"{type(error).__name__}: {error}"[:200]),)
    changes: list[Parsed] = [Upsert(event), *(Upsert(extra) for extra in extras)]
    if version:
        told = {extra.event_id for extra in extras}
        changes += [Delete(key, version) for key in _possible(type_id, event_id) if key not in told]
    if type_id not in c.NAMES:
        changes.append(Problem("unknown_type", where, f"event type {type_id}"))
    if _card_id(doc, type_id) not in (0, *c.CARDS):
        changes.append(Problem("unknown_card", where, f"card {_card_id(doc, type_id)}"))
    return tuple(changes)


def _player(doc: Doc) -> tuple[str | None, str | None]:
    player = doc.get("player")
    return (plain_text(player["name"]) or None, text_id(player["id"]) or None) if player else (None, None)


def _place(location: object) -> tuple[float | None, float | None]:
    if location is None:
        return None, None
    if not isinstance(location, list) or len(location) < 2:
        raise ValueError("a location is not two numbers")
    return per_cent(location[0], 0.0, c.PITCH[0]), per_cent(location[1], 0.0, c.PITCH[1])


def _detail(doc: Doc, name: str) -> Doc:
    """The object with a type's own fields; older files leave it out when it is empty."""
    detail = doc.get(name)
    if detail is None:
        return {}
    if not isinstance(detail, dict):
        raise TypeError(f"{name} is no object")
    return detail


def _id(detail: Doc, name: str) -> int | None:
    return None if detail.get(name) is None else type_number(detail[name]["id"])


def _event(doc: Doc, type_id: int, event: Event) -> Event:
    """The row's own event."""
    kind = c.KINDS.get(type_id, Kind.OTHER)
    x, y = (None, None) if type_id in c.UNLOCATED else _place(doc.get("location"))
    side = None if type_id in c.TEAMLESS else event.side
    event = replace(event, kind=kind, side=side, x=x, y=y, text=c.NAMES.get(type_id, f"type {type_id}"))
    if type_id == c.PASS:
        detail = _detail(doc, "pass")
        kind = c.PASS_KINDS.get(_id(detail, "type") or 0, Kind.PASS)
        return replace(event, kind=kind, success=c.PASS_SUCCESS.get(_id(detail, "outcome")))
    if type_id == c.SHOT:
        return _shot(_detail(doc, "shot"), event)
    if type_id == c.OWN_GOAL_FOR:
        return replace(event, success=True, goal=True, own_goal=True)
    if kind is Kind.DUEL:
        tackle = type_id == c.DUEL and _id(_detail(doc, "duel"), "type") == c.DUEL_TACKLE
        aerial = type_id == c.DUEL and not tackle
        return replace(event, attacking=False if tackle else c.ATTACKING.get(type_id), aerial=aerial)
    if type_id == c.GOALKEEPER:
        action = _id(_detail(doc, "goalkeeper"), "type")
        kind = Kind.SAVE if action in c.KEEPER_SAVES else Kind.TOUCH if action in c.KEEPER_TOUCHES else Kind.OTHER
        return replace(event, kind=kind)
    if type_id == c.BALL_RECOVERY and _detail(doc, "ball_recovery").get("recovery_failure"):
        return replace(event, kind=Kind.OTHER, text="failed recovery")
    if type_id == c.FOUL and event.side is not None and _detail(doc, "foul_committed").get("penalty"):
        # The row is the offender's; the award is the other side's, seen from its end.
        award = replace(event, kind=Kind.PENALTY_AWARDED, side=event.side.other, x=flipped(x), y=flipped(y))
        return replace(award, player=None, player_id=None, text="penalty awarded")
    return event


def _shot(detail: Doc, event: Event) -> Event:
    outcome, kind, body = _id(detail, "outcome"), _id(detail, "type"), _id(detail, "body_part")
    xg_e6 = chance_e6(detail.get("statsbomb_xg"))
    return replace(
        event,
        success=outcome in c.ON_TARGET,
        goal=outcome == c.SHOT_GOAL,
        penalty=kind == c.SHOT_PENALTY,
        direct_free_kick=kind == c.SHOT_FREE_KICK,
        big_chance=xg_e6 is not None and xg_e6 >= c.BIG_CHANCE_E6,
        body=None if body is None else c.BODY.get(body, BodyPart.OTHER),
        xg_e6=xg_e6,
        text="goal" if outcome == c.SHOT_GOAL else event.text,
    )


def _possible(type_id: int, event_id: str) -> tuple[str, ...]:
    """Ids of the further events that a row of this type may tell of."""
    if type_id == c.PASS:
        return (f"{event_id}:out", f"{event_id}:offside")
    if type_id in c.PLAYED:
        return (f"{event_id}:out",)
    return (f"{event_id}:card",) if type_id in (c.FOUL, c.BAD_BEHAVIOUR) else ()


def _extras(doc: Doc, type_id: int, event: Event) -> list[Event]:
    """What the row tells beside its own event; ``event`` has its side, time and player."""
    found: list[Event] = []
    if type_id in c.PLAYED and _went_out(doc, type_id):
        found.append(replace(_after(doc, type_id, event), event_id=f"{event.event_id}:out", kind=Kind.OUT, text="out"))
    if type_id == c.PASS and _id(_detail(doc, "pass"), "outcome") == c.PASS_OFFSIDE:
        offside = replace(_after(doc, type_id, event), kind=Kind.OFFSIDE, text="offside")
        found.append(replace(offside, event_id=f"{event.event_id}:offside"))
    card = c.CARDS.get(_card_id(doc, type_id))
    if card is not None:
        found.append(replace(event, event_id=f"{event.event_id}:card", kind=card[0], text=card[1]))
    return found


def _card_id(doc: Doc, type_id: int) -> int:
    name = {c.FOUL: "foul_committed", c.BAD_BEHAVIOUR: "bad_behaviour"}.get(type_id)
    return 0 if name is None else _id(_detail(doc, name), "card") or 0


def _went_out(doc: Doc, type_id: int) -> bool:
    """Whether the ball left the pitch after this row: the flag of newer files, or an outcome that says so."""
    if doc.get("out"):
        return True
    name = {c.PASS: "pass", c.SHOT: "shot", c.DUEL: "duel", c.INTERCEPTION: "interception", c.GOALKEEPER: "goalkeeper"}
    detail = _detail(doc, name.get(type_id, ""))
    outcome = _id(detail, "outcome")
    if type_id == c.SHOT:
        end = detail.get("end_location")
        wide = outcome in (c.SHOT_OFF, c.SHOT_WAYWARD)
        return wide and isinstance(end, list) and bool(end) and finite(end[0]) >= c.PITCH[0] - 1
    return outcome == c.PASS_OUT if type_id == c.PASS else outcome in c.OUTCOMES_OUT


def _after(doc: Doc, type_id: int, event: Event) -> Event:
    """An event of the same side where and when the ball came to, for what a pass or shot led to."""
    duration_ms = round(finite(doc.get("duration") or 0) * 1000)
    play_ms = min(LONGEST_PERIOD_MS, event.play_ms + max(0, duration_ms))
    end = _detail(doc, {c.PASS: "pass", c.SHOT: "shot"}.get(type_id, "")).get("end_location")
    x, y = _place(doc.get("location") if end is None else end)
    return Event(event.event_id, event.version, event.period, play_ms, Kind.OTHER, event.side, x, y)
