"""What REST and stream read: one function a list, on a connection, as documents of `backend.views`."""

# ruff: noqa: S608 - the parts of these queries are constants of this module; values are always bound
from __future__ import annotations

from typing import Any, LiteralString

from backend import views
from backend.db.pool import Connection, row, rows
from backend.feedstore import MATCHES
from backend.trading.quotes import Quote, quote, unrealised_e6

Document = dict[str, Any]
Keyed = tuple[list[Any], Document]

# A chain row with its transaction, window, match and, where it has one, its sample's place in the match.
_PLACE: LiteralString = """
JOIN chain_transactions x USING (signature)
LEFT JOIN windows w ON w.address = e."window"
LEFT JOIN markets k ON k.address = w.market
LEFT JOIN feeds f ON f.address = k.feed
LEFT JOIN matches m ON m.chain_id = f.chain_id
"""
_AT_SAMPLE: LiteralString = "LEFT JOIN samples s ON s.feed = f.address AND s.sample_index = e.sample_index"
_AT_COMMIT: LiteralString = """
LEFT JOIN LATERAL (SELECT period, second FROM samples
    WHERE feed = f.address AND data_ms <= e.commit_ms - f.start_unix_ms ORDER BY data_ms DESC LIMIT 1) s ON true
"""
_AT_END: LiteralString = """
LEFT JOIN LATERAL (SELECT period, second FROM samples WHERE feed = f.address ORDER BY sample_index DESC LIMIT 1) s
    ON true
"""
_PLACED: LiteralString = "e.*, x.finalized, w.window_id, m.match_id, s.period, s.second"
_FILTER: LiteralString = """
WHERE (%(signatures)s::text[] IS NULL OR e.signature = ANY(%(signatures)s))
    AND (%(match)s::text IS NULL OR m.match_id = %(match)s)
    AND (%(owner)s::text IS NULL OR e.owner = %(owner)s)
    AND (%(slot)s::bigint IS NULL
        OR (e.slot, e.signature, e.outer_ix, e.inner_ix) < (%(slot)s, %(signature)s, %(outer)s, %(inner)s))
"""
_NEWEST: LiteralString = "ORDER BY e.slot DESC, e.signature DESC, e.outer_ix DESC, e.inner_ix DESC LIMIT %(limit)s"

ORDERS: LiteralString = f"""
SELECT {_PLACED}, d.reason AS end_reason, c.client_order_id FROM orders e {_PLACE} {_AT_COMMIT}
LEFT JOIN order_ends d ON d."order" = e."order"
LEFT JOIN client_orders c ON c.owner = e.owner AND c.client_id = e.client_id {_FILTER}
    AND (%(pending)s::bool IS NULL OR (d.reason IS NULL) = %(pending)s) {_NEWEST}
"""
TRADES: LiteralString = f"""
SELECT {_PLACED} FROM order_ends e {_PLACE} {_AT_SAMPLE} {_FILTER}
    AND (%(pending)s::bool IS NULL OR (e.reason = 0) = %(pending)s) {_NEWEST}
"""
LIQUIDATIONS: LiteralString = f"""
SELECT {_PLACED} FROM liquidations e {_PLACE} {_AT_SAMPLE} {_FILTER} AND %(pending)s::bool IS NULL {_NEWEST}
"""
SETTLEMENTS: LiteralString = f"""
SELECT {_PLACED} FROM settlements e {_PLACE} {_AT_END} {_FILTER} AND %(pending)s::bool IS NULL {_NEWEST}
"""


async def placed(
    connection: Connection,
    query: LiteralString,
    *,
    match: str | None = None,
    owner: str | None = None,
    only: bool | None = None,
    signatures: list[str] | None = None,
    after: list[Any] | None = None,
    limit: int = 100,
) -> list[Keyed]:
    """Chain rows, newest first, each with its key. ``only``: pending orders or fills alone (False: the others)."""
    slot, signature, outer, inner = after or [None, None, None, None]
    values = {
        "match": match,
        "owner": owner,
        "pending": only,
        "signatures": signatures,
        "slot": slot,
        "signature": signature,
        "outer": outer,
        "inner": inner,
        "limit": limit,
    }
    view = _VIEWS[query]
    found = await rows(connection, query, values)
    return [([item["slot"], item["signature"], item["outer_ix"], item["inner_ix"]], view(item)) for item in found]


