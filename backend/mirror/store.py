"""Writes what the mirror has read: rows, cursor and deltas in one database transaction, each row once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from psycopg import sql
from psycopg.types.json import Json

from backend.db.pool import Connection, row, rows
from backend.mirror.cursor import Covered
from backend.mirror.feeds import SampleRow, feed_values, match_id_of
from backend.mirror.records import EventRow, TransactionRow
from backend.mirror.tables import ACCOUNTS, EVENTS, KEY, account_values, event_values
from chain.clients.oracle import Feed

MIRRORED: Final = (
    "chain_events",
    *(table for table, _ in EVENTS.values()),
    "chain_transactions",
    "covered_slots",
    "dead_letters",
    "samples",
    "feeds",
    *sorted({table for table, _ in ACCOUNTS.values()}),
    "pool_history",
    "mirror_state",
)
"""Everything that can be read from the chain again."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A transaction that could not be read: where it stopped and why."""

    signature: str
    program: str
    slot: int | None
    stage: str
    error: str
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class FeedChange:
    """A new state of a feed account with the samples that are new in it."""

    address: str
    feed: Feed
    slot: int
    samples: Sequence[SampleRow] = ()


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A new state of another account."""

    address: str
    decoded: Any
    slot: int


@dataclass(slots=True)
class Batch:
    """What is written together."""

    feeds: list[FeedChange] = field(default_factory=list)
    accounts: list[AccountChange] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    transactions: list[tuple[TransactionRow, list[EventRow]]] = field(default_factory=list)
    covered: list[tuple[str, int, int]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.feeds, self.accounts, self.closed, self.transactions, self.covered, self.dead))


@dataclass(slots=True)
class Written:
    """What of a batch was new: samples by match, and signatures of transactions with their events."""

    samples: dict[str, list[SampleRow]] = field(default_factory=dict)
    matches: dict[str, str] = field(default_factory=dict)  # feed address -> match id
    events: list[EventRow] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)


async def write(connection: Connection, batch: Batch) -> Written:
    """Write a batch inside the running transaction. Rows that are there already change nothing."""
    written = Written()
    for change in batch.feeds:
        await _write_feed(connection, change, written)
    for account in batch.accounts:
        await _write_account(connection, account)
    for address in batch.closed:
        await close_account(connection, address)
    await _write_transactions(connection, batch.transactions, written)
    for program in sorted({program for program, _, _ in batch.covered}):
        await cover(connection, program, [(a, b) for name, a, b in batch.covered if name == program])
    for letter in batch.dead:
        await connection.execute(
            "INSERT INTO dead_letters AS d (signature, program, slot, stage, error, payload)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (signature) DO UPDATE SET attempts = d.attempts + 1,"
            " stage = excluded.stage, error = excluded.error, last_seen = clock_timestamp()",
            [letter.signature, letter.program, letter.slot, letter.stage, letter.error, letter.payload],
        )
    return written


async def _write_feed(connection: Connection, change: FeedChange, written: Written) -> None:
    values = feed_values(change.feed)
    match_id = await match_of(connection, values["chain_id"], change.feed.start_unix_ms)
    written.matches[change.address] = match_id
    jsons = {name: Json(values[name]) for name in ("periods", "minute_area", "minute_left_out_ms")}
    await _upsert(connection, "feeds", change.address, {**values, **jsons}, change.slot)
    if change.samples:
        async with connection.cursor() as cursor:
            await cursor.executemany(
                _SAMPLE,
                [
                    [match_id, change.address, *(getattr(item, name) for name in SampleRow.__slots__)]
                    for item in change.samples
                ],
            )
        written.samples.setdefault(match_id, []).extend(change.samples)


_SAMPLE: Final = cast(
    Any,
    f"INSERT INTO samples (match_id, feed, {', '.join(SampleRow.__slots__)}, status)"  # noqa: S608 - constants
    f" VALUES (%s, %s, {', '.join(['%s'] * len(SampleRow.__slots__))}, 'confirmed')"
    " ON CONFLICT (match_id, tick) DO UPDATE SET feed = excluded.feed, status = 'confirmed', "
    + ", ".join(f"{name} = excluded.{name}" for name in SampleRow.__slots__ if name != "tick")
    + " WHERE samples.status = 'live' OR samples.sample_index IS DISTINCT FROM excluded.sample_index"
    " OR samples.x_e6 <> excluded.x_e6 OR samples.area <> excluded.area",
)


async def match_of(connection: Connection, chain_id: bytes, start_unix_ms: int) -> str:
    """The id of the match a feed is about; a match nobody has described yet gets a row of its own."""
    query = "SELECT match_id FROM matches WHERE chain_id = %s"
    found = await row(connection, query, [chain_id])
    if found is None:
        await connection.execute(
            "INSERT INTO matches (match_id, chain_id, start_unix_ms) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [match_id_of(chain_id), chain_id, start_unix_ms],
        )
        found = await row(connection, query, [chain_id])
        assert found is not None
    return str(found["match_id"])


async def _write_account(connection: Connection, change: AccountChange) -> None:
    found = account_values(change.decoded)
    if found is None:
        return
    table, values = found
    body = values["body"]
    await _upsert(connection, table, change.address, {**values, "body": Json(body)}, change.slot)
    if table == "positions":
        # Events and accounts come by different roads: an old state must not bring back a position that was paid out.
        await connection.execute(
            "DELETE FROM positions p USING settlements e WHERE p.address = %s AND e.position = p.address",
            [change.address],
        )
    if table == "pools":
        await connection.execute(
            "INSERT INTO pool_history (pool, slot, cash_e6, reserved_e6, body) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (pool, slot) DO UPDATE SET cash_e6 = excluded.cash_e6, reserved_e6 = excluded.reserved_e6,"
            " body = excluded.body",
            [change.address, change.slot, body["cash_e6"], body["reserved_e6"], Json(body)],
        )


async def _upsert(connection: Connection, table: str, address: str, values: Mapping[str, Any], slot: int) -> None:
    columns = ["address", *values, "slot"]
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (address) DO UPDATE SET {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns[1:]),
    )
    await connection.execute(query, [address, *values.values(), slot])


async def close_account(connection: Connection, address: str) -> None:
    """Forget an account that is gone from the chain; what happened to it stays in the events."""
    for table in sorted({table for table, _ in ACCOUNTS.values()}):
        await connection.execute(sql.SQL("DELETE FROM {} WHERE address = %s").format(sql.Identifier(table)), [address])


async def _write_transactions(
    connection: Connection, found: Sequence[tuple[TransactionRow, list[EventRow]]], written: Written
) -> None:
    """A statement for all transactions and one for each kind of event: a batch of hundreds is as quick as one."""
    best: dict[str, tuple[TransactionRow, list[EventRow]]] = {}
    for item in found:
        known = best.get(item[0].signature)
        if known is None or known[0].fee_payer is None:
            best[item[0].signature] = item
    if not best:
        return
    documents = [
        {name: getattr(transaction, name) for name in TransactionRow.__slots__} for transaction, _ in best.values()
    ]
    new = {str(item["signature"]) for item in await rows(connection, _TRANSACTIONS, [Json(documents)])}
    written.signatures += [signature for signature in best if signature in new]
    events = [event for signature, (_, events) in best.items() if signature in new for event in events]
    await _write_events(connection, events)
    written.events += events
    complete = [item.signature for item, _ in best.values() if item.signature in new and item.fee_payer is not None]
    if complete:
        await connection.execute("DELETE FROM dead_letters WHERE signature = ANY(%s)", [complete])


# A row that only the listing gave (no fee payer) is completed later; a complete one is never touched again.
_TRANSACTIONS: Final = cast(
    Any,
    f"INSERT INTO chain_transactions AS t ({', '.join(TransactionRow.__slots__)})"  # noqa: S608 - constants
    f" SELECT {', '.join(TransactionRow.__slots__)} FROM json_to_recordset(%s) AS r (signature text, slot bigint,"
    " block_time timestamptz, program text, fee_payer text, instructions text[], failed boolean, err text,"
    " error_code integer, error_name text, error_message text, fee_lamports bigint, compute_units bigint,"
    " vault_delta_e6 bigint) ON CONFLICT (signature) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in TransactionRow.__slots__ if name != "signature")
    + " WHERE t.fee_payer IS NULL AND excluded.fee_payer IS NOT NULL RETURNING signature",
)


async def _write_events(connection: Connection, events: Sequence[EventRow]) -> None:
    tables: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        key = {name: getattr(event, name) for name in KEY}
        everything = {**key, "program": event.program, "name": event.name, "body": Json(event.body)}
        tables.setdefault("chain_events", []).append(everything)
        found = event_values(event)
        if found is not None:
            tables.setdefault(found[0], []).append({**key, **found[1]})
    for table, values in tables.items():
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values[0])),
            sql.SQL(", ").join([sql.Placeholder()] * len(values[0])),
        )
        async with connection.cursor() as cursor:
            await cursor.executemany(query, [list(item.values()) for item in values])
    for event in events:
        if event.name == "PositionSettled":
            # Closing is not announced: the account has no owner any more who could be subscribed to.
            await close_account(connection, event.body["position"])


async def read_covered(connection: Connection, program: str) -> Covered:
    """The covered slots of a program."""
    query = "SELECT first_slot, last_slot FROM covered_slots WHERE program = %s"
    return Covered([(item["first_slot"], item["last_slot"]) for item in await rows(connection, query, [program])])


async def cover(connection: Connection, program: str, intervals: Iterable[tuple[int, int]]) -> None:
    """Add intervals to the covered slots of a program."""
    covered = await read_covered(connection, program)
    for first, last in intervals:
        covered.add(first, last)
    await write_covered(connection, program, covered)


async def write_covered(connection: Connection, program: str, covered: Covered) -> None:
    """Replace the covered slots of a program."""
    await connection.execute("DELETE FROM covered_slots WHERE program = %s", [program])
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO covered_slots (program, first_slot, last_slot) VALUES (%s, %s, %s)",
            [[program, *interval] for interval in covered.intervals],
        )


async def forget_everything(connection: Connection) -> None:
    """Empty every mirrored table: the chain is another one, or a rebuild was asked for."""
    names = sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys(MIRRORED)))
    await connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
