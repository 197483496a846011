"""What a session keeps: a journal that is the whole of it, each word once, and nothing of an unchanged document."""

from __future__ import annotations

import time

import pytest

from ingest.events import MatchInfo, Upsert
from ingest.session import Delivery, Session
from ingest.timeline import Timeline
from tests.ingest.corpus import FORMS, SYNTHETIC, of, recorded
from tests.ingest.ma3 import AT_MS, MA3, STATSPERFORM, body, match, rows, session, told


@pytest.mark.parametrize("form", FORMS)
def test_the_journal_of_a_session_is_the_session(form: str) -> None:
    """Replaying the changes of every delivery gives the same events as the session holds."""
    match = recorded(form)
    one = Session(of(form), match.info.match_id, match.info)
    journal: list[Delivery] = [one.fragment(row.doc, AT_MS + n) for n, row in enumerate(match.rows)]
    journal += [one.fragment(row.withdrawn, AT_MS + 9**6) for row in match.rows if row.withdrawn is not None]
    timeline = Timeline()
    for delivery in journal:
        for item in delivery.items:
            timeline.apply(item.changes)
    assert timeline.events() == one.timeline.events()
    assert len(timeline) > (0 if form in SYNTHETIC else len(match.rows) // 2)


def test_sessions_share_the_words_that_they_repeat() -> None:
    """Names, ids of players and descriptions are a dozen hundred texts in a match: kept once, not once an event."""
    one = session()
    one.document(MA3.read_bytes(), AT_MS)
    events = one.timeline.events()
    for field in ("player", "player_id", "text"):
        values = [getattr(event, field) for event in events if getattr(event, field)]
        assert len({id(value) for value in values}) == len(set(values)) < 120


def test_an_unchanged_document_takes_no_time_to_speak_of() -> None:
    one = session()
    document = MA3.read_bytes()
    one.document(document, AT_MS)
    runs = []
    for _ in range(50):
        began = time.perf_counter()
        one.document(document, AT_MS)
        runs.append(time.perf_counter() - began)
    assert sorted(runs)[25] < 0.003  # ten times the target: machines that run tests are busy


def test_a_match_may_be_told_before_any_document() -> None:
    info: MatchInfo = match().info
    one = Session(STATSPERFORM, info.match_id, info)
    one.document(body(list(rows())), AT_MS)
    assert one.raw_info is not None  # taken from the first document that has one
    changes = [change for row in rows() for change in STATSPERFORM.parse(info, row)]
    assert len(told(one)) == sum(isinstance(change, Upsert) for change in changes)
