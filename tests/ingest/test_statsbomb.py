"""StatsBomb: rules row by row, and the real matches of the kloppy package against kloppy's own reading."""

from __future__ import annotations

import gzip
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from kloppy import statsbomb as kloppy_statsbomb
from kloppy.domain import Event as KloppyEvent
from kloppy.domain import PassEvent, PassResult, ShotEvent, ShotResult
from kloppy.infra.serializers.event.statsbomb import specification as kloppy_specification

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, MatchInfo, Side, Team, Upsert, score
from ingest.feeds import Problem, Recorded, adapter, default_match_paths, load_paths, split
from ingest.feeds.statsbomb import constants as c
from ingest.feeds.statsbomb.adapter import match_id_of
from ingest.feeds.statsbomb.parse import parse_event
from ingest.session import Outcome, Session

INFO = MatchInfo("statsbomb", "1", Team("11", "Home", "HOM"), Team("22", "Away", "AWA"), 0, "")
FILES = default_match_paths("statsbomb")[0].parent
EVENT_FILES = ("statsbomb_event.json", "statsbomb_15986_event.json", "statsbomb_3788741_event.json")
PASSES = {Kind.PASS, Kind.CORNER, Kind.FREE_KICK, Kind.THROW_IN, Kind.GOAL_KICK}


def row(type_id: int, team: Any = 11, **more: Any) -> dict[str, Any]:
    doc = {
        "id": "e",
        "period": 2,
        "timestamp": "00:01:05.432",
        "type": {"id": type_id, "name": "-"},
        "team": None if team is None else {"id": team, "name": "-"},
        "player": {"id": 77, "name": "A Player"},
        "location": [90.0, 20.0],
        "duration": 1.5,
    }
    return {key: value for key, value in {**doc, **more}.items() if value is not None}


def read(type_id: int, **more: Any) -> list[Event]:
    changes, problems = split(parse_event(INFO, row(type_id, **more)))
    assert problems == []
    return [change.event for change in changes if isinstance(change, Upsert)]


def one(type_id: int, **more: Any) -> Event:
    (event,) = read(type_id, **more)
    return event


def test_time_place_side_and_player_are_taken_over() -> None:
    event = one(c.PASS, team=22, **{"pass": {}})
    assert (event.kind, event.period, event.play_ms, event.side) == (Kind.PASS, 2, 65_432, Side.AWAY)
    assert (event.x, event.y, event.success) == (75.0, 25.0, True)
    assert (event.player, event.player_id) == ("A Player", "77")


@pytest.mark.parametrize(
    ("kind_id", "kind"),
    [
        (None, Kind.PASS),
        (61, Kind.CORNER),
        (62, Kind.FREE_KICK),
        (63, Kind.GOAL_KICK),
        (64, Kind.PASS),
        (65, Kind.PASS),
        (66, Kind.PASS),
        (67, Kind.THROW_IN),
    ],
)
def test_restarts_are_kinds_of_their_own_and_kick_offs_are_passes(kind_id: int | None, kind: Kind) -> None:
    detail = {} if kind_id is None else {"type": {"id": kind_id}}
    assert one(c.PASS, **{"pass": detail}).kind is kind


@pytest.mark.parametrize(
    ("type_id", "kind"),
    [
        (2, Kind.TOUCH),
        (6, Kind.OTHER),
        (9, Kind.TOUCH),
        (10, Kind.TOUCH),
        (17, Kind.OTHER),
        (20, Kind.OTHER),
        (21, Kind.OTHER),
        (28, Kind.TOUCH),
        (37, Kind.OTHER),
        (38, Kind.TOUCH),
        (42, Kind.OTHER),
        (43, Kind.OTHER),
    ],
)
def test_carries_receipts_pressure_and_blocks_are_no_touches(type_id: int, kind: Kind) -> None:
    assert one(type_id).kind is kind


def test_a_failed_recovery_is_no_touch() -> None:
    assert one(c.BALL_RECOVERY, ball_recovery={"recovery_failure": True}).kind is Kind.OTHER


def test_duels_tell_who_had_the_ball() -> None:
    tackle, aerial = one(c.DUEL, duel={"type": {"id": 11}}), one(c.DUEL, duel={"type": {"id": 10}})
    assert (tackle.attacking, tackle.aerial) == (False, False)
    assert (aerial.attacking, aerial.aerial) == (None, True)
    assert [one(t).attacking for t in (c.DRIBBLE, c.DISPOSSESSED, c.DRIBBLED_PAST, 33)] == [True, True, False, None]


