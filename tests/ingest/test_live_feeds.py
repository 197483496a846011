"""Which feeds a live match is made of: who tells who plays, whose sides are known, and which signs are kept."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import orjson
import pytest

from ingest.events import FeedError
from ingest.feeds import ADAPTERS, Recorded, adapter
from ingest.live import WAIT_MS, Feed, LiveMatch
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.quality import Sign
from ingest.timeline import Timeline
from tests.ingest import sportradar_synthetic as synthetic
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
END_MS, OUT_MS = 300_000, 150_000
STATSPERFORM = ADAPTERS["statsperform"]


@pytest.fixture(scope="module")
def w() -> World:
    return world(load("statsperform"), 3, Sibling())


# Who plays


def test_a_match_needs_feeds_of_different_names_and_one_that_leads(hsv: Recorded) -> None:
    feed = Feed("a", STATSPERFORM, "1")
    for feeds in ([], [feed, feed]):
        with pytest.raises(FeedError) as caught:
            LiveMatch(MATCH_ID, feeds)
        assert caught.value.code == "bad_feeds"
    with pytest.raises(FeedError) as caught:
        LiveMatch(MATCH_ID, [Feed("b", adapter("sportradar"), "1"), feed])
    assert caught.value.code == "no_index"


def test_a_standby_that_never_tells_who_plays_is_left_out_and_nothing_is_lost(hsv: Recorded) -> None:
    feeds = [Feed("a", STATSPERFORM, hsv.info.match_id), Feed("b", STATSPERFORM, hsv.info.match_id)]
    life = Life(LiveMatch(MATCH_ID, feeds))
    life.follow([AT_MS - 9_000, ("a", Arrival(AT_MS - 8_000, ArrivalKind.HEARTBEAT)), AT_MS - 1])
    life.follow([("a", document(hsv, 40, AT_MS)), ("b", Arrival(AT_MS + 1, ArrivalKind.HEARTBEAT))])
    life.follow([("a", document(hsv, 50, AT_MS + 5_000)), AT_MS + WAIT_MS - 1])
    assert life.log == []
    assert life.match.active == ""
    life.follow([AT_MS + WAIT_MS])
    header, messages = journal(life.lines)
    assert [row["name"] for row in header.info["providers"]] == ["a"]
    assert header.start_unix_ms == AT_MS
    assert [message.at_ms for message in messages] == [0] * 40 + [5_000] * 10
    assert len(life.timeline()) == len(life.match.sessions["a"].timeline)
    told = len(life.lines)
    life.follow([("b", document(hsv, 60, AT_MS + WAIT_MS + 1))])
    assert len(life.lines) == told


def test_time_goes_on_for_the_others_while_one_that_was_left_out_talks(w: World) -> None:
    feeds = [*feeds_of(w), Feed("late", STATSPERFORM, w.recorded.info.match_id)]
    rows = [row for row in arrivals(w, 100_000) if row[1].at_ms < w.start_unix_ms + 80_000 or row[0] == SIBLING]
    life = Life(LiveMatch(MATCH_ID, feeds)).follow(rows)
    assert life.match.active == SIBLING  # the primary fell silent
    both = [row for row in rows if row[1].at_ms < w.start_unix_ms + 80_000]
    life = Life(LiveMatch(MATCH_ID, feeds)).follow(both)
    decoded = life.match.decoder
    assert decoded is not None
    late = Arrival(w.start_unix_ms + 90_000, ArrivalKind.HEARTBEAT)
    life.follow([("late", late)])
    assert decoded.condition is not None
    assert decoded.condition.suspended


def test_a_feed_that_may_not_lead_waits_for_one_that_may(hsv: Recorded) -> None:
    feeds = [Feed("a", STATSPERFORM, hsv.info.match_id), Feed("b", adapter("sportradar"), synthetic.MATCH)]
    life = Life(LiveMatch(MATCH_ID, feeds))
    theirs = Arrival(AT_MS, ArrivalKind.DOCUMENT, orjson.dumps(synthetic.document()))
    life.follow([("b", theirs), AT_MS + 3 * WAIT_MS])
    assert life.log == []
    life.follow([("a", document(hsv, 40, AT_MS + 4 * WAIT_MS))])
    header, messages = journal(life.lines)
    assert [row["name"] for row in header.info["providers"]] == ["a"]
    assert life.problems == ["sides_not_mapped"], "another match's teams are left out"
    assert header.start_unix_ms == AT_MS
    assert len(messages) == 40


def other(raw_info: dict[str, Any], names: tuple[str, str] | None = None, turned: bool = False) -> dict[str, Any]:
    """The same match in another provider's words: other team names, or with the sides exchanged."""
    made = copy.deepcopy(raw_info)
    for number, team in enumerate(made["contestant"]):
        if turned:
            team["position"] = {"home": "away", "away": "home"}[team["position"]]
        if names is not None:
            team.update(dict.fromkeys(("name", "shortName", "officialName", "code"), names[number]))
    return made


