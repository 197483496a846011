"""`futstar momentum plot`: what is drawn, the PNG and the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
from typer.testing import CliRunner

from backend.cli.momentum import app
from backend.errors import as_user_error
from ingest.events import Event, FeedError, Kind, MatchInfo, Side, Team
from ingest.feeds import adapter, default_match_paths
from momentum import archive
from momentum.features import xg_of
from momentum.methodology import METHODOLOGIES, SPEC_BOX, SPEC_DECAY, WEIGHT_ONE
from momentum.picture import BREAK_S, Picture, picture, stagger
from momentum.picture_html import html, write_html
from momentum.picture_png import write_png
from momentum.replay import Final, read_final
from tests.momentum.conftest import season_match

REAL = read_final(adapter("statsperform"), default_match_paths())
INFO = MatchInfo("test", "m", Team("1", "Reds", "RED"), Team("2", "Blues", "BLU"), 0, "")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
runner = CliRunner()


@pytest.fixture(scope="module")
def real() -> Picture:
    return picture(REAL, SPEC_DECAY)


def made(*events: Event) -> Picture:
    return picture(Final(INFO, events, ()), SPEC_DECAY)


# What is drawn


@pytest.mark.parametrize("methodology", METHODOLOGIES, ids=lambda m: m.name)
def test_every_second_of_the_index_is_there_and_windows_settle_at_its_mean(methodology: Any) -> None:
    found = picture(REAL, methodology)
    ticks = archive.replay(REAL.events)
    x_e6 = ticks.x_e6[methodology.name]
    for stretch in found.stretches:
        assert list(stretch.x_e6) == x_e6[ticks.period == stretch.period].tolist()
    assert [w.name for w in found.windows] == ["0'-15'", "15'-30'", "30'-45'", "45'-60'", "60'-75'", "75'-90'"]
    second_half = x_e6[ticks.period == 2]
    assert found.windows[3].settlement_e6 == int(second_half[:900].sum()) // 900
    assert found.windows[5].settlement_e6 == int(second_half[1_800:2_700].sum()) // 900


def test_goals_carry_the_score_and_the_shots_their_xg(real: Picture) -> None:
    goals = [mark for mark in real.marks if mark.kind == "goal"]
    assert [(g.score, g.side, g.label) for g in goals] == [
        ("1-0", Side.HOME, "73:39"),
        ("1-1", Side.AWAY, "86:57"),
        ("2-1", Side.HOME, "90+5:22"),
    ]
    assert real.title == "Hamburger SV 2 - 1 Sandhausen"
    assert all(0 < mark.xg_e6 <= 1_000_000 for mark in real.marks if mark.kind in ("shot", "goal"))
    assert sum(mark.kind == "red" for mark in real.marks) == 1
    for mark in goals:
        stretch = next(s for s in real.stretches if s.start <= mark.at < s.start + len(s.x_e6))
        assert stretch.x_e6[mark.at - stretch.start] == mark.x_e6


def test_an_own_goal_is_the_gaining_sides_and_has_no_xg() -> None:
    own = Event("o", 1, 1, 60_000, Kind.SHOT, Side.AWAY, goal=True, own_goal=True)
    (mark,) = made(own, Event("e", 1, 1, 90_000, Kind.PERIOD_END, None)).marks
    assert (mark.kind, mark.side, mark.score, mark.xg_e6) == ("own goal", Side.AWAY, "0-1", 0)


@pytest.mark.parametrize(("played_s", "void"), [(1_709, True), (1_710, False), (1_720, False), (1_800, False)])
def test_a_window_of_which_less_than_nine_tenths_were_played_is_void(played_s: int, void: bool) -> None:
    first = [replace(e, period=1, play_ms=e.play_ms % 1_700_000) for e in season_match(2, 300)]
    found = made(*first, Event("z", 1, 1, played_s * 1_000, Kind.PERIOD_END, None))
    assert found.windows[0].settlement_e6 is not None
    assert (found.windows[1].settlement_e6 is None) is void
    assert found.windows[2].settlement_e6 is None
    if not void:  # the mean of the seconds played
        played = found.stretches[0].x_e6[900:played_s]
        assert found.windows[1].settlement_e6 == sum(played) // len(played)


def test_periods_lie_apart_and_ticks_are_quarters_of_an_hour(real: Picture) -> None:
    first, second = real.stretches
    assert second.start == first.start + len(first.x_e6) - 1 + BREAK_S
    assert [label for _, label in real.ticks] == ["0'", "15'", "30'", "45'", "60'", "75'", "90'"]
    assert {label: at for at, label in real.ticks}["60'"] == second.start + 900


def test_extra_time_is_drawn_without_windows_and_a_shoot_out_is_not() -> None:
    start = [replace(e, play_ms=e.play_ms % 900_000) for e in season_match(2, 200)]
    events = [replace(e, period=p, event_id=f"{p}{e.event_id}") for p in (1, 2, 3, 4, 5) for e in start]
    found = made(*events)
    assert [s.period for s in found.stretches] == [1, 2, 3, 4]
    assert len(found.windows) == 6
    assert found.ticks[-1][1] in ("105'", "120'")


def test_a_match_without_a_second_of_play_is_refused() -> None:
    with pytest.raises(FeedError) as error:
        made(Event("k", 1, 5, 0, Kind.SHOT, Side.HOME, goal=True))
    assert error.value.code == "no_play"


def test_labels_that_would_overlap_go_to_other_levels() -> None:
    assert stagger([(0, 10), (20, 10), (25, 10), (27, 10), (60, 5)], 3) == [0, 0, 1, 2, 0]
    assert stagger([(0, 10), (1, 10), (2, 10)], 2) == [0, 1, 0]
    assert stagger([], 2) == []


def test_no_goal_labels_of_one_level_overlap_in_a_match_of_many_goals() -> None:
    spans = [(float(begin), 60.0) for begin in (0, 40, 90, 130, 170, 400)]
    levels = stagger(spans, 3)
    for level in set(levels):
        own = [span for span, chosen in zip(spans, levels, strict=True) if chosen == level]
        assert all(a + w <= b for (a, w), (b, _) in pairwise(own))


def test_a_shot_has_the_expected_goals_of_the_methodology_drawn() -> None:
    shot = Event("s", 1, 1, 5_000, Kind.SHOT, Side.HOME, x=90.0, y=44.0)
    final = Final(INFO, (shot, Event("e", 1, 1, 90_000, Kind.PERIOD_END, None)), ())
    for methodology in METHODOLOGIES:
        (mark,) = picture(final, methodology).marks
        assert mark.xg_e6 == xg_of(shot, methodology)
        assert archive.replay(final.events).inputs[methodology.name][5, 4] == mark.xg_e6 * WEIGHT_ONE
    assert len({xg_of(shot, methodology) for methodology in METHODOLOGIES}) == 2  # xg/0 and xg/1


# PNG


def test_the_png_has_its_size_its_colours_and_the_same_bytes_each_time(real: Picture, tmp_path: Path) -> None:
    one, two = tmp_path / "1.png", tmp_path / "2.png"
    write_png(real, one)
    write_png(real, two)
    assert one.read_bytes() == two.read_bytes()
    pixels = matplotlib.image.imread(one)
    assert pixels.shape[:2] == (1_050, 1_800)
    for colour in ((0x0B, 0x63, 0xCE), (0xB8, 0x50, 0x0A), (0xE0, 0xA8, 0x00), (0xD0, 0x31, 0x2D)):
        close = abs(pixels[..., :3] * 255 - colour).max(axis=2) < 2
        assert close.sum() > 20  # both teams, yellow and red cards


def test_a_match_with_nothing_in_it_can_be_drawn(tmp_path: Path) -> None:
    bare = made(Event("p", 1, 1, 0, Kind.PASS, Side.HOME, x=1.0, y=1.0), Event("q", 1, 1, 9_000, Kind.OUT, None))
    write_png(bare, tmp_path / "m.png")
    write_html(bare, tmp_path / "m.html")
    assert "void" in (tmp_path / "m.html").read_text()


# The page


class Page(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "input", "circle", "line", "rect", "path", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_the_page_fetches_nothing_and_is_well_formed(real: Picture) -> None:
    text = html(real)
    page = Page(text)
    assert page.links == []
    assert page.open == []
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", text)
    assert "$" not in re.sub(r"`[^`]*`", "", text.split('<script>\n"use strict"')[0])
    assert {"svg", "table", "main", "h1", "label"} <= set(page.tags)
    assert html(real) == text


def test_the_page_carries_every_second_to_a_hundredth(real: Picture) -> None:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', html(real), re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    for stretch, given in zip(data["stretches"], real.stretches, strict=True):
        assert len(stretch["x"]) == len(given.x_e6)
        assert max(abs(a * 10_000 - b) for a, b in zip(stretch["x"], given.x_e6, strict=True)) <= 5_000
    assert data["periods"]["2"] == [45, 2_700]
    assert data["windows"][0]["mean"] == round((real.windows[0].settlement_e6 or 0) / 1e6, 2)


def test_names_are_escaped_in_the_page() -> None:
    wild = MatchInfo("t", "m", Team("1", "</script><b>A & B", "A"), Team("2", 'x" onload="y', "X"), 0, "")
    goal = Event("g", 1, 1, 5_000, Kind.SHOT, Side.HOME, x=90.0, y=50.0, goal=True, player="<i>O'Neil</i>")
    text = html(picture(Final(wild, (goal, Event("e", 1, 1, 90_000, Kind.PERIOD_END, None)), ()), SPEC_BOX))
    assert text.count("</script>") == 2
    assert "<b>" not in text.replace('<b id="value">', "")
    assert "<i>" not in text
    assert '" onload="' not in text


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_in_a_browser_the_slider_and_the_read_out_work(real: Picture, tmp_path: Path) -> None:
    page = tmp_path / "m.html"
    drive = """<script>
    const input = document.getElementById("at"), told = [];
    const tell = () => told.push(document.getElementById("value").textContent + "@" +
      document.getElementById("time").textContent);
    for (const n of [0, 900, 2702, 2703, 5861]) { input.value = n; input.dispatchEvent(new Event("input")); tell(); }
    input.dispatchEvent(new KeyboardEvent("keydown", {key: "PageDown"})); tell();
    document.title = "told " + told.join(" ") + " | " + input.getAttribute("aria-valuetext");
    </script></body>"""
    page.write_text(html(real).replace("</body>", drive), encoding="utf-8")
    args = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run(
        [str(CHROMIUM), *args, page.as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    title = re.search(r"<title>told (.*?)</title>", done.stdout)
    assert title is not None, done.stderr[-500:]
    first, second = (stretch.x_e6 for stretch in real.stretches)
    expected = [(first[0], "0:00"), (first[900], "15:00"), (first[2_702], "45+0:02"), (second[0], "45:00")]
    expected += [(second[-1], "90+7:38"), (second[-61], "90+6:38")]
    assert title[1].split(" | ")[0].split() == [f"{(x + 5_000) // 10_000 / 100:.2f}@{time}" for x, time in expected]
    assert "90+6:38, index" in title[1]


# The command


@pytest.mark.parametrize("ending", ["png", "html"])
def test_the_command_draws_the_match_in_kloppy(ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"match.{ending}"
    done = runner.invoke(app, ["plot", "--out", str(out), "--methodology", "spec-box/1"])
    assert done.exit_code == 0, done.output
    assert "Hamburger SV 2 - 1 Sandhausen, spec-box/1" in done.output
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--out", "m.pdf"], "unknown_ending"),
        (["--out", "none/m.png"], "cannot_write"),
        (["--out", "none/m.html"], "cannot_write"),
        (["--out", "m.png", "--methodology", "x/1"], "unknown_methodology"),
        (["--out", "m.png", "--input", "no/such.json"], "no_such_file"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    args: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(app, ["plot", *args])
    shown = as_user_error(done.exception) if done.exception else None
    assert shown is not None
    assert shown.code == code
    assert list(tmp_path.iterdir()) == []
