"""The terminal view: a picture of every state, whatever is known, at every size."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from backend.demo import view
from backend.demo.view_render import clock, line, points, render, sparkline
from backend.demo.view_sample import sample_state
from backend.demo.view_state import ViewState, WindowLine

POINT = 1_000_000


def drawn(state: ViewState, width: int = 100, height: int | None = None) -> list[str]:
    """The picture as lines of plain text."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render(state, width, height))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_numbers_are_rounded_in_integers() -> None:
    assert points(57_345_000, 2) == "57.35"
    assert points(57_344_999, 2) == "57.34"
    assert points(99_960_000) == "100.0"
    assert points(1_234_567_890_000, 2) == "1,234,567.89"
    assert points(-1_500_000, 0) == "-2"
    assert points(-4_000, 2) == "0.00"
    assert points(None) == "-"


def test_the_clock_runs_on_in_added_time() -> None:
    assert [clock(0, 0), clock(1, 2047), clock(1, 2833), clock(2, 1)] == ["0:00", "34:07", "45+2:13", "45:01"]


def test_everything_of_the_sample_is_on_the_screen() -> None:
    text = "\n".join(drawn(sample_state(), 108))
    for words in (
        "Hamburger SV", "1 : 0", "SV Sandhausen", "68:10", "2nd half", "in play", "H1", "settled", "left", "goal",
        "refund", "suspended: goal", "liquidated", "4,178 of 4,180, missed 2", "84 ms", "$250,418.00", "62 fills",
        "68:02", "http://127.0.0.1:8080",
    ):  # fmt: skip
        assert words in text, words


def test_a_match_that_has_not_begun_can_be_drawn() -> None:
    text = "\n".join(drawn(ViewState()))
    assert "waiting for kick-off" in text
    assert "0 : 0" in text


@pytest.mark.parametrize(
    ("width", "height"), [(72, 24), (80, 24), (80, 31), (100, 35), (120, 40), (108, 41), (200, 60)]
)
def test_the_picture_fits_the_terminal_and_never_changes_its_height(width: int, height: int) -> None:
    first, last = drawn(ViewState(), width, height), drawn(sample_state(), width, height)
    assert len(first) == len(last) <= height
    assert max(map(len, last)) <= width


def test_a_small_terminal_still_shows_the_order_flow_and_the_counts() -> None:
    text = "\n".join(drawn(sample_state(), 100, 24))
    assert "Order flow" in text
    assert "missed 2" in text


def test_home_grows_up_from_the_line_of_50_and_away_down() -> None:
    up = [row.plain for row in sparkline(ViewState(history_e6=[90 * POINT] * 5_700), 10)]
    down = [row.plain for row in sparkline(ViewState(history_e6=[10 * POINT] * 5_700), 10)]
    level = [row.plain for row in sparkline(ViewState(history_e6=[50 * POINT] * 5_700), 10)]
    assert [row.strip() for row in up[3:]] == ["", "", ""]
    assert [row.strip() for row in down[:3]] == ["", "", ""]
    assert up[2] == "█" * 10
    assert down[3] == "█" * 10
    assert not "".join(level).strip()


@given(
    history=st.lists(st.integers(0, 100 * POINT), max_size=400),
    width=st.integers(20, 160),
    rows=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_a_sparkline_is_exactly_as_wide_as_asked(history: list[int], width: int, rows: int) -> None:
    lines = sparkline(ViewState(history_e6=history), width, rows)
    assert [row.cell_len for row in lines] == [width] * (2 * rows)


def test_a_void_window_and_one_that_waits_for_settlement_say_so() -> None:
    windows = (WindowLine("0-15", "void", 900, 0, None), WindowLine("15-30", "open", 900, 0, 51 * POINT))
    text = "\n".join(drawn(ViewState(windows=windows)))
    assert "void" in text
    assert "settling" in text


def test_one_line_says_what_matters() -> None:
    text = line(sample_state())
    for words in ("68:10", "in play", "1:0", "index 66.0", "60-75", "missed 2", "fills 62 refunds 9", "p95 84 ms"):
        assert words in text, words
    assert "\n" not in text
    assert "15-30" not in text, "settled windows are no news"
    assert "p95" not in line(ViewState())


def test_lines_come_at_most_every_so_many_seconds_and_the_last_one_always() -> None:
    console, now = Console(file=io.StringIO(), width=300), [0.0]
    lines = view.LineView(console, every_s=5, now_s=lambda: now[0])
    for second in range(12):
        now[0] = float(second)
        lines.update(replace(ViewState(), period=1, play_s=second))
    lines.close()
    lines.close()
    assert isinstance(console.file, io.StringIO)
    said = [row.split(" ")[0] for row in console.file.getvalue().splitlines()]
    assert said == ["00:00", "00:05", "00:10", "00:11"]


def test_the_live_screen_draws_no_more_often_than_asked_and_ends_with_the_last_state() -> None:
    console, now = Console(file=io.StringIO(), width=100, height=50, force_terminal=True), [0.0]
    screen = view.LiveView(console, refresh_hz=2, now_s=lambda: now[0])
    assert isinstance(console.file, io.StringIO)
    for tenth in range(12):
        now[0] = tenth / 10
        screen.update(replace(ViewState(), home_goals=tenth))
    shown = [n for n in range(12) if f"{n} : 0" in console.file.getvalue()]
    assert shown == [0, 5, 10]
    screen.close()
    assert "11 : 0" in console.file.getvalue()


def test_a_pipe_gets_lines_and_a_terminal_a_screen() -> None:
    assert isinstance(view.open_view(Console(file=io.StringIO())), view.LineView)
    terminal = view.open_view(Console(file=io.StringIO(), force_terminal=True))
    assert isinstance(terminal, view.LiveView)
    terminal.close()


def test_the_sample_can_be_exported_as_a_picture(tmp_path: Path) -> None:
    target = tmp_path / "view.svg"
    assert view.main(["--sample", str(target)]) == 0
    assert ElementTree.parse(target).getroot().tag.endswith("svg")
    assert "Hamburger" in target.read_text()
    assert "url(http" not in target.read_text(), "the picture loads nothing"


def test_a_picture_that_cannot_be_written_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert view.main(["--sample", str(tmp_path / "no" / "view.svg")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_without_a_file_the_sample_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert view.main([]) == 0
    assert "Futstar" in capsys.readouterr().out
