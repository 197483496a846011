"""Who is who: certain, asked or new, the same whatever the order, and never against a person's word."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.identity import review
from ingest.identity.assign import pair
from ingest.identity.decisions import Decision, Decisions, Verdict, effective
from ingest.identity.model import (
    HOUR_MS,
    Key,
    Kind,
    Player,
    Registry,
    SourceCompetition,
    SourceFixture,
    SourcePlayer,
    SourceTeam,
    day_of,
    noon_ms,
    season_label,
)
from ingest.identity.players import match_players
from ingest.identity.resolve import Resolution, mint, resolve

DAY_MS = 24 * HOUR_MS
START_MS = noon_ms("2024-08-10")
CLUBS = ("Leicester City", "Manchester United", "Manchester City", "Swansea City", "West Ham United", "Hull City")
SHORT = ("Leicester", "Man Utd", "Man City", "Swansea", "West Ham", "Hull")


def season(
    provider: str,
    clubs: Sequence[str],
    *,
    country: str = "England",
    name: str = "Premier League",
    label: str = "2024/25",
    start_ms: int = START_MS,
) -> list[SourceFixture]:
    """A double round robin, one round a week, every fixture at an hour of its own."""
    competition = SourceCompetition(provider, name.lower(), name, country, label)
    teams = [SourceTeam(provider, club.lower(), (club,)) for club in clubs]
    n = len(teams)
    found = []
    for round_ in range(2 * (n - 1)):
        order = [0, *((i + round_) % (n - 1) + 1 for i in range(n - 1))]
        for at in range(n // 2):
            home, away = teams[order[at]], teams[order[-1 - at]]
            if (round_ >= n - 1) != bool((round_ + at) % 2 and at == 0):
                home, away = away, home
            kickoff = start_ms + round_ * 7 * DAY_MS + at * 2 * HOUR_MS
            key = f"{home.team_id}/{away.team_id}/{round_ // (n - 1)}"
            fixture = SourceFixture(
                provider, key, competition, home, away, kickoff, day_of(kickoff), f"Matchday {round_ + 1}"
            )
            found.append(fixture)
    return found


def linked(found: Resolution, provider: str, source_id: str, kind: Kind = Kind.TEAM) -> str | None:
    return found.registry.links.get((kind, provider, source_id))


def one(
    provider: str,
    home: str,
    away: str,
    kickoff_ms: int = START_MS,
    *,
    country: str = "",
    league: str = "Cup",
    n: int = 0,
) -> SourceFixture:
    """A single fixture."""
    competition = SourceCompetition(provider, league, league, country, "2024/25")
    teams = [SourceTeam(provider, name.lower(), (name,)) for name in (home, away)]
    return SourceFixture(provider, f"{home}/{away}/{n}", competition, *teams, kickoff_ms, day_of(kickoff_ms))


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


# Decisions


def asked() -> tuple[Registry, list[SourceFixture], Resolution]:
    first = resolve(Registry(), [one("a", "Arsenal", "Chelsea", country="England")])
    records = [one("b", "Arsenal FC", "Chelsea FC", START_MS + 300 * DAY_MS)]
    return first.registry, records, resolve(first.registry, records)


ARSENAL: Key = (Kind.TEAM, "b", "arsenal fc")
CHELSEA: Key = (Kind.TEAM, "b", "chelsea fc")


def said(verdict: Verdict, canonical: str = "", key: Key = ARSENAL) -> Decision:
    return Decision(key, verdict, canonical, "ann", 1)


def test_a_decision_wins_survives_and_can_be_taken_back() -> None:
    registry, records, _ = asked()
    arsenal = registry.links[Kind.TEAM, "a", "arsenal"]
    log = [said(Verdict.SAME, arsenal), said(Verdict.NEW, key=CHELSEA)]
    found = resolve(registry, records, effective(log))
    assert linked(found, "b", "arsenal fc") == arsenal
    assert linked(found, "b", "chelsea fc") != registry.links[Kind.TEAM, "a", "chelsea"]
    assert len(found.registry.fixtures) == 2
    again = resolve(found.registry, records, effective(log))
    assert again.registry == found.registry
    assert again.links == ()

    split = resolve(found.registry, records, effective([*log, said(Verdict.DIFFERENT, arsenal)]))
    assert linked(split, "b", "arsenal fc") != arsenal

    undone = effective([*log, said(Verdict.UNDO)])
    assert ARSENAL not in undone.same
    assert undone.new == {CHELSEA}


def test_a_machine_link_can_be_split_and_is_not_made_again() -> None:
    first = resolve(Registry(), season("a", CLUBS))
    both = resolve(first.registry, season("b", SHORT))
    hull = linked(both, "a", "hull city") or ""
    apart = effective([said(Verdict.DIFFERENT, hull, (Kind.TEAM, "b", "hull"))])
    found = resolve(both.registry, season("b", SHORT), apart)
    assert linked(found, "b", "hull") != hull
    again = resolve(found.registry, season("b", SHORT), apart)
    assert linked(again, "b", "hull") == linked(found, "b", "hull")


def test_new_for_the_record_that_founded_an_entity_gives_it_another() -> None:
    first = resolve(Registry(), season("a", CLUBS) + season("b", SHORT))
    key: Key = (Kind.TEAM, "a", "hull city")
    found = resolve(first.registry, season("a", CLUBS), effective([said(Verdict.NEW, key=key)]))
    assert found.registry.links[key] != found.registry.links[Kind.TEAM, "b", "hull"]
    alone = resolve(Registry(), season("a", CLUBS))
    same = resolve(alone.registry, season("a", CLUBS), effective([said(Verdict.NEW, key=key)]))
    assert same.registry == alone.registry


words = st.builds(
    Decision,
    st.sampled_from([ARSENAL, CHELSEA]),
    st.sampled_from(list(Verdict)),
    st.sampled_from(["te-1", "te-2"]),
    st.just("ann"),
    st.just(0),
)


@given(st.lists(words, max_size=12))
def test_what_holds_never_contradicts_itself(log: list[Decision]) -> None:
    found = effective(log)
    assert not found.new & set(found.same)
    assert not found.different & set(found.same.items())
    assert effective([*log, *(said(Verdict.UNDO, key=key) for key in (ARSENAL, CHELSEA))]) == Decisions()


# The review file


def edited(text: str, marks: dict[str, str]) -> str:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        for source_id, word in marks.items():
            if f"\t{source_id}\t" in line:
                lines[number] = word + line
    return "\n".join(lines)


def test_the_review_file_carries_questions_out_and_decisions_back() -> None:
    registry, records, found = asked()
    text = review.write(found.questions)
    assert "name 0.95" in text
    known = {Kind.TEAM: registry.teams}
    keys = [q.key for q in found.questions]
    assert review.read(text, known, keys) == []
    got = review.read(edited(text, {"arsenal fc": "same", "chelsea fc": "NEW"}), known, keys)
    assert got == [(ARSENAL, Verdict.SAME, registry.links[Kind.TEAM, "a", "arsenal"]), (CHELSEA, Verdict.NEW, "")]
    log = review.decisions(got, "ann", 5)
    assert {word.who for word in log} == {"ann"}
    settled = resolve(registry, records, effective(log))
    assert not settled.questions
    with pytest.raises(FeedError, match="give --who"):
        review.decisions(got, " ", 5)


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda t: t.replace("# futstar review 1", "hello"), "not_a_review", "first line"),
        (lambda t: edited(t, {"arsenal fc": "maybe"}), "bad_decision", "line 5: 'maybe'"),
        (lambda t: t + "same\tteam\tb", "bad_review_line", "line 7 has 3 columns"),
        (lambda t: edited(t, {"arsenal fc": "same"}).replace("te-", "xx-"), "unknown_id", "line 5"),
        (lambda t: edited(t, {"arsenal fc": "same"}).replace("\tarsenal fc", "\tarsenal"), "unknown_id", "line 5"),
        (lambda t: edited(t, {"arsenal fc": "same"}).replace("\tteam\t", "\tclub\t"), "bad_review_line", "no kind"),
        (
            lambda t: edited(t, {"arsenal fc": "same"}) + "\n" + edited(t, {"arsenal fc": "new"}),
            "contradiction",
            "lines 5 and 11",
        ),
        (
            lambda t: edited(t, {"arsenal fc": "same"}) + "\n" + edited(t, {"arsenal fc": "different"}),
            "contradiction",
            "lines 5 and 11",
        ),
    ],
)
def test_a_broken_review_file_is_refused_with_the_line(change: object, code: str, says: str) -> None:
    registry, _, found = asked()
    text = change(review.write(found.questions))  # type: ignore[operator]
    with pytest.raises(FeedError, match=says) as error:
        review.read(text, {Kind.TEAM: registry.teams}, [q.key for q in found.questions])
    assert error.value.code == code


def test_two_fixtures_of_a_source_cannot_be_one() -> None:
    head = review.TITLE + "\n"
    rows = "".join(f"same\tfixture\tb\t{n}\tx\tfx-1\t\t\t\n" for n in (1, 2))
    keys: list[Key] = [(Kind.FIXTURE, "b", "1"), (Kind.FIXTURE, "b", "2")]
    with pytest.raises(FeedError, match="lines 2 and 3 make two fixtures of b one"):
        review.read(head + rows, {Kind.FIXTURE: ["fx-1"]}, keys)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(FeedError):
        assert review.read(f"{review.TITLE}\n{text}", {}, []) == []


# The pairing


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.floats(0, 1), max_size=25), st.randoms())
def test_the_pairing_is_the_best_there_is(scores: dict[tuple[int, int], float], rng: random.Random) -> None:
    found = pair(scores)
    items = list(scores.items())
    rng.shuffle(items)
    assert pair(dict(items)) == found
    assert len(set(found.values())) == len(found)
    assert all(scores[key] > 0 for key in found.items())
    lefts = sorted({left for left, _ in scores})
    best = max(
        (
            sum(scores.get((left, right), 0.0) for left, right in zip(lefts, rights, strict=True))
            for rights in itertools.permutations([0, 1, 2, 3, 4, *range(-len(lefts), 0)], len(lefts))
        )
        if len(lefts) <= 3
        else [sum(scores[key] for key in found.items())]
    )
    assert sum(scores[key] for key in found.items()) == pytest.approx(best)


# Players


def test_players_are_known_by_birth_shirt_or_whole_name() -> None:
    known = {
        "p1": Player("p1", ("Sergio Busquets i Burgos", "S. Busquets"), "1988-07-16", 5),
        "p2": Player("p2", ("Sergi Roberto Carnicer", "Sergi Roberto"), "1992-02-07", 20),
        "p3": Player("p3", ("Lionel Andrés Messi",), "1987-06-24", 10),
        "p4": Player("p4", ("Malcom Filipe Silva de Oliveira",), "1997-02-26", 14),
    }
    squad = [
        SourcePlayer("b", "1", ("Busquets",), "1988-07-16"),
        SourcePlayer("b", "2", ("Sergi Roberto",), "", 20),
        SourcePlayer("b", "3", ("Lionel Messi",), "1990-01-01", 10),
        SourcePlayer("b", "4", ("Malcom",), "", 14),
        SourcePlayer("b", "5", ("Jordi Alba",), "", 18),
    ]
    found = match_players(squad, known, same_lineup=True)
    assert [found[str(n)][0] for n in range(1, 6)] == ["p1", "p2", None, "p4", None]
    assert found["3"][1] == ()  # another birth date: another man
    unsure = match_players(squad[3:4], known, same_lineup=False)
    assert unsure["4"][0] is None
    assert unsure["4"][1][0][0] == "p4"


def test_two_players_of_one_name_are_asked() -> None:
    known = {"p1": Player("p1", ("João Silva",)), "p2": Player("p2", ("João Silva",))}
    found = match_players([SourcePlayer("b", "1", ("João Silva",))], known, same_lineup=False)
    assert found["1"][0] is None
    assert len(found["1"][1]) == 2
    barred = match_players(
        [SourcePlayer("b", "1", ("João Silva",))], known, same_lineup=False, barred=frozenset({("1", "p2")})
    )
    assert barred["1"][0] == "p1"


def test_ids_are_minted_alike_and_never_twice() -> None:
    found = mint(Kind.TEAM, "a", "1")
    assert found == mint(Kind.TEAM, "a", "1")
    assert found.startswith("te-")
    assert mint(Kind.TEAM, "a", "1", [found]) not in ("", found)
    assert len(mint(Kind.FIXTURE, "a", "1")) <= 32  # fits the chain's name of a match unhashed