@pytest.mark.parametrize(("action", "kind"), [(25, Kind.TOUCH), (30, Kind.TOUCH), (33, Kind.SAVE), (32, Kind.OTHER)])
def test_a_keeper_plays_the_ball_saves_or_only_faces_a_shot(action: int, kind: Kind) -> None:
    assert one(c.GOALKEEPER, goalkeeper={"type": {"id": action}}).kind is kind


def shot(outcome: int, kind: int = 87, body: int = 40, xg: float | None = 0.1, **more: Any) -> dict[str, Any]:
    return {
        "shot": {
            "outcome": {"id": outcome},
            "type": {"id": kind},
            "body_part": {"id": body},
            "statsbomb_xg": xg,
            **more,
        }
    }


def test_shots_carry_goal_body_situation_and_the_providers_expected_goals() -> None:
    goal = one(c.SHOT, **shot(97, 88, 37, 0.78))
    assert (goal.kind, goal.goal, goal.success, goal.penalty) == (Kind.SHOT, True, True, True)
    assert (goal.body, goal.xg_e6, goal.big_chance) == (BodyPart.HEAD, 780_000, True)
    assert one(c.SHOT, **shot(96, 62)).direct_free_kick
    assert [one(c.SHOT, **shot(outcome)).success for outcome in (96, 97, 99, 100, 115, 116)] == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]
    assert one(c.SHOT, **shot(100, xg=None)).xg_e6 is None
    assert not one(c.SHOT, **shot(100, xg=0.19)).big_chance
    assert one(c.SHOT, **shot(100, body=70)).body is BodyPart.OTHER


def test_an_own_goal_is_read_once_for_the_side_that_gains() -> None:
    gained = one(c.OWN_GOAL_FOR, location=[115.7, 39.9])
    assert (gained.kind, gained.side, gained.goal, gained.own_goal) == (Kind.SHOT, Side.HOME, True, True)
    assert gained.x == pytest.approx(96.416667)
    assert one(c.OWN_GOAL_AGAINST, team=22).kind is Kind.OTHER


def test_a_pass_that_goes_out_tells_when_and_where() -> None:
    _, out = read(c.PASS, **{"pass": {"outcome": {"id": 75}, "end_location": [60.0, 80.0]}})
    assert (out.event_id, out.kind, out.side, out.play_ms) == ("e:out", Kind.OUT, Side.HOME, 66_932)
    assert (out.x, out.y) == (50.0, 100.0)


@pytest.mark.parametrize(
    ("type_id", "more", "out"),
    [
        (c.CLEARANCE, {"out": True}, True),
        (c.CLEARANCE, {}, False),
        (c.INTERCEPTION, {"interception": {"outcome": {"id": 14}}}, True),
        (c.DUEL, {"duel": {"type": {"id": 11}, "outcome": {"id": 17}}}, True),
        (c.GOALKEEPER, {"goalkeeper": {"type": {"id": 33}, "outcome": {"id": 59}}}, True),
        (c.SHOT, shot(98, end_location=[120.0, 50.0, 1.0]), True),
        (c.SHOT, shot(101, end_location=[112.0, 50.0]), False),
        (c.SHOT, shot(96, end_location=[120.0, 50.0]), False),
    ],
)
def test_the_ball_is_out_after_what_says_so(type_id: int, more: dict[str, Any], out: bool) -> None:
    assert [event.kind for event in read(type_id, **more)][1:] == [Kind.OUT] * out


def test_an_offside_pass_is_a_failed_pass_and_an_offside_of_its_side() -> None:
    failed, offside = read(c.PASS, **{"pass": {"outcome": {"id": 76}, "end_location": [108.0, 40.0]}})
    assert (failed.success, offside.kind, offside.side, offside.x) == (False, Kind.OFFSIDE, Side.HOME, 90.0)


@pytest.mark.parametrize(
    ("type_id", "name", "card", "kind"),
    [
        (c.FOUL, "foul_committed", 7, Kind.YELLOW),
        (c.FOUL, "foul_committed", 6, Kind.RED),
        (c.FOUL, "foul_committed", 5, Kind.RED),
        (c.BAD_BEHAVIOUR, "bad_behaviour", 65, Kind.YELLOW),
        (c.BAD_BEHAVIOUR, "bad_behaviour", 67, Kind.RED),
    ],
)
def test_a_card_rides_on_its_foul_or_bad_behaviour(type_id: int, name: str, card: int, kind: Kind) -> None:
    _, booked = read(type_id, **{name: {"card": {"id": card}}})
    assert (booked.event_id, booked.kind, booked.side, booked.player_id) == ("e:card", kind, Side.HOME, "77")


