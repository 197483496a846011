"""The routes of the schedule: fixtures as all sources know them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import cursors, models
from backend.api.context import Ctx, json_answer, page
from backend.api.problems import Problem, not_found
from backend.catalogue.queries import (
    CHANGES,
    FIXTURE,
    FIXTURES,
    LINEUPS,
    SOURCES,
    Filter,
    detail_view,
    fixture_view,
)
from backend.db.pool import row, rows

router = APIRouter(prefix="/v1", tags=["schedule"])
_PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": models.Problem} for status in (400, 404, 422, 503)}
_TEXT = r"^[^\x00]*$"


@router.get("/fixtures", response_model=models.Page[models.Fixture], responses=_PROBLEMS)
async def get_fixtures(
    ctx: Ctx,
    first: Annotated[date | None, Query(alias="from", description="First day wanted.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last day wanted.")] = None,
    competition: Annotated[
        str | None, Query(max_length=100, pattern=_TEXT, description="Id, or a part of name or country.")
    ] = None,
    team: Annotated[str | None, Query(max_length=100, pattern=_TEXT, description="Id, or a part of a name.")] = None,
    status: Annotated[models.FixtureStatus | None, Query(description="Only those.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Rows a page.")] = 100,
    cursor: Annotated[str | None, Query(max_length=400, description="next_cursor of the page before.")] = None,
) -> Response:
    """The schedule in order of day."""
    wanted = Filter(
        first.isoformat() if first else None,
        last.isoformat() if last else None,
        competition,
        team,
        status,
        _after(cursor),
        limit + 1,
    )
    async with ctx.database.connection() as connection:
        found = [fixture_view(item) for item in await rows(connection, FIXTURES, wanted.values())]
    more = len(found) > limit
    behind = found[limit - 1] if more else None
    return page(found[:limit], cursors.encode(behind["day"], behind["fixture_id"]) if behind else None)


def _after(cursor: str | None) -> tuple[str, str]:
    key = cursors.decode(cursor, str, str)
    if key is None:
        return Filter().after
    try:
        return date.fromisoformat(key[0]).isoformat(), str(key[1]).replace("\x00", "")
    except ValueError:
        detail = "The cursor is not one of this list: pass next_cursor of the last page unchanged."
        raise Problem(400, "bad_cursor", "Bad cursor", detail) from None


@router.get("/fixtures/{fixture_id}", response_model=models.FixtureDetail, responses=_PROBLEMS)
async def get_fixture(ctx: Ctx, fixture_id: Annotated[str, Path(max_length=100, pattern=_TEXT)]) -> Response:
    """One fixture: ids of all sources, line-ups, history."""
    async with ctx.database.snapshot() as connection:
        found = await row(connection, FIXTURE, [fixture_id])
        if found is None:
            raise not_found("fixture", f"There is no fixture {fixture_id!r}: /v1/fixtures lists them.")
        parts = [await rows(connection, query, [fixture_id]) for query in (SOURCES, LINEUPS, CHANGES)]
    return json_answer(detail_view(found, *parts))
