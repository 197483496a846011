"""What a session makes of documents that contradict each other under one version, and of a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from ingest.events import Event
from ingest.feeds import ADAPTERS, Recorded
from ingest.session import Delivery, Outcome, Session
from tests.ingest import ma3

AT_MS = 1_631_385_000_000
Doc = dict[str, Any]


def body(recorded: Recorded, rows: list[Doc]) -> bytes:
    if recorded.info.provider == "wyscout":
        return orjson.dumps({"events": rows, "teams": {}})
    return orjson.dumps({"matchInfo": recorded.raw_info, "liveData": {"event": rows}})


def rows_of(recorded: Recorded, count: int) -> list[Doc]:
    return [row.doc for row in recorded.rows if row.withdrawn is None][:count]


def session_of(recorded: Recorded) -> Session:
    return Session(ADAPTERS[recorded.info.provider], recorded.info.match_id, recorded.info)


def read(session: Session) -> list[Event]:
    return [replace(event, version=0) for event in session.timeline.events()]


@pytest.mark.parametrize("name", ["x", "y", "outcome", "contestantId"])
def test_a_field_missing_for_one_document_is_back_with_the_next(hsv: Recorded, name: str) -> None:
    rows = rows_of(hsv, 60)
    right = session_of(hsv)
    right.document(body(hsv, rows), AT_MS)
    session = session_of(hsv)
    for number, version in enumerate((rows, [{k: v for k, v in row.items() if k != name} for row in rows], rows)):
        session.document(body(hsv, version), AT_MS + number)
    assert read(session) == read(right)


def test_of_two_documents_the_later_counts_and_is_no_news_when_it_comes_again(hsv: Recorded) -> None:
    rows = rows_of(hsv, 30)
    moved = [{**row, "x": 1.5} if index == 20 else row for index, row in enumerate(rows)]
    session = session_of(hsv)
    session.document(body(hsv, rows), AT_MS)
    changed = session.document(body(hsv, moved), AT_MS + 1)
    assert [applied.new.x for applied in changed.applied if applied.new] == [1.5]
    again = session.document(body(hsv, moved) + b" ", AT_MS + 2)
    assert (again.outcome, again.items) == (Outcome.UNCHANGED, ())


def test_the_providers_next_correction_counts_after_ours(hsv: Recorded) -> None:
    rows = rows_of(hsv, 30)
    session = session_of(hsv)
    for number in range(3):  # withdrawn and revived: our version is now some steps above the provider's
        session.document(body(hsv, rows), AT_MS + 2 * number)
        session.document(body(hsv, rows[:-1]), AT_MS + 2 * number + 1)
    session.document(body(hsv, rows), AT_MS + 10)
    stamp = ADAPTERS["statsperform"].parse(hsv.info, rows[-1])[0]
    corrected = ADAPTERS["statsperform"].stamp({**rows[-1], "x": 2.5}, stamp.event.version + 1)  # type: ignore[union-attr]
    applied = session.document(body(hsv, [*rows[:-1], corrected]), AT_MS + 11).applied
    assert [change.new.x for change in applied if change.new] == [2.5]


def test_an_event_twice_in_one_document_makes_no_news_for_ever(hsv: Recorded) -> None:
    rows = rows_of(hsv, 30)
    twice = [*rows, {**rows[20], "x": 3.5}]
    session = session_of(hsv)
    session.document(body(hsv, twice), AT_MS)
    versions = set()
    for number in range(4):
        session.document(body(hsv, twice) + b" " * number, AT_MS + number)
        versions.add(next(e.version for e in session.timeline.events() if e.event_id == str(rows[20]["id"])))
    assert len(versions) <= 2


@pytest.mark.parametrize("provider", ["hsv", "leicester"])
def test_two_rows_of_one_key_and_a_row_without_are_news_once(provider: str, request: pytest.FixtureRequest) -> None:
    recorded: Recorded = request.getfixturevalue(provider)
    rows = rows_of(recorded, 60)
    where = "x" if provider == "hsv" else "eventSec"
    second, nameless = {**rows[20], where: 3.5}, {key: value for key, value in rows[5].items() if key != "id"}
    session = session_of(recorded)
    for number in range(5):
        told = session.document(body(recorded, [*rows[: 30 + number], second, nameless]), AT_MS + number)
        if number:
            assert (len(told.items), len(told.applied), told.problems) == (1, 1, ())
    session.document(body(recorded, [*rows[:20], second, *rows[21:30]]), AT_MS + 9)  # the second row alone: it counts
    right = session_of(recorded)
    right.document(body(recorded, [*rows[:20], second, *rows[21:30]]), AT_MS + 9)
    assert read(session) == read(right)


def test_pushed_messages_under_one_version_end_alike_in_any_order(hsv: Recorded) -> None:
    row = rows_of(hsv, 30)[20]
    other = {**row, "x": 4.5}
    ends = set()
    for order in ((row, other), (other, row)):
        session = session_of(hsv)
        for doc in order:
            session.fragment(doc, AT_MS)
        ends.add(tuple(read(session)))
    assert len(ends) == 1


def test_what_an_early_document_withdrew_is_back_when_it_is_pushed_again(hsv: Recorded) -> None:
    rows = rows_of(hsv, 30)
    session = session_of(hsv)
    session.document(body(hsv, rows), AT_MS)
    before = read(session)
    session.document(body(hsv, rows[:-2]), AT_MS + 1)
    for row in rows[-2:]:
        session.fragment(row, AT_MS + 2)
    assert read(session) == before


def test_a_document_settles_what_pushed_messages_left_open(hsv: Recorded) -> None:
    rows = rows_of(hsv, 30)
    for said in ({**rows[20], "x": 4.5}, {**rows[20], "x": 94.5}):
        session = session_of(hsv)
        for doc in (rows[20], said):
            session.fragment(doc, AT_MS)
        session.document(body(hsv, [*rows[:20], said, *rows[21:]]), AT_MS + 1)
        right = session_of(hsv)
        right.document(body(hsv, [*rows[:20], said, *rows[21:]]), AT_MS + 1)
        assert read(session) == read(right)


@pytest.mark.parametrize("provider", ["hsv", "leicester"])
def test_a_resumed_session_finds_what_vanished_meanwhile_and_nothing_else(
    provider: str, request: pytest.FixtureRequest
) -> None:
    recorded: Recorded = request.getfixturevalue(provider)
    rows = rows_of(recorded, 300)
    journal: list[Doc] = []

    def keep(delivery: Delivery) -> Delivery:
        journal.extend(item.doc for item in delivery.items)
        return delivery

    before = session_of(recorded)
    keep(before.document(body(recorded, rows), AT_MS))
    keep(before.document(body(recorded, rows[:-2]), AT_MS + 1))  # two withdrawn ...
    keep(before.document(body(recorded, rows[:-1]), AT_MS + 2))  # ... one of them back
    after = session_of(recorded)
    assert [after.resume(doc).doc for doc in journal] == journal
    assert after.timeline.events() == before.timeline.events()
    same = after.document(body(recorded, rows[:-1]), AT_MS + 3)
    assert same.applied == ()
    gone = after.document(body(recorded, [*rows[:100], *rows[101:-1]]), AT_MS + 4)
    assert [(applied.new, applied.old.event_id) for applied in gone.applied if applied.old] == [
        (None, str(rows[100]["id"]))
    ]


def test_half_a_document_that_told_something_else_is_undone_by_the_whole_one_coming_again(hsv: Recorded) -> None:
    rows = rows_of(hsv, 60)
    half = [{**rows[0], "x": 3.5}, *rows[1:20], rows_of(hsv, 61)[60]]  # an edit under its old version, and a new row
    session = session_of(hsv)
    session.document(body(hsv, rows), AT_MS)
    before = read(session)
    doubted = session.document(body(hsv, half), AT_MS + 1)
    assert [problem.code for problem in doubted.problems] == ["shrunk_document"]
    assert read(session) != before
    session.document(body(hsv, rows), AT_MS + 2)  # byte for byte the one before
    assert read(session) == before


def test_the_providers_pushed_correction_counts_after_ours(hsv: Recorded) -> None:
    rows = rows_of(hsv, 30)
    session = session_of(hsv)
    for number in range(2):  # withdrawn and revived: our version is now above the provider's
        session.document(body(hsv, rows), AT_MS + 2 * number)
        session.document(body(hsv, rows[:-1]), AT_MS + 2 * number + 1)
    session.document(body(hsv, rows), AT_MS + 10)
    adapter = ADAPTERS["statsperform"]
    told = adapter.parse(hsv.info, rows[-1])[0].event.version  # type: ignore[union-attr]
    newer, older = (adapter.stamp({**rows[-1], "x": x}, told + by) for x, by in ((2.5, 1), (7.5, -1)))
    assert [change.new.x for change in session.fragment(newer, AT_MS + 11).applied if change.new] == [2.5]
    assert session.fragment(older, AT_MS + 12).applied == ()


def test_one_document_from_the_future_does_not_silence_the_feed_for_ever() -> None:
    one = ma3.session()
    one.document(ma3.body(list(ma3.rows(100)), "2021-09-11T20:00:00Z"), AT_MS)
    one.document(ma3.body(list(ma3.rows(101)), "2022-09-11T20:00:01Z"), AT_MS + 1_000)  # a year ahead
    told = {}
    for second in range(2, 200, 10):
        rows = list(ma3.rows(101 + second))
        stamp = f"2021-09-11T20:{second // 60:02d}:{second % 60:02d}Z"
        told[second] = one.document(ma3.body(rows, stamp), AT_MS + 1_000 * second)
    assert [second for second, found in told.items() if found.outcome is Outcome.OLDER] == list(range(2, 122, 10))
    assert [problem.code for problem in told[122].problems] == ["clock_set_back"]
    assert told[132].problems == ()
    assert ma3.told(one) == ma3.expected(ma3.rows(101 + 192))


@pytest.mark.parametrize("fresh", [False, True])
def test_a_cache_that_is_stuck_or_late_is_not_believed_however_long(fresh: bool) -> None:
    one = ma3.session()
    one.document(ma3.body(list(ma3.rows(100)), "2021-09-11T20:00:30Z"), AT_MS)
    for second in range(0, 600, 10):
        if fresh:  # two caches in turn: a right one, and one that is half a minute late
            stamp = f"2021-09-11T20:{(31 + second) // 60:02d}:{(31 + second) % 60:02d}Z"
            one.document(ma3.body(list(ma3.rows(101)), stamp), AT_MS + 1_000 * second)
        late = f"2021-09-11T20:{second // 60:02d}:{second % 60:02d}Z" if fresh else "2021-09-11T20:00:10Z"
        found = one.document(ma3.body(list(ma3.rows(90)), late), AT_MS + 1_000 * second + 1)
        assert found.outcome is Outcome.OLDER
