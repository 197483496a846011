"""People decide, in a file or not; the pairing is the best there is; players are told apart."""

from __future__ import annotations

import contextlib
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.identity import review
from ingest.identity.assign import pair
from ingest.identity.decisions import Decision, Decisions, Verdict, effective
from ingest.identity.model import (
    Key,
    Kind,
    Player,
    Registry,
    SourceFixture,
    SourcePlayer,
)
from ingest.identity.players import match_players
from ingest.identity.resolve import Resolution, mint, resolve
from tests.ingest.seasons import ARSENAL, CHELSEA, CLUBS, DAY_MS, SHORT, START_MS, linked, one, said, season

# Decisions


def asked() -> tuple[Registry, list[SourceFixture], Resolution]:
    first = resolve(Registry(), [one("a", "Arsenal", "Chelsea", country="England")])
    records = [one("b", "Arsenal FC", "Chelsea FC", START_MS + 300 * DAY_MS)]
    return first.registry, records, resolve(first.registry, records)


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
