"""The catalogue's rows: read into the pure parts' forms, and written from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Json

from backend.catalogue.reconcile import Change, Listed, View
from backend.catalogue.squads import Squads
from ingest.catalogue import Entry, Status
from ingest.identity.decisions import Decision, Decisions, Verdict, effective
from ingest.identity.model import Competition, Fixture, Key, Kind, Link, Player, Question, Registry, Team, Told

Connection = psycopg.Connection[DictRow]


def moment(unix_ms: int) -> datetime:
    """Unix ms as the database keeps times."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def unix_ms(at: datetime | None) -> int | None:
    """And back."""
    return None if at is None else round(at.timestamp() * 1000)


def encode(value: Entry | Question) -> str:
    """An entry or question as JSON text."""
    return msgspec.json.encode(value).decode()


def load_registry(connection: Connection, first: str, last: str, seasons: Collection[str]) -> Registry:
    """Everything known, of the fixtures those between two ISO days or of these seasons."""
    found = Registry()
    for row in connection.execute("SELECT * FROM competitions"):
        found.competitions[row["competition_id"]] = Competition(row["competition_id"], row["name"], row["country"])
    for row in connection.execute("SELECT * FROM teams WHERE merged_into IS NULL"):
        names, countries = tuple(sorted(row["names"])), tuple(sorted(row["countries"]))
        found.teams[row["team_id"]] = Team(row["team_id"], names, countries, row["squad"], row["national"])
    fixtures = connection.execute(
        "SELECT * FROM fixtures WHERE merged_into IS NULL AND (day BETWEEN %s AND %s OR season = ANY(%s))",
        [first, last, list(seasons)],
    )
    for row in fixtures:
        found.fixtures[row["fixture_id"]] = Fixture(
            row["fixture_id"],
            row["competition_id"],
            row["season"],
            row["home_id"],
            row["away_id"],
            unix_ms(row["kickoff_at"]),
            row["day"].isoformat(),
            row["round"],
        )
    links = connection.execute(
        "SELECT * FROM identity_links WHERE kind IN ('competition', 'team')"
        " OR (kind = 'fixture' AND canonical_id = ANY(%s))",
        [list(found.fixtures)],
    )
    for row in links:
        key = (Kind(row["kind"]), row["provider"], row["source_id"])
        found.links[key] = row["canonical_id"]
        if row["told"] is not None:
            found.told[key] = msgspec.json.decode(row["told"], type=Told)
    return found


def load_decisions(connection: Connection) -> Decisions:
    """What people decided and still holds."""
    rows = connection.execute("SELECT * FROM identity_decisions ORDER BY decision_id")
    return effective(
        Decision(
            (Kind(row["kind"]), row["provider"], row["source_id"]),
            Verdict(row["verdict"]),
            row["canonical_id"],
            row["who"],
            unix_ms(row["at"]) or 0,
            row["note"],
        )
        for row in rows
    )


def save_decisions(connection: Connection, log: Iterable[Decision]) -> None:
    """Append to what people said."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO identity_decisions (kind, provider, source_id, verdict, canonical_id, who, note, at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [(*d.key, d.verdict, d.canonical, d.who, d.note, moment(d.at_ms)) for d in log],
        )


def save_registry(connection: Connection, before: Registry, after: Registry, at: datetime) -> None:
    """Store entities that are new or learned a name. Fixtures get their facts from `save_view`."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO competitions VALUES (%s, %s, %s) ON CONFLICT (competition_id) DO NOTHING",
            [
                (c.competition_id, c.name, c.country)
                for i, c in after.competitions.items()
                if i not in before.competitions
            ],
        )
        cursor.executemany(
            'INSERT INTO teams (team_id, name, names, countries, squad, "national") VALUES (%s, %s, %s, %s, %s, %s)'
            " ON CONFLICT (team_id) DO UPDATE SET name = excluded.name, names = excluded.names,"
            ' countries = excluded.countries, "national" = excluded."national"',
            [
                (
                    i,
                    min(t.names, key=lambda n: (len(n) < 5, len(n), n)),
                    list(t.names),
                    list(t.countries),
                    t.squad,
                    t.national,
                )
                for i, t in after.teams.items()
                if before.teams.get(i) != t
            ],
        )
        cursor.executemany(
            "INSERT INTO fixtures (fixture_id, competition_id, season, home_id, away_id, kickoff_at, day, round,"
            " updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (fixture_id) DO NOTHING",
            [
                (
                    g.fixture_id,
                    g.competition_id,
                    g.season,
                    g.home_id,
                    g.away_id,
                    None if g.kickoff_ms is None else moment(g.kickoff_ms),
                    g.day,
                    g.round,
                    at,
                )
                for i, g in after.fixtures.items()
                if i not in before.fixtures
            ],
        )


