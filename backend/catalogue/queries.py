"""What the catalogue tells: the queries and the documents that command line and API share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

Row = dict[str, Any]
STATUSES = ("scheduled", "postponed", "live", "abandoned", "finished", "cancelled")

FIXTURES: LiteralString = """
SELECT f.*, c.name AS competition, c.country, h.name AS home, a.name AS away
FROM fixtures f JOIN competitions c USING (competition_id)
JOIN teams h ON h.team_id = f.home_id JOIN teams a ON a.team_id = f.away_id
WHERE f.merged_into IS NULL AND (f.day, f.fixture_id) > (%(after_day)s, %(after_id)s)
AND EXISTS (SELECT 1 FROM identity_links x WHERE x.kind = 'fixture' AND x.canonical_id = f.fixture_id)
AND (%(first)s::date IS NULL OR f.day >= %(first)s) AND (%(last)s::date IS NULL OR f.day <= %(last)s)
AND (%(status)s::text IS NULL OR f.status = %(status)s)
AND (%(competition)s::text IS NULL OR f.competition_id = %(competition)s
     OR strpos(lower(c.name || ' ' || c.country), lower(%(competition)s)) > 0)
AND (%(team)s::text IS NULL OR %(team)s IN (f.home_id, f.away_id)
     OR EXISTS (SELECT 1 FROM unnest(h.names || a.names) AS n WHERE strpos(lower(n), lower(%(team)s)) > 0))
ORDER BY f.day, f.fixture_id LIMIT %(limit)s
"""
FIXTURE: LiteralString = """
SELECT f.*, c.name AS competition, c.country, h.name AS home, a.name AS away
FROM fixtures f JOIN competitions c USING (competition_id)
JOIN teams h ON h.team_id = f.home_id JOIN teams a ON a.team_id = f.away_id WHERE f.fixture_id = %s
"""
SOURCES: LiteralString = """
SELECT l.provider, l.source_id, l.how, e.seen_at FROM identity_links l LEFT JOIN source_entries e
ON e.provider = l.provider AND e.source_id = l.source_id
WHERE l.kind = 'fixture' AND l.canonical_id = %s ORDER BY l.provider, l.source_id
"""
LINEUPS: LiteralString = """
SELECT u.*, l.canonical_id AS player_id FROM lineups u LEFT JOIN identity_links l
ON l.kind = 'player' AND l.provider = u.provider AND l.source_id = u.source_id
WHERE u.fixture_id = %s ORDER BY u.side DESC, u.place
"""
CHANGES: LiteralString = "SELECT * FROM fixture_changes WHERE fixture_id = %s ORDER BY change_id"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which fixtures; None leaves a condition out. Days are ISO; ``after`` is the (day, id) of the page before."""

    first: str | None = None
    last: str | None = None
    competition: str | None = None
    team: str | None = None
    status: str | None = None
    after: tuple[str, str] = ("0001-01-01", "")
    limit: int = 100

    def values(self) -> Row:
        """Parameters of `FIXTURES`."""
        return {
            "first": self.first,
            "last": self.last,
            "competition": self.competition,
            "team": self.team,
            "status": self.status,
            "after_day": self.after[0],
            "after_id": self.after[1],
            "limit": self.limit,
        }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fixture_view(row: Row) -> Row:
    """A fixture as a document."""
    scored = row["home_score"] is not None
    return {
        "fixture_id": row["fixture_id"],
        "competition_id": row["competition_id"],
        "competition": row["competition"],
        "country": row["country"],
        "season": row["season"],
        "round": row["round"],
        "day": row["day"].isoformat(),
        "kickoff_at": _iso(row["kickoff_at"]),
        "status": row["status"],
        "home_id": row["home_id"],
        "home": row["home"],
        "away_id": row["away_id"],
        "away": row["away"],
        "home_score": row["home_score"] if scored else None,
        "away_score": row["away_score"] if scored else None,
        "venue": row["venue"],
        "conflicts": list(row["conflicts"]),
        "updated_at": _iso(row["updated_at"]),
    }


def detail_view(row: Row, sources: Sequence[Row], lineups: Sequence[Row], log: Sequence[Row]) -> Row:
    """A fixture with every source's id, the line-ups and its history."""
    return {
        **fixture_view(row),
        "merged_into": row["merged_into"],
        "sources": [
            {"provider": s["provider"], "source_id": s["source_id"], "how": s["how"], "seen_at": _iso(s["seen_at"])}
            for s in sources
        ],
        "lineups": [
            {"side": p["side"], "starter": p["starter"], "player_id": p["player_id"], "name": p["name"]}
            | {"shirt": p["shirt"]}
            for p in lineups
        ],
        "changes": [
            {"at": _iso(c["at"]), "kind": c["kind"], "source": c["source"], "before": c["before"], "after": c["after"]}
            for c in log
        ],
    }
