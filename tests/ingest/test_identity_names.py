"""Names: what says the same is alike, what marks another team never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.identity.names import country, parse, person_similarity, plain, readable, similarity, squad_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Man Utd", "Manchester United"),
        ("Newcastle Utd", "Newcastle United FC"),
        ("Athletic Club", "Ath Bilbao"),
        ("Athletic Club", "Athletic Bilbao"),
        ("Inter", "FC Internazionale Milano"),
        ("Internazionale", "Inter Milan"),
        ("PSG", "Paris Saint-Germain FC"),
        ("Atl. Madrid", "Club Atl\\u00e9tico de Madrid"),
        ("Deportivo Alav\\u00e9s", "Deportivo Alavés"),
        ("O.G.C. Nice", "OGC Nice"),
        ("St Etienne", "AS Saint-Étienne"),
        ("Borussia M'gladbach", "Borussia Mönchengladbach"),
        ("1899 Hoffenheim", "TSG 1899 Hoffenheim"),
        ("1. FC Köln", "Cologne"),
        ("Bournemouth", "AFC Bournemouth"),
        ("Spartak Moskva", "Спартак Москва"),
        ("Brøndby IF", "Brondby"),
        ("Wolves", "Wolverhampton Wanderers FC"),
        ("Korea Republic", "South Korea"),
        ("Spurs", "Tottenham Hotspur"),
    ],
)
def test_names_of_one_team_are_alike(one: str, other: str) -> None:
    assert similarity(one, other) >= 0.85, (parse(one), parse(other))
    assert similarity(one, other) == similarity(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Manchester City", "Manchester United"),
        ("Real Madrid", "Atlético Madrid"),
        ("Real Sociedad", "Real Betis"),
        ("Paris FC", "Paris Saint-Germain FC"),
        ("AC Milan", "Inter Milan"),
        ("Niger", "Dominica"),
        ("Espanyol de Barcelona", "FC Barcelona"),
        ("Nottingham Forest", "Notts County"),
        ("Sheffield Wednesday", "Sheffield United"),
    ],
)
def test_teams_that_share_a_word_stay_apart(one: str, other: str) -> None:
    assert similarity(one, other) < 0.7


@pytest.mark.parametrize(
    "other",
    [
        "Barcelona B",
        "Barcelona II",
        "FC Barcelona U19",
        "Barcelona Under 21",
        "Barcelona Sub 20",
        "FC Barcelona Femení Women",
        "FC Barcelona Femenino",
        "Barcelona (W)",
        "Barcelona Reserves",
        "Barcelona Juvenil",
    ],
)
def test_another_squad_is_never_the_first_team(other: str) -> None:
    assert similarity("FC Barcelona", other) == 0
    assert similarity(other, other) == 1


def test_a_first_team_may_be_called_like_a_second_one() -> None:
    assert squad_of("Willem II") == ""
    assert squad_of("Bayern München II") == "reserve"
    assert squad_of("Arsenal", "FA Women's Super League") == "women"
    assert squad_of("Arsenal U19", "Youth League") == "u19 youth"


def test_niger_is_not_certain_to_be_nigeria() -> None:
    assert similarity("Niger", "Nigeria") < 0.93


def test_codes_fit_but_prove_little() -> None:
    assert 0.3 < similarity("MUN", "Manchester United") <= 0.6
    assert similarity("HSV", "Hamburger SV") == 1  # so well known that it is a name
    assert similarity("LEI", "Leicester City") <= 0.6
    assert similarity("LEI", "Chelsea") == 0


def test_escapes_of_doubly_escaped_files_are_read() -> None:
    assert readable("M\\u00e1laga") == "Málaga"
    assert plain("M\\u00e1laga CF") == "malaga cf"
    assert country("XEN") == country("England") == "england"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_compared(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, other) == pytest.approx(similarity(other, one))
    assert plain(plain(one)) == plain(one)
    assert 0 <= person_similarity(one, other) <= 1


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("Lionel Andrés Messi Cuccittini", "Lionel Messi", 0.85, 1),
        ("L. Messi", "Lionel Messi", 0.85, 1),
        ("Messi Lionel", "Lionel Messi", 1, 1),
        ("Malcom", "Malcom Filipe Silva de Oliveira", 0.6, 0.9),
        ("Son Heung-Min", "Heung Min Son", 1, 1),
        ("Sergi Roberto", "Sergio Busquets", 0, 0.5),
        ("J. Smith", "A. Smith", 0, 0.6),
        ("", "Anybody", 0, 0),
        ("L. M.", "Lionel Messi", 0, 0),
    ],
)
def test_names_of_players(one: str, other: str, low: float, high: float) -> None:
    assert low <= person_similarity(one, other) <= high
