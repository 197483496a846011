"""`futstar momentum explain`: times as people write them, exact contributions, words and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from backend.cli.momentum import app
from backend.errors import as_user_error
from ingest.events import Event, FeedError, Kind, MatchInfo, Side, Team
from ingest.feeds import adapter, default_match_paths
from momentum import archive, minutes
from momentum.explain import BEFORE_S, document, explain, text, words
from momentum.methodology import LEVEL_E6, METHODOLOGIES, SPEC_BOX, SPEC_DECAY, Methodology
from momentum.replay import Final, read_final
from tests.momentum.conftest import season_match

INFO = MatchInfo("test", "m", Team("1", "Reds", "RED"), Team("2", "Blues", "BLU"), 0, "")
MATCH = Final(INFO, tuple(season_match(11)), ())
REAL = read_final(adapter("statsperform"), default_match_paths())
runner = CliRunner()


def value(events: tuple[Event, ...], methodology: Methodology, period: int, second: int) -> int:
    """The index of one second by the archive's own way."""
    ticks = archive.replay(events)
    (at,) = ((ticks.period == period) & (ticks.second == second)).nonzero()[0]
    return int(ticks.x_e6[methodology.name][at])


# Times


@pytest.mark.parametrize(
    ("written", "period", "second"),
    [
        ("37:12", 1, 2_232),
        ("0:00", 1, 0),
        ("44:59", 1, 2_699),
        ("45+0:00", 1, 2_700),
        ("45+2:10", 1, 2_830),
        ("45:00", 2, 0),
        ("46:01", 2, 61),
        ("90+3:05", 2, 2_885),
        ("93:05", 2, 2_885),
        ("105+1:00", 3, 960),
        ("120+0:30", 4, 930),
    ],
)
def test_a_match_time_is_read(written: str, period: int, second: int) -> None:
    assert minutes.parse(written) == (period, second)


def test_with_a_period_the_time_counts_from_its_kick_off() -> None:
    assert minutes.parse("2:05", 3) == (3, 125)
    assert minutes.parse("46:00", 1) == (1, 2_760)
    with pytest.raises(FeedError, match="not in period 3"):
        minutes.parse("45+1:00", 3)


@pytest.mark.parametrize("written", ["", "37", "37:1", "37:60", "-1:00", "46+1:00", "45+", "a:bc", "1:2:3", "37:12.5"])
def test_what_is_no_match_time_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(FeedError, match="45\\+2:10") as error:
        minutes.parse(written)
    assert error.value.code == "bad_time"


@given(st.integers(1, 2), st.integers(0, 4_000))
def test_a_label_is_read_back_to_the_same_second(period: int, second: int) -> None:
    assert minutes.parse(minutes.label(period, second)) == (period, second)


def test_labels_of_extra_time_go_on_from_ninety() -> None:
    assert [minutes.label(3, 5), minutes.label(4, 0), minutes.label(4, 901)] == ["90:05", "105:00", "120+0:01"]


# Contributions


@pytest.mark.parametrize("methodology", METHODOLOGIES, ids=lambda m: m.name)
@pytest.mark.parametrize(("period", "second"), [(1, 1), (1, 2_232), (2, 0), (2, 1_500)])
@pytest.mark.parametrize("match", [MATCH, REAL], ids=["synthetic", "real"])
def test_value_and_shares_are_those_of_the_index(
    match: Final, period: int, second: int, methodology: Methodology
) -> None:
    found = explain(match, methodology, period, second)
    assert found.x_e6 == value(match.events, methodology, period, second)
    assert sum(share.points_e6 for share in found.shares) == found.x_e6 - LEVEL_E6
    assert all(0 <= share.home_share <= 1 for share in found.shares)
    if second >= BEFORE_S:
        assert found.before_e6 == value(match.events, methodology, period, second - BEFORE_S)
    else:
        assert found.before_e6 is None


@pytest.mark.parametrize("methodology", METHODOLOGIES, ids=lambda m: m.name)
def test_a_contribution_is_the_index_less_the_index_without_the_event(methodology: Methodology) -> None:
    found = explain(MATCH, methodology, 2, 1_500, top=25)
    assert len(found.causes) == 25
    for cause in found.causes:
        rest = tuple(e for e in MATCH.events if e.event_id != cause.event.event_id)
        assert cause.points_e6 == found.x_e6 - value(rest, methodology, 2, 1_500)
        assert sum(cause.by_feature_e6) == cause.points_e6
        assert (cause.event.period, cause.event.play_ms) <= (2, 1_500_000)
    sizes = [abs(cause.points_e6) for cause in found.causes]
    assert sizes == sorted(sizes, reverse=True)


def test_no_event_beyond_the_named_ones_does_more() -> None:
    found = explain(MATCH, SPEC_DECAY, 1, 900, top=3)
    whole = explain(MATCH, SPEC_DECAY, 1, 900, top=10_000)
    assert whole.causes[:3] == found.causes
    assert len(whole.causes) == found.moved == whole.moved


