"""Real calendars of several sources: every link right, almost every pair found, at once."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import orjson
import pytest

from bench import identity as bench
from ingest.catalogue.wyscout import player
from ingest.identity.model import Kind, Player, Registry, SourcePlayer
from ingest.identity.names import plain
from ingest.identity.players import match_players
from ingest.identity.resolve import resolve

pytestmark = pytest.mark.shared


def test_no_link_is_wrong_in_any_setting_and_few_are_missing(shared: Path) -> None:
    for name, tally in bench.measure(quick=True).items():
        print(f"{name}: precision {tally.precision:.4f} ({tally.wrong} wrong), recall {tally.recall:.4f}")
        assert tally.wrong == 0, name
        assert tally.recall >= (0.88 if name == "names alone" else 0.99), name


def test_three_leagues_are_mapped_within_seconds(shared: Path) -> None:
    registry, _ = bench.known()
    fixtures = [fixture for _, league, _ in bench.LEAGUES for fixture, _ in bench.openfootball(league)]
    begun = time.process_time()
    found = resolve(registry, fixtures)
    assert time.process_time() - begun < 10  # 0.6 s measured, several times that under coverage
    assert sum(link.key[0] is Kind.FIXTURE and link.how == "certain" for link in found.links) == len(fixtures) == 1_140


def test_a_league_never_finds_its_teams_in_another_one(shared: Path) -> None:
    entries = {name: [f for f, _ in bench.openfootball(name)] for name in ("en", "es", "fr")}
    for one, other in (("en", "es"), ("es", "fr"), ("fr", "en")):
        known = resolve(Registry(), entries[one]).registry
        found = resolve(known, [*entries[other]])
        assert all(link.how == "new" for link in found.links)
        assert not found.questions


def test_a_later_season_knows_who_stayed_and_who_came(shared: Path) -> None:
    registry = resolve(Registry(), [f for f, _ in bench.openfootball("fr")]).registry
    found = resolve(registry, [f for f, _ in bench.openfootball("fr", "2025-26")])
    how = {link.key[2]: link.how for link in found.links if link.key[0] is Kind.TEAM}
    linked = found.registry.links
    assert how["Paris FC"] == "new"
    paris = linked[Kind.TEAM, "openfootball", "Paris Saint-Germain FC"]
    assert paris == linked[Kind.TEAM, "openfootball", "Paris Saint-Germain"]
    assert {q.key[2] for q in found.questions} <= {"Stade Rennais FC 1901", "RC Strasbourg Alsace"}


def test_the_sides_that_sources_really_swap_are_asked(shared: Path) -> None:
    registry, _ = bench.known()
    found = resolve(registry, [fixture for fixture, _ in bench.internationals()])
    swapped = {flag.key[2] for flag in found.flags if flag.code == "swapped_sides"}
    assert swapped == {"2018-06-25/Russia/Uruguay", "2018-07-01/Russia/Spain"}


def test_players_of_another_provider_are_found_by_name_alone_or_asked(shared: Path) -> None:
    """Barcelona, Alaves and Girona of 2018/19 (StatsBomb) among all Wyscout players of their 2017/18 teams."""
    people = {
        str(row["wyId"]): player(str(row["wyId"]), row)
        for row in orjson.loads(gzip.decompress((shared / "wyscout/players.json.gz").read_bytes()))
        if row["currentTeamId"] in (676, 696, 756)
    }
    known = {i: Player(i, p.names, p.birth_date) for i, p in people.items()}
    squads: dict[str, SourcePlayer] = {}
    for number in (15946, 15986):
        for team in orjson.loads(gzip.decompress((shared / f"statsbomb/lineups/{number}.json.gz").read_bytes())):
            for row in team["lineup"]:
                names = tuple(n for n in (row["player_name"], row.get("player_nickname")) if n)
                squads[str(row["player_id"])] = SourcePlayer("statsbomb", str(row["player_id"]), names)
    found = match_players(list(squads.values()), known, same_lineup=False)
    certain = {squads[i].names[0]: people[to].names[0] for i, (to, _) in found.items() if to is not None}
    for mine, theirs in certain.items():
        assert len(set(plain(mine).split()) & set(plain(theirs).split())) >= 2, (mine, theirs)
    assert len(certain) >= 30
