"""The routes that read: matches, the index, markets, positions, orders, trades, the pool."""

from __future__ import annotations

from typing import Annotated, Any, Literal, LiteralString

from fastapi import APIRouter, Path, Query
from solders.pubkey import Pubkey
from starlette.responses import Response

from backend.api import cursors, models, queries
from backend.api.context import Context, Ctx, json_answer, page
from backend.api.problems import Problem, not_found
from backend.db.pool import Connection, row

router = APIRouter(prefix="/v1")
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows a page.")]
TickLimit = Annotated[int, Query(ge=1, le=6000, description="Ticks a page.")]
Cursor = Annotated[str | None, Query(max_length=400, description="next_cursor of the page before.")]
MatchId = Annotated[str, Path(max_length=100)]
MatchFilter = Annotated[str | None, Query(max_length=100, description="Only this match.")]
Owner = Annotated[str | None, Query(max_length=44, description="Only this owner's.")]
_PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": models.Problem} for status in (404, 422, 503)}


@router.get("/matches", response_model=models.Page[models.Match], tags=["matches"])
async def get_matches(ctx: Ctx) -> Response:
    """Every match, running ones first."""
    async with ctx.database.connection() as connection:
        return page(await queries.matches(connection), None)


@router.get("/matches/{match_id}", response_model=models.Match, responses=_PROBLEMS, tags=["matches"])
async def get_match(ctx: Ctx, match_id: MatchId) -> Response:
    """One match."""
    async with ctx.database.connection() as connection:
        found = await queries.matches(connection, match_id)
    if not found:
        raise _no_match(match_id)
    return json_answer(found[0])


@router.get(
    "/matches/{match_id}/momentum", response_model=models.Page[models.Tick], responses=_PROBLEMS, tags=["matches"]
)
async def get_momentum(
    ctx: Ctx,
    match_id: MatchId,
    limit: TickLimit = 1000,
    cursor: Cursor = None,
    first: Annotated[int, Query(alias="from", ge=0, description="First tick wanted.")] = 0,
    after: Annotated[int, Query(ge=0, description="Only ticks behind this one.")] = 0,
    to: Annotated[int | None, Query(ge=0, description="Last tick wanted.")] = None,
) -> Response:
    """The index, one tick a second, ascending."""
    key = cursors.decode(cursor, int)
    start = max(first - 1, after, key[0] if key else 0)
    async with ctx.database.connection() as connection:
        await _require_match(connection, match_id)
        found = await queries.ticks(connection, match_id, after=start, to=to, limit=limit + 1)
    more = len(found) > limit
    return page(found[:limit], cursors.encode(found[limit - 1]["tick"]) if more else None)