def test_an_event_that_the_box_has_forgotten_is_not_named() -> None:
    found = explain(MATCH, SPEC_BOX, 2, 1_500, top=10_000)
    reach = 1_500 - 300 - 13  # possession runs on for twelve seconds after an event
    assert min(cause.event.play_ms for cause in found.causes if cause.event.period == 2) >= reach * 1_000
    assert all(cause.event.period == 2 for cause in found.causes)


def test_a_shot_speaks_for_its_side_and_a_card_against_it() -> None:
    shot = Event("s", 1, 1, 10_000, Kind.SHOT, Side.AWAY, x=90.0, y=50.0, xg_e6=210_000, text="shot")
    card = Event("c", 1, 1, 20_000, Kind.YELLOW, Side.AWAY, text="yellow card")
    end = Event("e", 1, 1, 60_000, Kind.PERIOD_END, None)
    found = explain(Final(INFO, (shot, card, end), ()), SPEC_DECAY, 1, 30)
    points = {cause.event.event_id: cause.points_e6 for cause in found.causes}
    assert points["s"] < 0 < points["c"]
    told = text(found)
    assert "Blues" in told
    assert "shot (xG 0.21)" in told
    assert "0:10" in told


def test_a_match_in_which_nothing_counted_yet_says_so() -> None:
    start = Event("a", 1, 1, 0, Kind.PERIOD_START, None)
    late = Event("b", 1, 1, 90_000, Kind.PASS, Side.HOME, x=10.0, y=10.0)
    found = explain(Final(INFO, (start, late), ()), SPEC_DECAY, 1, 70)
    assert found.causes == ()
    told = text(found)
    assert "No event has an effect" in told
    assert "level." in told
    assert "what it was a minute ago" in told


@pytest.mark.parametrize(("period", "second"), [(1, 5_000), (3, 0), (1, -1)])
def test_a_second_that_was_not_played_is_refused_with_the_periods_ends(period: int, second: int) -> None:
    with pytest.raises(FeedError, match="periods end at 4.*, 9") as error:
        explain(REAL, SPEC_DECAY, period, second)
    assert error.value.code == "no_such_second"


def test_words_name_restarts_goals_and_big_chances() -> None:
    base = Event("x", 1, 1, 0, Kind.CORNER, Side.HOME, x=99.0, y=1.0, text="pass")
    assert words(base, SPEC_DECAY) == "corner"
    goal = Event("x", 1, 1, 0, Kind.SHOT, Side.HOME, goal=True, big_chance=True, xg_e6=450_000)
    assert words(goal, SPEC_DECAY) == "shot (xG 0.45, goal, big chance)"
    own = Event("x", 1, 1, 0, Kind.SHOT, Side.HOME, goal=True, own_goal=True, text="own goal")
    assert words(own, SPEC_DECAY) == "own goal"
    assert words(Event("x", 1, 1, 0, Kind.PASS, Side.HOME, x=70.0, y=5.0), SPEC_DECAY) == "pass (last third)"


# The command


def invoke(*args: str) -> Any:
    return runner.invoke(app, ["explain", *args])


def test_the_command_explains_the_match_in_kloppy_without_any_input() -> None:
    done = invoke("--at", "37:12", "--methodology", "spec-decay/1")
    assert done.exit_code == 0, done.output
    assert "Hamburger SV - Sandhausen" in done.output
    assert "Index 56.91" in done.output
    assert "33:18  Sandhausen" in done.output


def test_json_says_the_same_for_every_methodology() -> None:
    for methodology in METHODOLOGIES:
        done = invoke("--at", "45+0:01", "--methodology", methodology.name, "--json", "--top", "4")
        told = json.loads(done.output)
        assert told == document(explain(REAL, methodology, 1, 2_701, 4))
        assert told["methodology_hash"] == methodology.hash.hex()
        assert len(told["events"]) == 4
        assert abs(50 + sum(share["points"] for share in told["shares"]) - told["index"]) < 1e-6


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--at", "later"], "bad_time"),
        (["--at", "99:00"], "no_such_second"),
        (["--at", "5:00", "--methodology", "spec-box/9"], "unknown_methodology"),
        (["--at", "5:00", "--match", "nobody"], "statsperform_no_events"),
        (["--at", "5:00", "--provider", "nobody"], "unknown_provider"),
        (["--at", "5:00", "--input", "no/such.json"], "no_such_file"),
    ],
)
def test_a_mistake_is_one_sentence_with_a_code(args: list[str], code: str) -> None:
    done = invoke(*args)
    shown = as_user_error(done.exception) if done.exception else None
    assert shown is not None
    assert shown.code == code
    assert "\n" not in str(shown)


def test_files_may_follow_one_another(tmp_path: Path) -> None:
    ma1, ma3 = map(str, default_match_paths())
    done = invoke("--at", "1:00", "--input", ma1, ma3)
    assert done.exit_code == 0
    assert f"1:00, {SPEC_DECAY.name}" in done.output
