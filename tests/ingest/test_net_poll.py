"""Polling whole documents, on a virtual clock."""

from __future__ import annotations

import asyncio
import gzip
import random
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.net.backoff import MAX_RETRY_AFTER_MS, Backoff, retry_after_ms
from ingest.net.fetch import Failure, Reply, Trouble
from ingest.net.plan import Address, Auth, Cadence, Endpoint, Phase, Span, Token
from ingest.net.poll import PollCore, PollSource, Then
from ingest.net.secret import Secret
from tests.ingest import virtualtime
from tests.ingest.netkit import JSON, KICKOFF_MS, Chunks, Script, collect, kinds, network, ok, plan_of

Arrivals = list[Arrival]


def poll(script: Script, seconds: float = 10.5, count: int = 10**9, **changes: object) -> Arrivals:
    """Poll the script for that long."""

    async def main() -> Arrivals:
        async with network(script) as net:
            plan = plan_of(**changes)
            return await collect(PollSource(plan, plan.documents[0], net), seconds, count)

    return virtualtime.run(main())


def test_a_document_is_asked_for_once_a_period() -> None:
    script = Script(ok(b'{"a":1}'))
    arrivals = poll(script, 10.5)
    assert script.times == pytest.approx(range(11))
    assert kinds(arrivals) == ["document"] * 11
    assert arrivals[3].body == b'{"a":1}'
    assert arrivals[3].at_ms == KICKOFF_MS + 3_000


def test_slow_answers_neither_shift_the_schedule_nor_overlap() -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(2.3)
        return ok()

    script = Script(slow)
    poll(script, 12)
    assert script.times == pytest.approx([0, 3, 6, 9])  # the grid of whole seconds, slots under way dropped


def test_an_unchanged_document_is_not_sent_twice() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers.get("if-none-match") == '"v1"':
            assert request.headers["if-modified-since"] == "Sat, 11 Sep 2021 18:30:00 GMT"
            return httpx.Response(304)
        return ok(b"{}", etag='"v1"', **{"last-modified": "Sat, 11 Sep 2021 18:30:00 GMT"})

    assert kinds(poll(Script(answer), 3.5)) == ["document", "unchanged", "unchanged", "unchanged"]


def test_a_document_that_was_no_use_is_asked_for_whole_again() -> None:
    async def main() -> None:
        script = Script(ok(b"{}", etag='"v1"'))
        async with network(script) as net:
            plan = plan_of()
            source = PollSource(plan, plan.documents[0], net)
            async for _ in source:
                if len(script.requests) == 2:
                    source.forget()
                if len(script.requests) == 3:
                    break
            await source.close()
        conditional = ["if-none-match" in request.headers for request in script.requests]
        assert conditional == [False, True, False]

    virtualtime.run(main())


def test_unchanged_without_anything_known_is_no_answer() -> None:
    arrivals = poll(Script(httpx.Response(304)), 20)
    assert kinds(arrivals) == ["lost"]
    assert "304" in arrivals[0].note


def test_a_compressed_document_arrives_unpacked() -> None:
    packed = httpx.Response(200, headers=JSON | {"content-encoding": "gzip"}, content=b"")
    packed.headers["content-encoding"] = "gzip"

    def answer(_: httpx.Request) -> httpx.Response:
        body = gzip.compress(b'{"long":' + b"1" * 5000 + b"}")
        return httpx.Response(
            200, headers=JSON | {"content-encoding": "gzip"}, stream=Chunks([(0, body[:9]), (0, body[9:])])
        )

    (arrival,) = poll(Script(answer), count=1)
    assert len(arrival.body) == 5009


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (lambda: httpx.Response(200, headers=JSON | {"content-length": "9"}, stream=Chunks([(0, b"{}")])), "half_body"),
        (
            lambda: httpx.Response(
                200, headers=JSON | {"content-encoding": "gzip"}, stream=Chunks([(0, gzip.compress(b"{}" * 500)[:-9])])
            ),
            "half_body",
        ),
        (
            lambda: httpx.Response(200, headers=JSON, stream=Chunks([(0, httpx.RemoteProtocolError("cut"))])),
            "half_body",
        ),
        (
            lambda: httpx.Response(200, headers=JSON | {"content-encoding": "gzip"}, stream=Chunks([(0, b"plain")])),
            "bad_encoding",
        ),
        (
            lambda: httpx.Response(200, headers=JSON | {"content-encoding": "br"}, stream=Chunks([(0, b"x")])),
            "bad_encoding",
        ),
        (lambda: httpx.Response(200, headers=JSON, stream=Chunks([(0, b"x" * 2000)])), "too_large"),
        (lambda: httpx.Response(200, headers=JSON | {"content-length": "99999999999"}), "too_large"),
        (
            lambda: httpx.Response(
                200, headers=JSON | {"content-encoding": "gzip"}, stream=Chunks([(0, gzip.compress(b"0" * 10**6))])
            ),
            "too_large",
        ),
        (lambda: httpx.ConnectError("no route"), "connect_failed"),
        (lambda: httpx.ReadTimeout("slow"), "timeout"),
        (lambda: httpx.Response(200, headers=JSON, stream=Chunks([(1, b"x")] * 100)), "timeout"),
        (lambda: httpx.Response(302, headers={"location": "https://evil.test/"}), "redirect_refused"),
        (lambda: httpx.Response(302, headers={"location": "http://feed.test/doc"}), "redirect_refused"),
        (lambda: httpx.Response(302, headers={"location": "https://feed.test/doc"}), "redirect_refused"),
        (lambda: httpx.Response(302), "redirect_refused"),
    ],
)
def test_an_answer_that_is_not_whole_and_ours_is_counted_and_asked_again(answer: object, trouble: str) -> None:
    async def main() -> None:
        def broken(_: httpx.Request) -> httpx.Response:
            found = answer()  # type: ignore[operator]
            if isinstance(found, Exception):
                raise found
            return found

        script = Script(*[broken] * (8 if trouble == "redirect_refused" else 1), ok(b'{"good":1}'))
        async with network(script, max_body_bytes=1000) as net:
            plan = plan_of()
            arrivals = await collect(PollSource(plan, plan.documents[0], net), 90, count=3)
            assert net.counts[trouble] >= 1
        good = [arrival for arrival in arrivals if arrival.kind is ArrivalKind.DOCUMENT]
        assert good
        assert all(arrival.body == b'{"good":1}' for arrival in good)

    virtualtime.run(main())