def test_a_foul_that_gives_a_penalty_is_the_other_sides_award_and_keeps_its_card() -> None:
    award, booked = read(c.FOUL, location=[12.0, 30.0], foul_committed={"penalty": True, "card": {"id": 7}})
    assert (award.kind, award.side, award.x, award.y) == (Kind.PENALTY_AWARDED, Side.AWAY, 90.0, 62.5)
    assert (booked.kind, booked.side, booked.player) == (Kind.YELLOW, Side.HOME, "A Player")


def test_a_corrected_row_takes_back_what_it_told_beside() -> None:
    changes, _ = split(parse_event(INFO, row(c.PASS, modified=5, **{"pass": {}})))
    assert changes[1:] == [Delete("e:out", 5), Delete("e:offside", 5)]
    gone = parse_event(INFO, {"id": "e", "deleted": True, "modified": 6})
    assert {change.event_id for change in gone if isinstance(change, Delete)} == {"e", "e:out", "e:offside", "e:card"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": None}, "bad_event"),
        ({"id": [1]}, "bad_event"),
        ({"period": 6}, "bad_event"),
        ({"period": None}, "bad_event"),
        ({"timestamp": "soon"}, "bad_event"),
        ({"timestamp": "02:00:00.000"}, "bad_event"),
        ({"location": [1]}, "bad_event"),
        ({"location": ["1", "2"]}, "bad_event"),
        ({"pass": 3}, "bad_event"),
        ({"type": {"id": "goal"}}, "bad_event"),
        ({"team": {"id": 5}}, "unknown_team"),
        ({"team": {"name": "no id"}}, "bad_event"),
    ],
)
def test_a_row_that_makes_no_sense_is_a_located_problem(change: dict[str, Any], code: str) -> None:
    doc = {**row(c.PASS, **{"pass": {}}), **change}
    (problem,) = parse_event(INFO, {key: value for key, value in doc.items() if value is not None})
    assert isinstance(problem, Problem)
    assert problem.code == code
    assert problem.where.startswith("event")


def test_expected_goals_beyond_one_are_a_problem() -> None:
    (problem,) = parse_event(INFO, row(c.SHOT, **shot(100, xg=1.5)))
    assert isinstance(problem, Problem)
    assert "not a probability" in problem.text


def test_an_unknown_type_and_an_unknown_card_are_kept_and_counted() -> None:
    (change,), (problem,) = split(parse_event(INFO, row(999)))
    assert isinstance(change, Upsert)
    assert (change.event.kind, problem.code) == (Kind.OTHER, "unknown_type")
    _, (problem,) = split(parse_event(INFO, row(c.FOUL, foul_committed={"card": {"id": 99}})))
    assert problem.code == "unknown_card"


# Real matches.


def final(match: Recorded) -> list[Event]:
    found: list[Event] = []
    for recorded in match.rows:
        changes, problems = split(adapter("statsbomb").parse(match.info, recorded.doc))
        assert problems == []
        found += [change.event for change in changes if isinstance(change, Upsert)]
    return found


@cache
def ours(name: str) -> dict[str, Event]:
    return {event.event_id: event for event in final(load_paths("statsbomb", [FILES / name]))}


@cache
def kloppys(name: str) -> dict[str, KloppyEvent]:
    lineups = name.replace("event", "lineup")
    dataset = kloppy_statsbomb.load(
        event_data=str(FILES / name), lineup_data=str(FILES / lineups), coordinates="statsbomb"
    )
    return {str(event.event_id): event for event in dataset.events}


def test_turkey_italy_ends_nil_three_with_its_cards() -> None:
    match = load_paths("statsbomb", default_match_paths("statsbomb"))
    events = final(match)
    assert (match.info.match_id, match.info.home.name, match.info.away.name) == ("3788741", "Turkey", "Italy")
    assert score(events) == (0, 3)
    lineups = orjson.loads(default_match_paths("statsbomb")[1].read_bytes())
    official = Counter(
        (str(player["player_id"]), card["card_type"])
        for team in lineups
        for player in team["lineup"]
        for card in player["cards"]
    )
    cards = Counter((e.player_id, f"{e.kind.value.title()} Card") for e in events if e.kind in (Kind.YELLOW, Kind.RED))
    assert cards == official
    assert sum(cards.values()) == 2


@pytest.mark.parametrize("name", EVENT_FILES)
def test_every_row_of_the_real_files_is_an_event_of_its_own(name: str) -> None:
    rows = orjson.loads((FILES / name).read_bytes())
    match = load_paths("statsbomb", [FILES / name])
    assert {recorded.doc["id"] for recorded in match.rows} == {r["id"] for r in rows} <= ours(name).keys()
    assert [problem.code for problem in match.problems] == ["home_side_unknown"]


