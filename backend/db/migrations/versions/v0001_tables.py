"""All tables of the first version.

Amounts are integers in the unit their name says (`_e6`: 1e-6 of a USDC, a contract or a point), addresses and
signatures are base58 text. Three kinds of tables:

- written by the keeper's side through `backend.feedstore`: matches, match_events, revisions, and live samples;
- rows of events, keyed by (signature, outer instruction, inner instruction, event): deleting a transaction of a dead
  fork deletes them, and nothing else has to be undone because what an event changes is never stored twice;
- current accounts, keyed by address, newest slot wins: feeds, markets, windows, positions, margins, pools.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_EVENT_KEY = """
    signature text NOT NULL REFERENCES chain_transactions ON DELETE CASCADE,
    outer_ix smallint NOT NULL,
    inner_ix smallint NOT NULL,
    event_ix smallint NOT NULL,
    slot bigint NOT NULL,
    block_time timestamptz,
    PRIMARY KEY (signature, outer_ix, inner_ix, event_ix)
"""

FOOTBALL = """
CREATE TABLE matches (
    match_id text PRIMARY KEY,
    chain_id bytea NOT NULL UNIQUE CHECK (length(chain_id) = 32),
    provider text,
    competition text,
    home_id text, home_name text, home_short text,
    away_id text, away_name text, away_short text,
    kickoff_at timestamptz,
    start_unix_ms bigint,
    status text NOT NULL DEFAULT 'scheduled' CHECK (status IN ('scheduled', 'live', 'final')),
    period smallint NOT NULL DEFAULT 0,
    play_ms bigint NOT NULL DEFAULT 0,
    home_score smallint NOT NULL DEFAULT 0,
    away_score smallint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE match_events (
    match_id text NOT NULL REFERENCES matches ON UPDATE CASCADE ON DELETE CASCADE,
    event_id text NOT NULL,
    version bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    period smallint,
    play_ms integer,
    data_ms bigint,
    kind text,
    side text,
    body json,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (match_id, event_id)
);
CREATE INDEX match_events_order ON match_events (match_id, period, play_ms, event_id);
CREATE TABLE revisions (
    match_id text NOT NULL REFERENCES matches ON UPDATE CASCADE ON DELETE CASCADE,
    revision integer NOT NULL,
    tick integer NOT NULL,
    old_e6 integer NOT NULL,
    new_e6 integer NOT NULL,
    reason text NOT NULL,
    event_id text,
    data_ms bigint,
    revised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (match_id, revision)
);
CREATE INDEX revisions_tick ON revisions (match_id, tick);
"""

ORACLE = """
CREATE TABLE feeds (
    address text PRIMARY KEY,
    chain_id bytea NOT NULL,
    config text NOT NULL,
    methodology text NOT NULL,
    publishers text[] NOT NULL,
    min_publishers smallint NOT NULL,
    start_unix_ms bigint NOT NULL,
    status smallint NOT NULL,
    period smallint NOT NULL,
    in_break boolean NOT NULL,
    suspend_reason smallint NOT NULL,
    suspend_epoch integer NOT NULL,
    samples bigint NOT NULL,
    tick integer NOT NULL,
    data_ms bigint NOT NULL,
    play_ms bigint NOT NULL,
    revised bigint NOT NULL,
    left_out_ms bigint NOT NULL,
    hash_chain text NOT NULL,
    periods json NOT NULL,
    minute_area json NOT NULL,
    minute_left_out_ms json NOT NULL,
    slot bigint NOT NULL
);
CREATE INDEX feeds_chain_id ON feeds (chain_id);
CREATE TABLE samples (
    match_id text NOT NULL REFERENCES matches ON UPDATE CASCADE ON DELETE CASCADE,
    tick integer NOT NULL,
    feed text,
    sample_index bigint,
    period smallint NOT NULL,
    second integer NOT NULL,
    x_e6 integer NOT NULL,
    mu_e6 integer NOT NULL,
    s_e4 integer NOT NULL,
    conf_e4 integer NOT NULL,
    data_ms bigint NOT NULL,
    play_ms bigint NOT NULL,
    area bigint,
    suspend_epoch integer,
    slot bigint,
    status text NOT NULL CHECK (status IN ('live', 'confirmed', 'finalized')),
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (match_id, tick),
    UNIQUE (feed, sample_index)
);
CREATE INDEX samples_data_ms ON samples (feed, data_ms);
CREATE INDEX samples_provisional ON samples (feed, sample_index) WHERE status = 'confirmed';
"""

CHAIN = """
CREATE TABLE chain_transactions (
    signature text PRIMARY KEY,
    slot bigint NOT NULL,
    block_time timestamptz,
    program text NOT NULL,
    fee_payer text,
    instructions text[] NOT NULL DEFAULT '{}',
    failed boolean NOT NULL,
    err text,
    error_code integer,
    error_name text,
    error_message text,
    fee_lamports bigint,
    compute_units bigint,
    vault_delta_e6 bigint,
    finalized boolean NOT NULL DEFAULT false,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX chain_transactions_slot ON chain_transactions (program, slot);
CREATE INDEX chain_transactions_provisional ON chain_transactions (program, slot) WHERE NOT finalized;
CREATE TABLE covered_slots (
    program text NOT NULL,
    first_slot bigint NOT NULL,
    last_slot bigint NOT NULL CHECK (last_slot >= first_slot),
    PRIMARY KEY (program, first_slot)
);
CREATE TABLE dead_letters (
    signature text PRIMARY KEY,
    program text NOT NULL,
    slot bigint,
    stage text NOT NULL,
    error text NOT NULL,
    payload text,
    attempts integer NOT NULL DEFAULT 1,
    first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE mirror_state (key text PRIMARY KEY, value text NOT NULL);
"""

EVENTS = f"""
CREATE TABLE chain_events (program text NOT NULL, name text NOT NULL, body json NOT NULL, {_EVENT_KEY});
CREATE TABLE orders (
    "order" text NOT NULL, margin text NOT NULL, owner text NOT NULL, "window" text NOT NULL,
    client_id numeric(20) NOT NULL, side smallint NOT NULL, flags smallint NOT NULL,
    qty_e6 bigint NOT NULL, limit_e6 bigint NOT NULL, collateral_e6 bigint NOT NULL, fee_reserve_e6 bigint NOT NULL,
    commit_ms bigint NOT NULL, expiry_ms bigint NOT NULL, suspend_epoch integer NOT NULL, {_EVENT_KEY}
);
CREATE INDEX orders_owner ON orders (owner, slot);
CREATE INDEX orders_address ON orders ("order");
CREATE TABLE order_ends (
    "order" text NOT NULL, owner text NOT NULL, "window" text NOT NULL, client_id numeric(20) NOT NULL,
    side smallint NOT NULL, reason smallint NOT NULL, qty_e6 bigint NOT NULL, filled_e6 bigint NOT NULL,
    closed_e6 bigint NOT NULL, price_e6 bigint NOT NULL, forward_e6 bigint NOT NULL, conf_e6 bigint NOT NULL,
    fee_e6 bigint NOT NULL, gain_e6 bigint NOT NULL, loss_e6 bigint NOT NULL, bad_debt_e6 bigint NOT NULL,
    collateral_in_e6 bigint NOT NULL, collateral_out_e6 bigint NOT NULL, refund_e6 bigint NOT NULL,
    sample_index numeric(20) NOT NULL, data_ms bigint NOT NULL, commit_ms bigint NOT NULL,
    suspend_epoch integer NOT NULL, {_EVENT_KEY}
);
CREATE INDEX order_ends_address ON order_ends ("order");
CREATE INDEX order_ends_owner ON order_ends (owner, slot);
CREATE INDEX order_ends_trades ON order_ends (slot) WHERE reason = 0;
CREATE TABLE liquidations (
    position text NOT NULL, owner text NOT NULL, "window" text NOT NULL, side smallint NOT NULL,
    qty_e6 bigint NOT NULL, price_e6 bigint NOT NULL, mark_e6 bigint NOT NULL, gain_e6 bigint NOT NULL,
    loss_e6 bigint NOT NULL, fee_e6 bigint NOT NULL, reward_e6 bigint NOT NULL, returned_e6 bigint NOT NULL,
    liquidator text NOT NULL, collateral_e6 bigint NOT NULL, bad_debt_e6 bigint NOT NULL,
    sample_index numeric(20) NOT NULL, {_EVENT_KEY}
);
CREATE TABLE settlements (
    position text NOT NULL, owner text NOT NULL, "window" text NOT NULL, side smallint NOT NULL,
    qty_e6 bigint NOT NULL, entry_cost_e6 bigint NOT NULL, collateral_e6 bigint NOT NULL, reserved_e6 bigint NOT NULL,
    settlement_e6 bigint NOT NULL, payout_e6 bigint NOT NULL, gain_e6 bigint NOT NULL, loss_e6 bigint NOT NULL,
    bad_debt_e6 bigint NOT NULL, fees_returned_e6 bigint NOT NULL, {_EVENT_KEY}
);
CREATE INDEX settlements_owner ON settlements (owner, slot);
CREATE INDEX settlements_position ON settlements (position);
CREATE TABLE window_results (
    "window" text NOT NULL, window_id smallint NOT NULL, state smallint NOT NULL, settlement_e6 bigint NOT NULL,
    area bigint NOT NULL, left_out_ms bigint NOT NULL, {_EVENT_KEY}
);
CREATE TABLE lp_changes (
    owner text NOT NULL, deposit boolean NOT NULL, amount_e6 bigint NOT NULL, shares bigint NOT NULL,
    cash_before_e6 bigint NOT NULL, cash_after_e6 bigint NOT NULL,
    supply_before bigint NOT NULL, supply_after bigint NOT NULL, {_EVENT_KEY}
);
CREATE TABLE collateral_changes (
    margin text NOT NULL, owner text NOT NULL, deposit boolean NOT NULL, amount_e6 bigint NOT NULL,
    free_e6 bigint NOT NULL, {_EVENT_KEY}
);
CREATE TABLE fee_distributions (
    "window" text NOT NULL, lp_e6 bigint NOT NULL, insurance_e6 bigint NOT NULL, protocol_e6 bigint NOT NULL,
    {_EVENT_KEY}
);
"""

ACCOUNTS = """
CREATE TABLE exchanges (
    address text PRIMARY KEY, creator text, authority text, operator text, pause smallint NOT NULL,
    body json NOT NULL, slot bigint NOT NULL
);
CREATE TABLE pools (
    address text PRIMARY KEY, exchange text, cash_e6 bigint NOT NULL, reserved_e6 bigint NOT NULL,
    body json NOT NULL, slot bigint NOT NULL
);
CREATE TABLE pool_history (
    pool text NOT NULL, slot bigint NOT NULL, cash_e6 bigint NOT NULL, reserved_e6 bigint NOT NULL,
    body json NOT NULL, stored_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (pool, slot)
);
CREATE TABLE markets (
    address text PRIMARY KEY, exchange text NOT NULL, feed text NOT NULL, reserved_e6 bigint NOT NULL,
    body json NOT NULL, slot bigint NOT NULL
);
CREATE TABLE windows (
    address text PRIMARY KEY, market text NOT NULL, window_id smallint NOT NULL, state smallint NOT NULL,
    k_e6 bigint NOT NULL, w_ms bigint NOT NULL, oi_long_e6 bigint NOT NULL, oi_short_e6 bigint NOT NULL,
    reserved_e6 bigint NOT NULL, settlement_e6 bigint NOT NULL, open_positions bigint NOT NULL,
    body json NOT NULL, slot bigint NOT NULL
);
CREATE INDEX windows_market ON windows (market, window_id);
CREATE TABLE positions (
    address text PRIMARY KEY, owner text NOT NULL, margin text NOT NULL, "window" text NOT NULL,
    side smallint NOT NULL, qty_e6 bigint NOT NULL, entry_cost_e6 bigint NOT NULL, collateral_e6 bigint NOT NULL,
    reserved_e6 bigint NOT NULL, body json NOT NULL, slot bigint NOT NULL
);
CREATE INDEX positions_owner ON positions (owner);
CREATE TABLE margins (
    address text PRIMARY KEY, owner text NOT NULL, free_e6 bigint NOT NULL, body json NOT NULL, slot bigint NOT NULL
);
CREATE INDEX margins_owner ON margins (owner);
CREATE TABLE treasuries (address text PRIMARY KEY, kind text NOT NULL, body json NOT NULL, slot bigint NOT NULL);
"""

DESK = """
CREATE TABLE order_numbers (margin text PRIMARY KEY, last_client_id numeric(20) NOT NULL);
CREATE TABLE client_orders (
    owner text NOT NULL, client_order_id text NOT NULL, client_id numeric(20) NOT NULL, request text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (owner, client_order_id)
);
CREATE INDEX client_orders_number ON client_orders (owner, client_id);
"""

STREAM = """
CREATE TABLE stream (channel text PRIMARY KEY, last_offset bigint NOT NULL);
CREATE TABLE stream_log (
    channel text NOT NULL,
    "offset" bigint NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel, "offset")
);
-- The row of the channel stays locked until the writer commits: offsets become visible in order, without a hole.
CREATE FUNCTION publish(p_channel text, p_kinds text[], p_bodies text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
    n integer := cardinality(p_kinds);
    at bigint;
    message text;
BEGIN
    INSERT INTO stream AS s VALUES (p_channel, n)
        ON CONFLICT (channel) DO UPDATE SET last_offset = s.last_offset + n RETURNING last_offset INTO last;
    FOR i IN 1..n LOOP
        at := last - n + i;
        INSERT INTO stream_log (channel, "offset", kind, body) VALUES (p_channel, at, p_kinds[i], p_bodies[i]);
        message := at || ' ' || p_kinds[i] || ' ' || p_channel || E'\\n';
        -- A notification holds 8,000 bytes; a larger delta is fetched by its offset.
        IF octet_length(p_bodies[i]) < 7000 THEN message := message || p_bodies[i]; END IF;
        PERFORM pg_notify('futstar_stream', message);
    END LOOP;
    RETURN last;
END $$;
"""


def upgrade() -> None:
    """Create everything."""
    for part in (FOOTBALL, ORACLE, CHAIN, EVENTS, ACCOUNTS, DESK, STREAM):
        # psycopg takes % for a placeholder when SQLAlchemy hands it parameters; there are none in raw SQL.
        op.get_bind().exec_driver_sql(part)


def downgrade() -> None:
    """There is nothing before the first version: drop the database instead."""
    raise NotImplementedError("drop the database: everything in it can be rebuilt from the chain and the feed files")
