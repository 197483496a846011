"""One hash over everything that follows from the chain alone: a rebuild from scratch must give the same.

Left out is what depends on when the mirror looked: slots of account states and of samples, times of storing, the
pool's history, whether a row was finalized already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import orjson
from psycopg import sql

from backend.db.pool import Connection
from backend.mirror.tables import ACCOUNTS, EVENTS, KEY

_EVENT_KEY: Final = tuple(name for name in KEY if name != "block_time")
TABLES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "chain_transactions": (("slot", "signature", "program", "failed", "err"), ("slot", "signature")),
    "chain_events": ((*_EVENT_KEY, "program", "name", "body"), _EVENT_KEY[:4]),
    **{table: ((*_EVENT_KEY, *columns), _EVENT_KEY[:4]) for table, columns in EVENTS.values()},
    **dict.fromkeys(sorted({table for table, _ in ACCOUNTS.values()}), (("address", "body"), ("address",))),
    "feeds": (
        ("address", "samples", "tick", "status", "period", "in_break", "suspend_epoch", "left_out_ms", "hash_chain"),
        ("address",),
    ),
    "samples": (
        (
            "feed", "sample_index", "tick", "period", "second", "x_e6", "mu_e6", "s_e4", "conf_e4", "data_ms",
            "play_ms", "area", "suspend_epoch",
        ),
        ("feed", "sample_index"),
    ),
}  # fmt: skip
"""Table -> (hashed columns, order)."""


async def state_hash(connection: Connection) -> str:
    """SHA-256 in hex of the mirrored state."""
    return hashlib.sha256("".join(sorted((await table_hashes(connection)).values())).encode()).hexdigest()


async def table_hashes(connection: Connection) -> dict[str, str]:
    """SHA-256 in hex of each table: where two states differ."""
    found = {}
    for table, (columns, order) in TABLES.items():
        digest = hashlib.sha256(table.encode())
        query = sql.SQL("SELECT {} FROM {} {} ORDER BY {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.Identifier(table),
            # Live rows are the keeper's word, not the chain's.
            sql.SQL("WHERE status <> 'live'" if table == "samples" else ""),
            sql.SQL(", ").join(map(sql.Identifier, order)),
        )
        cursor = await connection.execute(query)
        async for row in cursor:
            digest.update(orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str))
        found[table] = digest.hexdigest()
    return found