@pytest.mark.parametrize("name", EVENT_FILES)
def test_kloppy_reads_the_same_passes_with_the_same_outcome(name: str) -> None:
    mine = {key: e for key, e in ours(name).items() if e.kind in PASSES}
    theirs = {key: e for key, e in kloppys(name).items() if isinstance(e, PassEvent)}
    assert mine.keys() == theirs.keys()
    assert all(mine[key].success is (e.result is PassResult.COMPLETE) or e.result is None for key, e in theirs.items())


@pytest.mark.parametrize("name", EVENT_FILES)
def test_kloppy_reads_the_same_shots_and_goals(name: str) -> None:
    mine = {key: e for key, e in ours(name).items() if e.kind is Kind.SHOT and not e.own_goal}
    theirs = {key: e for key, e in kloppys(name).items() if isinstance(e, ShotEvent)}
    own = {key for key, e in theirs.items() if e.result is ShotResult.OWN_GOAL}
    # kloppy takes the row of the side that concedes for the own goal; here it is the side that gains.
    assert mine.keys() == theirs.keys() - own
    assert len(own) == sum(e.own_goal for e in ours(name).values())
    assert {k for k, e in mine.items() if e.goal} == {k for k, e in theirs.items() if e.result is ShotResult.GOAL}


@pytest.mark.parametrize("name", EVENT_FILES)
def test_kloppy_reads_the_same_places_times_and_teams(name: str) -> None:
    home = load_paths("statsbomb", [FILES / name]).info.home.team_id
    compared = 0
    for key, theirs in kloppys(name).items():
        event = ours(name).get(key)
        if event is None or event.x is None or event.y is None or theirs.coordinates is None:
            continue
        # kloppy takes a place for a cell, of a yard in older files, and gives its middle.
        assert event.x * 1.2 == pytest.approx(min(120, max(0, theirs.coordinates.x)), abs=0.501)
        assert event.y * 0.8 == pytest.approx(min(80, max(0, theirs.coordinates.y)), abs=0.501)
        assert (event.period, event.play_ms) == (theirs.period.id, round(theirs.timestamp.total_seconds() * 1000))
        assert (event.side is Side.HOME) == (theirs.team.team_id == home)
        assert theirs.player is None or event.player_id == theirs.player.player_id
        compared += 1
    assert compared > 3500


def test_kloppy_knows_every_type_number_we_use_by_the_same_meaning() -> None:
    theirs = {member.value: member.name for member in kloppy_specification.EVENT_TYPE}
    assert theirs.keys() == c.NAMES.keys()
    names = {"FOUL_COMMITTED": c.FOUL, "SHOT": c.SHOT, "PASS": c.PASS, "OWN_GOAL_FOR": c.OWN_GOAL_FOR}
    assert {theirs[number] for number in names.values()} == names.keys()


def test_every_number_means_what_the_real_files_call_it() -> None:
    named: dict[int, str] = {}
    for name in EVENT_FILES:
        named |= {r["type"]["id"]: r["type"]["name"] for r in orjson.loads((FILES / name).read_bytes())}
    assert named[c.BALL_RECOVERY] == "Ball Recovery"
    assert {named[number] for number in c.ATTACKING} == {"Dispossessed", "Dribble", "Dribbled Past"}
    assert {named[n] for n in named if n not in c.KINDS} == {
        *("Ball Receipt*", "Carry", "Pressure", "Block", "Camera On", "Camera off", "Error", "Foul Won"),
        *("Goal Keeper", "Bad Behaviour", "Own Goal Against", "Starting XI", "Tactical Shift"),
    }


# Files.


LISTED = {
    "match_id": 3788741,
    "match_date": "2021-06-11",
    "kick_off": "21:00:00.000",
    "competition": {"competition_name": "UEFA Euro"},
    "home_team": {"home_team_id": 909, "home_team_name": "Turkey"},
    "away_team": {"away_team_id": 914, "away_team_name": "Italy"},
    "home_score": 0,
    "away_score": 3,
}


def archive(folder: Path) -> Path:
    for place, name in (("events", EVENT_FILES[2]), ("lineups", EVENT_FILES[2].replace("event", "lineup"))):
        (folder / place).mkdir(parents=True)
        (folder / place / "3788741.json.gz").write_bytes(gzip.compress((FILES / name).read_bytes(), 1))
    (folder / "events" / "15986.json").write_bytes((FILES / EVENT_FILES[1]).read_bytes())
    (folder / "matches" / "55").mkdir(parents=True)
    (folder / "matches" / "55" / "43.json").write_bytes(orjson.dumps([LISTED]))
    return folder


