"""History: what arrived, what was understood, what was published, what was corrected. Partitioned by the match's day.

Every row of a match carries the day that `history.matches` pinned when the match was first heard of (UTC). The day is
part of every key, because PostgreSQL demands it, and it never changes, so a row that comes twice meets itself even
when the match runs over midnight or is moved. Units are in the names: `at_ms` is unix ms, `data_ms` counts from the
feed's start, `_e6` is 1e-6, `raw` the SHA-256 of a provider's fragment.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SINGLE = """
CREATE SCHEMA history;
CREATE SCHEMA history_detached;
CREATE TABLE history.matches (
    match_id text PRIMARY KEY,
    day date NOT NULL,
    provider text NOT NULL,
    start_unix_ms bigint,
    header bytea,
    lines integer NOT NULL DEFAULT 0,
    digest bytea,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX matches_day ON history.matches (day);
CREATE TABLE history.positions (
    consumer text NOT NULL,
    source text NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (consumer, source)
);
"""

PARTITIONED = {
    "fragments": """
        provider text NOT NULL, raw bytea NOT NULL CHECK (length(raw) = 32), at_ms bigint NOT NULL,
        doc bytea NOT NULL, PRIMARY KEY (day, match_id, raw)""",
    "lines": """
        number integer NOT NULL, data_ms bigint NOT NULL, raw bytea NOT NULL, line bytea,
        PRIMARY KEY (day, match_id, number)""",
    "records": """
        seq bigint NOT NULL, provider text NOT NULL, at_ms bigint NOT NULL, raw bytea NOT NULL,
        event_id text NOT NULL, version bigint NOT NULL, period integer, play_ms bigint, kind text, side text,
        event json, PRIMARY KEY (day, match_id, seq)""",
    "corrections": """
        seq bigint NOT NULL, provider text NOT NULL, at_ms bigint NOT NULL, event_id text NOT NULL,
        old json NOT NULL, new json, PRIMARY KEY (day, match_id, seq)""",
    "samples": """
        tick integer NOT NULL, period smallint NOT NULL, second integer NOT NULL, data_ms bigint NOT NULL,
        x_e6 integer NOT NULL, box_e6 integer NOT NULL, mu_e6 integer NOT NULL, s_e4 integer NOT NULL,
        conf_e4 integer NOT NULL, flags integer NOT NULL, reason smallint NOT NULL, inputs bigint[] NOT NULL,
        inputs_hash bytea NOT NULL CHECK (length(inputs_hash) = 32), lines integer NOT NULL,
        PRIMARY KEY (day, match_id, tick)""",
    "revisions": """
        tick integer NOT NULL, revised_tick integer NOT NULL, period smallint NOT NULL, second integer NOT NULL,
        old_e6 integer NOT NULL, new_e6 integer NOT NULL, count integer NOT NULL, PRIMARY KEY (day, match_id, tick)""",
    "quality": """
        provider text NOT NULL, minute_ms bigint NOT NULL, at_ms bigint NOT NULL, silence_ms bigint, quiet_ms bigint,
        gap_ms bigint NOT NULL, gap_recent_ms bigint NOT NULL, arrivals bigint NOT NULL, unchanged bigint NOT NULL,
        older bigint NOT NULL, broken bigint NOT NULL, lost bigint NOT NULL, events bigint NOT NULL,
        corrections bigint NOT NULL, deletions bigint NOT NULL, late bigint NOT NULL,
        corrections_last_minute bigint NOT NULL, unknown_types bigint NOT NULL, problems bigint NOT NULL,
        skew_ms bigint, difference_e4 integer NOT NULL, health smallint NOT NULL,
        PRIMARY KEY (day, match_id, provider, minute_ms)""",
}

INDEXES = """
CREATE INDEX records_event ON history.records (match_id, event_id, seq);
CREATE INDEX quality_newest ON history.quality (match_id, provider, minute_ms);
"""

FUNCTIONS = """
-- Makes the partitions of one day where they are missing; returns how many it made. Rows that reached a default
-- partition meanwhile move to their own. A writer needs no more than EXECUTE on it: it runs with its owner's rights.
CREATE FUNCTION history.ensure_day(p_day date) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = history, pg_temp AS $$
DECLARE
    parent text;
    child text;
    made integer := 0;
BEGIN
    FOR parent IN SELECT relname FROM pg_class
        WHERE relnamespace = 'history'::regnamespace AND relkind = 'p' ORDER BY relname
    LOOP
        child := parent || '_' || to_char(p_day, 'YYYYMMDD');
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relnamespace = 'history'::regnamespace AND relname = child);
        PERFORM pg_advisory_xact_lock(7364082);
        -- Somebody else may have made it meanwhile. A name's lookup (to_regclass) would not notice.
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relnamespace = 'history'::regnamespace AND relname = child);
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
        EXECUTE format(
            'WITH moved AS (DELETE FROM %I WHERE day = $1 RETURNING *) INSERT INTO %I SELECT * FROM moved',
            parent || '_default', child) USING p_day;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, child, p_day, p_day + 1);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

-- Drops one table's partitions of days before p_before, or detaches them into the schema history_detached.
CREATE FUNCTION history.retire(p_table text, p_before date, p_detach boolean) RETURNS SETOF text LANGUAGE plpgsql
    SET search_path = history, pg_temp AS $$
DECLARE
    child text;
BEGIN
    PERFORM pg_advisory_xact_lock(7364082);
    FOR child IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = ('history.' || quote_ident(p_table))::regclass AND c.relname ~ '_[0-9]{8}$'
            AND to_date(right(c.relname, 8), 'YYYYMMDD') < p_before ORDER BY c.relname
    LOOP
        IF p_detach THEN
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', p_table, child);
            IF to_regclass(format('history_detached.%I', child)) IS NULL THEN
                EXECUTE format('ALTER TABLE %I SET SCHEMA history_detached', child);
            ELSE -- an older match was imported after its day had been detached: its rows join those
                EXECUTE format('INSERT INTO history_detached.%I SELECT * FROM %I ON CONFLICT DO NOTHING', child, child);
                EXECUTE format('DROP TABLE %I', child);
            END IF;
        ELSE
            EXECUTE format('DROP TABLE %I', child);
        END IF;
        RETURN NEXT child;
    END LOOP;
    EXECUTE format('DELETE FROM %I WHERE day < $1', p_table || '_default') USING p_before;
END $$;
REVOKE ALL ON FUNCTION history.ensure_day(date) FROM PUBLIC;
REVOKE ALL ON FUNCTION history.retire(text, date, boolean) FROM PUBLIC;
"""


def upgrade() -> None:
    """Create the schema, its tables with their default partitions, and the functions that keep the days."""
    run = op.get_bind().exec_driver_sql
    run(SINGLE)
    for name, columns in PARTITIONED.items():
        run(
            f"CREATE TABLE history.{name} (day date NOT NULL, match_id text NOT NULL, {columns})"
            " PARTITION BY RANGE (day)"
        )
        run(f"CREATE TABLE history.{name}_default PARTITION OF history.{name} DEFAULT")
    run(INDEXES)
    run(FUNCTIONS.replace("%", "%%"))  # psycopg takes a single one for a placeholder


def downgrade() -> None:
    """Forget all history."""
    op.get_bind().exec_driver_sql("DROP SCHEMA history CASCADE; DROP SCHEMA history_detached CASCADE")