_VIEWS = {
    ORDERS: views.order_view,
    TRADES: views.trade_view,
    LIQUIDATIONS: views.liquidation_view,
    SETTLEMENTS: views.settlement_view,
}


async def matches(connection: Connection, match: str | None = None) -> list[Document]:
    """Every match, the latest kick-off first; or the one asked for."""
    query: LiteralString = MATCHES + (
        " WHERE %(match)s::text IS NULL OR m.match_id = %(match)s"
        " ORDER BY m.status = 'live' DESC, m.kickoff_at DESC NULLS LAST, m.match_id"
    )
    return [views.match_view(item) for item in await rows(connection, query, {"match": match})]


async def ticks(
    connection: Connection, match: str, *, after: int = 0, to: int | None = None, limit: int = 1000
) -> list[Document]:
    """The index of a match, ticks after ``after``, ascending."""
    start = await row(connection, "SELECT start_unix_ms FROM matches WHERE match_id = %s", [match])
    found = await rows(
        connection,
        "SELECT tick, period, second, play_ms, data_ms, x_e6, mu_e6, s_e4, conf_e4, suspend_epoch, sample_index, slot,"
        " status FROM samples WHERE match_id = %s AND tick > %s AND tick <= %s ORDER BY tick LIMIT %s",
        [match, after, to if to is not None else 2**31 - 1, limit],
    )
    start_ms = start["start_unix_ms"] if start else None
    return [views.tick_view(item, start_ms) for item in found]


async def last_ticks(connection: Connection, match: str, count: int) -> list[Document]:
    """The newest ``count`` ticks, ascending."""
    found = await row(connection, "SELECT coalesce(max(tick), 0) AS last FROM samples WHERE match_id = %s", [match])
    assert found is not None
    return await ticks(connection, match, after=found["last"] - count, limit=count)


async def events(
    connection: Connection, match: str, *, after: list[Any] | None = None, deleted: bool = False, limit: int = 500
) -> list[Document]:
    """Canonical events in playing order."""
    period, play_ms, event_id = after or [-1, 0, ""]
    found = await rows(
        connection,
        "SELECT * FROM match_events WHERE match_id = %s AND (%s OR NOT deleted)"
        " AND (period, play_ms, event_id) > (%s, %s, %s) ORDER BY period, play_ms, event_id LIMIT %s",
        [match, deleted, period, play_ms, event_id, limit],
    )
    return [views.event_view(item) for item in found]


async def revisions(connection: Connection, match: str, *, after: int = 0, limit: int = 1000) -> list[Document]:
    """Revisions in the order they became known."""
    found = await rows(
        connection,
        "SELECT * FROM revisions WHERE match_id = %s AND revision > %s ORDER BY revision LIMIT %s",
        [match, after, limit],
    )
    return [views.revision_view(item) for item in found]


_WINDOWS: LiteralString = """
SELECT w.*, k.feed, k.exchange, m.match_id FROM windows w JOIN markets k ON k.address = w.market
LEFT JOIN feeds f ON f.address = k.feed LEFT JOIN matches m ON m.chain_id = f.chain_id
WHERE (%(match)s::text IS NULL OR m.match_id = %(match)s) AND (%(feed)s::text IS NULL OR k.feed = %(feed)s)
ORDER BY k.feed, w.window_id
"""


async def priced_windows(
    connection: Connection, *, match: str | None = None, feed: str | None = None
) -> list[tuple[dict[str, Any], Quote | None]]:
    """Rows of windows, each with its price at the newest sample of its feed."""
    found = await rows(connection, _WINDOWS, {"match": match, "feed": feed})
    state = await feed_states(connection, sorted({item["feed"] for item in found}))
    pauses = {
        item["address"]: item["pause"] != 0 for item in await rows(connection, "SELECT address, pause FROM exchanges")
    }
    priced: list[tuple[dict[str, Any], Quote | None]] = []
    for item in found:
        at = state.get(item["feed"])
        price = quote(at[0], at[1], item, paused=pauses.get(item["exchange"], False)) if at else None
        priced.append(({**item, "tick": at[1]["tick"] if at else None}, price))
    return priced


