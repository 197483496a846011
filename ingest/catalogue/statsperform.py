"""Stats Perform MA1: one match with its competition, teams, status and line-ups. MA3 carries the same header."""

from __future__ import annotations

from typing import Any

from ingest.catalogue.snapshot import Entry, Lineup, Snapshot, Status, utc_ms
from ingest.events import FeedError
from ingest.identity.model import SourceCompetition, SourceFixture, SourcePlayer, SourceTeam

NAME = "statsperform"
_STATUS = {
    "fixture": Status.SCHEDULED,
    "playing": Status.LIVE,
    "played": Status.FINISHED,
    "awarded": Status.FINISHED,
    "postponed": Status.POSTPONED,
    "suspended": Status.ABANDONED,
    "abandoned": Status.ABANDONED,
    "cancelled": Status.CANCELLED,
}


def is_document(document: object) -> bool:
    """Whether the shape is MA1's, one match or a list of them."""
    return bool(_parts(document))


def _parts(document: object) -> list[dict[str, Any]]:
    if isinstance(document, dict) and isinstance(document.get("match"), list):
        document = document["match"]
    parts = document if isinstance(document, list) else [document]
    return [part for part in parts if isinstance(part, dict) and isinstance(part.get("matchInfo"), dict)]


def read(document: object) -> Snapshot:
    """The matches of a document."""
    entries: list[Entry] = []
    problems: list[str] = []
    versions = [0]
    for number, part in enumerate(_parts(document), 1):
        try:
            entries.append(_entry(part))
            if part["matchInfo"].get("lastUpdated"):
                versions.append(utc_ms(str(part["matchInfo"]["lastUpdated"])))
        except (KeyError, TypeError, ValueError, AttributeError, FeedError) as error:
            problems.append(f"match {number}: {error if isinstance(error, FeedError) else f'lacks or spoils {error}'}")
    return Snapshot(NAME, tuple(entries), max(versions), tuple(problems))


def _entry(part: dict[str, Any]) -> Entry:
    info, live = part["matchInfo"], part.get("liveData") or {}
    league, season = info["competition"], info["tournamentCalendar"]
    label = str(season["name"])
    label = f"{label[:4]}/{label[-2:]}" if len(label) > 4 else label
    women = " Women" if str((info.get("ruleset") or {}).get("name")) == "Women" else ""
    competition = SourceCompetition(
        NAME, str(league["id"]), f"{league['name']}{women}", str((league.get("country") or {}).get("name") or ""), label
    )
    sides = {str(team["position"]): team for team in info["contestant"]}
    day = str(info["date"]).rstrip("Z")
    kickoff = utc_ms(f"{day} {str(info['time']).rstrip('Z')}") if info.get("time") else None
    fixture = SourceFixture(
        NAME,
        str(info["id"]),
        competition,
        _team(sides["home"]),
        _team(sides["away"]),
        kickoff,
        str(info.get("localDate") or day),
        str(info.get("week") or ""),
    )
    details = live.get("matchDetails") or {}
    status = _STATUS.get(str(details.get("matchStatus", "")).lower())
    total = (details.get("scores") or {}).get("total")
    score = (int(total["home"]), int(total["away"])) if status is Status.FINISHED and total else None
    venue = (info.get("venue") or {}).get("longName")
    lineups = []
    for row in live.get("lineUp") or ():
        if isinstance(row, dict) and row.get("player"):
            lineups.append(_lineup(row, home=str(row.get("contestantId")) == str(sides["home"]["id"])))
    return Entry(fixture, status, venue, score, tuple(lineups))


def _team(row: dict[str, Any]) -> SourceTeam:
    listed = tuple(dict.fromkeys(str(row[n]) for n in ("name", "officialName", "shortName") if row.get(n)))
    country = str((row.get("country") or {}).get("name") or "")
    return SourceTeam(NAME, str(row["id"]), listed, country, None)


def _lineup(row: dict[str, Any], *, home: bool) -> Lineup:
    starters: list[SourcePlayer] = []
    bench: list[SourcePlayer] = []
    for item in row["player"]:
        if item.get("playerId"):
            (bench if item.get("position") == "Substitute" else starters).append(_player(item))
    return Lineup(home, tuple(starters), tuple(bench))


def _player(row: dict[str, Any]) -> SourcePlayer:
    whole = f"{row.get('firstName') or ''} {row.get('lastName') or ''}".strip()
    short = f"{row.get('shortFirstName') or ''} {row.get('shortLastName') or ''}".strip()
    names = tuple(dict.fromkeys(str(n) for n in (whole, short, row.get("matchName")) if n)) or ("?",)
    shirt = row.get("shirtNumber")
    return SourcePlayer(NAME, str(row["playerId"]), names, "", int(shirt) if shirt is not None else None)
