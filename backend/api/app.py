"""The application: routes, stream, static page, errors and headers. The factory takes what it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path

from fastapi import FastAPI, WebSocket
from psycopg import Error as DatabaseError
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api import feeds, fixtures, models, problems, reads, writes
from backend.api.context import Context, Ctx, json_answer
from backend.edge.socket import stream

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def version() -> str:
    """The installed version of Futstar."""
    try:
        return package_version("futstar")
    except PackageNotFoundError:
        return "0"


def create_app(context: Context | None = None, static: Path | None = None) -> FastAPI:
    """An application around ``context``; without one it only describes itself (for OpenAPI)."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert context is not None
        await context.hub.start()
        yield
        await context.hub.stop()

    app = FastAPI(
        title="Futstar",
        version=version(),
        summary="Momentum of live football matches as a market.",
        docs_url=None,  # its page loads scripts from elsewhere, which the content policy forbids
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.context = context
    problems.install(app)
    app.include_router(reads.router)
    app.include_router(feeds.router)
    app.include_router(fixtures.router)
    app.include_router(writes.router)
    app.add_api_route("/v1/health", health, response_model=models.Health, tags=["service"])
    app.add_api_websocket_route("/v1/stream", _stream)
    app.add_api_route("/metrics", feeds.metrics, include_in_schema=False)
    if static is not None:
        app.mount("/", StaticFiles(directory=static, html=True), name="page")
    # Nothing here reads a cookie: money moves by the wallet's signature alone, so any page may call.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["content-type", "idempotency-key"],
        max_age=86_400,
    )
    app.add_middleware(GZipMiddleware, minimum_size=1_024, compresslevel=5)
    app.add_middleware(_SecurityHeaders)
    return app


async def health(ctx: Ctx) -> Response:
    """Whether the parts run; 503 when the database does not answer."""
    mirror = dict(ctx.mirror()) if ctx.mirror is not None else None
    try:
        await ctx.database.row("SELECT 1 AS ok")
        database = "ok"
    except DatabaseError:
        database = "down"
    healthy = database == "ok" and (mirror is None or bool(mirror["healthy"]))
    document = {
        "status": "ok" if healthy else "degraded",
        "version": version(),
        "database": database,
        "mirror": mirror,
        "stream": {"clients": ctx.hub.clients},
    }
    return json_answer(document, 200 if database == "ok" else 503)


async def _stream(socket: WebSocket) -> None:
    context: Context = socket.app.state.context
    await stream(socket, context.database, context.hub)


class _SecurityHeaders:
    """Adds the same headers to every HTTP answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/v1"):
                    headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, with_headers)