def test_an_archive_knows_home_side_date_and_score_from_its_match_list(tmp_path: Path) -> None:
    folder = archive(tmp_path)
    assert sorted(adapter("statsbomb").matches([folder])) == ["15986", "3788741"]
    match = load_paths("statsbomb", [folder], "3788741")
    assert (match.problems, match.official_score) == ((), (0, 3))
    assert (match.info.competition, match.info.kickoff_unix_ms) == ("UEFA Euro", 1_623_445_200_000)
    again = load_paths("statsbomb", adapter("statsbomb").sources([folder])["3788741"], "3788741")
    assert again == match
    with pytest.raises(FeedError) as error:
        load_paths("statsbomb", [folder])
    assert error.value.code == "statsbomb_which_match"


def test_a_score_that_the_events_do_not_make_is_told(tmp_path: Path) -> None:
    listing = tmp_path / "matches.json"
    listing.write_bytes(orjson.dumps([{**LISTED, "home_score": 1}]))
    match = load_paths("statsbomb", [FILES / EVENT_FILES[2], listing])
    assert [problem.code for problem in match.problems] == ["score_differs"]
    assert "0-3" in match.problems[0].text


def test_a_match_list_turns_the_sides_where_the_first_eleven_is_the_guests(tmp_path: Path) -> None:
    turned = {
        **LISTED,
        "home_team": {"home_team_id": 914, "home_team_name": "Italy"},
        "away_team": {"away_team_id": 909, "away_team_name": "Turkey"},
    }
    listing = tmp_path / "matches.json"
    listing.write_bytes(orjson.dumps([turned]))
    match = load_paths("statsbomb", [FILES / EVENT_FILES[2], listing])
    assert score(final(match)) == (3, 0)


def test_line_ups_of_another_match_are_refused() -> None:
    with pytest.raises(FeedError) as error:
        load_paths("statsbomb", [FILES / EVENT_FILES[2], FILES / "statsbomb_15986_lineup.json"])
    assert error.value.code == "statsbomb_other_match"


def test_frames_may_lie_beside_the_events() -> None:
    paths = [FILES / EVENT_FILES[2], FILES / "statsbomb_3788741_360.json"]
    assert load_paths("statsbomb", paths).info.match_id == "3788741"


def test_line_ups_alone_are_no_match() -> None:
    with pytest.raises(FeedError) as error:
        load_paths("statsbomb", [FILES / "statsbomb_lineup.json"])
    assert error.value.code == "statsbomb_which_match"


@pytest.mark.parametrize(
    ("name", "match_id"),
    [("15946.json.gz", "15946"), ("statsbomb_15986_event.json", "15986"), ("statsbomb_event.json", "statsbomb_event")],
)
def test_the_match_is_named_by_its_file(name: str, match_id: str) -> None:
    assert match_id_of(Path(name)) == match_id


def test_a_polled_match_is_read_once_its_row_told_who_plays() -> None:
    body = (FILES / EVENT_FILES[2]).read_bytes()
    session = Session(adapter("statsbomb"), "3788741")
    assert session.document(body, 1).outcome is Outcome.BROKEN
    assert session.document(orjson.dumps(LISTED), 2).outcome is Outcome.UNCHANGED
    assert session.document(body, 3).outcome is Outcome.CHANGED
    assert score(session.timeline.events()) == (0, 3)
    rows = orjson.loads(body)
    (own_goal,) = (r["id"] for r in rows if r["type"]["id"] == c.OWN_GOAL_FOR)
    taken_back = session.document(orjson.dumps([r for r in rows if r["id"] != own_goal]), 4)
    assert [applied.old.event_id for applied in taken_back.applied if applied.old is not None] == [own_goal]
    assert score(session.timeline.events()) == (0, 2)


def test_line_ups_and_frames_carry_no_events() -> None:
    for name in ("statsbomb_lineup.json", "statsbomb_3788741_360.json"):
        assert adapter("statsbomb").document((FILES / name).read_bytes()).rows == ()
    with pytest.raises(FeedError, match="neither events"):
        adapter("statsbomb").document(b'{"match": 1}')


@pytest.mark.shared
def test_the_development_matches_are_the_same(shared: Path) -> None:
    folder = shared / "statsbomb"
    assert sorted(adapter("statsbomb").matches([folder])) == ["15946", "15986", "3788741"]
    # The first file holds an own goal that was added to it: the match itself ended 3-0.
    scores = {name: score(final(load_paths("statsbomb", [folder], name))) for name in ("15946", "15986", "3788741")}
    assert scores == {"15946": (3, 1), "15986": (2, 2), "3788741": (0, 3)}
