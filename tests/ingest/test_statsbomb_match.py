"""StatsBomb: the real matches of the kloppy package against kloppy's own reading, and files."""

from __future__ import annotations

import gzip
from collections import Counter
from functools import cache
from pathlib import Path

import orjson
import pytest
from kloppy import statsbomb as kloppy_statsbomb
from kloppy.domain import Event as KloppyEvent
from kloppy.domain import PassEvent, PassResult, ShotEvent, ShotResult
from kloppy.infra.serializers.event.statsbomb import specification as kloppy_specification

from ingest.events import Event, FeedError, Kind, Side, Upsert, score
from ingest.feeds import Recorded, adapter, default_match_paths, load_paths, split
from ingest.feeds.statsbomb import constants as c
from ingest.feeds.statsbomb.adapter import match_id_of
from ingest.session import Outcome, Session

FILES = default_match_paths("statsbomb")[0].parent
EVENT_FILES = ("statsbomb_event.json", "statsbomb_15986_event.json", "statsbomb_3788741_event.json")
PASSES = {Kind.PASS, Kind.CORNER, Kind.FREE_KICK, Kind.THROW_IN, Kind.GOAL_KICK}


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
