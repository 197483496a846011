"""MA1: status, score, line-ups, goals, cards and substitutions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ingest.events import Side
from ingest.facts import (
    Booking,
    Card,
    Goal,
    LineUp,
    MatchFacts,
    MatchStatus,
    PeriodSpan,
    Player,
    Substitution,
)
from ingest.feeds.base import plain_text, text_id
from ingest.feeds.opta.constants import PERIOD_BASE_MIN
from ingest.feeds.reading import unix_ms
from ingest.feeds.statsperform.constants import STATUS
from ingest.feeds.statsperform.parse import parse_info

Doc = dict[str, Any]
T = TypeVar("T")
_CARDS = {"YC": Booking.YELLOW, "Y2C": Booking.SECOND_YELLOW, "RC": Booking.RED}


def facts(document: Doc) -> MatchFacts:
    """What an MA1 or MA3 document tells; what is garbled is left out. FeedError when it does not tell who plays."""
    raw, live = document["matchInfo"], document["liveData"]
    info = parse_info(raw)
    details = _mapping(live.get("matchDetails"))
    scores = _mapping(details.get("scores"))
    sides = {info.home.team_id: Side.HOME, info.away.team_id: Side.AWAY}

    def read(name: str, one: Callable[[Side, Doc], T]) -> tuple[T, ...]:
        return tuple(_each(live.get(name), sides, one))

    return MatchFacts(
        info=info,
        status=STATUS.get(plain_text(details.get("matchStatus")), MatchStatus.UNKNOWN),
        score=_pair(scores.get("total")) if "pen" not in scores else _pair(scores.get("et") or scores.get("ft")),
        shoot_out=_pair(scores.get("pen")),
        winner=next((side for side in Side if side == details.get("winner")), None),
        line_ups=read("lineUp", _line_up),
        goals=read("goal", _goal),
        cards=read("card", _card),
        substitutions=read("substitute", _substitution),
        periods=_periods(details.get("period")),
        competition_id=text_id(_mapping(raw.get("competition")).get("id")),
        season=plain_text(_mapping(raw.get("tournamentCalendar")).get("name")),
        venue=plain_text(_mapping(raw.get("venue")).get("longName")),
        updated_unix_ms=_time(raw.get("lastUpdated")),
    )


def score_of(document: Doc) -> tuple[int, int] | None:
    """The score without a shoot-out; None where the document has none."""
    scores = _mapping(_mapping(document["liveData"].get("matchDetails")).get("scores"))
    return _pair(scores.get("total")) if "pen" not in scores else _pair(scores.get("et") or scores.get("ft"))


def _each(rows: object, sides: Mapping[str, Side], one: Callable[[Side, Doc], T]) -> Iterator[T]:
    for row in rows if isinstance(rows, list) else ():
        try:
            yield one(sides[text_id(row["contestantId"])], row)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
            continue


def _line_up(side: Side, row: Doc) -> LineUp:
    players = tuple(
        Player(
            text_id(player["playerId"]),
            plain_text(player.get("matchName")) or plain_text(player.get("lastName")),
            _integer(player.get("shirtNumber")),
            plain_text(player.get("position")),
            player.get("position") != "Substitute",
            player.get("captain") == "yes",
        )
        for player in row["player"]
    )
    officials = row.get("teamOfficial") or ()
    staff = [officials] if isinstance(officials, dict) else list(officials)
    coach = next((one for one in staff if one.get("type") == "manager"), {})
    name = f"{plain_text(coach.get('shortFirstName'))} {plain_text(coach.get('shortLastName'))}".strip()
    return LineUp(side, plain_text(row.get("formationUsed")), players, name)


def _goal(side: Side, row: Doc) -> Goal:
    kind = row["type"]
    # An own goal is taken to stand under its scorer's team: unverified, no file that we hold has one.
    gains = side.other if kind == "OG" else side
    return Goal(
        gains,
        text_id(row.get("scorerId")),
        plain_text(row.get("scorerName")),
        *_when(row),
        own_goal=kind == "OG",
        penalty=kind == "PG",
        event_id=text_id(row.get("optaEventId")),
    )


def _card(side: Side, row: Doc) -> Card:
    name = plain_text(row.get("playerName")) or plain_text(row.get("officialName"))
    period, play_ms = _when(row)
    event_id = text_id(row.get("optaEventId"))
    return Card(side, text_id(row.get("playerId")), name, _CARDS[row["type"]], period, play_ms, event_id)


def _substitution(side: Side, row: Doc) -> Substitution:
    return Substitution(side, text_id(row.get("playerOnId")), text_id(row.get("playerOffId")), *_when(row))


def _when(row: Doc) -> tuple[int, int]:
    """Period and playing time."""
    period = int(row["periodId"])
    minute, second = str(row["timeMinSec"]).split(":")
    return period, (int(minute) - PERIOD_BASE_MIN[period]) * 60_000 + int(second) * 1000


def _periods(rows: object) -> tuple[PeriodSpan, ...]:
    found = []
    for row in rows if isinstance(rows, list) else ():
        try:
            if row["id"] in PERIOD_BASE_MIN:
                found.append(PeriodSpan(row["id"], unix_ms(row["start"]), _time(row.get("end")) or None))
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
    return tuple(found)


def _time(value: object) -> int:
    try:
        return unix_ms(str(value))
    except (ValueError, OverflowError):
        return 0


def _pair(value: object) -> tuple[int, int] | None:
    pair = _mapping(value)
    home, away = _integer(pair.get("home")), _integer(pair.get("away"))
    return None if home is None or away is None else (home, away)


def _integer(value: object) -> int | None:
    """A small count; None for anything else."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= 4:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000 else None


def _mapping(value: object) -> Doc:
    return value if isinstance(value, dict) else {}
