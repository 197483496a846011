"""What the routes need, in one object that the factory puts on the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from backend.db.pool import Database
from backend.edge.hub import Hub
from backend.trading.desk import Desk


@dataclass(slots=True)
class Context:
    """The parts of one running backend. ``desk`` is None without a chain; ``mirror`` tells the mirror's state."""

    database: Database
    hub: Hub
    exchange: str | None = None
    desk: Desk | None = None
    mirror: Callable[[], Mapping[str, Any]] | None = None


def context(request: Request) -> Context:
    """The application's context."""
    return cast(Context, request.app.state.context)


Ctx = Annotated[Context, Depends(context)]


def json_answer(document: Any, status: int = 200) -> Response:
    """A document built by `backend.views`: it has the declared shape already, a test holds the two together."""
    return Response(orjson.dumps(document), status, media_type="application/json")


def page(data: list[Any], next_cursor: str | None) -> Response:
    """One page of a list."""
    return json_answer({"data": data, "next_cursor": next_cursor})
