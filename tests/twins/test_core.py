"""What a twin answers: the provider's own format, and every fault as it is promised."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace

import orjson
import pytest

from ingest.events import FeedError
from ingest.feeds import ADAPTERS, Recorded
from ingest.session import Outcome, Session
from ingest.twin.core import Answer, Request, Twin
from ingest.twin.faults import HELL, OF_ANSWERS, ROUGH, Fault, Faults, Ledger
from ingest.twin.forms import form
from ingest.twin.script import unversioned, write

NONE = Faults()
EVENTS = "/feed/events"


def twin_of(recorded: Recorded, faults: Faults = NONE, seed: int = 1, **more: object) -> Twin:
    ledger = Ledger()
    script = write(ADAPTERS[recorded.info.provider], recorded, faults, seed, ledger)
    ledger.entries.clear()
    return Twin(script, faults, seed, ledger, **more)  # type: ignore[arg-type]


def ask(twin: Twin, at_ms: int, tag: str = "", **headers: str) -> Answer:
    return twin.answer(Request(EVENTS, {"if-none-match": tag, **headers}), at_ms)


def only(kind: Fault) -> Faults:
    return replace(NONE, **{kind.value: 1.0})


def test_a_document_is_read_by_its_adapter_and_grows_with_the_match(recorded: Recorded) -> None:
    twin = twin_of(recorded)
    adapter = ADAPTERS[recorded.info.provider]
    sizes = []
    for at_ms in range(120_000, twin.script.end_ms + 1, (twin.script.end_ms - 120_000) // 5):
        document = adapter.document(ask(twin, at_ms).body)
        assert document.match_id in ("", recorded.info.match_id)
        assert not document.problems
        sizes.append(len(document.rows))
    assert sizes == sorted(sizes)
    assert sizes[-1] >= len(recorded.rows) * 0.99


def test_a_session_that_polls_a_calm_twin_ends_with_the_truth(recorded: Recorded) -> None:
    twin = twin_of(recorded, ROUGH.scaled(0))
    session = Session(twin.script.adapter, recorded.info.match_id, recorded.info)
    for at_ms in range(120_000, twin.script.end_ms + 120_000, 120_000):
        session.document(ask(twin, at_ms).body, twin.script.start_unix_ms + at_ms)
    assert unversioned(session.timeline.events()) == twin.script.truth()
    assert not {"broken", "older", "bad_event", "shrunk_document"} & set(session.counts)


def test_what_the_client_has_is_not_sent_again(recorded: Recorded) -> None:
    twin = twin_of(recorded)
    first = ask(twin, 600_000)
    again = ask(twin, 600_000, first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert ask(twin, 1_200_000, first.headers["ETag"]).status == 200


def test_gzip_is_sent_to_whom_it_is_offered(recorded: Recorded) -> None:
    twin = twin_of(recorded, packed=True)
    packed = ask(twin, 600_000, **{"accept-encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == ask(twin, 600_000).body


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/events", {}, 401),
        ("/events?key=s3cret-one", {}, 200),
        ("/s3cret-one/events", {}, 200),
        ("/events", {"authorization": "Bearer s3cret-one"}, 200),
        ("/events", {"authorization": "Basic " + base64.b64encode(b"me:s3cret-one").decode()}, 200),
        ("/events", {"authorization": "Basic no base 64"}, 401),
        ("/events", {"x-api-key": "s3cret-one"}, 200),
        ("/events", {"x-api-key": "s3cret-two"}, 401),
    ],
)
def test_only_who_brings_the_credential_is_answered(
    hsv: Recorded, target: str, headers: dict[str, str], status: int
) -> None:
    twin = twin_of(hsv, secret="s3cret-one")
    assert twin.answer(Request(target, headers), 60_000).status == status
    assert twin.refused == (status == 401)


@pytest.mark.parametrize("kind", OF_ANSWERS)
def test_each_fault_of_an_answer_is_what_its_name_says(recorded: Recorded, kind: Fault) -> None:
    twin = twin_of(recorded, only(kind), seed=4)
    calm = twin_of(recorded, NONE, seed=4)
    at_ms = 2_000_000
    whole = ask(calm, at_ms)
    answer = ask(twin, at_ms)
    session = Session(twin.script.adapter, recorded.info.match_id, recorded.info)
    session.document(whole.body, 1)
    if recorded.info.provider == "opta" and kind is Fault.NUMBER_AS_STRING:  # in XML a number is nothing else
        assert answer.fault is None
        return
    assert [entry.fault for entry in twin.ledger.entries] == [kind]
    assert answer.fault is kind
    match kind:
        case Fault.RATE_LIMITED:
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 20
            ask(twin, at_ms + 500)
            assert twin.impatient == 1
        case Fault.SERVER_ERROR:
            assert answer.status >= 500
        case Fault.TIMED_OUT | Fault.SLOW:
            assert answer.wait_ms >= 500
        case Fault.CONNECTION_CUT:
            assert answer.cut_at is not None
            assert answer.cut_at < len(answer.body) == len(whole.body)
        case Fault.BYTES_CUT:
            assert whole.body.startswith(answer.body)
            assert answer.headers["ETag"] == whole.headers["ETag"]  # so that asking whether it changed is no way out
        case Fault.ROWS_CUT:
            assert len(twin.script.adapter.document(answer.body).rows) < len(
                twin.script.adapter.document(whole.body).rows
            )
        case Fault.STALE:
            assert len(answer.body) < len(whole.body)
            assert twin.script.adapter.document(answer.body).version_ms <= calm.script.clock_ms(at_ms)
        case Fault.EMPTY_BODY:
            assert (answer.status, answer.body) == (200, b"")
        case Fault.HTML_PAGE:
            assert b"<html>" in answer.body
        case Fault.WRONG_MATCH:
            delivery = session.document(answer.body, 2)
            if recorded.info.provider == "statsbomb":  # whose events do not name their match
                assert {problem.code for problem in delivery.problems} == {"unknown_team", "shrunk_document"}
                assert delivery.applied == ()
            else:
                assert [problem.code for problem in delivery.problems] == ["other_match"]
        case Fault.UNKNOWN_TYPE:
            session.document(answer.body, 2)
            assert session.counts["unknown_type"] > 0
        case Fault.UNKNOWN_FIELD | Fault.NUMBER_AS_STRING:
            delivery = session.document(answer.body, 2)
            assert delivery.outcome is Outcome.CHANGED
            # Where an adapter cannot read numbers in quotes it says so, and nothing is changed.
            assert {problem.code for problem in delivery.problems} <= {"bad_event", "unknown_team"}
            for applied in delivery.applied:
                new, old = applied.new, applied.old
                assert new is not None
                assert old is not None
                assert (new.kind, new.side, new.x, new.y) == (old.kind, old.side, old.x, old.y)
        case _:
            assert answer.body != whole.body
            assert session.document(answer.body, 2).outcome is Outcome.CHANGED


def test_a_fault_that_would_change_nothing_is_not_injected(recorded: Recorded) -> None:
    twin = twin_of(recorded, only(Fault.STALE))
    answer = ask(twin, 0)  # nothing has happened, so nothing can be older
    assert answer.fault is None
    assert not twin.ledger.entries


def test_after_the_calm_nothing_goes_wrong(recorded: Recorded) -> None:
    twin = twin_of(recorded, HELL, calm_ms=1_000_000)
    for at_ms in range(1_000_000, 1_100_000, 1_000):
        assert ask(twin, at_ms).fault is None
    assert not twin.ledger.entries


def test_the_same_seed_gives_the_same_answers(recorded: Recorded) -> None:
    one, two = (twin_of(recorded, HELL, seed=9) for _ in range(2))
    for at_ms in range(0, 3_000_000, 60_000):
        assert ask(one, at_ms) == ask(two, at_ms)
    assert one.ledger.entries == two.ledger.entries


def test_a_header_document_tells_who_plays_and_no_events(hsv: Recorded) -> None:
    twin = twin_of(hsv)
    body = twin.answer(Request("/soccerdata/match/key?fx=1", {}), 60_000).body
    document = twin.script.adapter.document(body)
    assert document.rows == ()
    assert twin.script.adapter.info(document.raw_info or {}) == hsv.info
    assert orjson.loads(body)["liveData"]["matchDetails"]


def test_a_provider_without_a_twin_is_named() -> None:
    with pytest.raises(FeedError) as caught:
        form("nobody")
    assert caught.value.code == "no_twin"
