"""openfootball's calendar files (football.json): one season of a league; times are local, teams have no ids.

A team's id is its name as the file writes it. A fixture's id is season, pair and turn, so that it survives a new date.
"""

from __future__ import annotations

import re
from typing import Any

from ingest.catalogue.snapshot import Entry, Snapshot, Status, local_ms
from ingest.events import FeedError
from ingest.identity.model import SourceCompetition, SourceFixture, SourceTeam

NAME = "openfootball"
_STATUS = {
    "postponed": Status.POSTPONED,
    "cancelled": Status.CANCELLED,
    "canceled": Status.CANCELLED,
    "abandoned": Status.ABANDONED,
    "suspended": Status.ABANDONED,
    "awarded": Status.FINISHED,  # the result stands, whoever made it
}
_SEASON = re.compile(r"\s*(\d{4})(?:[/-](\d{2,4}))?\s*$")
# What a file's title says of country and zone: words, country, zone.
_COUNTRIES = (
    (("english", "england"), "England", "Europe/London"),
    (("españa", "spain", "spanish"), "Spain", "Europe/Madrid"),
    (("french", "france"), "France", "Europe/Paris"),
    (("german", "deutsche", "germany"), "Germany", "Europe/Berlin"),
    (("italian", "italy", "italiana"), "Italy", "Europe/Rome"),
)


def is_document(document: object) -> bool:
    """Whether the shape is this source's."""
    matches = document.get("matches") if isinstance(document, dict) else None
    return isinstance(matches, list) and bool(matches) and isinstance(matches[0], dict) and "team1" in matches[0]


def read(document: dict[str, Any]) -> Snapshot:
    """The season in a document. Raises FeedError when the title does not tell season and country."""
    title = str(document.get("name", ""))
    season = _SEASON.search(title)
    if season is None:
        raise FeedError("openfootball_no_season", f"the title '{title[:60]}' ends in no season such as 2017/18: fix it")
    label = season[1] if season[2] is None else f"{season[1]}/{season[2][-2:]}"
    name = title[: season.start()]
    words = set(re.findall(r"\w+", name.lower()))
    place = next(((country, zone) for marks, country, zone in _COUNTRIES if words & set(marks)), None)
    if place is None:
        raise FeedError(
            "openfootball_no_country",
            f"the title '{title[:60]}' names no known country, so its times cannot be read: add it to the reader",
        )
    # The title's words change from season to season ("Spain Primera División", "Primera División de España"); every
    # file of this reader is a first division.
    competition = SourceCompetition(NAME, f"{place[0].lower()}.1", _without_country(name), place[0], label)
    entries: list[Entry] = []
    problems: list[str] = []
    turns: dict[tuple[str, str], int] = {}
    for number, row in enumerate(document["matches"], 1):
        try:
            entries.append(_entry(row, competition, place[1], turns))
        except (KeyError, TypeError, ValueError, FeedError) as error:
            problems.append(f"match {number}: {error if isinstance(error, FeedError) else f'lacks or spoils {error}'}")
    return Snapshot(NAME, tuple(entries), 0, tuple(problems))


def _without_country(name: str) -> str:
    marks = {mark for words, _, _ in _COUNTRIES for mark in words}
    kept = [word for word in name.split() if word.lower() not in marks]
    while kept and kept[-1].lower() == "de":
        kept.pop()
    return " ".join(kept) or name


def _entry(row: dict[str, Any], competition: SourceCompetition, zone: str, turns: dict[tuple[str, str], int]) -> Entry:
    home, away, day = str(row["team1"]), str(row["team2"]), str(row["date"])
    turn = turns[home, away] = turns.get((home, away), 0) + 1
    fixture_id = f"{competition.competition_id}/{competition.season}/{home}/{away}" + (f"/{turn}" if turn > 1 else "")
    local_ms(day, "12:00", zone)  # refuses what is no day
    kickoff = local_ms(day, str(row["time"]), zone) if row.get("time") else None
    ft = (row.get("score") or {}).get("ft")
    score = (int(ft[0]), int(ft[1])) if isinstance(ft, list) and len(ft) == 2 else None
    status = _STATUS.get(str(row.get("status", "")).lower())
    if status is None and score is not None:
        status = Status.FINISHED
    teams = [SourceTeam(NAME, team, (team,)) for team in (home, away)]
    fixture = SourceFixture(NAME, fixture_id, competition, teams[0], teams[1], kickoff, day, str(row.get("round", "")))
    return Entry(fixture, status, None, score)