def test_a_redirect_on_the_same_host_is_followed() -> None:
    script = Script(httpx.Response(301, headers={"location": "/elsewhere"}), ok(b"[]"))
    assert poll(script, count=1)[0].body == b"[]"
    assert script.requests[1].url.path == "/elsewhere"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(429),
        httpx.Response(404),
        httpx.Response(418),
        httpx.Response(200, headers={"content-type": "text/html"}, content=b"<h1>Maintenance</h1>"),
        httpx.Response(200, headers=JSON, content=b""),
    ],
)
def test_a_feed_that_fails_is_lost_once_and_restored_once(answer: httpx.Response) -> None:
    healthy_again_s = 20

    def changing(request: httpx.Request) -> httpx.Response:
        now_s = asyncio.get_running_loop().time()
        if 2 < now_s < healthy_again_s:
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return ok()

    arrivals = poll(Script(changing), 60)
    found = kinds(arrivals)
    assert found.count("lost") == 1
    assert found.count("restored") == 1
    lost, restored = found.index("lost"), found.index("restored")
    assert found[restored - 1] == "document"
    assert restored == lost + 2
    # Good answers at 0, 1, 2 s: lost 5 s after the last.
    assert arrivals[lost].at_ms - KICKOFF_MS == pytest.approx(7_000, abs=50)
    assert arrivals[restored].at_ms - KICKOFF_MS <= healthy_again_s * 1000 + 30_000


def test_retries_grow_apart_and_never_bunch() -> None:
    script = Script(httpx.Response(500))
    poll(script, 120)
    assert 8 <= len(script.times) <= 40


def test_the_server_s_wish_to_wait_is_granted() -> None:
    script = Script(httpx.Response(429, headers={"retry-after": "7"}), ok())
    poll(script, 9)
    assert script.times[1] == pytest.approx(7)


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    unix_ms = int(now.timestamp() * 1000)
    assert retry_after_ms("120", unix_ms) == 120_000
    assert retry_after_ms(format_datetime(now.replace(minute=2), usegmt=True), unix_ms) == 120_000
    assert retry_after_ms(format_datetime(now.replace(year=2025), usegmt=True), unix_ms) == 0
    assert retry_after_ms("99999999999999999999", unix_ms) == MAX_RETRY_AFTER_MS
    assert retry_after_ms(None, unix_ms) == 0


@given(st.text(max_size=40))
def test_a_senseless_retry_after_asks_for_nothing_dangerous(value: str) -> None:
    assert 0 <= retry_after_ms(value, 0) <= MAX_RETRY_AFTER_MS


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_a_backoff_stays_below_its_doubling_ceiling(seed: int, failures: int) -> None:
    backoff = Backoff(random.Random(seed), base_ms=100, cap_ms=5_000)
    for number in range(failures):
        assert 0 <= backoff.next_ms() <= min(5_000, 100 * 2**number)
    backoff.reset()
    assert backoff.next_ms() <= 100


def test_before_kick_off_a_missing_document_is_no_loss() -> None:
    script = Script(httpx.Response(404))
    arrivals = poll(script, 600, span=Span(KICKOFF_MS + 3_600_000))
    assert set(kinds(arrivals)) == {"heartbeat"}
    assert len(script.times) == 10  # once a minute


def test_the_cadence_follows_the_match_and_the_feed_ends() -> None:
    span = Span(KICKOFF_MS + 120_000, lead_ms=0, play_ms=60_000, after_ms=30_000)
    script = Script(ok())
    arrivals = poll(script, 10_000, span=span)
    times = [(arrival.at_ms - KICKOFF_MS) // 1000 for arrival in arrivals]
    assert [t for t in times if t < 120] == [0, 60]
    assert [t for t in times if 120 <= t < 180] == list(range(120, 180))
    assert [t for t in times if t >= 180] == [180, 190, 200]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_the_feed_with_a_clear_word(status: int) -> None:
    script = Script(httpx.Response(status))
    with pytest.raises(FeedError, match="refuses doc") as caught:
        poll(script, 60)
    assert caught.value.code == "credentials_refused"
    assert len(script.requests) == 2


def token_auth() -> Auth:
    """A token by the outlet's signature."""
    secrets = {"key": Secret("outlet-key"), "secret": Secret("outlet-secret")}
    return Auth(token=Token(Address("https://feed.test/token"), "sha512_timestamp", secrets, {"grant_type": "x"}))


def test_a_token_is_fetched_once_renewed_once_after_a_refusal_and_before_it_expires() -> None:
    issued: list[float] = []
    revoked: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            issued.append(asyncio.get_running_loop().time())
            assert request.headers["authorization"].startswith("Basic ")
            assert len(request.headers["timestamp"]) == 13
            return ok(b'{"access_token":"token-%d","expires_in":600}' % len(issued))
        if request.headers["authorization"].removeprefix("Bearer ") in revoked:
            return httpx.Response(401)
        if asyncio.get_running_loop().time() > 99.5:
            revoked.add("token-1")
        return ok()

    arrivals = poll(Script(answer), 700, auth=token_auth())
    assert issued == pytest.approx([0, 101, 641])  # first need, refusal, a minute before the second one's end
    assert set(kinds(arrivals)) == {"document"}


def test_a_token_server_that_is_down_is_a_loss_and_no_stop() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            if asyncio.get_running_loop().time() < 30:
                return httpx.Response(503)
            return ok(b'{"access_token":"token"}')
        return ok()

    found = kinds(poll(Script(answer), 90, auth=token_auth()))
    assert found[0] == "lost"
    assert "restored" in found


def test_a_refused_token_stops_the_feed() -> None:
    with pytest.raises(FeedError) as caught:
        poll(Script(httpx.Response(400, headers=JSON, content=b'{"error":"invalid_client"}')), 90, auth=token_auth())
    assert caught.value.code == "token_refused"


def test_closing_ends_an_iteration_that_waits_for_an_answer() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(10**6)
        return ok()

    async def main() -> float:
        async with network(Script(never)) as net:
            plan = plan_of()
            source = PollSource(plan, plan.documents[0], net)
            asyncio.get_running_loop().call_later(2, lambda: asyncio.ensure_future(source.close()))
            async for _ in source:
                pass
            return asyncio.get_running_loop().time()

    assert virtualtime.run(main()) == pytest.approx(2)


ANSWERS = st.one_of(
    st.builds(
        Reply,
        st.sampled_from([200, 204, 206, 304, 400, 401, 403, 404, 410, 429, 500, 502, 999]),
        st.dictionaries(
            st.sampled_from(["etag", "content-type", "retry-after", "last-modified"]), st.text(max_size=30)
        ),
        st.binary(max_size=10),
    ),
    st.builds(Failure, st.sampled_from(Trouble), st.text(max_size=20)),
)


@given(st.lists(st.tuples(ANSWERS, st.sampled_from(Phase), st.integers(0, 60_000)), max_size=40), st.integers())
def test_whatever_comes_the_core_waits_a_sane_time_and_never_loops(
    steps: list[tuple[Reply | Failure, Phase, int]], seed: int
) -> None:
    endpoint = Endpoint("doc", Address("https://feed.test/"), Cadence(60_000, 1_000, 30_000))
    core = PollCore(endpoint, Backoff(random.Random(seed)), 0)
    now_ms, renewals = 0, 0
    for answer, phase, took_ms in steps:
        now_ms += took_ms
        verdict = core.answered(answer, phase, now_ms, 0)
        assert 0 <= verdict.wait_ms <= MAX_RETRY_AFTER_MS
        if verdict.kind is not None:
            assert 0 < verdict.wait_ms <= endpoint.cadence.of(phase)
            assert (now_ms + verdict.wait_ms) % endpoint.cadence.of(phase) == 0
        renewals = renewals + 1 if verdict.then is Then.RENEW else (renewals if isinstance(answer, Failure) else 0)
        assert renewals <= 1
        if verdict.then is Then.STOP:
            break
