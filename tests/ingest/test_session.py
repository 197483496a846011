"""What a session promises of polled documents and pushed fragments, on the real match."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import score
from ingest.feeds import adapter, split
from ingest.feeds.opta.constants import DELETED
from ingest.session import DROP_ROWS, Outcome, Session
from tests.ingest.corpus import KLOPPY
from tests.ingest.ma3 import AT_MS, MA1, MA3, STATSPERFORM, Doc, body, expected, match, rows, session, told, whole


def test_the_first_document_brings_header_and_every_event() -> None:
    one = session()
    delivery = one.document(MA3.read_bytes(), AT_MS)
    assert (delivery.outcome, delivery.problems) == (Outcome.CHANGED, ())
    assert (len(delivery.items), len(delivery.applied), len(one.timeline)) == (1737, 1660, 1660)
    assert one.info == match().info
    assert one.timeline.match is one.info
    assert one.raw_info is not None
    assert score(one.timeline.events()) == (2, 1)
    assert one.counts == {Outcome.CHANGED: 1}


def test_both_forms_of_a_document_are_one_document() -> None:
    one = session()
    one.document(MA3.read_bytes(), AT_MS)
    again = one.document((KLOPPY / "statsperform_event_ma3.xml").read_bytes(), AT_MS + 1)
    assert (again.outcome, again.items) == (Outcome.UNCHANGED, ())


def test_an_unchanged_document_is_known_by_its_bytes_and_by_its_rows() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    for other in (body(list(rows())), body(list(rows())) + b" ", body(list(rows()), week="7")):
        delivery = one.document(other, AT_MS + 1)
        assert (delivery.outcome, delivery.items, delivery.applied) == (Outcome.UNCHANGED, (), ())
    assert one.counts[Outcome.UNCHANGED] == 3


def test_line_ups_and_events_that_are_polled_in_turn_are_each_known_by_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = session()
    for document in (MA1, MA3):
        one.document(document.read_bytes(), AT_MS)
    monkeypatch.setattr(type(STATSPERFORM), "document", None)  # nothing is to be parsed again
    for document in (MA1, MA3, MA1, MA3):
        assert one.document(document.read_bytes(), AT_MS + 1).outcome is Outcome.UNCHANGED


def test_line_ups_made_later_do_not_make_events_old() -> None:
    one = session()
    line_ups = orjson.loads(MA1.read_bytes())
    line_ups["matchInfo"]["lastUpdated"] = "2021-09-11T21:00:00Z"
    one.document(orjson.dumps(line_ups), AT_MS)
    assert one.document(body(list(rows()), "2021-09-11T20:00:00Z"), AT_MS + 1).outcome is Outcome.CHANGED


def test_an_edited_row_is_the_only_news() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    edited = STATSPERFORM.stamp({**rows()[50], "x": 12.5}, AT_MS)
    delivery = one.document(body([*rows()[:50], edited, *rows()[51:]]), AT_MS + 1)
    (item,) = delivery.items
    assert item.doc == edited
    (applied,) = delivery.applied
    assert (applied.old is not None, applied.new is not None) == (True, True)
    assert applied.new is not None
    assert applied.new.x == 12.5


def test_a_row_that_vanishes_is_withdrawn_and_one_that_returns_is_revived() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    gone = one.document(body([*rows()[:50], *rows()[51:]]), AT_MS + 1)
    (item,) = gone.items
    assert (item.doc["typeId"], str(item.doc["id"])) == (DELETED, str(rows()[50]["id"]))
    assert [(a.new, a.old is not None) for a in gone.applied] == [(None, True)]
    back = one.document(body(list(rows())), AT_MS + 2)
    assert [(a.old, a.new is not None) for a in back.applied] == [(None, True)]
    assert told(one) == expected(rows())


def test_a_dropped_goal_takes_the_score_with_it() -> None:
    one = session()
    every = whole()["liveData"]["event"]
    one.document(body(every), AT_MS)
    goal = next(row for row in every if row["typeId"] == 16)
    one.document(body([row for row in every if row is not goal]), AT_MS + 1)
    assert score(one.timeline.events()) in ((1, 1), (2, 0))
    one.document(body(every), AT_MS + 2)
    assert score(one.timeline.events()) == (2, 1)


def test_half_a_document_is_doubted_once_and_believed_when_the_next_agrees() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    half = body(list(rows()[:100]))
    first = one.document(half, AT_MS + 1)
    assert [problem.code for problem in first.problems] == ["shrunk_document"]
    assert (first.outcome, first.items, len(told(one))) == (Outcome.UNCHANGED, (), len(expected(rows())))
    second = one.document(half, AT_MS + 2)
    assert second.problems == ()
    assert told(one) == expected(rows()[:100])


def test_half_a_document_followed_by_a_whole_one_leaves_no_trace() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    for number, some in enumerate((rows()[:100], rows(), rows()[:100], rows())):
        one.document(body(list(some)), AT_MS + number + 1)
        assert told(one) == expected(rows())


def test_a_few_rows_may_vanish_without_doubt() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    assert one.document(body(list(rows()[:-DROP_ROWS])), AT_MS + 1).problems == ()
    assert one.document(body(list(rows()[: -DROP_ROWS * 2 - 1])), AT_MS + 2).problems != ()


def test_an_empty_document_withdraws_nothing() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    delivery = one.document(body([]), AT_MS + 1)
    assert (delivery.items, told(one)) == ((), expected(rows()))


def test_a_document_made_before_the_last_one_is_not_read() -> None:
    one = session()
    one.document(body(list(rows()), "2021-09-11T20:00:02Z"), AT_MS)
    late = one.document(body(list(rows()[:-3]), "2021-09-11T20:00:01Z"), AT_MS + 1)
    assert (late.outcome, late.items) == (Outcome.OLDER, ())
    assert one.document(body(list(rows()[:-3]), "2021-09-11T20:00:02Z"), AT_MS + 2).outcome is Outcome.CHANGED
    assert one.document(body(list(rows())), AT_MS + 3).outcome is Outcome.CHANGED  # one that does not tell counts


def test_a_document_of_another_match_or_of_other_teams_is_refused_whole() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    teams = [{**team, "id": f"x{team['id']}"} for team in whole()["matchInfo"]["contestant"]]
    for wrong, code in (
        (body(list(rows(300)), id="another"), "other_match"),
        (body(list(rows(300)), contestant=teams), "other_teams"),
        (body(list(rows(300)), contestant=list(reversed(teams))), "other_teams"),
        (body(list(rows(300)), contestant=None), "statsperform_bad_match"),
    ):
        delivery = one.document(wrong, AT_MS + 1)
        assert (delivery.outcome, delivery.items, delivery.problems[0].code) == (Outcome.BROKEN, (), code)
        assert delivery.problems[0].where == f"match {match().info.match_id}"
    assert told(one) == expected(rows())


def test_sides_that_change_places_are_other_teams() -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    home, away = whole()["matchInfo"]["contestant"]
    turned = [{**home, "position": "away"}, {**away, "position": "home"}]
    assert one.document(body(list(rows()), contestant=turned), AT_MS + 1).problems[0].code == "other_teams"


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"null", b"<a/>", b"<html></html>", b"\xff", b"{}" * 9])
def test_a_body_that_is_no_document_is_counted_and_changes_nothing(broken: bytes) -> None:
    one = session()
    one.document(body(list(rows())), AT_MS)
    delivery = one.document(broken, AT_MS + 1)
    assert (delivery.outcome, len(delivery.problems), one.counts[Outcome.BROKEN]) == (Outcome.BROKEN, 1, 1)
    assert told(one) == expected(rows())
    assert one.document(body(list(rows())), AT_MS + 2).outcome is Outcome.UNCHANGED


def test_rows_that_cannot_be_used_are_told_and_the_others_are_used() -> None:
    one = session()
    wrong = [5, {**rows()[3], "timeMin": 999}, {**rows()[4], "contestantId": "stranger"}, {"id": 1}]
    delivery = one.document(body([*rows()[10:], *wrong]), AT_MS)  # type: ignore[list-item]
    codes = [problem.code for problem in delivery.problems]
    assert sorted(codes) == ["bad_event", "bad_event", "out_of_period", "unknown_team"]
    assert all(problem.where for problem in delivery.problems)
    assert one.counts["bad_event"] == 2
    assert told(one) == expected(rows()[10:])


def test_a_fragment_before_anything_told_who_plays_waits_for_the_match() -> None:
    one = session()
    delivery = one.fragment(rows()[0], AT_MS)
    assert (delivery.outcome, delivery.problems[0].code) == (Outcome.BROKEN, "no_header")
    assert one.document(MA1.read_bytes(), AT_MS + 1).outcome is Outcome.UNCHANGED  # MA1 has a header and no rows
    assert one.fragment(rows()[0], AT_MS + 2).outcome is Outcome.CHANGED


def test_a_document_without_a_header_waits_for_one() -> None:
    one = Session(adapter("wyscout"), "2499773")
    document = (KLOPPY / "wyscout_events_v2.json").read_bytes()
    assert one.document(document, AT_MS).problems[0].code == "no_header"
    f24 = Session(adapter("opta"), "unnamed")
    assert f24.document((KLOPPY / "opta_f24.xml").read_bytes(), AT_MS).problems[0].code == "no_header"
    assert one.document(b'{"events": []}', AT_MS + 1).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("fragment", [None, 5, "x", [], [{}], True])
def test_a_fragment_that_is_no_object_is_broken(fragment: object) -> None:
    one = Session(STATSPERFORM, match().info.match_id, match().info)
    delivery = one.fragment(fragment, AT_MS)
    assert (delivery.outcome, delivery.problems[0].code) == (Outcome.BROKEN, "bad_event")


@pytest.mark.parametrize("value", [2**70, "\ud800", {1, 2}, b"x"])
def test_a_fragment_that_cannot_be_kept_is_a_problem_and_no_news(value: object) -> None:
    one = Session(STATSPERFORM, match().info.match_id, match().info)
    one.fragment(rows()[20], AT_MS)
    delivery = one.fragment({**rows()[20], "x": value}, AT_MS + 1)
    assert (delivery.items, delivery.applied, delivery.problems[0].code) == ((), (), "bad_event")
    assert str(rows()[20]["id"]) in delivery.problems[0].where


class _Unkeepable:
    """An adapter whose documents hold a row that cannot be written: orjson would not read one, a parser might."""

    def __init__(self) -> None:
        self.rows: tuple[Doc, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(STATSPERFORM, name)

    def document(self, _: bytes) -> Any:
        return replace(STATSPERFORM.document(body([])), rows=self.rows)


def test_a_row_that_cannot_be_kept_for_once_is_not_withdrawn() -> None:
    source = _Unkeepable()
    one = Session(source, match().info.match_id)  # type: ignore[arg-type]
    source.rows = rows()
    one.document(b"1", AT_MS)
    source.rows = (*rows()[:50], {**rows()[50], "x": 2**70}, *rows()[51:])
    delivery = one.document(b"2", AT_MS + 1)
    assert (delivery.applied, [problem.code for problem in delivery.problems]) == ((), ["bad_event"])
    assert told(one) == expected(rows())


def test_duplicates_and_late_messages_are_no_news() -> None:
    one = Session(STATSPERFORM, match().info.match_id, match().info)
    first = STATSPERFORM.stamp(rows()[20], AT_MS)
    second = STATSPERFORM.stamp({**rows()[20], "x": 9.5}, AT_MS + 500)
    assert len(one.fragment(first, AT_MS).applied) == 1
    assert one.fragment(first, AT_MS + 1).outcome is Outcome.UNCHANGED
    assert len(one.fragment(second, AT_MS + 2).applied) == 1
    late = one.fragment(first, AT_MS + 3)
    assert late.applied == ()
    assert told(one)[0].x == 9.5


def test_every_item_is_named_by_the_hash_of_its_bytes() -> None:
    one = session()
    for item in one.document(body(list(rows())), AT_MS).items:
        assert len(item.raw) == 64
        again = tuple(split(STATSPERFORM.parse(match().info, item.doc))[0])
        assert item.changes == again  # what a journal keeps gives the same changes
    names = {item.raw for item in one.document(body(list(rows(400))), AT_MS + 1).items}
    assert len(names) == 200


def test_push_and_poll_of_the_same_match_agree() -> None:
    one = Session(STATSPERFORM, match().info.match_id, match().info)
    for number, row in enumerate(rows(120)):
        one.fragment(row, AT_MS + number)
    assert one.document(body(list(rows(120))), AT_MS + 200).items == ()
    for number, row in enumerate(rows(150)[120:]):
        one.fragment(row, AT_MS + 300 + number)
    # The next document was made before the last rows were pushed: a few rows less is what a withdrawal looks like,
    # so a source that mixes both gives its documents' versions, and an older document is not read.
    assert told(one) == expected(rows(150))
    assert one.document(body(list(rows(150))), AT_MS + 400).items == ()


def test_the_same_document_after_a_push_is_looked_at_again() -> None:
    one = session()
    one.document(body(list(rows(120))), AT_MS)
    one.fragment(rows(121)[120], AT_MS + 1)
    assert told(one) == expected(rows(121))
    one.document(body(list(rows(120))), AT_MS + 2)
    assert told(one) == expected(rows(120))


edits = st.lists(
    st.tuples(
        st.sampled_from(["edit", "drop", "restore", "delete", "add", "move", "push", "again", "whole"]),
        st.integers(0, 39),
        st.floats(0, 100).map(lambda value: round(value, 1)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(edits=edits)
def test_any_sequence_of_documents_ends_in_the_events_of_the_last(edits: list[tuple[str, int, float]]) -> None:
    """Rows are edited, dropped, restored, deleted and pushed between polls; every poll is what counts."""
    one = session()
    current: dict[int, Doc] = dict(enumerate(rows(30)))
    clock = AT_MS
    one.document(body(list(current.values())), clock)
    for what, index, x in edits:
        clock += 1000
        if what == "edit" and index in current:
            current[index] = STATSPERFORM.stamp({**current[index], "x": x}, clock)
        elif what == "move" and index in current:  # a correction that forgets to raise its version
            current[index] = {**current[index], "x": x}
        elif what == "drop" and len(current) > 1:
            current.pop(index, None)
        elif what in ("restore", "add") and index not in current:
            current[index] = rows(40)[index]
        elif what == "delete" and index in current:
            current[index] = STATSPERFORM.withdrawal(str(rows(40)[index]["id"]), clock)
        elif what == "push" and index in current:
            one.fragment(current[index], clock)
            continue
        one.document(body(list(current.values())), clock)
        one.document(body(list(current.values())), clock + 1)  # a document that lost much is believed the second time
        assert told(one) == expected(list(current.values()))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_pushed_fragments_in_any_order_with_duplicates_end_in_the_same_events(seed: int) -> None:
    rng = random.Random(seed)
    versions = [STATSPERFORM.stamp({**row, "x": 1.0}, AT_MS - 9_000_000_000_0) for row in rows(60)] + list(rows(60))
    ends = []
    for _ in range(2):
        sent = versions + rng.sample(versions, 30)
        rng.shuffle(sent)
        one = Session(STATSPERFORM, match().info.match_id, match().info)
        for number, row in enumerate(sent):
            one.fragment(row, AT_MS + number)
        ends.append(told(one))
    assert ends[0] == ends[1]
