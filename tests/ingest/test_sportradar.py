"""The Sportradar adapter on a synthetic timeline (no real file is among the test data)."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Upsert, score
from ingest.feeds import split
from ingest.feeds.base import Problem
from ingest.feeds.sportradar import ADAPTER
from ingest.feeds.sportradar import constants as c
from ingest.session import Outcome, Session
from tests.ingest import sportradar_synthetic as synthetic

INFO = ADAPTER.info(synthetic.document()["sport_event"])


def body(timeline: list[dict[str, Any]] | None = None, **changes: str) -> bytes:
    return orjson.dumps(synthetic.document(timeline, **changes))


def events() -> dict[str, Event]:
    session = Session(ADAPTER, synthetic.MATCH)
    delivery = session.document(body(), 1)
    assert delivery.problems == ()
    return {event.event_id: event for event in session.timeline.events()}


def test_the_header_tells_who_plays() -> None:
    assert MatchInfo("sportradar", synthetic.MATCH, INFO.home, INFO.away, 1_769_968_800_000, "Synthetic League") == INFO
    assert (INFO.home.name, INFO.away.short) == ("Synthetic Home", "SYA")


def test_every_row_becomes_its_event() -> None:
    found = events()
    assert len(found) == len(synthetic.TIMELINE) - 2  # match_started and break_start say nothing of their own
    assert {key: event.kind for key, event in found.items()} == {
        str(row["id"]): c.KINDS[row["type"]] for row in synthetic.TIMELINE if row["type"] not in c.OUTSIDE_PLAY
    }


def test_places_are_seen_by_the_acting_team() -> None:
    found = events()
    assert (found["8"].x, found["8"].y) == (91, 48)
    assert (found["5"].x, found["5"].y) == (88, 60)
    assert (found["4"].x, found["4"].y) == (100, 100)  # a corner from the far right of the away team
    assert (found["20"].x, found["20"].y) == (5, 50)  # a goal kick is taken before one's own goal
    assert (found["22"].x, found["22"].y) == (None, None)  # a goal from 0, 0 is a goal from nowhere known


def test_the_clock_runs_through_added_time() -> None:
    found = events()
    assert found["3"].play_ms == 65_000
    assert (found["14"].period, found["14"].play_ms) == (1, (45 * 60 + 135) * 1000)
    assert (found["15"].period, found["15"].play_ms) == (1, 48 * 60_000)  # from the kick-off's time
    assert (found["18"].period, found["18"].play_ms) == (2, 60_000)
    assert (found["26"].period, found["26"].play_ms) == (2, (49 * 60 + 30) * 1000)
    assert found["13"].added_s == 180


def test_goals_and_shots_say_how() -> None:
    found = events()
    assert score(found.values()) == (2, 1)
    assert (found["8"].body, found["8"].player, found["8"].player_id) == (BodyPart.HEAD, "Sued, Kim", "sr:player:94")
    assert found["22"].penalty
    assert (found["25"].own_goal, found["25"].side) == (True, Side.HOME)
    assert [found[key].success for key in ("5", "14", "8")] == [True, False, True]
    assert found["14"].text == "shot off target: post"
    assert found["7"].provisional
    assert found["18"].player == "Neu, Ali"
    assert found["24"].kind is Kind.RED


def test_a_review_starts_and_ends_and_a_cancelled_goal_goes_with_its_row() -> None:
    session = Session(ADAPTER, synthetic.MATCH)
    session.document(body(synthetic.TIMELINE[:9], generated="2026-02-01T18:22:00+00:00"), 1)
    assert score(session.timeline.events()) == (1, 0)
    over = synthetic.row(10, "video_assistant_referee_over", 22, 20, competitor="home", description="no_goal")
    without = [row for row in synthetic.TIMELINE[:9] if row["id"] != 8] + [over]
    delivery = session.document(body(without, generated="2026-02-01T18:23:00+00:00"), 2)
    assert score(session.timeline.events()) == (0, 0)
    assert [type(change.new) for change in delivery.applied if change.old] == [type(None)]
    ended = next(event for event in session.timeline.events() if event.kind is Kind.VAR_END)
    assert ended.text == "video assistant referee over: no goal"


def test_the_road_of_push_messages_ends_where_the_documents_does() -> None:
    polled = events()
    session = Session(ADAPTER, synthetic.MATCH)
    session.document(body([]), 1)
    for number, row in enumerate(synthetic.TIMELINE):
        assert session.fragment(synthetic.message(row), number).outcome is not Outcome.BROKEN
    pushed = {event.event_id: event for event in session.timeline.events()}
    assert pushed.keys() == polled.keys()
    # Only final whistles differ: a message does not tell when the kick-off was.
    assert {key for key in polled if polled[key] != pushed[key]} == {"15", "26"}
    assert (pushed["26"].period, pushed["26"].kind) == (2, Kind.PERIOD_END)
    session.document(body(), 100)
    assert {event.event_id: event for event in session.timeline.events()} == polled


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 25), max_size=20))
def test_any_order_with_any_repetition_ends_in_the_same_events(rng: random.Random, again: list[int]) -> None:
    edited = [
        {**row, "updated": True, "updated_time": "2026-02-01T20:00:00+00:00", "players": [synthetic.player(7, "New")]}
        for row in synthetic.TIMELINE[2:6]
    ]
    rows = [*synthetic.TIMELINE, *edited, *(synthetic.TIMELINE[number] for number in again)]
    rng.shuffle(rows)
    session = Session(ADAPTER, synthetic.MATCH, INFO)
    for number, row in enumerate(rows):
        session.fragment(row, number)
    found = {event.event_id: event for event in session.timeline.events()}
    assert [found[key].player for key in ("3", "4", "5", "6")] == ["New"] * 4
    assert score(found.values()) == (2, 1)


def test_an_update_within_the_same_second_is_newer() -> None:
    first = synthetic.row(5, "shot_on_target", 6, 58, competitor="away")
    second = {**first, "updated": True, "updated_time": first["time"], "type": "shot_off_target"}
    for order in ([first, second], [second, first]):
        session = Session(ADAPTER, synthetic.MATCH, INFO)
        for number, row in enumerate(order):
            session.fragment(row, number)
        (event,) = session.timeline.events()
        assert event.success is False


def test_a_message_of_another_match_is_refused() -> None:
    (problem,) = ADAPTER.parse(INFO, synthetic.message(synthetic.TIMELINE[4], "sr:sport_event_id:1"))
    assert isinstance(problem, Problem)
    assert problem.code == "other_match"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (synthetic.row(1, "dribble", 3, competitor="home"), "unknown_type"),
        (synthetic.row(1, "throw_in", 3, competitor="referee"), "unknown_team"),
        (synthetic.row(1, "throw_in", 3, period=9), "out_of_period"),
        (synthetic.row(1, "throw_in", 3, match_clock="999:00"), "out_of_period"),
        (synthetic.row(1, "throw_in", 3, match_clock="3"), "bad_event"),
        (synthetic.row(1, "throw_in", 3, competitor="home", x="nan", y=1), "bad_event"),
        (synthetic.row(1, "throw_in", 3, time="yesterday"), "bad_event"),
        ({"id": 1, "type": "throw_in", "time": synthetic.clock(1)}, "out_of_period"),
        ({"type": "throw_in"}, "bad_event"),
        ({"payload": {"event": 7}}, "bad_event"),
    ],
)
def test_a_bad_row_is_a_located_problem(row: dict[str, Any], expected: str) -> None:
    _, problems = split(ADAPTER.parse(INFO, row))
    assert [problem.code for problem in problems] == [expected]


def test_extra_time_and_a_shoot_out_are_periods_of_their_own() -> None:
    rows = [
        synthetic.row(1, "shot_on_target", 97, competitor="home", period=1, period_type="overtime"),
        synthetic.row(2, "shot_on_target", 110, competitor="home", period=4, period_type="overtime"),
        synthetic.row(3, "penalty_shootout", 120, competitor="away", period_type="penalties", status="scored"),
        synthetic.row(4, "penalty_shootout", 120, competitor="home", period_type="penalties", status="not_taken_yet"),
        synthetic.row(5, "penalty_shootout", 120, competitor="home", period_type="penalties", status="missed"),
    ]
    changes, problems = split([item for row in rows for item in ADAPTER.parse(INFO, row)])
    assert not problems
    found = [change.event for change in changes if isinstance(change, Upsert)]
    assert [(e.period, e.play_ms) for e in found] == [(3, 420_000), (4, 300_000), (5, 0), (5, 0), (5, 0)]
    assert [(e.kind, e.goal) for e in found[2:]] == [(Kind.SHOT, True), (Kind.OTHER, False), (Kind.SHOT, False)]
    assert score(found) == (0, 0)


def test_a_withdrawal_is_a_tombstone_of_its_version() -> None:
    assert ADAPTER.parse(INFO, ADAPTER.withdrawal("8", 12_345)) == (Delete("8", 12_345),)
    assert ADAPTER.key(ADAPTER.withdrawal("8", 1)) == ADAPTER.key(synthetic.message(synthetic.TIMELINE[7])) == "8"
    assert ADAPTER.key({}) == ""


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
)
FIELDS = ["id", "type", "time", "period", "period_type", "match_clock", "match_time", "competitor", "x", "y", "players"]
FIELDS += ["updated", "updated_time", "stoppage_time", "stoppage_time_clock", "injury_time_announced", "method"]
FIELDS += ["status", "payload", "metadata", "event"]
ROWS = st.dictionaries(st.sampled_from(FIELDS), VALUES)


@settings(max_examples=300)
@given(st.sampled_from(synthetic.TIMELINE), ROWS)
def test_no_row_crashes_the_adapter(row: dict[str, Any], damage: dict[str, Any]) -> None:
    broken = row | damage
    for fragment in (broken, damage, {"payload": {"event": broken}}, {"payload": damage, "metadata": damage}):
        for item in ADAPTER.parse(INFO, fragment):
            assert isinstance(item, Upsert | Delete | Problem)
        assert isinstance(ADAPTER.key(fragment), str)
    session = Session(ADAPTER, synthetic.MATCH)
    try:
        blob = orjson.dumps(synthetic.document([*synthetic.TIMELINE, broken]))
    except TypeError:
        return
    session.document(blob, 1)


@given(st.binary(max_size=40) | ROWS.map(lambda row: json.dumps(row).encode()))
def test_what_is_no_document_is_refused(blob: bytes) -> None:
    with pytest.raises(FeedError):
        ADAPTER.document(blob)


def test_a_recording_is_loaded_and_replayed(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    file.write_bytes(body())
    recorded = ADAPTER.load([file])
    assert (recorded.official_score, recorded.problems) == ((2, 1), ())
    assert ADAPTER.matches([tmp_path]) == [synthetic.MATCH]
    assert ADAPTER.sources([tmp_path]) == {synthetic.MATCH: (file,)}
    header, messages = ADAPTER.replay([file], seed=1)
    session = Session(ADAPTER, synthetic.MATCH, ADAPTER.info(header.info))
    for line in messages:
        session.fragment(line.doc, line.at_ms)
    assert score(session.timeline.events()) == (2, 1)
    assert len(messages) == len(recorded.rows)


def test_a_score_that_the_events_do_not_make_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    file.write_bytes(body([row for row in synthetic.TIMELINE if row["id"] != 8]))
    assert [problem.code for problem in ADAPTER.load([file]).problems] == ["score_differs"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[]", "sportradar_not_a_match"),
        (b'{"matchInfo":{},"liveData":{}}', "wrong_provider"),
        (body([]), "sportradar_no_play"),
    ],
)
def test_a_file_that_is_no_match_says_what_it_is(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "f.json"
    file.write_bytes(content)
    with pytest.raises(FeedError) as caught:
        ADAPTER.load([file])
    assert caught.value.code == code


def test_two_matches_in_a_folder_must_be_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body())
    (tmp_path / "b.json").write_bytes(body().replace(b"9000001", b"9000002"))
    with pytest.raises(FeedError, match="2 matches"):
        ADAPTER.load([tmp_path])
    assert ADAPTER.load([tmp_path], "sr:sport_event:9000002").info.match_id.endswith("2")


def test_the_feed_says_that_the_index_cannot_be_made_of_it() -> None:
    assert ADAPTER.feeds_index is False
    assert not any(event.kind in (Kind.PASS, Kind.TOUCH, Kind.DUEL) for event in events().values())


def test_a_folder_with_a_broken_file_still_gives_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body())
    (tmp_path / "b.json").write_bytes(b"{")
    assert set(ADAPTER.sources([tmp_path])) == {synthetic.MATCH, "b.json"}
    for named, content in (("b.json", b"{"), ("c.json", b"[]")):
        (tmp_path / named).write_bytes(content)
        with pytest.raises(FeedError):
            ADAPTER.sources([tmp_path / named])
    with pytest.raises(FeedError, match="no timeline"):
        ADAPTER.load([tmp_path / "a.json"], "sr:sport_event:1")


def test_after_a_shoot_out_the_official_score_is_that_of_play(tmp_path: Path) -> None:
    document = synthetic.document()
    document["sport_event_status"] |= {"match_status": "ap", "home_score": 7, "away_score": 5}
    document["sport_event_status"]["period_scores"].append({"home_score": 5, "away_score": 4, "type": "penalties"})
    (tmp_path / "a.json").write_bytes(orjson.dumps(document))
    assert ADAPTER.load([tmp_path]).official_score == (2, 1)
    document["sport_event_status"] = {"match_status": "ap"}
    (tmp_path / "a.json").write_bytes(orjson.dumps(document))
    assert ADAPTER.load([tmp_path]).official_score is None


def test_rows_that_are_no_objects_are_counted() -> None:
    found = ADAPTER.document(orjson.dumps(synthetic.document([*synthetic.TIMELINE, 7, None])))  # type: ignore[list-item]
    assert [(problem.where, problem.text) for problem in found.problems] == [
        (f"row {len(synthetic.TIMELINE) + 1}", "not an object"),
        (f"row {len(synthetic.TIMELINE) + 2}", "not an object"),
    ]
    assert len(found.rows) == len(synthetic.TIMELINE)
