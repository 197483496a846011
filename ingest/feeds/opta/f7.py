"""F7 (match results): the header in F24's form, and status, score, line-ups, goals, cards and substitutions.

F9 has the same frame with statistics in it; it is read the same way and unverified, as no F9 file is at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ingest.events import Side
from ingest.facts import Booking, Card, Goal, LineUp, MatchFacts, MatchStatus, PeriodSpan, Player, Substitution
from ingest.feeds.base import plain_text
from ingest.feeds.opta.constants import PERIOD_BASE_MIN
from ingest.feeds.opta.parse import parse_info, plain_id
from ingest.feeds.reading import MAX_VERSION, unix_ms
from ingest.feeds.xmldoc import Element

Doc = dict[str, Any]
T = TypeVar("T")

PERIODS = {
    "FirstHalf": 1,
    "SecondHalf": 2,
    "ExtraFirstHalf": 3,
    "ExtraSecondHalf": 4,
    "ShootOut": 5,
    **{str(number): number for number in PERIOD_BASE_MIN},
}
"""A period's names in F7: words in goals and bookings, numbers in substitutions. Extra time is unverified."""

STATUS = {
    "PreMatch": MatchStatus.FIXTURE,
    **dict.fromkeys(("FirstHalf", "HalfTime", "SecondHalf", "FullTime90", "ExtraFirstHalf"), MatchStatus.PLAYING),
    **dict.fromkeys(("ExtraHalfTime", "ExtraSecondHalf", "FullTime120", "ShootOut"), MatchStatus.PLAYING),
    **dict.fromkeys(("FullTime", "FullTimePens", "PostMatch"), MatchStatus.PLAYED),
    "Postponed": MatchStatus.POSTPONED,
    "Suspended": MatchStatus.SUSPENDED,
    "Abandoned": MatchStatus.ABANDONED,
    "Cancelled": MatchStatus.CANCELLED,
}
"""``MatchInfo Period``. Only ``FullTime`` occurs in a real file that we hold; the others are unverified."""

_SPANS = {1: "first_half", 2: "second_half", 3: "first_half_extra", 4: "second_half_extra"}
_CARDS = {"Yellow": Booking.YELLOW, "SecondYellow": Booking.SECOND_YELLOW, "StraightRed": Booking.RED}


def match_documents(root: Element) -> list[Element]:
    """The documents of matches in a SoccerFeed."""
    return [document for document in root.all("SoccerDocument") if document.find("MatchData") is not None]


def header(document: Element) -> Doc:
    """The match header in F24's form; what is missing is left out."""
    names = {plain_id(team.get("uID")): team.text_of("Name") for team in document.all("Team")}
    raw = {
        "id": plain_id(document.get("uID")),
        "game_date": document.text_of("MatchData", "MatchInfo", "Date"),
        "competition_id": plain_id(_child(document, "Competition").get("uID")),
        "competition_name": document.text_of("Competition", "Name"),
        "season_name": _stat(_child(document, "Competition"), "season_name"),
    }
    for team in _teams(document):
        side = team.get("Side").lower()
        raw[f"{side}_team_id"] = plain_id(team.get("TeamRef"))
        raw[f"{side}_team_name"] = names.get(plain_id(team.get("TeamRef")), "")
        raw[f"{side}_score"] = team.get("Score")
    return {name: value for name, value in raw.items() if value}


def score_of(raw: Doc) -> tuple[int, int] | None:
    """The score in a header; None where it has none."""
    home, away = _count(raw.get("home_score")), _count(raw.get("away_score"))
    return None if home is None or away is None else (home, away)


def updated_ms(root: Element) -> int:
    """When the feed was made, unix ms; 0 where it does not tell."""
    return _time(root.get("TimeStamp"))


