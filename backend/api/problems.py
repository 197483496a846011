"""Errors as RFC 9457 problem documents with a stable `code`."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it that
    """A refusal: HTTP ``status``, stable ``code``, short ``title``, and a sentence that says what to do."""

    def __init__(self, status: int, code: str, title: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.title, self.detail, self.extra = status, code, title, detail, extra


def not_found(what: str, hint: str) -> Problem:
    """Something named in the path or query does not exist."""
    return Problem(404, f"{what}_not_found", "Not found", hint)


def answer(problem: Problem, instance: str) -> Response:
    """The problem document."""
    body = {
        "type": f"urn:futstar:error:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "instance": instance,
        **problem.extra,
    }
    headers = {"Retry-After": "1"} if problem.status == 503 else None
    return Response(orjson.dumps(body), problem.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(error, request.url.path)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [
            {"where": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]} for fault in error.errors()
        ]
        detail = "; ".join(f"{fault['where']}: {fault['message']}" for fault in faults[:3])
        return answer(Problem(422, "invalid_request", "Invalid request", detail, errors=faults), request.url.path)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = _CODES.get(error.status_code, f"http_{error.status_code}")
        found = Problem(error.status_code, code, str(error.detail), "See /docs for what exists and how to call it.")
        reply = answer(found, request.url.path)
        for name, value in (error.headers or {}).items():
            reply.headers[name] = value
        return reply

    async def database(request: Request, _error: Exception) -> Response:
        detail = "The database does not answer at the moment: try again."
        return answer(Problem(503, "database_unavailable", "Unavailable", detail), request.url.path)

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(OperationalError, database)
    app.add_exception_handler(PoolTimeout, database)
