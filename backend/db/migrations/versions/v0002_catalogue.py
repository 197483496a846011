"""The catalogue: competitions, teams, players, fixtures with their history, and who is who across sources.

What sources say is kept as they say it (`source_entries`); who a record is stands in `identity_links`; what holds for
a fixture (`fixtures`, `lineups`) follows from both and can be computed again at any time.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CATALOGUE = """
CREATE TABLE competitions (
    competition_id text PRIMARY KEY, name text NOT NULL, country text NOT NULL DEFAULT ''
);
CREATE TABLE teams (
    team_id text PRIMARY KEY,
    name text NOT NULL,
    names text[] NOT NULL,
    countries text[] NOT NULL DEFAULT '{}',
    squad text NOT NULL DEFAULT '',
    "national" boolean,
    merged_into text REFERENCES teams
);
CREATE TABLE players (
    player_id text PRIMARY KEY,
    name text NOT NULL,
    names text[] NOT NULL,
    birth_date date,
    team_ids text[] NOT NULL
);
CREATE INDEX players_teams ON players USING gin (team_ids);
CREATE TABLE fixtures (
    fixture_id text PRIMARY KEY,
    competition_id text NOT NULL REFERENCES competitions,
    season text NOT NULL,
    home_id text NOT NULL REFERENCES teams,
    away_id text NOT NULL REFERENCES teams,
    kickoff_at timestamptz,
    day date NOT NULL,
    round text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'scheduled'
        CHECK (status IN ('scheduled', 'postponed', 'live', 'abandoned', 'finished', 'cancelled')),
    venue text,
    home_score smallint,
    away_score smallint,
    conflicts text[] NOT NULL DEFAULT '{}',
    merged_into text REFERENCES fixtures,
    updated_at timestamptz NOT NULL
);
CREATE INDEX fixtures_day ON fixtures (day, fixture_id);
CREATE INDEX fixtures_season ON fixtures (season, competition_id);
CREATE TABLE lineups (
    fixture_id text NOT NULL REFERENCES fixtures ON DELETE CASCADE,
    side text NOT NULL CHECK (side IN ('home', 'away')),
    place smallint NOT NULL,
    starter boolean NOT NULL,
    provider text NOT NULL,
    source_id text NOT NULL,
    name text NOT NULL,
    shirt smallint,
    PRIMARY KEY (fixture_id, side, place)
);
CREATE TABLE fixture_changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fixture_id text NOT NULL REFERENCES fixtures ON DELETE CASCADE,
    kind text NOT NULL,
    source text NOT NULL,
    before json,
    after json,
    at timestamptz NOT NULL
);
CREATE INDEX fixture_changes_fixture ON fixture_changes (fixture_id, change_id);
"""

IDENTITY = """
CREATE TABLE source_entries (
    provider text NOT NULL,
    source_id text NOT NULL,
    version_ms bigint NOT NULL,
    body text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (provider, source_id)
);
CREATE TABLE identity_links (
    kind text NOT NULL CHECK (kind IN ('competition', 'team', 'fixture', 'player')),
    provider text NOT NULL,
    source_id text NOT NULL,
    canonical_id text NOT NULL,
    how text NOT NULL CHECK (how IN ('certain', 'new', 'decided')),
    score real NOT NULL,
    evidence text NOT NULL,
    told text,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (kind, provider, source_id)
);
CREATE INDEX identity_links_canonical ON identity_links (canonical_id);
CREATE TABLE identity_questions (
    kind text NOT NULL, provider text NOT NULL, source_id text NOT NULL, body text NOT NULL,
    asked_at timestamptz NOT NULL, PRIMARY KEY (kind, provider, source_id)
);
CREATE TABLE identity_decisions (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL, provider text NOT NULL, source_id text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('same', 'different', 'new', 'undo')),
    canonical_id text NOT NULL, who text NOT NULL, note text NOT NULL, at timestamptz NOT NULL
);
CREATE TABLE source_runs (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider text NOT NULL, name text NOT NULL, sha256 text NOT NULL, counts json NOT NULL, at timestamptz NOT NULL
);
CREATE INDEX source_runs_name ON source_runs (provider, name, run_id);
CREATE TABLE job_slots (
    job text NOT NULL, slot_at timestamptz NOT NULL, claimed_at timestamptz NOT NULL, PRIMARY KEY (job, slot_at)
);
"""


def upgrade() -> None:
    """Create the tables."""
    for part in (CATALOGUE, IDENTITY):
        op.get_bind().exec_driver_sql(part)


def downgrade() -> None:
    """Drop them: everything but people's decisions comes back from the sources."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE job_slots, source_runs, identity_decisions, identity_questions, identity_links, source_entries,"
        " fixture_changes, lineups, fixtures, players, teams, competitions"
    )
