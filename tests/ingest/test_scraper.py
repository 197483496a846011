"""Public pages as a fallback: on pages made up for these tests."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, FeedError, Kind, Upsert, score
from ingest.feeds.base import Problem
from ingest.feeds.scraper import ADAPTER, robots
from ingest.feeds.scraper.client import MatchPageSource, SiteReader
from ingest.feeds.scraper.config import Site, load_sites, site
from ingest.feeds.scraper.extract import Fixture, read_page
from ingest.net.fetch import Failure, Reply, Trouble
from ingest.net.network import Network
from ingest.net.plan import Span
from ingest.session import Session
from tests.ingest import virtualtime
from tests.ingest.netkit import KICKOFF_MS, Script, collect, kinds, network
from tests.ingest.test_net_loopback import served

TABLE: dict[str, Any] = {
    "enabled": True,
    "contact": "https://futstar.test/bot",
    "start": ["https://site.test/fixtures"],
    "kind": "html",
    "match_url": "https://site.test/match/{id}",
    "timezone": "Europe/Berlin",
    "kickoff_format": "%d.%m.%Y %H:%M",
    "fixtures": {
        "rows": "//table[@id='fixtures']//tr[td]",
        "empty": "//p[@class='no-matches']",
        "fields": {"id": "@data-id", "home": "td[1]", "away": "td[2]", "kickoff": "td[3]", "competition": "td[4]"},
    },
    "events": {
        "rows": "//ol[@id='events']/li",
        "empty": "//p[@class='no-events']",
        "fields": {"minute": "b", "kind": "@class", "side": "@data-team", "player": "span"},
    },
    "kinds": {"goal": "goal", "yellow": "yellow", "sub": "substitution", "og": "own_goal", "comment": "ignore"},
    "sides": {"h": "home", "a": "away"},
}
SITE = site("test", TABLE)
ROW = "<tr data-id='{0}'><td>FC Home</td><td>{1}</td><td>01.02.2026 18:30</td><td>League</td></tr>"
EVENTS = (
    "<li class='goal' data-team='h'><b>23'</b> <span>Kim  Sued</span></li>"
    "<li class='yellow' data-team='a'><b>45+2'</b> <span>Per West</span></li>"
    "<li class='comment' data-team='h'><b>50'</b> what a game</li>"
    "<li class='sub' data-team='a'><b>46'</b> <span>Ali Neu</span></li>"
    "<li class='og' data-team='h'><b>90+4'</b></li>"
)


def page(*rows: str, events: str = EVENTS, layout: str = "fixtures") -> bytes:
    table = f"<table id='{layout}'>{''.join(rows)}</table>"
    return f"<!doctype html><html><body>{table}<ol id='events'>{events}</ol></body></html>".encode()


def match_page(events: str = EVENTS, layout: str = "fixtures") -> bytes:
    return page(ROW.format("m1", "SV Away"), events=events, layout=layout)


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


# what a page gives


def test_fixtures_are_read_by_the_site_s_mapping() -> None:
    found = read_page(SITE, page(ROW.format("m1", "SV <i>Away</i>")), "u")
    assert found.fixtures == [Fixture("test", "m1", "FC Home", "SV Away", 1_769_967_000_000, "League")]
    assert not found.problems


def test_events_are_read_by_the_site_s_words() -> None:
    found = read_page(SITE, match_page(), "u").events
    assert [(e["kind"], e["side"], e["minute"], e["added"], e["player"]) for e in found] == [
        ("goal", "home", 23, 0, "Kim Sued"),
        ("yellow", "away", 45, 2, "Per West"),
        ("substitution", "away", 46, 0, "Ali Neu"),
        ("own_goal", "home", 90, 4, ""),
    ]


def test_a_page_that_says_there_is_nothing_is_no_changed_page() -> None:
    found = read_page(SITE, b"<html><p class='no-matches'>None today</p><p class='no-events'></p></html>", "u")
    assert (found.fixtures, found.events, found.problems) == ([], [], [])


@pytest.mark.parametrize(
    "body",
    [
        page(ROW.format("m1", "SV Away"), layout="spiele", events=""),
        page("<tr data-id='1'><td>FC Home</td></tr>", ROW.format("m1", "SV Away"), events=""),
        page(ROW.format("m1", "FC Home"), events=""),
        page(ROW.format("m1", "SV Away").replace("01.02.2026 18:30", "Sunday"), events=""),
        b"<html>",
    ],
)
def test_a_changed_layout_is_said_and_nothing_is_invented(body: bytes) -> None:
    found = read_page(SITE, body, "u")
    assert "layout_changed" in codes(found.problems)
    assert found.events == []
    assert found.fixtures == []


def test_one_odd_row_among_many_is_a_problem_of_its_own() -> None:
    rows = [ROW.format(f"m{n}", f"Club {n}") for n in range(9)]
    found = read_page(SITE, page(*rows, "<tr><td>half a row</td></tr>"), "u")
    assert len(found.fixtures) == 9
    assert codes(found.problems) == ["bad_fixture"]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("<li class='corner' data-team='h'><b>5</b></li>", "unknown_type"),
        ("<li class='goal' data-team='x'><b>5</b></li>", "unknown_team"),
        ("<li class='goal' data-team='h'><b>five</b></li>", "bad_event"),
        ("<li class='goal' data-team='h'><b>121</b></li>", "bad_event"),
    ],
)
def test_an_event_that_is_not_understood_is_located(event: str, code: str) -> None:
    found = read_page(SITE, match_page(EVENTS * 2 + event), "u")
    assert codes(found.problems) == [code]
    assert len(found.events) == 8
    assert len({row["id"] for row in found.events}) == 8


JSON_LD = """<html><script type="application/ld+json">{"@graph":[{"@type":["SportsEvent"],"@id":"x1",
"homeTeam":{"@type":"SportsTeam","name":"FC Home"},"awayTeam":[{"name":"SV Away"}],
"startDate":"2026-02-01T18:30:00+01:00",
"eventStatus":"https://schema.org/EventPostponed","superEvent":{"name":"Cup"},"url":"https://site.test/x1"}%s]}</script>
<script type="application/ld+json">not json</script></html>"""


def linked() -> Site:
    return site("ld", {"enabled": True, "contact": "bot@futstar.test", "start": ["https://site.test/"]})


def test_linked_data_is_read_out_of_the_box() -> None:
    found = read_page(linked(), (JSON_LD % "").encode(), "u")
    assert found.fixtures == [
        Fixture("ld", "x1", "FC Home", "SV Away", 1_769_967_000_000, "Cup", "postponed", "https://site.test/x1")
    ]
    assert codes(found.problems) == ["bad_linked_data"]


def test_competitors_without_sides_are_not_guessed() -> None:
    event = '{"@type":"SportsEvent","competitor":[{"name":"A"},{"name":"B"}],"startDate":"2026-02-01T18:30:00Z"}'
    found = read_page(linked(), f"<html><script type='application/ld+json'>{event}</script></html>".encode(), "u")
    assert found.fixtures == []
    assert codes(found.problems) == ["bad_fixture", "layout_changed"]


def test_a_json_page_is_read_by_dotted_paths() -> None:
    table = {
        **{key: TABLE[key] for key in ("enabled", "contact", "start", "kinds", "sides")},
        "kind": "json",
        "fixtures": {
            "rows": "data.days[*].matches[*]",
            "fields": {"id": "id", "home": "home.name", "away": "away.name"},
        },
    }
    body = orjson.dumps({"data": {"days": [{"matches": [{"id": 7, "home": {"name": "A"}, "away": {"name": "B"}}]}]}})
    found = read_page(site("json", table), body, "u")
    assert found.fixtures == [Fixture("json", "7", "A", "B", None)]
    assert codes(read_page(site("json", table), b'{"data":[]}', "u").problems) == ["layout_changed"]


@settings(max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 2000), st.sampled_from([SITE, linked()]))
def test_a_hostile_page_is_a_problem_and_no_crash(noise: bytes, at: int, which: Site) -> None:
    whole = match_page() if which is SITE else (JSON_LD % "").encode()
    at %= len(whole)
    for body in (noise, whole[:at], whole[:at] + noise + whole[at:]):
        found = read_page(which, body, "u")
        assert found.fixtures or found.problems


def test_bombs_and_entities_do_no_harm(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOPSECRET")
    bodies = [
        f"<!DOCTYPE html [<!ENTITY x SYSTEM 'file://{secret}'>]><html><p>&x;</p></html>".encode(),
        b"<div>" * 200_000,
        b'<html><script type="application/ld+json">' + b"[" * 100_000 + b"</script></html>",
        b"<html>" + b"<a b=c>" * 100_000,
        b"x" * (9 << 20),
    ]
    started = time.perf_counter()
    for body in bodies:
        for which in (SITE, linked()):
            found = read_page(which, body, "u")
            assert found.problems
            assert "TOPSECRET" not in repr(found)
    assert time.perf_counter() - started < 10


# what the adapter makes of it


def document(events: list[dict[str, Any]] | None = None) -> bytes:
    match = {"id": "m1", "home": "FC Home", "away": "SV Away", "kickoff_unix_ms": KICKOFF_MS, "competition": "League"}
    rows = read_page(SITE, match_page(), "u").events if events is None else events
    return orjson.dumps({"scraper": 1, "site": "test", "url": "u", "match": match, "events": rows})


def test_coarse_events_are_marked_as_a_fallback_and_follow_the_page() -> None:
    session = Session(ADAPTER, "m1")
    session.document(document(), 1)
    found = session.timeline.events()
    assert [(e.kind, e.period, e.play_ms) for e in found] == [
        (Kind.SHOT, 1, 22 * 60_000),
        (Kind.YELLOW, 1, 46 * 60_000),
        (Kind.SUBSTITUTION, 2, 0),
        (Kind.SHOT, 2, 48 * 60_000),
    ]
    assert score(found) == (2, 0)
    assert all(event.text.startswith("fallback") and event.x is None for event in found)
    assert ADAPTER.feeds_index is False
    session.document(document(read_page(SITE, match_page(), "u").events[1:]), 2)
    assert score(session.timeline.events()) == (1, 0)


@given(
    st.dictionaries(
        st.sampled_from(["id", "kind", "side", "minute", "added", "player", "modified", "deleted"]),
        st.none() | st.integers() | st.text(max_size=9) | st.floats(),
    )
)
def test_no_row_crashes_the_adapter(row: dict[str, Any]) -> None:
    info = ADAPTER.info(orjson.loads(document())["match"])
    for item in ADAPTER.parse(info, row):
        assert isinstance(item, Upsert | Delete | Problem)
    assert isinstance(ADAPTER.key(row), str)


def test_a_kept_document_is_loaded_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(document())
    recorded = ADAPTER.load([tmp_path])
    assert (recorded.info.home.team_id, len(recorded.rows)) == ("name:FC Home", 4)
    assert ADAPTER.matches([tmp_path]) == ["m1"]
    assert set(ADAPTER.sources([tmp_path])) == {"m1"}
    header, messages = ADAPTER.replay([tmp_path], 1)
    assert len(messages) == 4
    assert header.provider == "scraper"
    (tmp_path / "a.json").write_bytes(b"{}")
    with pytest.raises(FeedError):
        ADAPTER.load([tmp_path])
    with pytest.raises(FeedError):
        ADAPTER.load([tmp_path / "a.json"])
    for wrong in (b"{", b"[]", b'{"scraper":1}'):
        with pytest.raises(FeedError):
            ADAPTER.document(wrong)
    with pytest.raises(FeedError):
        ADAPTER.info({})


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


def test_an_event_has_no_more_than_the_page_said() -> None:
    session = Session(ADAPTER, "m1")
    session.document(document(), 1)
    event: Event = session.timeline.events()[0]
    assert (event.xg_e6, event.y, event.player_id, event.big_chance) == (None, None, None, False)