def save_links(
    connection: Connection, before: Mapping[Key, str], after: Mapping[Key, str], made: Sequence[Link], at: datetime
) -> None:
    """Store new links, forget those taken back, and lead from entities that lost their last record to where it went."""
    with connection.cursor() as cursor:
        gone = [key for key in before if key not in after]
        cursor.executemany("DELETE FROM identity_links WHERE (kind, provider, source_id) = (%s, %s, %s)", gone)
        cursor.executemany(
            "INSERT INTO identity_links (kind, provider, source_id, canonical_id, how, score, evidence, linked_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (kind, provider, source_id) DO UPDATE SET canonical_id = excluded.canonical_id,"
            " how = excluded.how, score = excluded.score, evidence = excluded.evidence, linked_at = excluded.linked_at",
            [(*link.key, link.canonical, link.how, link.score, link.evidence, at) for link in made],
        )
    tables = {Kind.TEAM: "team", Kind.FIXTURE: "fixture"}
    for key, old in before.items():
        new = after.get(key, old)
        if new == old or key[0] not in tables:
            continue
        left = connection.execute(
            "SELECT 1 FROM identity_links WHERE kind = %s AND canonical_id = %s LIMIT 1", [key[0], old]
        ).fetchone()
        if left is None and key[0] is Kind.TEAM:
            connection.execute("UPDATE teams SET merged_into = %s WHERE team_id = %s", [new, old])
        elif left is None:
            connection.execute("UPDATE fixtures SET merged_into = %s WHERE fixture_id = %s", [new, old])