@router.get(
    "/matches/{match_id}/events", response_model=models.Page[models.MatchEvent], responses=_PROBLEMS, tags=["matches"]
)
async def get_events(
    ctx: Ctx,
    match_id: MatchId,
    limit: Limit = 500,
    cursor: Cursor = None,
    deleted: Annotated[bool, Query(description="Also events that were withdrawn.")] = False,
) -> Response:
    """Canonical events as they are known now, in playing order."""
    key = cursors.decode(cursor, int, int, str)
    async with ctx.database.connection() as connection:
        await _require_match(connection, match_id)
        found = await queries.events(connection, match_id, after=key, deleted=deleted, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = cursors.encode(last["period"], last["play_ms"], last["event_id"]) if last else None
    return page(found[:limit], following)


@router.get(
    "/matches/{match_id}/revisions", response_model=models.Page[models.Revision], responses=_PROBLEMS, tags=["matches"]
)
async def get_revisions(ctx: Ctx, match_id: MatchId, limit: Limit = 1000, cursor: Cursor = None) -> Response:
    """Published ticks that later knowledge would change, in the order it came."""
    key = cursors.decode(cursor, int)
    async with ctx.database.connection() as connection:
        await _require_match(connection, match_id)
        found = await queries.revisions(connection, match_id, after=key[0] if key else 0, limit=limit + 1)
    return page(found[:limit], cursors.encode(found[limit - 1]["revision"]) if len(found) > limit else None)


@router.get("/markets", response_model=models.Page[models.Window], tags=["markets"])
async def get_markets(ctx: Ctx, match: MatchFilter = None) -> Response:
    """Every window with its live price, open interest and, once it has one, its settlement."""
    async with ctx.database.snapshot() as connection:
        return page(await queries.markets(connection, match), None)


@router.get("/positions", response_model=models.Page[models.Position], responses=_PROBLEMS, tags=["trading"])
async def get_positions(ctx: Ctx, owner: Owner = None, match: MatchFilter = None) -> Response:
    """Open positions at the current mark."""
    _check_owner(owner)
    async with ctx.database.snapshot() as connection:
        return page(await queries.positions(connection, owner, match), None)


@router.get("/orders", response_model=models.Page[models.Order], responses=_PROBLEMS, tags=["trading"])
async def get_orders(
    ctx: Ctx,
    owner: Owner = None,
    match: MatchFilter = None,
    status: Annotated[Literal["pending", "ended"] | None, Query(description="Only those; not given: all.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Orders, newest first."""
    pending = None if status is None else status == "pending"
    return await _placed(ctx, queries.ORDERS, owner, match, pending, limit, cursor)


@router.get("/trades", response_model=models.Page[models.Trade], responses=_PROBLEMS, tags=["trading"])
async def get_trades(
    ctx: Ctx,
    owner: Owner = None,
    match: MatchFilter = None,
    filled: Annotated[bool | None, Query(description="False: refunds instead of fills. Not given: both.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Ends of orders, newest first: fills, and refunds with their reason."""
    return await _placed(ctx, queries.TRADES, owner, match, filled, limit, cursor)


@router.get("/liquidations", response_model=models.Page[models.Liquidation], responses=_PROBLEMS, tags=["trading"])
async def get_liquidations(
    ctx: Ctx, owner: Owner = None, match: MatchFilter = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Positions closed for lack of margin, newest first."""
    return await _placed(ctx, queries.LIQUIDATIONS, owner, match, None, limit, cursor)


@router.get("/settlements", response_model=models.Page[models.Settlement], responses=_PROBLEMS, tags=["trading"])
async def get_settlements(
    ctx: Ctx, owner: Owner = None, match: MatchFilter = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Positions paid out, newest first."""
    return await _placed(ctx, queries.SETTLEMENTS, owner, match, None, limit, cursor)


@router.get("/accounts/{owner}", response_model=models.Account, responses=_PROBLEMS, tags=["trading"])
async def get_account(ctx: Ctx, owner: Annotated[str, Path(max_length=44)]) -> Response:
    """Margin account, open positions and pending orders of one owner."""
    _check_owner(owner)
    async with ctx.database.snapshot() as connection:
        margin = await queries.margin(connection, owner, ctx.exchange)
        orders = await queries.placed(connection, queries.ORDERS, owner=owner, only=True, limit=1000)
        return json_answer(
            {
                "owner": owner,
                "margin": margin,
                "shares": await queries.shares(connection, owner),
                "positions": await queries.positions(connection, owner),
                "orders": [document for _, document in orders],
            }
        )


@router.get("/pool", response_model=models.PoolAnswer, responses=_PROBLEMS, tags=["markets"])
async def get_pool(ctx: Ctx) -> Response:
    """The pool's books."""
    async with ctx.database.connection() as connection:
        found = await queries.pool(connection, ctx.exchange)
    if found is None:
        raise not_found("pool", "The pool has not been seen on the chain yet: try again in a moment.")
    return json_answer({"data": found})


async def _placed(
    ctx: Context,
    query: LiteralString,
    owner: str | None,
    match: str | None,
    only: bool | None,
    limit: int,
    cursor: str | None,
) -> Response:
    _check_owner(owner)
    key = cursors.decode(cursor, int, str, int, int)
    async with ctx.database.connection() as connection:
        found = await queries.placed(connection, query, match=match, owner=owner, only=only, after=key, limit=limit + 1)
    following = cursors.encode(*found[limit - 1][0]) if len(found) > limit else None
    return page([document for _, document in found[:limit]], following)


async def _require_match(connection: Connection, match_id: str) -> None:
    if await row(connection, "SELECT 1 AS ok FROM matches WHERE match_id = %s", [match_id]) is None:
        raise _no_match(match_id)


def _no_match(match_id: str) -> Problem:
    return not_found("match", f"There is no match {match_id!r}: /v1/matches lists them.")


def _check_owner(owner: str | None) -> None:
    try:
        if owner is not None:
            Pubkey.from_string(owner)
    except ValueError:
        detail = "owner is not a Solana address: give 32 bytes in base58."
        raise Problem(422, "bad_address", "Bad address", detail) from None