def test_exchanged_sides_are_found_by_names(w: World) -> None:
    first, second = feeds_of(w)
    match = LiveMatch(MATCH_ID, [first, replace(second, raw_info=other(w.recorded.raw_info, turned=True))])
    life = Life(match).follow(ticked(arrivals(w, END_MS, [Outage(PRIMARY, OUT_MS, END_MS)])))
    plain = Life(live(w)).follow(ticked(arrivals(w, END_MS, [Outage(PRIMARY, OUT_MS, END_MS)])))
    assert match.active == SIBLING
    assert life.bytes == plain.bytes, "the standby's sides are turned to the primary's"


def test_when_the_first_feed_is_turned_the_others_are_turned_with_it(w: World) -> None:
    info = w.recorded.info
    feeds = [replace(feeds_of(w)[0], sides=(info.away.team_id, info.home.team_id)), feeds_of(w)[1]]
    life = Life(LiveMatch(MATCH_ID, feeds)).follow(arrivals(w, 5_000))
    sides = [row["sides"] for row in journal(life.lines)[0].info["providers"]]
    assert sides == [{"home": info.away.team_id, "away": info.home.team_id}] * 2


@pytest.mark.parametrize("names", [("Alpha", "Omega"), ("Hamburger SV", "Hamburger SV")])
def test_a_standby_whose_sides_stay_open_is_left_out_and_the_match_goes_on(w: World, names: tuple[str, str]) -> None:
    first, second = feeds_of(w)
    strange = replace(second, raw_info=other(w.recorded.raw_info, names))
    life = Life(LiveMatch(MATCH_ID, [first, strange])).follow(arrivals(w, 90_000))
    assert life.problems.count("sides_not_mapped") == 1
    assert [row["name"] for row in journal(life.lines)[0].info["providers"]] == [PRIMARY]
    assert len(life.records) > 5
    info = w.recorded.info
    mapped = replace(strange, sides=(info.home.team_id, info.away.team_id))
    life = Life(LiveMatch(MATCH_ID, [first, mapped])).follow(arrivals(w, 90_000))
    assert [row["name"] for row in journal(life.lines)[0].info["providers"]] == [PRIMARY, SIBLING]


def test_sides_of_the_first_feed_that_are_not_its_teams_are_refused(w: World) -> None:
    first, second = feeds_of(w)
    match = LiveMatch(MATCH_ID, [replace(first, sides=("x", "y")), second])
    with pytest.raises(FeedError) as caught:
        Life(match).follow(arrivals(w, 5_000))
    assert caught.value.code == "sides_not_mapped"
    assert match.header is None


# Signs of life


def test_signs_of_life_are_kept_once_a_second_and_other_signs_always(w: World) -> None:
    life = Life(live(w))
    start = w.start_unix_ms
    life.follow([(PRIMARY, Arrival(start + n * 100, ArrivalKind.HEARTBEAT)) for n in range(50)])
    life.follow([(PRIMARY, Arrival(start + 5_000 + n, ArrivalKind.LOST)) for n in range(3)])
    signs = [message.doc["sign"] for message in journal(life.lines)[1]]
    assert signs == [Sign.HEARTBEAT] * 5 + [Sign.LOST] * 3


def test_a_restart_writes_no_sign_of_life_that_was_written_a_moment_before(w: World) -> None:
    beats: list[Step] = [(PRIMARY, Arrival(w.start_unix_ms + n * 100, ArrivalKind.HEARTBEAT)) for n in range(50)]
    straight = Life(live(w)).follow(beats)
    again = resumed(live(w), Life(live(w)).follow(beats[:25]).log).follow(beats[25:])
    assert again.lines == straight.lines


def test_fragments_that_come_again_leave_no_crowd_of_signs(w: World) -> None:
    docs = [message.doc for message in w.feeds[PRIMARY][:30]]
    life = Life(live(w)).follow([(PRIMARY, pushed(w.start_unix_ms, *docs[:29]))])
    life.follow([(PRIMARY, pushed(w.start_unix_ms + 100, *docs))])
    assert life.match.sessions[PRIMARY].counts["unchanged"] > 20
    assert sum("sign" in message.doc for message in journal(life.lines)[1]) == 1


def test_two_feeds_that_end_before_the_wait_is_over_lose_nothing(hsv: Recorded) -> None:
    feeds = [Feed("a", STATSPERFORM, hsv.info.match_id), Feed("b", STATSPERFORM, hsv.info.match_id)]
    life = Life(LiveMatch(MATCH_ID, feeds)).follow([("a", document(hsv, 40, AT_MS))])
    assert life.log == []
    life.keep(life.match.ended(AT_MS + 1))
    assert len(life.lines) == 41
    timeline = Timeline()
    timeline.apply(record.change for record in life.records)
    assert len(timeline) == len(life.match.sessions["a"].timeline)