def save_told(connection: Connection, before: Mapping[Key, Told], after: Mapping[Key, Told]) -> None:
    """Store what team records told that was not known."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE identity_links SET told = %s WHERE (kind, provider, source_id) = (%s, %s, %s)",
            [(msgspec.json.encode(told).decode(), *key) for key, told in after.items() if before.get(key) != told],
        )


def save_questions(connection: Connection, settled: Iterable[Key], open_: Iterable[Question], at: datetime) -> None:
    """Replace the questions on the ``settled`` records by the open ones; the time of an old question is kept."""
    questions = {question.key: question for question in open_}
    with connection.cursor() as cursor:
        cursor.executemany(
            "DELETE FROM identity_questions WHERE (kind, provider, source_id) = (%s, %s, %s)",
            [key for key in settled if key not in questions],
        )
        cursor.executemany(
            "INSERT INTO identity_questions VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (kind, provider, source_id) DO UPDATE SET body = excluded.body",
            [(*key, encode(question), at) for key, question in questions.items()],
        )


def load_questions(connection: Connection) -> list[Question]:
    """Every open question."""
    rows = connection.execute("SELECT body FROM identity_questions ORDER BY kind, provider, source_id")
    return [msgspec.json.decode(row["body"], type=Question) for row in rows]


def load_entries(connection: Connection, fixture_ids: Collection[str]) -> dict[str, dict[str, Entry]]:
    """What each source says of these fixtures: by fixture, by provider."""
    rows = connection.execute(
        "SELECT l.canonical_id, e.provider, e.body FROM identity_links l JOIN source_entries e"
        " ON e.provider = l.provider AND e.source_id = l.source_id"
        " WHERE l.kind = 'fixture' AND l.canonical_id = ANY(%s) ORDER BY e.seen_at, e.source_id",
        [list(fixture_ids)],
    )
    found: dict[str, dict[str, Entry]] = {}
    for row in rows:
        entry = msgspec.json.decode(row["body"], type=Entry)
        found.setdefault(row["canonical_id"], {})[row["provider"]] = entry
    return found


def load_views(connection: Connection, fixture_ids: Collection[str]) -> dict[str, View]:
    """What held for these fixtures so far."""
    ids = list(fixture_ids)
    lists: dict[tuple[str, str], list[Listed]] = {}
    for row in connection.execute(
        "SELECT * FROM lineups WHERE fixture_id = ANY(%s) ORDER BY fixture_id, side, place", [ids]
    ):
        listed = Listed(row["provider"], row["source_id"], row["name"], row["shirt"], row["starter"])
        lists.setdefault((row["fixture_id"], row["side"]), []).append(listed)
    found = {}
    for row in connection.execute("SELECT * FROM fixtures WHERE fixture_id = ANY(%s)", [ids]):
        key = row["fixture_id"]
        scored = row["home_score"] is not None
        found[key] = View(
            unix_ms(row["kickoff_at"]),
            row["day"].isoformat(),
            row["round"],
            Status(row["status"]),
            row["venue"],
            (row["home_score"], row["away_score"]) if scored else None,
            tuple(lists.get((key, "home"), ())),
            tuple(lists.get((key, "away"), ())),
            tuple(row["conflicts"]),
        )
    return found


def save_views(
    connection: Connection, before: Mapping[str, View], after: Mapping[str, View], told: Sequence[Change], at: datetime
) -> None:
    """Store what holds now, and the changes with their time."""
    changed = {key: view for key, view in after.items() if before.get(key) != view}
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE fixtures SET kickoff_at = %s, day = %s, round = %s, status = %s, venue = %s, home_score = %s,"
            " away_score = %s, conflicts = %s, updated_at = %s WHERE fixture_id = %s",
            [
                (
                    None if v.kickoff_ms is None else moment(v.kickoff_ms),
                    v.day,
                    v.round,
                    v.status.value,
                    v.venue,
                    *(v.score or (None, None)),
                    list(v.conflicts),
                    at,
                    key,
                )
                for key, v in changed.items()
            ],
        )
        relisted = [
            key
            for key, v in changed.items()
            if key not in before or (before[key].home, before[key].away) != (v.home, v.away)
        ]
        cursor.execute("DELETE FROM lineups WHERE fixture_id = ANY(%s)", [relisted])
        with cursor.copy(
            "COPY lineups (fixture_id, side, place, starter, provider, source_id, name, shirt) FROM STDIN"
        ) as copy:
            for key in relisted:
                for side in ("home", "away"):
                    players: tuple[Listed, ...] = getattr(changed[key], side)
                    for place, p in enumerate(players, 1):
                        copy.write_row((key, side, place, p.starter, p.provider, p.source_id, p.name, p.shirt))
        cursor.executemany(
            "INSERT INTO fixture_changes (fixture_id, kind, source, before, after, at) VALUES (%s, %s, %s, %s, %s, %s)",
            [(c.fixture_id, c.kind.value, c.source, _json(c.before), _json(c.after), at) for c in told],
        )


def _json(value: Any) -> Json | None:
    return None if value is None else Json(value)


def load_squads(connection: Connection) -> Squads:
    """Every player with his teams and all his records."""
    found = Squads()
    for row in connection.execute("SELECT * FROM players"):
        born = row["birth_date"].isoformat() if row["birth_date"] else ""
        found.players[row["player_id"]] = Player(row["player_id"], tuple(row["names"]), born)
        for team in row["team_ids"]:
            found.teams.setdefault(team, set()).add(row["player_id"])
    rows = connection.execute("SELECT provider, source_id, canonical_id FROM identity_links WHERE kind = 'player'")
    for row in rows:
        found.links[Kind.PLAYER, row["provider"], row["source_id"]] = row["canonical_id"]
    return found


def save_squads(connection: Connection, squads: Squads, at: datetime) -> None:
    """Store players that are new, learned a name or joined a team."""
    teams: dict[str, list[str]] = {}
    for team, players in sorted(squads.teams.items()):
        for player in players:
            teams.setdefault(player, []).append(team)
    rows = []
    for key in sorted(squads.touched):
        known = squads.players[key]
        rows.append((key, known.names[0], list(known.names), known.birth_date or None, teams.get(key, [])))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO players AS p VALUES (%s, %s, %s, %s, %s) ON CONFLICT (player_id) DO UPDATE SET"
            " names = excluded.names, birth_date = excluded.birth_date,"
            " team_ids = (SELECT array_agg(DISTINCT t ORDER BY t) FROM unnest(p.team_ids || excluded.team_ids) AS t)",
            rows,
        )
    save_links(connection, {}, {}, squads.made, at)
    save_questions(connection, squads.asked, squads.questions.values(), at)
