"""What a scraper may ask for, and what its configuration may say."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from ingest.events import FeedError
from ingest.feeds.scraper import ADAPTER, robots
from ingest.feeds.scraper.client import MatchPageSource, SiteReader
from ingest.feeds.scraper.config import load_sites, site
from ingest.net.fetch import Failure, Reply, Trouble
from ingest.net.network import Network
from ingest.net.plan import Span
from tests.ingest import virtualtime
from tests.ingest.netkit import KICKOFF_MS, Script, collect, kinds, network
from tests.ingest.test_net_loopback import served
from tests.ingest.test_scraper import ROW, SITE, TABLE, codes, linked, match_page, page

# what may be asked for


def test_a_site_is_off_until_it_is_enabled() -> None:
    async def main() -> None:
        async with network(Script(httpx.Response(200))) as net:
            for off in ({}, {"enabled": False}, {"enabled": "yes"}, {"enabled": 1}):
                table = {key: value for key, value in TABLE.items() if key != "enabled"} | off
                with pytest.raises(FeedError) as caught:
                    SiteReader(site("test", table), net)
                assert caught.value.code == "scraper_off"

    virtualtime.run(main())


class Server:
    """A site on the virtual clock."""

    def __init__(self, robots_txt: str = "", status: int = 200) -> None:
        self.robots_txt = robots_txt
        self.robots_status = status
        self.asked: list[tuple[str, float]] = []
        self.agents: set[str] = set()
        self.body = match_page()
        self.answer: httpx.Response | None = None
        self.script = Script(self.handle)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.url.path, asyncio.get_running_loop().time()))
        self.agents.add(request.headers["user-agent"])
        assert "cookie" not in request.headers
        if request.url.path == "/robots.txt":
            return httpx.Response(self.robots_status, content=self.robots_txt.encode())
        headers = {"content-type": "text/html; charset=utf-8", "set-cookie": "session=1"}
        return self.answer or httpx.Response(200, headers=headers, content=self.body)

    def times(self, path: str) -> list[float]:
        return [at for asked, at in self.asked if asked == path]

    def poll(self, seconds: float, table: dict[str, Any] | None = None) -> tuple[list[Any], SiteReader]:
        async def main() -> tuple[list[Any], SiteReader]:
            async with network(self.script) as net:
                reader = SiteReader(site("test", TABLE | (table or {})), net)
                source = MatchPageSource(reader, "m1", net, Span(KICKOFF_MS, play_ms=10**8))
                source.forget()
                return await collect(source, seconds), reader

        return virtualtime.run(main())


def test_a_match_page_is_polled_slowly_and_becomes_documents() -> None:
    server = Server()
    arrivals, _ = server.poll(200)
    assert kinds(arrivals) == ["document"] * 4
    assert server.times("/match/m1") == pytest.approx([0, 60, 120, 180])
    assert server.agents == {"futstar-ingest/1 (+https://futstar.test/bot)"}
    assert len(ADAPTER.document(arrivals[0].body).rows) == 4


def test_a_crawl_delay_is_kept_even_when_we_would_ask_more_often() -> None:
    server = Server("User-agent: *\nCrawl-delay: 40\n")
    server.poll(200, {"play_s": 1.0})
    gaps = [b - a for a, b in zip(server.times("/match/m1"), server.times("/match/m1")[1:], strict=False)]
    assert gaps
    assert min(gaps) >= 40


def test_a_crawl_delay_is_kept_though_robots_could_not_be_read_at_first() -> None:
    server = Server("User-agent: *\nCrawl-delay: 40\n", status=503)

    async def main() -> None:
        async with network(server.script) as net:
            reader = SiteReader(site("test", TABLE), net)
            with pytest.raises(FeedError, match="forbids"):
                await reader.allowed(SITE.match_url.replace("{id}", "m1"))
            server.robots_status = 200
            await asyncio.sleep(robots.AGAIN_MS / 1000 + 1)
            plan = await reader.allowed(SITE.match_url.replace("{id}", "m1"))
            assert plan.budget.per_s == pytest.approx(1 / 40)

    virtualtime.run(main())


def test_what_robots_forbids_is_never_asked_for() -> None:
    server = Server("User-agent: *\nDisallow: /match/\n")
    with pytest.raises(FeedError) as caught:
        server.poll(100)
    assert caught.value.code == "robots_disallow"
    assert [path for path, _ in server.asked] == ["/robots.txt"]


def test_what_robots_forbids_later_is_not_asked_for_any_more() -> None:
    server = Server("")

    def close_at(request: httpx.Request) -> httpx.Response:
        if asyncio.get_running_loop().time() > 1_000:
            server.robots_txt = "User-agent: futstar-ingest\nDisallow: /\n"
        return server.handle(request)

    server.script = Script(close_at)
    with pytest.raises(FeedError, match="forbids"):
        server.poll(10_000)
    assert max(server.times("/match/m1")) <= 3_700


@pytest.mark.parametrize("status", [401, 403, 500, 503, 429])
def test_a_site_whose_robots_cannot_be_read_is_not_read(status: int) -> None:
    server = Server(status=status)
    with pytest.raises(FeedError, match="forbids"):
        server.poll(100)
    assert server.times("/match/m1") == []


def test_a_site_without_robots_allows_reading() -> None:
    assert kinds(Server(status=404).poll(10)[0]) == ["document"]


def test_a_changed_layout_loses_the_feed_until_it_is_back() -> None:
    server = Server()

    def handle(request: httpx.Request) -> httpx.Response:
        changed = 100 < asyncio.get_running_loop().time() < 300
        server.body = match_page(layout="spiele" if changed else "fixtures")
        return server.handle(request)

    server.script = Script(handle)
    arrivals, reader = server.poll(500)
    found = kinds(arrivals)
    assert found == ["document", "document", "lost", "document", "restored", "document", "document", "document"]
    assert arrivals[2].note.startswith("layout_changed")
    assert "layout_changed" in codes(reader.problems)


def test_a_page_of_another_match_is_no_document() -> None:
    server = Server()
    server.body = page(ROW.format("m2", "SV Away"))
    arrivals, _ = server.poll(100)
    assert kinds(arrivals) == ["lost"]


def test_a_site_that_asks_for_silence_gets_it() -> None:
    server = Server()
    server.answer = httpx.Response(429, headers={"retry-after": "600"})
    arrivals, _ = server.poll(1_000)
    assert server.times("/match/m1") == pytest.approx([0, 600])
    assert kinds(arrivals) == ["lost"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_page_that_refuses_us_is_left_alone(status: int) -> None:
    server = Server()
    server.answer = httpx.Response(status)
    with pytest.raises(FeedError) as caught:
        server.poll(1_000)
    assert caught.value.code == "page_refused"


def test_redirects_are_not_followed() -> None:
    server = Server()
    server.answer = httpx.Response(302, headers={"location": "/login"})
    assert kinds(server.poll(600)[0]) == ["lost"]
    assert server.times("/login") == []


def test_a_site_without_events_serves_fixtures_only() -> None:
    async def main() -> None:
        async with network(Script(httpx.Response(200))) as net:
            reader = SiteReader(linked(), net)
            with pytest.raises(FeedError, match="fixtures only"):
                MatchPageSource(reader, "m1", net, Span(0))

    virtualtime.run(main())


async def test_a_real_site_is_read_for_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "LEAST_DELAY_S", 0.05)
    asked: list[str] = []

    async def robots_txt(_: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nDisallow: /private\nCrawl-delay: 0.1\n")

    async def fixtures(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/gone":
            return web.Response(status=500)
        response = web.Response(body=page(ROW.format("m1", "SV Away")), content_type="text/html")
        response.set_cookie("session", "x")
        assert not request.cookies
        return response

    app = web.Application()
    app.router.add_get("/robots.txt", robots_txt)
    for path in ("/fixtures", "/private", "/gone", "/paywall"):
        app.router.add_get(path, fixtures)
    async with served(app) as host, Network(lambda: int(time.time() * 1000), random.Random(1)) as net:
        base = {"match_url": "", "delay_s": 0.0, "enabled": True}
        table = TABLE | base | {"start": [f"http://{host}/fixtures", f"http://{host}/gone"]}
        reader = SiteReader(site("test", table), net)
        started = time.perf_counter()
        found = await reader.fixtures()
        assert time.perf_counter() - started >= 0.1
        assert [fixture.fixture_id for fixture in found] == ["m1"]
        assert codes(reader.problems)[-1] == "page_failed"
        forbidden = SiteReader(site("test", TABLE | base | {"start": [f"http://{host}/private"]}), net)
        with pytest.raises(FeedError, match="forbids"):
            await forbidden.fixtures()
    assert asked == ["/fixtures", "/gone"]


def test_robots_rules_are_cautious() -> None:
    assert robots.rules(Failure(Trouble.TIMEOUT)).text is None
    assert robots.rules(Reply(301, {}, b"")).text is None
    wish = robots.rules(Reply(200, {}, b"User-agent: *\nRequest-rate: 1/90\n"))
    assert wish.delay_s(SITE) == 90
    assert robots.Rules("").delay_s(SITE) == 15
    assert robots.Rules("User-agent: *\nCrawl-delay: 999999").delay_s(SITE) == robots.LONGEST_DELAY_S


# what a configuration may say


@pytest.mark.parametrize(
    "changes",
    [
        {"contact": ""},
        {"contact": "me\r\nX-Evil: 1@x"},
        {"start": []},
        {"start": ["http://site.test/"]},
        {"start": ["https://user:pw@site.test/"]},
        {"start": ["https://site.test/", "https://other.test/"]},
        {"match_url": "https://site.test/match"},
        {"match_url": "https://other.test/{id}"},
        {"kind": "pdf"},
        {"fixtures": None},
        {"fixtures": {"rows": "//tr", "fields": {"home": "td[1]"}}},
        {"fixtures": {"rows": "//tr[", "fields": {"home": "a", "away": "b"}}},
        {"fixtures": {"rows": "//tr", "fields": {"home": "a", "away": "b", "odds": "c"}}},
        {"fixtures": {"fields": {}}},
        {"events": {"rows": "//li", "fields": {"minute": "b"}}},
        {"kinds": {"x": "explosion"}},
        {"sides": {"x": "left"}},
        {"timezone": "Mars/Olympus"},
        {"delay_s": -1},
        {"delay_s": "soon"},
        {"surprise": 1},
    ],
)
def test_a_configuration_that_would_have_to_be_guessed_is_refused(changes: dict[str, Any]) -> None:
    table = {key: value for key, value in (TABLE | changes).items() if value is not None}
    with pytest.raises(FeedError, match="site test") as caught:
        site("test", table)
    assert caught.value.code == "bad_sites"


def test_sites_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(
        '[club]\ncontact = "bot@futstar.test"\nstart = ["https://club.test/"]\n'
        '[league]\nenabled = true\ncontact = "bot@futstar.test"\nstart = ["https://league.test/"]\n'
    )
    sites = load_sites(file)
    assert {name: found.enabled for name, found in sites.items()} == {"club": False, "league": True}
    file.write_text("[club\n")
    with pytest.raises(FeedError, match="no TOML"):
        load_sites(file)
    file.write_text("club = 1\n")
    with pytest.raises(FeedError, match="no table"):
        load_sites(file)
    with pytest.raises(FeedError, match="cannot read"):
        load_sites(tmp_path / "none")
