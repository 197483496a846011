"""Rows of a sport event timeline, and push messages that hold one, to canonical values. Pure functions.

``x`` runs from the home team's goal to the away team's and ``y`` from the top of the pitch with the home goal on the
left, whichever team acts [events]: for the away team both are turned. A row is a dict of the timeline; a push message
is ``{"payload": {"event": row, "sport_event_status": ...}, "metadata": ...}`` [push].
"""

from __future__ import annotations

from typing import Any

from ingest.events import SHOOT_OUT, BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert
from ingest.feeds.base import Parsed, Problem, plain_text, text_id
from ingest.feeds.reading import LONGEST_PERIOD_MS, flipped, per_cent, time_ms, unix_ms
from ingest.feeds.sportradar import constants as c

Doc = dict[str, Any]
VERSION, PERIOD, PLAY_MS = "futstar_version", "futstar_period", "futstar_play_ms"
"""What the adapter adds to rows that lack it: a version, and when a whistle without a clock was blown."""
MOST_ADDED_MIN = 45
UPDATED_MS = 500
"""Times have whole seconds: an update within the second of its first version counts as newer by so much."""


def row_of(doc: Doc) -> Doc:
    """The timeline's row in a fragment, which is the row itself or a push message."""
    payload = doc.get("payload")
    if isinstance(payload, dict) and isinstance(payload.get("event"), dict):
        row: Doc = payload["event"]
        return row
    return doc


def parse_info(raw: Doc) -> MatchInfo:
    """``sport_event`` of a timeline document. Raises FeedError when teams, id or start are missing."""
    try:
        teams = {}
        for row in raw["competitors"]:
            team_id, name = text_id(row["id"]), plain_text(row["name"])
            short = plain_text(row.get("abbreviation")) or name[:3].upper()
            teams[str(row["qualifier"])] = Team(team_id, name, short)
        match_id = text_id(raw["id"])
        if not match_id or not teams["home"].team_id or teams["home"].team_id == teams["away"].team_id:
            raise ValueError("its id or the ids of its teams")
        context = raw.get("sport_event_context") or {}
        return MatchInfo(
            provider="sportradar",
            match_id=match_id,
            home=teams["home"],
            away=teams["away"],
            kickoff_unix_ms=unix_ms(str(raw["start_time"])),
            competition=plain_text((context.get("competition") or {}).get("name")),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise FeedError(
            "sportradar_bad_match", f"sport_event lacks or garbles {error}: give a complete timeline document"
        ) from error


def parse_event(info: MatchInfo, doc: Doc) -> tuple[Parsed, ...]:
    """Canonical changes of one fragment."""
    where = "event without id"
    try:
        row = row_of(doc)
        event_id = text_id(row.get("id"))
        if not event_id:
            return (Problem("bad_event", where, "no id that can be kept"),)
        where = f"event {event_id[:40]}"
        stranger = _stranger(info, doc)
        if stranger:
            return (Problem("other_match", where, f"a message of match {stranger[:40]}"),)
        version = _version(doc, row)
        kind_name = str(row["type"])
        if kind_name == c.WITHDRAWN:
            return (Delete(event_id, version),)
        if kind_name in c.OUTSIDE_PLAY:
            return ()
        period = _period(doc, row)
        if period is None:
            return (Problem("out_of_period", where, f"{kind_name[:40]} without a period"),)
        play_ms = _play_ms(row, period)
        if not 0 <= play_ms <= LONGEST_PERIOD_MS:
            return (Problem("out_of_period", where, f"clock {row.get('match_clock')} is not in period {period}"),)
        event = _event(row, event_id, version, period, play_ms, kind_name)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError) as error:
        return (Problem("bad_event", where, f"{type(error).__name__}: {error}"[:200]),)
    if event.side is None and row.get("competitor") is not None:
        return (Problem("unknown_team", where, f"competitor {str(row['competitor'])[:40]} is neither home nor away"),)
    if kind_name not in c.KINDS:
        return (Upsert(event), Problem("unknown_type", where, f"event type {kind_name[:40]}"))
    return (Upsert(event),)


def same_match(one: str, other: str) -> bool:
    """Whether two ids name the same match: push messages write ``sr:sport_event_id:7`` for ``sr:sport_event:7``."""
    return bool(one) and one.rsplit(":", 1)[-1] == other.rsplit(":", 1)[-1]


def _stranger(info: MatchInfo, doc: Doc) -> str:
    """The match of a push message, when it is another one than ours."""
    metadata = doc.get("metadata")
    named = str(metadata.get("sport_event_id") or "") if isinstance(metadata, dict) else ""
    return "" if not named or same_match(named, info.match_id) else named


def _version(doc: Doc, row: Doc) -> int:
    """When the row was made or changed: ``time`` and ``updated_time`` are times of processing [events]."""
    if VERSION in doc:
        return time_ms(doc[VERSION])
    made = time_ms(unix_ms(str(row["time"])))
    if not row.get("updated"):
        return made
    changed = unix_ms(str(row["updated_time"])) if row.get("updated_time") else made
    return time_ms(max(made, changed) + UPDATED_MS)


def _period(doc: Doc, row: Doc) -> int | None:
    kind = row.get("period_type")
    if kind == c.PENALTIES:
        return SHOOT_OUT
    number = row.get("period", row.get(PERIOD))
    if number is None and row.get("type") == "match_ended":
        return _last_period((doc.get("payload") or {}).get("sport_event_status"))
    return period_number(kind, number)


def period_number(kind: object, number: object) -> int | None:
    """1 to 5; halves of extra time are taken as 3 and 4 whether they are counted on or anew (unverified)."""
    if number is None:
        return None
    found = int(str(number))
    if kind == c.OVERTIME and found in (1, 2):
        found += 2
    return found if found in c.PERIOD_BASE_MS else None


def _last_period(status: object) -> int | None:
    """The period that is over when the match is, from the scores by period."""
    scores = status.get("period_scores") if isinstance(status, dict) else None
    numbers = [
        SHOOT_OUT if score.get("type") == c.PENALTIES else period_number(score.get("type"), score.get("number"))
        for score in scores or ()
        if isinstance(score, dict)
    ]
    return max((number for number in numbers if number is not None), default=None)


def _play_ms(row: Doc, period: int) -> int:
    """``match_clock`` stands still in added time, where ``stoppage_time_clock`` runs; whole minutes where they lack."""
    if PLAY_MS in row:
        return int(row[PLAY_MS])
    base = c.PERIOD_BASE_MS[period]
    if row.get("type") == "period_start" or period == SHOOT_OUT:
        return 0
    if row.get("match_clock"):
        play_ms = _clock_ms(row["match_clock"]) - base
    elif row.get("match_time") is not None:
        play_ms = (int(row["match_time"]) - 1) * 60_000 - base  # the minute under way
        if row.get("stoppage_time") is not None:
            play_ms = c.PERIOD_LENGTH_MS[period]
    else:
        play_ms = c.PERIOD_LENGTH_MS[period]  # a final whistle that only a push message told
    if row.get("stoppage_time_clock"):
        return play_ms + _clock_ms(row["stoppage_time_clock"])
    if row.get("stoppage_time") is not None:
        return play_ms + max(0, int(row["stoppage_time"]) - 1) * 60_000
    return max(0, play_ms)


def _clock_ms(text: object) -> int:
    minutes, seconds = str(text).split(":")
    if not (minutes.isascii() and minutes.isdigit() and seconds.isascii() and seconds.isdigit()):
        raise ValueError(f"clock {str(text)[:20]} is not minutes and seconds")
    return (int(minutes[:4]) * 60 + int(seconds[:2])) * 1000


def _place(row: Doc, side: Side | None, kind: Kind) -> tuple[float | None, float | None]:
    """Per cent seen by the acting team. The zero point is where nobody acts but who takes a corner: it means that no
    place is known (the pages' own sample of a header scored at 0, 0)."""
    if row.get("x") is None or row.get("y") is None or side is None:
        return None, None
    if (row["x"], row["y"]) == (0, 0) and kind is not Kind.CORNER:
        return None, None
    x, y = per_cent(row["x"], 0.0, 100.0), per_cent(row["y"], 0.0, 100.0)
    return (x, y) if side is Side.HOME else (flipped(x), flipped(y))


def _event(row: Doc, event_id: str, version: int, period: int, play_ms: int, name: str) -> Event:
    kind = c.KINDS.get(name, Kind.OTHER)
    status = str(row.get("status") or "")
    if name == "penalty_shootout" and status not in ("scored", "missed"):
        kind = Kind.OTHER  # announced, not taken yet
    competitor = str(row.get("competitor") or "")
    side = Side(competitor) if competitor in (Side.HOME, Side.AWAY) else None
    shot = kind is Kind.SHOT
    goal = name == "score_change" or (shot and status == "scored")
    method = str(row.get("method") or "")
    own_goal = goal and method == "own_goal"  # ``competitor`` is taken as the side that gains (unverified)
    x, y = _place(row, side, kind)
    player = _player(row, name) or {}
    player_id = text_id(player.get("id")) or None
    return Event(
        event_id=event_id,
        version=version,
        period=period,
        play_ms=play_ms,
        kind=kind,
        side=side,
        x=x,
        y=y,
        success=(goal or name in c.SHOTS_ON_TARGET) if shot else None,
        goal=goal,
        own_goal=own_goal,
        penalty=shot and (method == "penalty" or name in ("penalty_missed", "penalty_shootout")),
        direct_free_kick=shot and method == "free_kick",
        body=BodyPart.HEAD if shot and method == "header" else None,
        provisional=name in c.PROVISIONAL,
        player=plain_text(player.get("name")) or player_id,
        player_id=player_id,
        added_s=_added_s(row) if kind is Kind.ADDED_TIME else None,
        text=_text(row, name, method),
    )


def _added_s(row: Doc) -> int:
    minutes = int(row["injury_time_announced"])
    if not 0 <= minutes <= MOST_ADDED_MIN:
        raise ValueError(f"{str(minutes)[:20]} minutes of added time")
    return minutes * 60


def _player(row: Doc, name: str) -> Doc | None:
    """Who scored or came on; otherwise the first one named."""
    players = [player for player in row.get("players") or () if isinstance(player, dict)]
    wanted = {"score_change": "scorer", "substitution": "substituted_in"}.get(name)
    return next((player for player in players if player.get("type") == wanted), players[0] if players else None)


def _text(row: Doc, name: str, method: str) -> str:
    words = [plain_text(name, 40).replace("_", " ")]
    words += [plain_text(row[key], 40).replace("_", " ") for key in ("description", "outcome") if row.get(key)]
    if method:
        words.append(plain_text(method, 40).replace("_", " "))
    return ": ".join(words)
