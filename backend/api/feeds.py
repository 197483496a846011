"""The routes that tell how good the feeds are: a list, a match's minutes, and the same for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from backend import metrics as families
from backend.api import cursors, models
from backend.api.context import Ctx, page
from backend.api.problems import not_found
from backend.api.reads import Cursor, Limit, MatchId
from backend.db.pool import row
from backend.history import quality
from backend.history.retention import default_rows
from backend.views import feed_view

router = APIRouter(prefix="/v1")


@router.get("/feeds", response_model=models.Page[models.Feed], tags=["feeds"])
async def get_feeds(ctx: Ctx) -> Response:
    """Every feed as it was last seen, the weakest first."""
    async with ctx.database.connection() as connection:
        found = await quality.newest(connection)
    return page([feed_view(item) for item in found], None)


@router.get(
    "/feeds/{match_id}",
    response_model=models.Page[models.Feed],
    responses={404: {"model": models.Problem}},
    tags=["feeds"],
)
async def get_feed_minutes(ctx: Ctx, match_id: MatchId, limit: Limit = 500, cursor: Cursor = None) -> Response:
    """A match's feeds minute by minute, in order of time."""
    key = cursors.decode(cursor, int, str)
    async with ctx.database.connection() as connection:
        if await row(connection, "SELECT 1 AS ok FROM history.matches WHERE match_id = %s", [match_id]) is None:
            raise not_found("match", f"There is no history of match {match_id!r}: /v1/feeds lists the feeds.")
        found = await quality.minutes(connection, match_id, key, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = cursors.encode(last["minute_ms"], last["provider"]) if last else None
    return page([feed_view(item) for item in found[:limit]], following)


async def metrics(ctx: Ctx) -> Response:
    """Feeds, mirror and stream in Prometheus' text format."""
    async with ctx.database.connection() as connection:
        feeds = await quality.newest(connection)
    strays = await default_rows(ctx.database)
    mirror = dict(ctx.mirror()) if ctx.mirror is not None else None
    return Response(families.text(feeds, strays, ctx.hub.clients, mirror), media_type=CONTENT_TYPE_LATEST)
