"""A match as a PNG (matplotlib, no display needed)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ingest.events import Side
from momentum.picture import Mark, Picture, stagger

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOME, AWAY, INK, QUIET, GRID, BAND = "#0b63ce", "#b8500a", "#0e1a16", "#56645e", "#dde3df", "#f3f5f3"
YELLOW, RED = "#e0a800", "#d0312d"
_COLOURS = {Side.HOME: HOME, Side.AWAY: AWAY}
_LEVELS, _ROW = 3, 0.38
"""Rows of goal labels in a lane, and their height on its scale of xG."""
_SIGN = 0.0072
"""Width of a sign of a goal's label, as a share of the axis."""


def write_png(found: Picture, path: Path) -> None:
    """Write the picture, 1800 x 1050 points, with the same bytes for the same match. Raises OSError."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.family": "DejaVu Sans", "font.size": 10, "axes.edgecolor": GRID}):
        figure = Figure(figsize=(12, 7), dpi=150, facecolor="white")
        FigureCanvasAgg(figure)
        home, index, away = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [1.35, 3.2, 1.35], "hspace": 0.05}
        )
        figure.subplots_adjust(left=0.075, right=0.985, top=0.885, bottom=0.125)
        figure.text(0.075, 0.95, found.title, fontsize=17, fontweight="bold", color=INK)
        figure.text(0.075, 0.915, _subtitle(found), fontsize=9.5, color=QUIET)
        _index(index, found)
        _lane(home, found, Side.HOME)
        _lane(away, found, Side.AWAY)
        away.set_xticks([at for at, _ in found.ticks], [label for _, label in found.ticks], color=QUIET)
        away.set_xlabel("match minute (added time after 45' and 90')", color=QUIET)
        away.set_xlim(-40, found.length + 40)
        for axes in (home, index):
            axes.tick_params(bottom=False)
        _legend(figure.legend, found)
        figure.savefig(path, format="png", metadata={"Software": None, "Title": found.title})


def _subtitle(found: Picture) -> str:
    return (
        f"momentum index {found.methodology.name} ({found.methodology.hash.hex()[:12]}): 100 = all {found.home}, "
        f"50 = level, 0 = all {found.away}"
    )


def _plain(axes: Axes) -> None:
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelcolor=QUIET)


def _breaks(axes: Axes, found: Picture, named: bool = False) -> None:
    for before, after in zip(found.stretches, found.stretches[1:], strict=False):
        end = before.start + len(before.x_e6) - 1
        axes.axvspan(end, after.start, color=BAND, linewidth=0)
        if named:
            name = "half-time" if before.period == 1 else "break"
            axes.text((end + after.start) / 2, 50, name, rotation=90, ha="center", va="center", fontsize=8, color=QUIET)


def _index(axes: Axes, found: Picture) -> None:
    _plain(axes)
    _breaks(axes, found, named=True)
    for window in found.windows:
        middle = (window.start + window.end) / 2
        axes.axvline(window.start, color=GRID, linewidth=0.8, zorder=0)
        axes.axvline(window.end, color=GRID, linewidth=0.8, zorder=0)
        if window.settlement_e6 is None:
            axes.text(middle, 108, f"{window.name}  void", ha="center", va="center", fontsize=9, color=QUIET)
            continue
        mean = window.settlement_e6 / 1e6
        colour = HOME if mean >= 50 else AWAY
        axes.hlines(mean, window.start, window.end, color=colour, linewidth=2.2, zorder=3)
        axes.text(middle - 20, 108, window.name, ha="right", va="center", fontsize=9, color=QUIET)
        axes.text(middle + 20, 108, f"{mean:.1f}", ha="left", va="center", fontsize=11, fontweight="bold", color=colour)
    for stretch in found.stretches:
        at = range(stretch.start, stretch.start + len(stretch.x_e6))
        x = [value / 1e6 for value in stretch.x_e6]
        axes.fill_between(at, x, 50, where=[v >= 50 for v in x], color=HOME, alpha=0.22, linewidth=0, interpolate=True)
        axes.fill_between(at, x, 50, where=[v <= 50 for v in x], color=AWAY, alpha=0.22, linewidth=0, interpolate=True)
        axes.plot(at, x, color=INK, linewidth=1.1, zorder=4)
        axes.hlines(50, stretch.start, stretch.start + len(x) - 1, color=QUIET, linewidth=0.8, zorder=2)
    for mark in found.marks:
        if "goal" in mark.kind:
            axes.vlines(mark.at, 0, 100, color=_COLOURS[mark.side], linewidth=1, linestyle=(0, (3, 2)), zorder=2)
            axes.plot(mark.at, mark.x_e6 / 1e6, "o", color=_COLOURS[mark.side], markersize=7, mec="white", zorder=5)
    axes.set_ylim(0, 116)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_ylabel("index", color=QUIET)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def _lane(axes: Axes, found: Picture, side: Side) -> None:
    """Shots as stems as high as their xG, goals with their label beyond them, cards along the foot."""
    _plain(axes)
    _breaks(axes, found)
    colour, up = _COLOURS[side], side is Side.HOME
    marks = [mark for mark in found.marks if mark.side is side]
    shots = [mark for mark in marks if mark.kind in ("shot", "goal")]
    if shots:
        axes.vlines([m.at for m in shots], 0, [m.xg_e6 / 1e6 for m in shots], color=colour, linewidth=1.6, alpha=0.8)
    for mark in shots:
        face = colour if mark.kind == "goal" else "white"
        axes.plot(mark.at, mark.xg_e6 / 1e6, "o", color=colour, mfc=face, markersize=5 + 2 * (mark.kind == "goal"))
    for mark in marks:
        if mark.kind in ("yellow", "red"):
            card = YELLOW if mark.kind == "yellow" else RED
            axes.plot(mark.at, -0.11, marker=(4, 0, 45), color=card, markersize=8, clip_on=False, zorder=5)
    goals = [mark for mark in marks if "goal" in mark.kind]
    labels = [_label(mark) for mark in goals]
    spans = [_span(found, mark.at, label) for mark, label in zip(goals, labels, strict=True)]
    for mark, label, span, level in zip(goals, labels, spans, stagger(spans, _LEVELS), strict=True):
        _goal_label(axes, mark, label, span, 1.15 + _ROW * level)
    low, high = -0.22, 1.15 + _ROW * (_LEVELS + 1)
    axes.set_ylim((low, high) if up else (high, low))
    axes.set_yticks([0, 0.5, 1], ["0", ".5", "1"])
    axes.axhline(0, color=GRID, linewidth=0.8)
    axes.set_ylabel("xG", color=QUIET)
    name = found.home if up else found.away
    axes.text(0.0, 0.93 if up else 0.07, name, transform=axes.transAxes, color=colour, fontweight="bold", va="center")


def _label(mark: Mark) -> str:
    """Score after the goal, scorer where the feed names one, time."""
    who = f" {mark.player}" if mark.player else ""
    own = " (own goal)" if mark.kind == "own goal" else ""
    return f"{mark.score}{who}{own} {mark.label}"


def _span(found: Picture, at: int, label: str) -> tuple[float, float]:
    """Begin and width of a label on the axis: centred on its goal, but inside the picture."""
    width = len(label) * _SIGN * found.length
    return max(0.0, min(at - width / 2, found.length - width)), width


def _goal_label(axes: Axes, mark: Mark, label: str, span: tuple[float, float], height: float) -> None:
    """The label beyond the shot, with a thin line between them."""
    colour = _COLOURS[mark.side]
    axes.vlines(mark.at, mark.xg_e6 / 1e6, height + _ROW / 2, color=colour, linewidth=0.8, linestyle=(0, (3, 2)))
    if mark.kind == "own goal":
        axes.plot(mark.at, 0, "o", color=colour, markersize=7)
    axes.text(
        span[0] + span[1] / 2,
        height + _ROW / 2,
        label,
        ha="center",
        va="center",
        fontsize=8.5,
        color=colour,
        weight="bold",
        zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )


def _legend(place: object, found: Picture) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, linewidth=1.1, label="index"),
        Line2D([], [], color=QUIET, linewidth=2.2, label="15-minute window: mean index, its settlement"),
        Line2D([], [], color=QUIET, marker="o", mfc="white", linestyle="", label="shot, height = xG"),
        Line2D([], [], color=QUIET, marker="o", linestyle="", markersize=7, label="goal"),
    ]
    kinds = {mark.kind for mark in found.marks}
    for kind, colour in (("yellow", YELLOW), ("red", RED)):
        if kind in kinds:
            handles.append(Line2D([], [], color=colour, marker=(4, 0, 45), linestyle="", label=f"{kind} card"))
    assert callable(place)
    place(handles=handles, loc="lower center", ncol=len(handles), frameon=False, fontsize=9, labelcolor=QUIET)