async def feed_states(connection: Connection, feeds: list[str]) -> dict[str, tuple[Document, Document]]:
    """By feed address: its row and its newest sample's row; feeds without a sample are left out."""
    states: dict[str, tuple[Document, Document]] = {}
    for item in await rows(connection, "SELECT * FROM feeds WHERE address = ANY(%s)", [feeds]):
        sample = await row(
            connection,
            "SELECT * FROM samples WHERE feed = %s ORDER BY sample_index DESC LIMIT 1",
            [item["address"]],
        )
        if sample is not None:
            states[item["address"]] = (item, sample)
    return states


async def markets(connection: Connection, match: str | None = None) -> list[Document]:
    """Windows with live prices."""
    return [views.window_view(item, price) for item, price in await priced_windows(connection, match=match)]


async def positions(connection: Connection, owner: str | None = None, match: str | None = None) -> list[Document]:
    """Open positions (with a quantity) at their windows' marks."""
    found = await rows(
        connection,
        'SELECT p.*, w.window_id, m.match_id FROM positions p LEFT JOIN windows w ON w.address = p."window"'
        " LEFT JOIN markets k ON k.address = w.market LEFT JOIN feeds f ON f.address = k.feed"
        " LEFT JOIN matches m ON m.chain_id = f.chain_id"
        " WHERE p.qty_e6 > 0 AND (%(owner)s::text IS NULL OR p.owner = %(owner)s)"
        " AND (%(match)s::text IS NULL OR m.match_id = %(match)s) ORDER BY p.owner, k.feed, w.window_id, p.address",
        {"owner": owner, "match": match},
    )
    marks: dict[str, int] = {}
    for window, price in await priced_windows(connection) if found else []:
        if window["state"] == 1:
            marks[window["address"]] = window["settlement_e6"]
        elif price is not None:
            marks[window["address"]] = price.mark_e6
    documents = []
    for item in found:
        mark = marks.get(item["window"])
        documents.append(views.position_view(item, mark, None if mark is None else unrealised_e6(item, mark)))
    return documents


async def pool(connection: Connection, exchange: str | None = None) -> Document | None:
    """The pool's books; the first pool when no exchange is named."""
    found = await row(
        connection,
        "SELECT * FROM pools WHERE %(exchange)s::text IS NULL OR exchange = %(exchange)s ORDER BY address LIMIT 1",
        {"exchange": exchange},
    )
    return None if found is None else views.pool_view(found)


async def tape(connection: Connection, match: str, limit: int = 200) -> list[Document]:
    """Pending orders, fills, refunds, liquidations and settlements of a match together, newest first."""
    mixed: list[Keyed] = await placed(connection, ORDERS, match=match, only=True, limit=limit)
    for query in (TRADES, LIQUIDATIONS, SETTLEMENTS):
        mixed += await placed(connection, query, match=match, limit=limit)
    mixed.sort(key=lambda keyed: keyed[0], reverse=True)
    return [document for _, document in mixed[:limit]]


async def margin(connection: Connection, owner: str, exchange: str | None = None) -> Document | None:
    """The margin account of an owner."""
    found = await row(
        connection,
        "SELECT * FROM margins WHERE owner = %(owner)s"
        " AND (%(exchange)s::text IS NULL OR body ->> 'exchange' = %(exchange)s) ORDER BY address LIMIT 1",
        {"owner": owner, "exchange": exchange},
    )
    return None if found is None else views.margin_view(found)


async def shares(connection: Connection, owner: str) -> str:
    """Shares of the pool that an owner received minus those it redeemed."""
    found = await row(
        connection,
        "SELECT coalesce(sum(CASE WHEN deposit THEN shares ELSE -shares END), 0)::bigint AS held"
        " FROM lp_changes WHERE owner = %s",
        [owner],
    )
    return views.decimal(found["held"] if found else 0) or "0"
