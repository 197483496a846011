"""REST over a database with rows: shapes, pages, problems, headers, documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import BaseModel

from backend.api import models, openapi
from backend.api.app import create_app
from backend.api.context import Context
from backend.db.pool import Database
from backend.edge.hub import Hub
from tests.backend.football import filled

DOCS = Path(__file__).resolve().parents[2] / "docs"
SOMEBODY = "11111111111111111111111111111111"


@pytest.fixture
async def http(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await filled(database)
    (tmp_path / "index.html").write_text("<p>page</p>")
    app = create_app(Context(database, Hub(database)), tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/health", models.Health),
        ("/v1/matches", models.Page[models.Match]),
        ("/v1/matches/m1", models.Match),
        ("/v1/matches/m1/momentum", models.Page[models.Tick]),
        ("/v1/matches/m1/events", models.Page[models.MatchEvent]),
        ("/v1/matches/m1/revisions", models.Page[models.Revision]),
        ("/v1/markets", models.Page[models.Window]),
        ("/v1/positions", models.Page[models.Position]),
        ("/v1/orders", models.Page[models.Order]),
        ("/v1/trades", models.Page[models.Trade]),
        ("/v1/liquidations", models.Page[models.Liquidation]),
        ("/v1/settlements", models.Page[models.Settlement]),
        (f"/v1/accounts/{SOMEBODY}", models.Account),
    ],
)
async def test_every_answer_has_its_declared_shape(http: httpx.AsyncClient, path: str, model: type[BaseModel]) -> None:
    response = await http.get(path)
    assert response.status_code == 200, response.text
    model.model_validate_json(response.content)


async def test_pages_join_to_the_whole(http: httpx.AsyncClient) -> None:
    for path, key, limit in (("momentum", "tick", 7), ("events", "event_id", 2), ("revisions", "revision", 2)):
        whole = (await http.get(f"/v1/matches/m1/{path}")).json()
        assert whole["next_cursor"] is None
        found, cursor = [], None
        while True:
            params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
            page = (await http.get(f"/v1/matches/m1/{path}", params=params)).json()
            found += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert [row[key] for row in found] == [row[key] for row in whole["data"]]


async def test_a_stretch_of_the_index_can_be_asked_for(http: httpx.AsyncClient) -> None:
    for params, first, last in (({"from": 5, "to": 9}, 5, 9), ({"after": 5, "to": 9}, 6, 9)):
        data = (await http.get("/v1/matches/m1/momentum", params=params)).json()["data"]
        assert [row["tick"] for row in data] == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/matches/nope", 404, "match_not_found"),
        ("/v1/matches/nope/momentum", 404, "match_not_found"),
        ("/v1/matches/m1/momentum?limit=0", 422, "invalid_request"),
        ("/v1/matches/m1/momentum?cursor=zzz", 400, "bad_cursor"),
        ("/v1/trades?cursor=WzFd", 400, "bad_cursor"),
        ("/v1/positions?owner=me", 422, "bad_address"),
        ("/v1/pool", 404, "pool_not_found"),
        ("/v1/nothing", 404, "not_found"),
    ],
)
async def test_refusals_are_problem_documents(http: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    response = await http.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = models.Problem.model_validate_json(response.content)
    assert (problem.code, problem.status) == (code, status)
    assert problem.detail


async def test_without_a_chain_nothing_can_be_built(http: httpx.AsyncClient) -> None:
    body = {"kind": "create_margin", "owner": SOMEBODY}
    response = await http.post("/v1/transactions/build", json=body)
    assert (response.status_code, response.json()["code"]) == (503, "chain_unavailable")
    assert response.headers["retry-after"] == "1"
    response = await http.post("/v1/transactions/build", json={**body, "more": 1})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert (await http.post("/v1/matches")).json()["code"] == "method_not_allowed"


async def test_page_and_headers_are_safe(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    assert "page" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    api = await http.get("/v1/matches", headers={"origin": "http://elsewhere"})
    assert api.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in api.headers


async def test_a_database_that_is_away_is_said_so(database: Database) -> None:
    app = create_app(Context(database, Hub(database)))
    await database.close()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        health = await client.get("/v1/health")
        assert (health.status_code, health.json()["database"]) == (503, "down")


def test_the_checked_in_openapi_is_current() -> None:
    assert openapi.main(["--check"]) == 0, "run python -m backend.api.openapi"


def test_an_old_openapi_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "TARGET", tmp_path / "openapi.json")
    (tmp_path / "openapi.json").write_bytes(b"{}")
    assert openapi.main(["--check"]) == 1
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0


def test_asyncapi_names_schemas_that_exist_and_every_kind() -> None:
    text = (DOCS / "asyncapi.yaml").read_text()
    document = yaml.safe_load(text)
    schemas = create_app().openapi()["components"]["schemas"]
    for name in {part.split('"')[0] for part in text.split("openapi.json#/components/schemas/")[1:]}:
        assert name in schemas
    kinds = document["components"]["messages"]["delta"]["payload"]["properties"]["kind"]["enum"]
    assert len(kinds) == 10


async def test_large_answers_are_compressed_for_phones_and_small_ones_are_not(http: httpx.AsyncClient) -> None:
    large = await http.get("/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert large.headers.get("content-encoding") == "gzip"
    small = await http.get("/v1/health", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers
