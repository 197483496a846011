"""Lines that stay open: heartbeats, breaks, recovery by the document; on a virtual clock."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import Callable

import httpx
import orjson
import pytest

from ingest.events import FeedError
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.net.fleet import open_source
from ingest.net.line import LineError
from ingest.net.plan import Address, Auth, Span, Token, Transport
from ingest.net.push import Message, PushCore, PushSource
from ingest.net.secret import Secret
from tests.ingest import virtualtime
from tests.ingest.netkit import KICKOFF_MS, Chunks, Handler, Script, collect, kinds, network, ok, plan_of, push_plan

BEAT = b'{"heartbeat":{}}\n'


def classify(doc: object, match_id: str) -> str:
    """A made-up provider: heartbeats, and events with the match's id."""
    assert isinstance(doc, dict)
    if "heartbeat" in doc:
        return Message.HEARTBEAT
    if "id" not in doc:
        return Message.UNKNOWN
    return Message.FRAGMENT if doc.get("match", match_id) == match_id else Message.OTHER_MATCH


def event(number: int, **fields: object) -> bytes:
    """One pushed event."""
    return orjson.dumps({"id": number} | fields) + b"\n"


def beats(seconds: float) -> list[tuple[float, bytes | Exception]]:
    """A heartbeat every 5 s."""
    return [(5.0, BEAT)] * int(seconds // 5)


class Provider:
    """A document and a line; ``lines`` says what each connection brings."""

    def __init__(self, *lines: Callable[[], httpx.Response], document: Handler | None = None) -> None:
        self.lines = list(lines)
        self.opened: list[float] = []
        self.fetched: list[float] = []
        self.document = document or (lambda _: ok(b'{"doc":%d}' % len(self.fetched)))
        self.script = Script(self.answer)

    def answer(self, request: httpx.Request) -> object:
        now = asyncio.get_running_loop().time()
        if request.url.path == "/doc":
            self.fetched.append(now)
            return self.document(request)
        self.opened.append(now)
        return self.lines[min(len(self.opened), len(self.lines)) - 1]()

    def run(self, seconds: float, **changes: object) -> tuple[list[Arrival], dict[str, int]]:
        async def main() -> tuple[list[Arrival], dict[str, int]]:
            async with network(self.script) as net:
                source = open_source(push_plan(**changes), net, classify)
                return await collect(source, seconds), dict(net.counts)

        return virtualtime.run(main())


def line(*pieces: tuple[float, bytes | Exception], hang: bool = False, **headers: str) -> Callable[[], httpx.Response]:
    """A response of these pieces."""
    return lambda: httpx.Response(200, headers=headers, stream=Chunks(pieces, hang))


def test_messages_come_as_they_are_pushed_and_the_document_first_of_all() -> None:
    provider = Provider(line((1.0, event(1)), (0.5, event(2)[:5]), (0.5, event(2)[5:] + event(3)), *beats(30)))
    arrivals, counts = provider.run(25)
    assert kinds(arrivals)[:3] == ["document", "fragments", "fragments"]
    assert arrivals[1].body == event(1)
    assert arrivals[2].body == event(2) + event(3)
    assert arrivals[2].at_ms == KICKOFF_MS + 2_000
    assert arrivals[-1].kind is ArrivalKind.HEARTBEAT
    assert counts["push_fragment"] == 3


def test_a_lost_heartbeat_makes_the_feed_lost_and_the_document_restores_it() -> None:
    provider = Provider(line(*beats(20), hang=True), line(*beats(600)))
    arrivals, counts = provider.run(60)
    found = kinds(arrivals)
    lost = found.index("lost")
    assert arrivals[lost].at_ms - KICKOFF_MS == 32_500  # 20 s, and two heartbeats and a half
    assert "no heartbeat" in arrivals[lost].note
    assert counts["heartbeat_lost"] == 1
    restored = found.index("restored")
    assert found[restored - 1] == "document"
    assert 2_500 < arrivals[restored].at_ms - arrivals[lost].at_ms <= 3_100
    assert found.count("lost") == found.count("restored") == 1


@pytest.mark.parametrize(
    "broken",
    [
        line((1.0, event(1))),
        line((1.0, httpx.ReadError("reset"))),
        line((1.0, httpx.RemoteProtocolError("incomplete chunked read"))),
        line((1.0, b"not gzip"), **{"content-encoding": "gzip"}),
        lambda: httpx.Response(503),
        lambda: httpx.Response(302, headers={"location": "https://evil.test/stream"}),
        lambda: httpx.Response(302, headers={"location": "http://push.test/stream"}),
    ],
)
def test_whatever_breaks_a_line_it_is_opened_again(broken: Callable[[], httpx.Response]) -> None:
    provider = Provider(broken, line(*beats(600)))
    arrivals, _ = provider.run(30)
    found = kinds(arrivals)
    assert found.count("lost") == 1
    assert found.count("restored") == 1
    assert found.index("lost") < found.index("restored")
    assert len(provider.opened) == 2


def test_a_line_that_never_opens_is_tried_at_growing_intervals() -> None:
    provider = Provider(lambda: httpx.Response(500))
    arrivals, _ = provider.run(600)
    assert kinds(arrivals) == ["lost"]
    assert 20 <= len(provider.opened) <= 120


def test_the_server_s_wish_to_wait_is_granted_by_the_line_too() -> None:
    provider = Provider(lambda: httpx.Response(429, headers={"retry-after": "40"}), line(*beats(60)))
    provider.run(60)
    assert provider.opened[1] >= 40


def test_the_provider_s_push_host_is_followed_with_the_key() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/doc":
            return ok()
        assert request.headers["x-api-key"] == "the-key-itself"
        if request.url.host == "feed.test":
            return httpx.Response(302, headers={"location": "https://eu1.push.test/s?id=7"})
        return httpx.Response(200, stream=Chunks([(0, event(1))], hang=True))

    provider = Provider()
    provider.script = Script(answer)
    arrivals, _ = provider.run(3, auth=Auth(headers={"x-api-key": Secret("the-key-itself")}))
    assert "fragments" in kinds(arrivals)
    assert "https://eu1.push.test/s?id=7" in [str(request.url) for request in provider.script.requests]


def test_other_matches_garbage_and_oversize_messages_are_counted_and_not_handed_on() -> None:
    big = b'{"id":1,"text":"' + b"x" * (5 << 20) + b'"}\n'
    provider = Provider(
        line((1, event(1, match="m2")), (1, b'[1]\n"x"\n{"odd":1}\n'), (1, big), (1, event(9)), *beats(9))
    )
    arrivals, counts = provider.run(8)
    assert [a.body for a in arrivals if a.kind is ArrivalKind.FRAGMENTS] == [event(9)]
    assert (counts["push_other_match"], counts["push_unknown"]) == (1, 1)
    assert counts["push_dropped"] >= 2


def test_garbage_without_heartbeats_keeps_no_line_alive() -> None:
    provider = Provider(line(*[(1.0, b"\n")] * 100))
    arrivals, _ = provider.run(14)
    assert "no heartbeat" in next(a for a in arrivals if a.kind is ArrivalKind.LOST).note


def test_a_compressed_line_is_unpacked_as_it_comes() -> None:
    packer = __import__("zlib").compressobj(wbits=31)
    first = packer.compress(event(1)) + packer.flush(2)
    provider = Provider(
        line((1, first), (1, packer.compress(event(2)) + packer.flush()), **{"content-encoding": "gzip"})
    )
    arrivals, _ = provider.run(2.5)
    assert b"".join(a.body for a in arrivals if a.kind is ArrivalKind.FRAGMENTS) == event(1) + event(2)
    assert gzip  # the same format


def test_a_document_older_than_the_last_message_is_not_believed() -> None:
    # Messages until 3 s, then quiet: documents asked for within 2.5 s of one may lack its event.
    provider = Provider(line((0.0, event(1)), *[(1.0, event(n)) for n in range(2, 5)], *beats(60)))
    arrivals, counts = provider.run(20)
    first, settled = [a for a in arrivals if a.kind is ArrivalKind.DOCUMENT]
    assert first.at_ms == KICKOFF_MS  # it can withdraw nothing
    assert settled.at_ms - KICKOFF_MS == 7_500
    assert counts["document_unsettled"] == 3
    assert not [a for a in arrivals if a.note.startswith("told again")]


def test_on_a_line_that_is_never_quiet_the_document_comes_with_the_messages_after_it() -> None:
    provider = Provider(line(*[(1.0, event(n)) for n in range(1, 60)]))
    arrivals, _ = provider.run(30)
    found = kinds(arrivals)
    at = found.index("document", found.index("document") + 1)
    assert arrivals[at].at_ms - KICKOFF_MS == 10_000  # four waits of 2.5 s
    again = arrivals[at + 1]
    assert again.note.startswith("told again")
    assert {orjson.loads(text)["id"] for text in again.body.splitlines()} == {8, 9, 10}


def test_the_document_is_compared_once_a_minute_and_an_unchanged_one_is_not_sent() -> None:
    def document(request: httpx.Request) -> httpx.Response:
        return httpx.Response(304) if "if-none-match" in request.headers else ok(b"{}", etag="e")

    provider = Provider(line((70.0, event(1)), *beats(600)), document=document)
    arrivals, _ = provider.run(250, beat_ms=60_000)
    assert provider.fetched == pytest.approx([0, 2.5, 62.5, 122.5, 182.5, 242.5], abs=0.01)
    # After a message the document is asked for whole: an unchanged one would mean that the message is withdrawn.
    checks = [a.kind.value for a in arrivals if a.kind in (ArrivalKind.DOCUMENT, ArrivalKind.UNCHANGED)]
    assert checks == ["document", "document", "unchanged", "document", "unchanged", "unchanged"]


def test_a_document_that_is_not_to_be_had_leaves_the_line_open_and_the_feed_lost() -> None:
    down = [True]

    def document(_: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if down[0] and asyncio.get_running_loop().time() < 60 else ok()

    provider = Provider(line((1.0, httpx.ReadError("reset"))), line((2.0, event(5)), *beats(600)), document=document)
    arrivals, _ = provider.run(120)
    found = kinds(arrivals)
    assert found[0] == "lost"
    assert "fragments" in found[: found.index("restored")]  # what is pushed is handed on meanwhile
    assert len(provider.opened) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_line_refused_twice_stops_the_feed(status: int) -> None:
    provider = Provider(lambda: httpx.Response(status))
    with pytest.raises(FeedError) as caught:
        provider.run(100)
    assert caught.value.code == "credentials_refused"
    assert len(provider.opened) == 2


def test_a_refused_line_gets_a_new_token_and_goes_on() -> None:
    issued = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal issued
        if request.url.path == "/token":
            issued += 1
            return ok(b'{"access_token":"token-%d"}' % issued)
        if request.headers["authorization"] == "Bearer token-1":
            return httpx.Response(401)
        return ok() if request.url.path == "/doc" else httpx.Response(200, stream=Chunks([(0, event(1))], hang=True))

    token = Token(
        Address("https://feed.test/token"), "client_credentials", {"key": Secret("abcd"), "secret": Secret("efgh")}
    )
    provider = Provider()
    provider.script = Script(answer)
    arrivals, counts = provider.run(10, auth=Auth(token=token))
    assert "fragments" in kinds(arrivals)
    assert (issued, counts["token_renewed"]) == (2, 1)


def test_the_feed_ends_with_the_match() -> None:
    provider = Provider(line(*beats(10_000)))
    span = Span(KICKOFF_MS, play_ms=300_000, after_ms=100_000)
    arrivals, _ = provider.run(10**6, span=span)
    assert 400_000 <= arrivals[-1].at_ms - KICKOFF_MS <= 470_000


def test_only_the_messages_that_a_document_may_lack_are_kept() -> None:
    core = PushCore("m1", classify, settle_ms=2_500)
    for second in range(600):
        core.sort([event(second)], second * 1000)
    assert len(core.recent) == 61
    assert core.since(599_000) == event(597) + event(598) + event(599)
    assert not core.settled(599_000)
    assert core.settled(601_500)


def test_a_slow_consumer_loses_nothing() -> None:
    provider = Provider(line(*[(0.001, event(n)) for n in range(5_000)], *beats(100)))

    async def main() -> list[int]:
        async with network(provider.script) as net:
            source = PushSource(push_plan(), net, classify)
            seen: list[int] = []
            async for arrival in source:
                await asyncio.sleep(0.005)
                if arrival.kind is ArrivalKind.FRAGMENTS and not arrival.note:
                    seen += [orjson.loads(text)["id"] for text in arrival.body.splitlines()]
                if len(seen) >= 5_000:
                    break
            await source.close()
            return seen

    assert virtualtime.run(main()) == list(range(5_000))


def test_with_random_breaks_the_feed_is_always_lost_before_it_is_restored() -> None:
    for seed in range(8):
        rng = random.Random(seed)

        def noisy(rng: random.Random = rng) -> httpx.Response:
            if rng.random() < 0.3:
                return httpx.Response(rng.choice([500, 502, 429, 404]))
            pieces = [(rng.uniform(0, 8), BEAT if rng.random() < 0.6 else event(rng.randrange(99))) for _ in range(20)]
            return httpx.Response(200, stream=Chunks(pieces, hang=rng.random() < 0.5))

        arrivals, _ = Provider(noisy).run(3_600)
        state = [kind for kind in kinds(arrivals) if kind in ("lost", "restored")]
        assert state[::2] == ["lost"] * len(state[::2])
        assert state[1::2] == ["restored"] * len(state[1::2])
        assert len(state) > 10


def test_a_plan_without_a_document_to_recover_from_is_refused() -> None:
    async def main() -> None:
        async with network(Script(ok())) as net:
            with pytest.raises(FeedError):
                PushSource(push_plan(documents=()), net, classify)
            with pytest.raises(FeedError):
                open_source(plan_of(transport=Transport.FILES), net)

    virtualtime.run(main())


def test_a_line_of_another_kind_is_opened_by_its_opener() -> None:
    class Fixed:
        def __init__(self) -> None:
            self.answers: list[list[bytes] | None] = [None, [event(1)]]

        async def receive(self) -> list[bytes] | None:
            await asyncio.sleep(1)
            if not self.answers:
                raise LineError("over")
            return self.answers.pop(0)

        async def close(self) -> None:
            self.answers = []

    async def opener(*_: object) -> Fixed:
        return Fixed()

    async def main() -> list[str]:
        async with network(Script(ok())) as net:
            return kinds(await collect(PushSource(push_plan(), net, classify, opener=opener), 2.5))

    assert virtualtime.run(main()) == ["document", "heartbeat", "fragments"]  # and the line waits
