"""Who is who: certain, asked or new, the same whatever the order, and never against a person's word."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.identity.decisions import Decisions, Verdict, effective
from ingest.identity.model import (
    HOUR_MS,
    Key,
    Kind,
    Registry,
    noon_ms,
    season_label,
)
from ingest.identity.resolve import resolve
from tests.ingest.seasons import CLUBS, DAY_MS, SHORT, START_MS, linked, one, said, season


def test_two_sources_of_one_season_become_one() -> None:
    first = resolve(Registry(), season("a", CLUBS))
    second = resolve(first.registry, season("b", SHORT))
    assert not second.questions
    for mine, theirs in zip(CLUBS, SHORT, strict=True):
        assert linked(second, "a", mine.lower()) == linked(second, "b", theirs.lower()) is not None
    assert len(second.registry.fixtures) == 30
    assert {link.how for link in second.links} == {"certain"}
    assert len(second.registry.competitions) == 1


def test_the_calendar_proves_teams_whose_names_say_nothing() -> None:
    clubs = [f"Team {letter * 3}" for letter in "ABCDEF"]
    first = resolve(Registry(), season("a", CLUBS))
    found = resolve(first.registry, season("b", (*SHORT[:5], "Tigers")))
    assert linked(found, "b", "tigers") == linked(found, "a", "hull city")
    nameless = resolve(first.registry, season("b", clubs))
    assert all(link.how != "new" or link.key[0] is not Kind.TEAM for link in nameless.links) or not nameless.held
    wrong = [k for k in clubs if linked(nameless, "b", k.lower()) in first.registry.teams]
    assert not wrong  # nothing but the calendar, and nobody to start from: nothing is claimed


def test_the_result_does_not_depend_on_the_order_of_the_records() -> None:
    records = season("a", CLUBS) + season("b", SHORT) + [one("c", "Hull", "Leicester", START_MS + 500 * DAY_MS)]
    whole = resolve(Registry(), records, rank=("a", "b"))
    for seed in range(5):
        shuffled = records[:]
        random.Random(seed).shuffle(shuffled)
        again = resolve(Registry(), shuffled, rank=("a", "b"))
        assert again == whole


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(range(30)), st.integers(0, 30), st.sampled_from(["ab", "ba"]))
def test_records_may_come_in_any_order_and_in_parts(order: list[int], cut: int, rank: str) -> None:
    a, b = season("a", CLUBS), season("b", SHORT)
    registry = Registry()
    for part in (a, [b[i] for i in order[:cut]], [b[i] for i in order[cut:]], b, a):
        registry = resolve(registry, part, rank=tuple(rank)).registry
    assert len(registry.teams) == 6
    assert len(registry.fixtures) == 30
    for mine, theirs in zip(CLUBS, SHORT, strict=True):
        assert registry.links[Kind.TEAM, "a", mine.lower()] == registry.links[Kind.TEAM, "b", theirs.lower()]


def test_the_same_records_again_change_nothing() -> None:
    records = season("a", CLUBS) + season("b", SHORT)
    first = resolve(Registry(), records)
    again = resolve(first.registry, records)
    assert again.links == ()
    assert again.registry == first.registry


def test_the_same_name_in_another_country_is_another_team() -> None:
    first = resolve(Registry(), season("a", (*CLUBS[:5], "Everton")))
    abroad = season("b", ("Everton", "Colo-Colo", "Palestino", "Audax Italiano"), country="Chile", start_ms=START_MS)
    found = resolve(first.registry, abroad)
    assert linked(found, "b", "everton") != linked(found, "a", "everton")


def test_arsenal_de_sarandi_is_not_arsenal() -> None:
    first = resolve(Registry(), [one("a", "Arsenal", "Chelsea", country="England")])
    found = resolve(first.registry, [one("b", "Arsenal de Sarandí", "Boca Juniors", country="Argentina")])
    assert linked(found, "b", "arsenal de sarandí") != linked(found, "a", "arsenal")


@pytest.mark.parametrize("league", ["Premier League Women", "U21 Premier League", "Premier League Reserves"])
def test_women_youth_and_reserves_are_teams_of_their_own(league: str) -> None:
    first = resolve(Registry(), season("a", CLUBS))
    found = resolve(first.registry, season("b", CLUBS, name=league))
    assert not found.questions
    assert len(found.registry.teams) == 12
    assert len(found.registry.fixtures) == 60


def test_names_alone_need_a_known_country() -> None:
    first = resolve(Registry(), [one("a", "Arsenal", "Chelsea", country="England")])
    later = START_MS + 300 * DAY_MS
    certain = resolve(first.registry, [one("b", "Arsenal FC", "Chelsea FC", later, country="England")])
    assert linked(certain, "b", "arsenal fc") == linked(first, "a", "arsenal")
    unsure = resolve(first.registry, [one("b", "Arsenal FC", "Chelsea FC", later)])
    assert {q.key[2] for q in unsure.questions} == {"arsenal fc", "chelsea fc"}
    assert unsure.held == ((Kind.FIXTURE, "b", "Arsenal FC/Chelsea FC/0"),)


def test_a_fixture_with_an_opponent_at_the_same_hour_speaks_for_both() -> None:
    first = resolve(Registry(), season("a", CLUBS))
    mine = season("a", CLUBS)[7]
    short = dict(zip(CLUBS, SHORT, strict=True))
    found = resolve(
        first.registry, [one("b", short[mine.home.names[0]], short[mine.away.names[0]], mine.kickoff_ms or 0)]
    )
    assert linked(found, "b", short[mine.home.names[0]].lower()) == linked(first, "a", mine.home.team_id)
    assert len(found.registry.fixtures) == 30


def test_swapped_sides_are_asked_never_taken() -> None:
    first = resolve(Registry(), [one("a", "Russia", "Uruguay", country="")])
    records = [one("b", "Uruguay", "Russia", country="")]
    known = {
        (Kind.TEAM, "b", "russia"): linked(first, "a", "russia") or "",
        (Kind.TEAM, "b", "uruguay"): linked(first, "a", "uruguay") or "",
    }
    found = resolve(first.registry, records, Decisions(same=known))
    assert [flag.code for flag in found.flags] == ["swapped_sides"]
    assert [q.key[0] for q in found.questions] == [Kind.FIXTURE]
    assert len(found.registry.fixtures) == 1


def test_two_legs_within_days_stay_two_fixtures() -> None:
    legs = [one("a", "Roma", "Lazio", n=1), one("a", "Lazio", "Roma", START_MS + 3 * DAY_MS, n=2)]
    first = resolve(Registry(), legs)
    theirs = [replace(leg, provider="b", competition=replace(leg.competition, provider="b")) for leg in legs]
    theirs = [
        replace(leg, home=replace(leg.home, provider="b"), away=replace(leg.away, provider="b"), fixture_id=f"b{i}")
        for i, leg in enumerate(theirs)
    ]
    same = {(Kind.TEAM, "b", team): linked(first, "a", team) or "" for team in ("roma", "lazio")}
    found = resolve(first.registry, theirs, Decisions(same=same))
    for index, leg in enumerate(legs):
        assert linked(found, "b", f"b{index}", Kind.FIXTURE) == linked(first, "a", leg.fixture_id, Kind.FIXTURE)


def test_a_postponed_match_keeps_its_identity_where_the_round_is_known() -> None:
    first = resolve(Registry(), season("a", CLUBS))
    moved = season("b", SHORT)
    moved[3] = replace(moved[3], kickoff_ms=(moved[3].kickoff_ms or 0) + 60 * DAY_MS)
    found = resolve(first.registry, moved)
    assert len(found.registry.fixtures) == 30
    assert [flag.code for flag in found.flags] == ["redated"]
    without_round = [replace(f, round="") for f in moved]
    asked = resolve(first.registry, without_round)
    assert [q.key[2] for q in asked.questions] == [moved[3].fixture_id]


def test_a_double_header_is_told_apart_by_its_hours_or_asked() -> None:
    games = [one("a", "Cubs", "Reds", n=1), one("a", "Cubs", "Reds", START_MS + 6 * HOUR_MS, n=2)]
    first = resolve(Registry(), games)
    same = {(Kind.TEAM, "b", team): linked(first, "a", team) or "" for team in ("cubs", "reds")}
    clear = resolve(
        first.registry,
        [one("b", "Cubs", "Reds", n=1), one("b", "Cubs", "Reds", START_MS + 6 * HOUR_MS, n=2)],
        Decisions(same=same),
    )
    assert linked(clear, "b", "Cubs/Reds/2", Kind.FIXTURE) == linked(first, "a", "Cubs/Reds/2", Kind.FIXTURE)
    days = [replace(one("b", "Cubs", "Reds", n=1), kickoff_ms=None)]
    asked = resolve(first.registry, days, Decisions(same=same))
    assert [q.key[0] for q in asked.questions] == [Kind.FIXTURE]
    assert len(asked.questions[0].candidates) == 2


def test_a_known_team_is_taken_once_a_season() -> None:
    first = resolve(Registry(), season("a", CLUBS))
    found = resolve(first.registry, season("b", (*SHORT[:5], "Hull City")))
    again = resolve(found.registry, season("b", (*SHORT[:5], "Hull City", "Hull", "York"), start_ms=START_MS))
    assert linked(again, "b", "hull") != linked(again, "b", "hull city")


def test_impossible_dates_are_refused() -> None:
    with pytest.raises(FeedError, match="no day of the calendar"):
        noon_ms("2024-02-30")
    with pytest.raises(FeedError, match="year 9999"):
        noon_ms("9999-01-01")
    assert season_label(["2017-08-11", "2018-05-13"]) == "2017/18"
    assert season_label(["2018-06-14", "2018-07-15"]) == "2018"


# Competitions


def test_a_competition_of_a_similar_name_is_asked_and_waits() -> None:
    first = resolve(Registry(), season("a", CLUBS))
    later = season("b", CLUBS, name="The Premier League", label="2025/26", start_ms=START_MS + 364 * DAY_MS)
    asked = resolve(first.registry, later)
    key: Key = (Kind.COMPETITION, "b", "the premier league")
    assert [q.key for q in asked.questions] == [key]
    assert len(asked.held) == 30
    known = asked.questions[0].candidates[0].canonical
    same = resolve(asked.registry, later, effective([said(Verdict.SAME, known, key)]))
    assert same.registry.links[key] == known
    assert len(same.registry.fixtures) == 60
    new = resolve(asked.registry, later, effective([said(Verdict.NEW, key=key)]))
    assert new.registry.links[key] != known
    other = resolve(asked.registry, later, effective([said(Verdict.DIFFERENT, known, key)]))
    assert other.registry.links[key] != known
    assert not other.questions


def test_a_competition_is_known_by_its_fixtures_whatever_its_name() -> None:
    first = resolve(Registry(), season("a", CLUBS))
    found = resolve(first.registry, season("b", SHORT, name="Barclays"))
    assert len(found.registry.competitions) == 1


def test_a_fixture_of_one_team_against_itself_is_flagged_and_waits() -> None:
    first = resolve(Registry(), [one("a", "Arsenal", "Chelsea", country="England")])
    arsenal = first.registry.links[Kind.TEAM, "a", "arsenal"]
    both = Decisions(same={(Kind.TEAM, "b", "arsenal"): arsenal, (Kind.TEAM, "b", "the arsenal"): arsenal})
    found = resolve(first.registry, [one("b", "Arsenal", "The Arsenal")], both)
    assert [flag.code for flag in found.flags] == ["one_team"]
    assert len(found.held) == 1


def test_a_fixture_follows_when_its_team_turns_out_to_be_another() -> None:
    first = resolve(Registry(), [one("a", "Arsenal", "Chelsea", country="England")])
    alone = resolve(first.registry, [one("b", "Gunners", "Blues", country="Ireland")])
    assert len(alone.registry.fixtures) == 2
    same = Decisions(
        same={
            (Kind.TEAM, "b", "gunners"): first.registry.links[Kind.TEAM, "a", "arsenal"],
            (Kind.TEAM, "b", "blues"): first.registry.links[Kind.TEAM, "a", "chelsea"],
        }
    )
    joined = resolve(alone.registry, [one("b", "Gunners", "Blues", country="Ireland")], same)
    assert linked(joined, "b", "Gunners/Blues/0", Kind.FIXTURE) == linked(first, "a", "Arsenal/Chelsea/0", Kind.FIXTURE)


def test_people_decide_on_fixtures_too() -> None:
    first = resolve(Registry(), [one("a", "Arsenal", "Chelsea", country="England")])
    swapped = one("b", "Chelsea", "Arsenal", country="England")
    fixture = linked(first, "a", "Arsenal/Chelsea/0", Kind.FIXTURE) or ""
    key: Key = (Kind.FIXTURE, "b", swapped.fixture_id)
    teams = {(Kind.TEAM, "b", t): first.registry.links[Kind.TEAM, "a", t] for t in ("arsenal", "chelsea")}
    same = resolve(first.registry, [swapped], Decisions(same=teams | {key: fixture}))
    assert same.registry.links[key] == fixture
    again = resolve(same.registry, [swapped], Decisions(same=teams | {key: fixture}))
    assert again.registry == same.registry
    new = resolve(first.registry, [swapped], Decisions(same=teams, new=frozenset({key})))
    assert new.registry.links[key] != fixture
    barred = resolve(first.registry, [swapped], Decisions(same=teams, different=frozenset({(key, fixture)})))
    assert barred.registry.links[key] != fixture