def facts(root: Element, document: Element, unnamed: str) -> MatchFacts:
    """What a document tells; ``unnamed`` is the match's id where it tells none. What is garbled is left out.

    Raises FeedError when it does not tell who plays.
    """
    raw = {"id": unnamed, **header(document)}
    info = parse_info(raw)
    data = _child(document, "MatchData")
    match = _child(data, "MatchInfo")
    names = _names(document)
    winner = plain_id(_child(match, "Result").get("Winner"))

    def each(tag: str, one: Callable[[Side, Element], T]) -> tuple[T, ...]:
        return tuple(_each(document, tag, one))

    def goal(side: Side, row: Element) -> Goal:
        kind, player_id = row.get("Type"), plain_id(row.get("PlayerRef"))
        # An own goal is taken to stand under the team that gains: unverified, no file that we hold has one.
        event_id = plain_id(row.get("EventID"))
        return Goal(side, player_id, names.get(player_id, ""), *_when(row), kind == "Own", kind == "Penalty", event_id)

    def card(side: Side, row: Element) -> Card:
        player_id = plain_id(row.get("PlayerRef"))
        colour = _CARDS[row.get("CardType")]
        return Card(side, player_id, names.get(player_id, ""), colour, *_when(row), plain_id(row.get("EventID")))

    return MatchFacts(
        info=info,
        status=STATUS.get(match.get("Period"), MatchStatus.UNKNOWN),
        score=score_of(raw),
        shoot_out=_shoot_out(document),
        winner={info.home.team_id: Side.HOME, info.away.team_id: Side.AWAY}.get(winner),
        line_ups=tuple(_line_ups(document, names)),
        goals=each("Goal", goal),
        cards=each("Booking", card),
        substitutions=each("Substitution", _substitution),
        periods=_periods(data),
        competition_id=str(raw.get("competition_id", "")),
        season=plain_text(raw.get("season_name")),
        venue=plain_text(document.text_of("Venue", "Name")),
        updated_unix_ms=updated_ms(root),
    )


def _child(element: Element, tag: str) -> Element:
    return element.find(tag) or Element(tag, {})


def _teams(document: Element) -> list[Element]:
    return [team for team in _child(document, "MatchData").all("TeamData") if team.get("Side") in ("Home", "Away")]


def _each(document: Element, tag: str, one: Callable[[Side, Element], T]) -> Iterator[T]:
    for team in _teams(document):
        for row in team.all(tag):
            try:
                yield one(Side(team.get("Side").lower()), row)
            except (KeyError, ValueError):
                continue


def _substitution(side: Side, row: Element) -> Substitution:
    on_id, off_id = plain_id(row.get("SubOn")), plain_id(row.get("SubOff"))
    return Substitution(side, on_id, off_id, *_when(row), plain_id(row.get("EventID")))


def _when(row: Element) -> tuple[int, int]:
    """Period and playing time. KeyError or ValueError where the row does not tell."""
    period = PERIODS[row.get("Period")]
    minute, second = _count(row.get("Min")), _count(row.get("Sec"))
    if minute is None or second is None:
        raise ValueError("no time")
    return period, (minute - PERIOD_BASE_MIN[period]) * 60_000 + second * 1000


def _line_ups(document: Element, names: dict[str, str]) -> Iterator[LineUp]:
    coaches = {
        plain_id(team.get("uID")): _name(official)
        for team in document.all("Team")
        for official in team.all("TeamOfficial")
        if official.get("Type") == "Manager"
    }
    for team in _teams(document):
        players = tuple(
            Player(
                player_id := plain_id(row.get("PlayerRef")),
                names.get(player_id, ""),
                _count(row.get("ShirtNumber")),
                row.get("Position"),
                row.get("Status") == "Start",
                row.get("Captain") == "1",
            )
            for row in _child(team, "PlayerLineUp").all("MatchPlayer")
        )
        if players:
            coach = coaches.get(plain_id(team.get("TeamRef")), "")
            yield LineUp(Side(team.get("Side").lower()), team.get("Formation"), players, coach)


def _names(document: Element) -> dict[str, str]:
    return {plain_id(p.get("uID")): _name(p) for team in document.all("Team") for p in team.all("Player")}


def _name(person: Element) -> str:
    known = person.text_of("PersonName", "Known")
    full = f"{person.text_of('PersonName', 'First')} {person.text_of('PersonName', 'Last')}".strip()
    return plain_text(known or full)


def _shoot_out(document: Element) -> tuple[int, int] | None:
    """Kicks scored in a shoot-out. Unverified: no file that we hold has one."""
    kicks = {team.get("Side"): _count(team.get("ShootOutScore")) for team in _teams(document)}
    home, away = kicks.get("Home"), kicks.get("Away")
    return None if home is None or away is None else (home, away)


def _periods(data: Element) -> tuple[PeriodSpan, ...]:
    found = []
    for period, name in _SPANS.items():
        start, end = _time(_stat(data, f"{name}_start")), _time(_stat(data, f"{name}_stop"))
        if start:
            found.append(PeriodSpan(period, start, end or None))
    return tuple(found)


def _stat(element: Element, name: str) -> str:
    return next((stat.text for stat in element.all("Stat") if stat.get("Type") == name), "")


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) <= 4 else None


def _time(text: str) -> int:
    try:
        found = unix_ms(text)
    except (ValueError, OverflowError):
        return 0
    return found if 0 < found <= MAX_VERSION else 0
