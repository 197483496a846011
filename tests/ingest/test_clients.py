"""What each provider's plan asks for, and Sportradar's from end to end against a local server."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from importlib import import_module
from types import ModuleType

import orjson
import pytest
from aiohttp import web

from ingest.events import FeedError, score
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.opta import client as opta
from ingest.feeds.sportradar import ADAPTER as SPORTRADAR
from ingest.feeds.sportradar import client as sportradar
from ingest.feeds.statsperform import client as statsperform
from ingest.net.arrival import ArrivalKind
from ingest.net.fleet import open_source
from ingest.net.network import Network
from ingest.net.plan import FeedPlan, Phase, Transport
from ingest.net.push import Message
from ingest.net.secret import Credentials, Secret, credentials
from ingest.session import Session
from tests.ingest import sportradar_synthetic as synthetic
from tests.ingest.test_net_loopback import served

PROVIDERS = ("statsperform", "opta", "statsbomb", "wyscout", "datafactory", "sportradar")
FIELDS = {"outlet": "outlet-key-1", "secret": "secret-key-2", "user": "user-name-3", "password": "pass-word-4"}
SETTINGS = {"tournament": "mundial"}
KICKOFF_MS = 1_700_000_000_000


def given(provider: str, **settings: str) -> Credentials:
    fields = {name: Secret(value) for name, value in FIELDS.items()} | {"key": Secret("the-key-5")}
    return Credentials(provider, fields, SETTINGS | settings)


def client(provider: str) -> ModuleType:
    return import_module(f"ingest.feeds.{provider}.client")


def plan(provider: str, match_id: str = "abc123", **settings: str) -> FeedPlan:
    found: FeedPlan = client(provider).plan(match_id, given(provider, **settings), KICKOFF_MS)
    return found


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_plan_says_all_and_shows_no_secret(provider: str) -> None:
    made = plan(provider)
    assert (made.provider, made.match_id) == (provider, "abc123")
    assert made.span.phase(KICKOFF_MS) is Phase.IN_PLAY
    assert made.pages
    assert made.unverified
    assert made.secrets()
    for endpoint in made.documents:
        address = endpoint.address.reveal()
        assert address.startswith("https://")
        assert "abc123" in address
        assert endpoint.cadence.play_ms <= endpoint.cadence.before_ms
    for secret in made.secrets():
        assert secret.reveal() not in repr(made)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_plan_without_credentials_says_what_to_set(provider: str) -> None:
    with pytest.raises(FeedError) as caught:
        client(provider).plan("abc123", Credentials(provider, {}, SETTINGS), KICKOFF_MS)
    assert caught.value.code == "no_credentials"
    assert f"FUTSTAR_FEED_{provider.upper()}_" in str(caught.value)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_match_id_that_is_an_address_is_refused(provider: str) -> None:
    for match_id in ("../admin", "a?b=c", "a/b", "{outlet}", ""):
        with pytest.raises(FeedError):
            plan(provider, match_id)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "base",
    [
        "http://feed.test",
        "ftp://x",
        "https://user@feed.test",
        "https://feed.test/?a=b",
        "https://{x}",
        "http://127.0.0.1.feed.test/x",  # begins like this machine and is none
        "http://localhost.feed.test",
        "http://127.0.0.1:80feed",
    ],
)
def test_keys_go_over_tls_or_to_this_machine_only(provider: str, base: str) -> None:
    with pytest.raises(FeedError) as caught:
        plan(provider, base=base)
    assert caught.value.code == "bad_base"
    assert plan(provider, base="http://127.0.0.1:8080/x/").provider == provider


def test_the_contract_s_limits_stand_in_the_settings() -> None:
    made = plan("wyscout", per_s="3.5", burst="2", per_day="1000", per_month="20000").budget
    assert (made.per_s, made.burst, made.per_day, made.per_month) == (3.5, 2, 1000, 20_000)
    for wrong in ({"per_s": "fast"}, {"per_day": "1.5"}, {"per_s": "0"}, {"burst": "0"}):
        with pytest.raises(FeedError) as caught:
            plan("wyscout", **wrong)
        assert caught.value.code == "bad_budget"


def test_the_addresses_are_the_published_ones() -> None:
    assert plan("statsperform").documents[0].address.reveal() == (
        "https://api.performfeeds.com/soccerdata/matchevent/outlet-key-1/abc123?_rt=b&_fmt=json"
    )
    assert "_fmt=xml" in plan("statsperform", format="xml").documents[0].address.reveal()
    fixture = statsperform.fixture_plan("abc123", given("statsperform"), KICKOFF_MS)
    assert "/soccerdata/match/" in fixture.documents[0].address.reveal()
    assert plan("statsbomb").documents[0].address.reveal() == "https://data.statsbombservices.com/api/v10/events/abc123"
    assert plan("statsbomb", version="v9").documents[0].address.reveal().endswith("/v9/events/abc123")
    assert "canal=deportes.futbol.mundial.ficha.abc123" in plan("datafactory").documents[0].address.reveal()
    assert opta.fixture_plan("7", given("opta"), KICKOFF_MS).documents[0].address.reveal().endswith("feed_type=f9")
    made = plan("sportradar", "sr:sport_event:7", access="trial")
    assert made.push is not None
    assert made.push.address.reveal().startswith("https://api.sportradar.com/soccer/trial/v4/stream/events/subscribe?")
    assert made.push.silence_ms == 12_500
    assert not made.feeds_index
    assert plan("sportradar", push="no").transport is Transport.POLL


@pytest.mark.parametrize(
    ("provider", "settings", "code"),
    [
        ("statsbomb", {"version": "../x"}, "bad_version"),
        ("sportradar", {"access": "root"}, "bad_access"),
        ("datafactory", {"tournament": "a/b"}, "bad_match_id"),
    ],
)
def test_a_wrong_setting_is_named(provider: str, settings: dict[str, str], code: str) -> None:
    with pytest.raises(FeedError) as caught:
        plan(provider, **settings)
    assert caught.value.code == code


def test_opta_s_files_are_awaited_in_a_folder() -> None:
    made = client("opta").plan("1009316", Credentials("opta", {}, {"folder": "/srv/opta"}), KICKOFF_MS)
    assert made.transport is Transport.FILES
    assert "f24-*-1009316-eventdetails.xml" in opta.patterns("1009316")


async def test_stats_perform_s_token_is_signed_and_its_match_is_read() -> None:
    body = default_match_paths()[1].read_bytes()
    match_id = orjson.loads(body)["matchInfo"]["id"]
    seen: list[str] = []

    async def token(request: web.Request) -> web.Response:
        stamp = request.headers["Timestamp"]
        expected = hashlib.sha512(f"outlet-key-1{stamp}secret-key-2".encode()).hexdigest()
        assert request.headers["Authorization"] == f"Basic {expected}"
        assert dict(await request.post()) == {"grant_type": "client_credentials", "scope": "b2b-feeds-auth"}
        return web.json_response({"access_token": "bearer-token", "expires_in": 3600})

    async def events(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(body=body, content_type="application/json", headers={"ETag": '"1"'})

    app = web.Application()
    app.router.add_post("/oauth/token/outlet-key-1", token)
    app.router.add_get(f"/soccerdata/matchevent/outlet-key-1/{match_id}", events)
    async with served(app) as host, Network(now_ms, random.Random(1)) as net:
        made = statsperform.plan(match_id, given("statsperform", base=f"http://{host}"), now_ms())
        source = open_source(made, net)
        session = Session(adapter("statsperform"), match_id)
        async for arrival in source:
            assert arrival.kind is ArrivalKind.DOCUMENT
            session.document(arrival.body, arrival.at_ms)
            break
        await source.close()
    assert seen == ["Bearer bearer-token"]
    assert score(session.timeline.events()) == (2, 1)


def now_ms() -> int:
    return int(time.time() * 1000)


async def test_sportradar_s_line_and_document_make_the_match() -> None:
    done = asyncio.Event()

    async def subscribe(request: web.Request) -> web.Response:
        assert request.query["sport_event_id"] == synthetic.MATCH
        return web.Response(status=302, headers={"Location": "/pushed"})

    async def pushed(request: web.Request) -> web.StreamResponse:
        assert request.headers["x-api-key"] == "the-key-5"
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"heartbeat":{"from":1,"to":6,"interval":5,"type":"events","package":"soccer-v4"}}')
        for row in synthetic.TIMELINE[10:]:
            await response.write(orjson.dumps(synthetic.message(row), option=orjson.OPT_INDENT_2))
        await done.wait()
        return response

    async def timeline(_: web.Request) -> web.Response:
        return web.json_response(synthetic.document(synthetic.TIMELINE[:10]))

    app = web.Application()
    app.router.add_get("/soccer/production/v4/stream/events/subscribe", subscribe)
    app.router.add_get("/pushed", pushed)
    app.router.add_get(f"/soccer/production/v4/en/sport_events/{synthetic.MATCH}/timeline.json", timeline)
    async with served(app) as host, Network(now_ms, random.Random(1)) as net:
        made = sportradar.plan(synthetic.MATCH, given("sportradar", base=f"http://{host}", per_s="50"), now_ms())
        source = open_source(made, net, sportradar.classify)
        session = Session(SPORTRADAR, synthetic.MATCH)
        held: list[bytes] = []
        async for arrival in source:
            if arrival.kind is ArrivalKind.DOCUMENT:
                session.document(arrival.body, arrival.at_ms)
            held += arrival.body.splitlines() if arrival.kind is ArrivalKind.FRAGMENTS else []
            if session.info is not None:
                for line in held:
                    session.fragment(orjson.loads(line), arrival.at_ms)
                held.clear()
            if any(event.event_id == "26" for event in session.timeline.events()):
                break
        done.set()
        await source.close()
    assert score(session.timeline.events()) == (2, 1)


@pytest.mark.parametrize(
    ("doc", "kind"),
    [
        ({"heartbeat": {"interval": 5}}, Message.HEARTBEAT),
        (synthetic.message(synthetic.TIMELINE[3]), Message.FRAGMENT),
        (synthetic.message(synthetic.TIMELINE[3], "sr:sport_event_id:1"), Message.OTHER_MATCH),
        ({"payload": {"statistics": {}}}, Message.UNKNOWN),
        ({"heartbeat": 1}, Message.UNKNOWN),
        ([], Message.UNKNOWN),
    ],
)
def test_messages_of_the_line_are_told_apart(doc: object, kind: str) -> None:
    assert sportradar.classify(doc, synthetic.MATCH) == kind


def test_credentials_of_the_environment_make_a_plan() -> None:
    env = {"FUTSTAR_FEED_SPORTRADAR_KEY": "the-key-5", "FUTSTAR_FEED_SPORTRADAR_ACCESS": "trial"}
    assert sportradar.plan(synthetic.MATCH, credentials("sportradar", env), KICKOFF_MS).provider == "sportradar"
