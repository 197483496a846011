"""Wyscout match lists (``matches_*.json`` of the archive): teams by id, kick-offs in UTC, line-ups of player ids.

Names stand in ``teams.json`` and ``players.json`` beside the list; without them a team has the name of the label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.catalogue.snapshot import Entry, Lineup, Snapshot, Status, utc_ms
from ingest.events import FeedError
from ingest.identity import names
from ingest.identity.model import SourceCompetition, SourceFixture, SourcePlayer, SourceTeam, day_of, season_label

NAME = "wyscout"
_STATUS = {
    "Played": Status.FINISHED,
    "Fixture": Status.SCHEDULED,
    "Postponed": Status.POSTPONED,
    "Suspended": Status.ABANDONED,
    "Cancelled": Status.CANCELLED,
}
_COMPETITIONS = {
    "364": ("Premier League", "England"),
    "795": ("Primera División", "Spain"),
    "412": ("Ligue 1", "France"),
    "524": ("Serie A", "Italy"),
    "426": ("Bundesliga", "Germany"),
    "102": ("European Championship", ""),
    "28": ("World Cup", ""),
}
"""The competitions of the public archive, whose lists do not name them."""

Rows = Sequence[Mapping[str, Any]]


def is_document(document: object) -> bool:
    """Whether the shape is that of a match list."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and isinstance(first.get("teamsData"), dict) and "dateutc" in first


def read(document: Rows, teams: Rows = (), players: Rows = ()) -> Snapshot:
    """The fixtures of a list; ``teams`` and ``players`` are the archive's own lists."""
    named = {str(team.get("wyId")): team for team in teams if isinstance(team, dict)}
    people = {str(player.get("wyId")): player for player in players if isinstance(player, dict)}
    seasons: dict[tuple[str, str], list[str]] = {}
    for row in document:
        if isinstance(row, dict) and str(row.get("dateutc", ""))[:4].isdigit():
            key = str(row.get("competitionId")), str(row.get("seasonId"))
            seasons.setdefault(key, []).append(str(row["dateutc"])[:10])
    labels = {key: season_label(days) for key, days in seasons.items()}
    entries: list[Entry] = []
    problems: list[str] = []
    for number, row in enumerate(document, 1):
        try:
            entries.append(_entry(row, labels, named, people))
        except (KeyError, TypeError, ValueError, AttributeError, FeedError) as error:
            problems.append(f"row {number}: {error if isinstance(error, FeedError) else f'lacks or spoils {error}'}")
    return Snapshot(NAME, tuple(entries), 0, tuple(problems))


def _entry(
    row: Mapping[str, Any],
    labels: Mapping[tuple[str, str], str],
    named: Mapping[str, Mapping[str, Any]],
    people: Mapping[str, Mapping[str, Any]],
) -> Entry:
    sides = {str(team["side"]): team for team in row["teamsData"].values()}
    written = str(row.get("label", "")).rsplit(",", 1)[0].split(" - ")
    teams = []
    for index, side in enumerate(("home", "away")):
        team_id = str(sides[side]["teamId"])
        label = names.readable(written[index]) if len(written) == 2 else f"Team {team_id}"
        teams.append(_team(team_id, label, named.get(team_id)))
    kickoff = utc_ms(str(row["dateutc"]))
    competition_id = str(row["competitionId"])
    name, country = _COMPETITIONS.get(competition_id, (f"Wyscout competition {competition_id}", ""))
    season = labels[competition_id, str(row.get("seasonId"))]
    fixture = SourceFixture(
        NAME,
        str(row["wyId"]),
        SourceCompetition(NAME, competition_id, name, country, season),
        teams[0],
        teams[1],
        kickoff,
        day_of(kickoff),
        str(row.get("gameweek") or ""),
    )
    status = _STATUS.get(str(row.get("status")))
    score = None
    if status is Status.FINISHED:
        home, away = (max(int(sides[s]["score"]), int(sides[s].get("scoreET") or 0)) for s in ("home", "away"))
        score = (home, away)
    lineups = [_lineup(side == "home", sides[side].get("formation"), people) for side in ("home", "away")]
    return Entry(
        fixture, status, names.readable(str(row.get("venue") or "")) or None, score, tuple(x for x in lineups if x)
    )


def _team(team_id: str, label: str, row: Mapping[str, Any] | None) -> SourceTeam:
    if row is None:
        return SourceTeam(NAME, team_id, (label,))
    written = (names.readable(str(n)) for n in (row.get("name"), row.get("officialName")) if n)
    listed = tuple(dict.fromkeys(written)) or (label,)
    area = row.get("area") if isinstance(row.get("area"), dict) else {}
    return SourceTeam(
        NAME, team_id, listed, names.readable(str((area or {}).get("name") or "")), row.get("type") == "national"
    )


def _lineup(home: bool, formation: object, people: Mapping[str, Mapping[str, Any]]) -> Lineup | None:
    if not isinstance(formation, dict):
        return None
    parts = []
    for part in ("lineup", "bench"):
        rows = formation.get(part)
        ids = [str(r["playerId"]) for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
        parts.append(tuple(player(i, people.get(i)) for i in ids if i != "0"))
    return Lineup(home, parts[0], parts[1]) if parts[0] else None


def player(player_id: str, row: Mapping[str, Any] | None) -> SourcePlayer:
    """A player of the archive's list; a number alone where the list lacks him."""
    if row is None:
        return SourcePlayer(NAME, player_id, (f"Player {player_id}",))
    parts = (str(row.get(part) or "") for part in ("firstName", "middleName", "lastName"))
    whole, short = names.readable(" ".join(" ".join(parts).split())), names.readable(str(row.get("shortName") or ""))
    listed = tuple(dict.fromkeys(n for n in (whole, short) if n))
    return SourcePlayer(NAME, player_id, listed or (f"Player {player_id}",), str(row.get("birthDate") or "")[:10])
