"""A live match: its journal alone gives its records, wherever its process died."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoder import decoder
from ingest.events import FeedError, Kind, Side
from ingest.feed import FeedHeader, FeedMessage, read_feed, write_feed
from ingest.feeds import ADAPTERS, Recorded
from ingest.fusion import State
from ingest.history.journal import NO_RAW, Journal
from ingest.live import Feed, LiveMatch
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.record import encode
from oracle.core import KeeperCore
from tests.ingest.fusion_world import PRIMARY, SIBLING, Outage, Sibling, World, load, world
from tests.ingest.live_world import (
    MATCH_ID,
    Life,
    Step,
    arrivals,
    document,
    feeds_of,
    journal,
    live,
    pushed,
    resumed,
    ticked,
)

AT_MS = 1_631_385_000_000
END_MS = 300_000
OUT = (150_000, 162_000)
STATSPERFORM = ADAPTERS["statsperform"]


def single(recorded: Recorded, known: bool = True) -> LiveMatch:
    """One feed; its header comes from the catalogue, or with its documents."""
    raw_info = recorded.raw_info if known else None
    return LiveMatch(MATCH_ID, [Feed("only", STATSPERFORM, recorded.info.match_id, raw_info)])


@pytest.fixture(scope="module")
def w() -> World:
    return world(load("statsperform"), 3, Sibling())


@pytest.fixture(scope="module", params=["silent", "lost", "broken"])
def steps(request: pytest.FixtureRequest, w: World) -> list[Step]:
    """Five minutes in which the primary dies in one of the ways, and comes back."""
    return ticked(arrivals(w, END_MS, [Outage(PRIMARY, *OUT, request.param)]))


@pytest.fixture(scope="module")
def straight(w: World, steps: list[Step]) -> Life:
    """The life of a process that nobody killed."""
    return Life(live(w)).follow(steps)


# One feed


def test_a_single_feeds_journal_is_a_feed_file_that_the_keeper_reads_to_the_same_events(
    hsv: Recorded, tmp_path: Path
) -> None:
    life = Life(single(hsv, known=False))
    life.follow([("only", document(hsv, count, AT_MS + n)) for n, count in enumerate((40, 39, 400))])
    life.follow([("only", pushed(AT_MS + 10 + n, row.doc)) for n, row in enumerate(hsv.rows[400:500])])
    header, messages = journal(life.lines)
    assert (header.provider, header.match_id, header.start_unix_ms) == ("statsperform", MATCH_ID, AT_MS)
    write_feed(tmp_path / "feed.jsonl", header, messages)
    core = KeeperCore(header)
    for message in read_feed(tmp_path / "feed.jsonl")[1]:
        core.receive(message)
    assert len(core.timeline) > 400
    assert core.timeline.events() == life.timeline().events() == life.match.sessions["only"].timeline.events()
    assert life.match.active == "only"


def test_history_gives_the_records_of_the_journal_the_numbers_they_have_on_the_bus(w: World, straight: Life) -> None:
    header, messages = journal(straight.lines)
    reader, rows = decoder(header), Journal(header)
    found = [record for m in messages for record in rows.message(m, reader.decode(m).changes).records]
    assert [(r.seq, r.change) for r in found] == [(r.seq, r.change) for r in straight.records[: len(found)]]
    assert len(found) > 0.99 * len(straight.records)


def test_what_changes_nothing_gets_no_number_and_stays_in_the_journal(hsv: Recorded) -> None:
    doc = hsv.rows[20].doc
    life = Life(single(hsv)).follow([("only", pushed(AT_MS, doc, STATSPERFORM.stamp(doc, 1), doc))])
    assert [record.seq for record in life.records] == [1]
    assert len(life.lines) >= 3  # the header, and what came


def test_a_pushed_line_that_is_no_event_is_told_and_costs_no_other(hsv: Recorded) -> None:
    row = orjson.dumps(hsv.rows[20].doc)
    done = single(hsv).arrived("only", Arrival(AT_MS, ArrivalKind.FRAGMENTS, b"{half\n\n" + row + b"\n"))
    assert [problem.code for problem in done.problems] == ["bad_event"]
    assert done.doubtful
    assert sum(len(entry.records) for entry in done.entries) == 1


def test_half_a_document_is_doubted_and_a_whole_one_is_not(hsv: Recorded) -> None:
    whole = document(hsv, 60, AT_MS)
    for broken in (Arrival(AT_MS + 1, ArrivalKind.DOCUMENT, whole.body[:-90]), document(hsv, 20, AT_MS + 1)):
        match = single(hsv)
        assert [match.arrived("only", arrival).doubtful for arrival in (whole, broken, whole)] == [False, True, False]


def test_a_single_feed_that_calls_the_other_team_home_is_turned_by_its_sides(hsv: Recorded) -> None:
    ids = (hsv.info.away.team_id, hsv.info.home.team_id)
    feed = Feed("only", STATSPERFORM, hsv.info.match_id, hsv.raw_info, sides=ids)
    life = Life(LiveMatch(MATCH_ID, [feed])).follow([("only", document(hsv, 1_737, AT_MS))])
    plain = Life(single(hsv)).follow([("only", document(hsv, 1_737, AT_MS))])
    assert goals(life) == [side.other for side in goals(plain)]
    assert life.match.decoder is not None
    assert life.match.decoder.info.home.team_id == hsv.info.away.team_id


def goals(life: Life) -> list[Side]:
    return [e.side for e in life.timeline().events() if e.kind is Kind.SHOT and e.goal and e.side is not None]


# Killed


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_feed_killed_anywhere_is_resumed_under_the_same_numbers(hsv: Recorded, seed: int) -> None:
    rng = random.Random(seed)
    steps: list[Step] = [("only", document(hsv, n, AT_MS + i)) for i, n in enumerate((30, 25, 31, 29, 60))]
    whole = Life(single(hsv, known=False)).follow(steps)
    lines = rng.randrange(len(whole.lines) + 1)
    kept: list[Any] = [("line", line) for line in whole.lines[:lines]]
    explained = resumed(single(hsv, known=False), kept).records
    assert [encode(record) for record in explained] == whole.bytes[: len(explained)]
    kept += [("record", record) for record in explained[: rng.randrange(len(explained) + 1)]]
    life = resumed(single(hsv, known=False), kept)
    assert life.records == explained
    life.follow([("only", document(hsv, 60, AT_MS + 9))])
    assert [record.seq for record in life.records] == list(range(1, len(life.records) + 1))
    last = {event.event_id for event in whole.timeline().events()}
    assert {event.event_id for event in life.timeline().events()} == last


def cuts(life: Life) -> list[int]:
    """Every place in the log next to something that time alone did, and inside it."""
    at = [n for n, (_, row) in enumerate(life.log) if not isinstance(row, bytes) and row.raw == NO_RAW]
    return sorted({n + d for n in at for d in (0, 1)})


def goes_on(w: World, steps: list[Step], straight: Life, cut: int) -> None:
    """Killed at ``cut`` of its log and resumed, the match ends byte for byte as if nothing had been."""
    life = resumed(live(w), straight.log[:cut])
    assert life.bytes == straight.bytes[: len(life.bytes)], "the rest is published with the same bytes"
    done = next(n for n, length in enumerate(straight.steps) if length >= cut)
    # A line that was not kept comes again: the feed sends what it was not asked to forget.
    at = straight.steps[done - 1] if done else 0
    lines = sum(kind == "line" for kind, _ in straight.log[cut : straight.steps[done]])
    life.follow(steps[done + (lines == 0 and at < cut) :])
    assert life.bytes == straight.bytes
    assert life.lines == straight.lines


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_two_feeds_killed_anywhere_go_on_byte_for_byte(
    w: World, steps: list[Step], straight: Life, data: st.DataObject
) -> None:
    goes_on(w, steps, straight, data.draw(st.integers(0, len(straight.log))))


def test_two_feeds_killed_in_a_switch_go_on_byte_for_byte(w: World, steps: list[Step], straight: Life) -> None:
    assert straight.match.decoder is not None
    found = cuts(straight)
    assert len(found) >= 4, "time alone made the feed switch"
    for cut in random.Random(5).sample(found, 4):
        goes_on(w, steps, straight, cut)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_polled_primary_killed_inside_a_document_ends_with_the_same_events(
    w: World, hsv: Recorded, data: st.DataObject
) -> None:
    start = w.start_unix_ms
    polls = [(PRIMARY, document(hsv, count, start + 60_000 + count * 500)) for count in (40, 80, 75, 120)]
    steps: list[Step] = [*sorted([*polls, *arrivals(w, 130_000)[::3]], key=lambda row: row[1].at_ms)]
    straight = Life(live(w)).follow(steps)
    cut = data.draw(st.integers(0, len(straight.log)))
    life = resumed(live(w), straight.log[:cut])
    assert life.bytes == straight.bytes[: len(life.bytes)]
    done = next(n for n, length in enumerate(straight.steps) if length >= cut)
    life.follow(steps[done:])  # the step in which it died comes again: the provider's next answer
    assert [record.seq for record in life.records] == list(range(1, len(life.records) + 1))
    mine, theirs = ([replace(e, version=0) for e in some.timeline().events()] for some in (life, straight))
    assert mine == theirs
    header, messages = journal(life.lines)
    core = KeeperCore(header)
    for message in messages:
        core.receive(message)
    assert core.timeline.events() == life.timeline().events()


def test_the_primary_dies_and_the_standby_goes_on_until_it_is_back(w: World, steps: list[Step]) -> None:
    life, active, switches = Life(live(w)), set[str](), []
    for step in steps:
        done = life.match.tick(step) if isinstance(step, int) else life.match.arrived(*step)
        active.add(life.match.active)
        switches += done.switches
    assert active == {PRIMARY, SIBLING}
    assert [switch.target for switch in switches] == [SIBLING, PRIMARY]
    assert switches[0].why in {State.SILENT, State.LOST, State.BROKEN}
    assert switches[0].at_ms - OUT[0] < 3_600


def test_how_often_time_is_told_changes_no_record(w: World) -> None:
    rows = arrivals(w, END_MS, [Outage(PRIMARY, *OUT)])
    often, never = (Life(live(w)).follow(some).bytes for some in (ticked(rows), list[Step](rows)))
    assert often[: len(never)] == never
    assert len(often) - len(never) < 5


def test_an_arrival_that_waited_while_time_went_on_is_written_as_of_that_time(w: World) -> None:
    """Read again, its line must not come before what that time did."""
    life = Life(live(w)).follow(ticked(arrivals(w, END_MS, [Outage(PRIMARY, *OUT)]), early_ms=240))
    messages = journal(life.lines)[1]
    assert [m.at_ms for m in messages] == sorted(m.at_ms for m in messages)
    assert resumed(live(w), [("line", line) for line in life.lines]).bytes == life.bytes


def test_a_process_that_starts_again_after_an_hour_does_what_that_hour_did_once(w: World) -> None:
    life = Life(live(w)).follow(ticked(arrivals(w, 200_000)))
    later = resumed(live(w), life.log).follow([w.start_unix_ms + 3_800_000])
    again = resumed(live(w), later.log)
    assert again.bytes == later.bytes


# What a journal must be


def test_a_journal_shorter_than_the_bus_is_refused(hsv: Recorded, w: World, straight: Life) -> None:
    life = Life(single(hsv)).follow([("only", pushed(AT_MS, hsv.rows[20].doc, hsv.rows[21].doc))])
    with pytest.raises(FeedError) as caught:
        resumed(single(hsv), [*life.log[:2], ("record", life.records[-1])])
    assert caught.value.code == "journal_short"
    by_time = next(record for record in straight.records if record.raw == NO_RAW)
    with pytest.raises(FeedError) as caught:
        live(w).resume(*journal(straight.lines[:300]), by_time)
    assert caught.value.code == "journal_short"


def test_another_matchs_or_other_feeds_journal_is_refused(hsv: Recorded, w: World, straight: Life) -> None:
    header = journal(straight.lines)[0]
    wyscout = [Feed(name, ADAPTERS["wyscout"], "1") for name in (PRIMARY, SIBLING)]
    for match in (LiveMatch("other", feeds_of(w)), single(hsv), LiveMatch(MATCH_ID, wyscout)):
        with pytest.raises(FeedError) as caught:
            match.resume(header, [], None)
        assert caught.value.code == "other_journal"
    plain = FeedHeader.make("wyscout", MATCH_ID, 0, 0, {})
    with pytest.raises(FeedError, match="from wyscout"):
        single(hsv).resume(plain, [], None)


def test_a_plain_journal_goes_on_as_such_when_a_second_feed_is_named(hsv: Recorded, w: World) -> None:
    life = Life(single(hsv)).follow([("only", document(hsv, 40, AT_MS))])
    first = replace(feeds_of(w)[0], name="only")
    again = resumed(LiveMatch(MATCH_ID, [first, feeds_of(w)[1]]), life.log)
    again.follow([("only", document(hsv, 50, AT_MS + 5)), (SIBLING, document(hsv, 60, AT_MS + 6))])
    assert len(again.lines) == len(life.lines) + 10
    assert {"from" in message.doc for message in journal(again.lines)[1]} == {False}


def test_foreign_lines_in_a_fused_journal_are_read_over(w: World, straight: Life) -> None:
    header, messages = journal(straight.lines)
    strange = [{"from": "nobody", "doc": {}}, {"from": PRIMARY, "doc": 7}, {"from": "nobody", "sign": "heartbeat"}]
    made = [FeedMessage.make(messages[40].at_ms, doc) for doc in strange]
    assert live(w).resume(header, [*messages[:40], *made], None)
