"""Calendar files: real ones are read whole, bad ones refused in words."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.catalogue import Entry, Status, read, read_paths
from ingest.events import FeedError
from ingest.feeds import default_match_paths


def by_teams(entries: tuple[Entry, ...]) -> dict[tuple[str, str], Entry]:
    return {(e.fixture.home.names[0], e.fixture.away.names[0]): e for e in entries}


@pytest.mark.shared
def test_openfootball_seasons_are_read_whole(shared: Path) -> None:
    found = dict(read_paths("openfootball", sorted((shared / "openfootball").glob("*/*.json.gz"))))
    assert [len(s.entries) for s in found.values()] == [380, 380, 380, 380, 380, 306, 380, 380, 306]
    assert not [problem for s in found.values() for problem in s.problems]
    last = found[shared / "openfootball/2025-26/en.1.json.gz"]
    assert Counter(e.status for e in last.entries)[Status.POSTPONED] == 1
    first = by_teams(found[shared / "openfootball/2017-18/en.1.json.gz"].entries)["Arsenal FC", "Leicester City"]
    kickoff = first.fixture.kickoff_ms
    assert kickoff is not None
    assert datetime.fromtimestamp(kickoff / 1000, UTC).isoformat() == "2017-08-11T18:45:00+00:00"
    assert (first.status, first.score) == (Status.FINISHED, (4, 3))
    assert first.fixture.competition.season == "2017/18"
    assert first.fixture.competition.name == "Premier League"
    awarded = found[shared / "openfootball/2024-25/fr.1.json.gz"]
    assert by_teams(awarded.entries)["Montpellier HSC", "AS Saint-Étienne"].status is Status.FINISHED


@pytest.mark.shared
def test_wyscout_lists_have_names_lineups_and_birth_dates(shared: Path) -> None:
    found = read("wyscout", shared / "wyscout/matches_Spain.json.gz")
    assert len(found.entries) == 380
    assert not found.problems
    entry = by_teams(found.entries)["Barcelona", "Real Sociedad"]
    assert entry.fixture.home.names == ("Barcelona", "FC Barcelona")
    assert entry.venue == "Camp Nou"
    assert entry.fixture.away.country == "Spain"
    home = next(lineup for lineup in entry.lineups if lineup.home)
    assert len(home.starters) == 11
    assert all(p.birth_date for p in home.starters)
    final = by_teams(read("wyscout", shared / "wyscout/matches_World_Cup.json.gz").entries)["France", "Croatia"]
    assert final.fixture.home.national
    assert final.fixture.competition.season == "2018"


@pytest.mark.shared
def test_a_folder_is_read_for_its_calendar_files_alone(shared: Path) -> None:
    assert len(list(read_paths("wyscout", [shared / "wyscout"]))) == 4


def test_ma1_of_the_package_has_status_lineups_and_shirts() -> None:
    ma1 = default_match_paths()[0]
    found = read("statsperform", ma1)
    (entry,) = found.entries
    assert found.version_ms > 0
    assert entry.fixture.competition.name == "2. Bundesliga"
    assert entry.fixture.competition.season == "2021/22"
    assert entry.fixture.competition.country == "Germany"
    assert (entry.status, entry.score, entry.venue) == (Status.FINISHED, (2, 1), "Volksparkstadion")
    home = next(lineup for lineup in entry.lineups if lineup.home)
    assert (len(home.starters), home.starters[0].shirt) == (11, 1)
    assert home.bench


def season(**changes: object) -> dict[str, object]:
    row = {"round": "1", "date": "2024-08-10", "time": "15:00", "team1": "A", "team2": "B", "score": {}} | changes
    return {"name": "English Premier League 2024/25", "matches": [{**row, "team1": "C"}, row]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"date": "2024-02-30"}, "no day of the calendar"),
        ({"date": "9999-01-01"}, "year 9999"),
        ({"time": "25:00"}, "is no time"),
        ({"date": None}, "no day"),
        ({"score": {"ft": ["x", 1]}}, "invalid literal"),
        ({"score": []}, ""),
    ],
)
def test_a_row_that_makes_no_sense_is_counted_and_the_rest_is_kept(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    document = season()
    document["matches"][1] |= change  # type: ignore[index]
    path = tmp_path / "season.json"
    path.write_text(json.dumps(document))
    found = read("openfootball", path)
    if says:
        assert len(found.entries) == 1
        assert found.problems[0].startswith("match 2")
        assert says in found.problems[0]
    else:
        assert len(found.entries) == 2


def test_a_pair_that_meets_twice_at_one_place_is_two_fixtures(tmp_path: Path) -> None:
    document = season()
    document["matches"].append({**document["matches"][1], "date": "2025-02-01"})  # type: ignore[attr-defined,index]
    path = tmp_path / "season.json"
    path.write_text(json.dumps(document))
    ids = [e.fixture.fixture_id for e in read("openfootball", path).entries]
    assert ids == ["england.1/2024/25/C/B", "england.1/2024/25/A/B", "england.1/2024/25/A/B/2"]


@pytest.mark.parametrize(
    ("provider", "content", "code"),
    [
        ("openfootball", "[]", "not_a_calendar"),
        ("openfootball", "{", "bad_json"),
        ("openfootball", json.dumps(season() | {"name": "English Premier League"}), "openfootball_no_season"),
        ("openfootball", json.dumps(season() | {"name": "League of Atlantis 2024/25"}), "openfootball_no_country"),
        ("wyscout", json.dumps(season()), "wrong_source"),
        ("nobody", json.dumps(season()), "unknown_source"),
    ],
)
def test_files_of_another_format_are_refused(tmp_path: Path, provider: str, content: str, code: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(FeedError) as error:
        read(provider, path)
    assert error.value.code == code


def test_rows_of_wrong_types_never_stop_the_others(tmp_path: Path) -> None:
    good = {
        "wyId": 1,
        "dateutc": "2018-05-13 14:00:00",
        "competitionId": 364,
        "seasonId": 1,
        "status": "Fixture",
        "label": "A - B, 0 - 0",
        "teamsData": {"1": {"side": "home", "teamId": 1}, "2": {"side": "away", "teamId": 2}},
    }
    bad: list[object] = [{**good, "dateutc": "soon"}, {**good, "teamsData": []}, 7, {**good, "teamsData": {"1": 5}}]
    path = tmp_path / "matches_X.json"
    path.write_text(json.dumps([good, *bad]))
    found = read("wyscout", path)
    assert [e.status for e in found.entries] == [Status.SCHEDULED]
    assert found.entries[0].fixture.home.names == ("A",)
    assert len(found.problems) == 4
