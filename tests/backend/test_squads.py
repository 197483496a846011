"""Players of line-ups: one man for all sources, in his team and after a transfer, or a question."""

from __future__ import annotations

from dataclasses import replace

from backend.catalogue.squads import Squads
from ingest.identity.decisions import Decisions
from ingest.identity.model import Kind, SourcePlayer
from tests.backend.calendars import lineup

NOBODY = Decisions()
FIRST = lineup("a")
THEIRS = lineup("b", offset=500, born=False)


def one(provider: str, number: int, name: str, born: str = "") -> SourcePlayer:
    return SourcePlayer(provider, str(number), (name,), born)


def squads() -> Squads:
    found = Squads()
    found.enlist("te-1", FIRST.starters + FIRST.bench, (), NOBODY)
    return found


def test_the_men_of_one_lineup_are_the_same_for_all_sources() -> None:
    found = squads()
    assert len(found.players) == 14
    found.enlist("te-1", THEIRS.starters, FIRST.starters, NOBODY)
    assert len(found.players) == 14
    assert found.links[Kind.PLAYER, "b", "500"] == found.links[Kind.PLAYER, "a", "0"]
    touched = found.touched.copy()
    found.enlist("te-1", THEIRS.starters, FIRST.starters, NOBODY)
    assert found.touched == touched


def test_two_ids_of_one_source_are_two_men() -> None:
    found = squads()
    found.enlist("te-1", (replace(FIRST.starters[0], player_id="99"),), (), NOBODY)
    assert len(found.players) == 15


def test_a_man_is_known_after_a_transfer_by_his_birth_date_or_asked() -> None:
    found = Squads()
    found.enlist("te-1", (one("a", 1, "João Silva", "1990-05-05"), one("a", 2, "Max Meyer")), (), NOBODY)
    found.enlist("te-2", (one("b", 7, "Joao Silva", "1990-05-05"),), (), NOBODY)
    assert found.links[Kind.PLAYER, "b", "7"] == found.links[Kind.PLAYER, "a", "1"]
    found.enlist("te-2", (one("b", 8, "Max Meyer"),), (), NOBODY)
    assert list(found.questions) == [(Kind.PLAYER, "b", "8")]
    found.enlist("te-2", (one("b", 9, "Joao Silva", "1999-01-01"),), (), NOBODY)
    assert found.links[Kind.PLAYER, "b", "9"] not in (found.links[Kind.PLAYER, "a", "1"], None)


def test_people_decide_on_players_too() -> None:
    found = Squads()
    found.enlist("te-1", (one("a", 1, "Max Meyer"), one("a", 2, "Moritz Meyer")), (), NOBODY)
    moritz = found.links[Kind.PLAYER, "a", "2"]
    same, new = (Kind.PLAYER, "b", "1"), (Kind.PLAYER, "b", "2")
    found.enlist("te-1", (one("b", 1, "M. Meyer"),), (), NOBODY)
    assert len(found.questions[same].candidates) == 2
    said = Decisions(same={same: moritz}, new=frozenset({new}))
    found.enlist("te-1", (one("b", 1, "M. Meyer"), one("b", 2, "Max Meyer")), (), said)
    assert found.links[same] == moritz
    assert found.links[new] not in (moritz, found.links[Kind.PLAYER, "a", "1"])
    found.enlist("te-1", (), (), said)
