"""Form looks back, forgets, begins level, and survives the prior file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from backend.cli.main import app
from ingest.events import FeedError
from ingest.feeds import default_match_paths
from momentum.forecast import Prior
from momentum.form import HALF_LIFE_MATCHES, MAX_FORM, OVER_MS, POINTS_PER_LOG_ODDS, Played, forms
from momentum.formfile import prior_file, read_forms
from momentum.prior import read_priors

DAY = 86_400_000
GAME = Played("a", 0, "H", "A", 60.0, 1.0)
FADE = 0.5 ** (1 / HALF_LIFE_MATCHES)


def test_a_surprise_is_what_the_odds_did_not_foretell() -> None:
    assert GAME.surprise == pytest.approx(10 - POINTS_PER_LOG_ODDS)
    assert replace(GAME, mean_x=50.0, log_odds=0.0).surprise == 0


def test_form_is_the_mean_surprise_of_both_teams_with_three_level_matches_before() -> None:
    known = forms(
        [
            GAME,
            replace(GAME, match_id="b", kickoff_unix_ms=DAY, home="X"),
            replace(GAME, match_id="c", kickoff_unix_ms=2 * DAY),
        ]
    )
    s = GAME.surprise
    assert known["a"] == 0
    assert known["b"] == pytest.approx(0 + s / 4)  # only the away side has played, and lost ground
    away = (-s * FADE - s) / (FADE + 1 + 3)
    assert known["c"] == pytest.approx(s / 4 - away)


def test_a_match_that_is_not_over_tells_nothing() -> None:
    soon, later = (
        replace(GAME, match_id=name, kickoff_unix_ms=at) for name, at in (("b", OVER_MS - 1), ("c", OVER_MS))
    )
    assert forms([GAME, soon])["b"] == 0
    assert forms([GAME, later])["c"] > 0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40), st.sampled_from("ABCD"), st.sampled_from("EFGH"), st.floats(0, 100), st.floats(-3, 3)
        ),
        max_size=25,
    )
)
def test_form_looks_only_back_is_bounded_and_knows_no_order(rows: list[tuple[int, str, str, float, float]]) -> None:
    games = [Played(f"m{i:02}", day * DAY, home, away, x, odds) for i, (day, home, away, x, odds) in enumerate(rows)]
    known = forms(games)
    assert known == forms(games[::-1])
    assert all(abs(value) <= MAX_FORM for value in known.values())
    for game in games:
        earlier = [g for g in games if g.kickoff_unix_ms < game.kickoff_unix_ms]
        assert forms([*earlier, game])[game.match_id] == known[game.match_id]


@pytest.fixture
def odds(tmp_path: Path) -> Path:
    path = tmp_path / "prior.csv"
    path.write_text("match_id,p_home,p_draw,p_away\n2499796,0.22,0.24,0.54\n2058007,0.22,0.24,0.54\n")
    return path


def test_the_command_writes_a_prior_file_that_can_be_read_again(tmp_path: Path, odds: Path) -> None:
    paths = default_match_paths("statsperform")
    found = read_forms("statsperform", paths, {})
    [match_id] = found.form
    known = {match_id: Prior(0.22, 0.24, 0.54)}
    out = tmp_path / "with.csv"
    out.write_bytes(prior_file(known, replace(found, form={match_id: 1.25})))
    assert read_priors(out)[match_id] == Prior(0.22, 0.24, 0.54, 1.25)
    odds.write_text(f"match_id,p_home,p_draw,p_away\n{match_id},0.22,0.24,0.54\n")
    inputs = [part for path in paths for part in ("--input", str(path))]
    command = ["momentum", "form", "--provider", "statsperform", *inputs, "--prior", str(odds)]
    result = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert read_priors(out)[match_id].form == 0
    teams = found.played[0]
    result = CliRunner().invoke(app, [*command, "--home", teams.home, "--away", teams.away])
    assert result.exit_code == 0
    assert "from 1 matches" in result.output
    assert found.now(teams.home, teams.away) == -found.now(teams.away, teams.home) != 0
    with pytest.raises(FeedError, match="none of the matches"):
        found.now(teams.home, "nobody")


@pytest.mark.parametrize("cell", ["much", "99", "nan", "inf"])
def test_a_form_that_is_none_is_refused_with_its_line(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "prior.csv"
    path.write_text(f"match_id,p_home,p_draw,p_away,form\n1,0.5,0.3,0.2,{cell}\n")
    with pytest.raises(FeedError, match="line 2") as error:
        read_priors(path)
    assert error.value.code == "prior_bad_row"


def test_recordings_without_their_fixtures_tell_no_form() -> None:
    with pytest.raises(FeedError, match="no fixture") as error:
        read_forms("wyscout", default_match_paths("wyscout"), {})
    assert error.value.code == "no_fixture"


def test_the_command_asks_for_something_to_tell(odds: Path) -> None:
    command = ["momentum", "form", "--provider", "statsperform", "--input", "x", "--prior", str(odds)]
    for more, what in (([], "nothing to tell"), (["--home", "1"], "give both")):
        result = CliRunner().invoke(app, [*command, *more])
        assert result.exit_code != 0
        assert what in str(result.exception)
