"""A match as one self-contained HTML page: the drawing is SVG, a small script adds the cursor, nothing is fetched.

Hovering, or the arrow keys on the slider, show any second; tables below say the same to a screen reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from ingest.events import Side
from momentum import minutes
from momentum.picture import Mark, Picture, stagger

WIDTH, HEIGHT = 1200, 700
LEFT, RIGHT = 48, 12
TOP, INDEX_HEIGHT = 178, 320
"""Of the index: 100 at ``TOP``."""
XG_HEIGHT, ROW, LEVELS = 56, 18, 3
LANE = {Side.HOME: TOP - 38, Side.AWAY: TOP + INDEX_HEIGHT + 22}
"""Feet of the two lanes of shots: home's grows upwards, away's downwards."""
_SIGN = 7.2
"""Width of a sign of a label."""


def write_html(found: Picture, path: Path) -> None:
    """Write the page. Raises OSError."""
    path.write_text(html(found), encoding="utf-8")


def html(found: Picture) -> str:
    """The page's text, the same for the same match."""
    template = Template(resources.files("momentum").joinpath("picture.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(found.title),
        subtitle=escape(
            f"Momentum index {found.methodology.name} ({found.methodology.hash.hex()[:12]}) every second: 100 = all "
            f"{found.home}, 50 = level, 0 = all {found.away}. Match {found.match_id}."
        ),
        svg=_svg(found),
        last=sum(len(stretch.x_e6) for stretch in found.stretches) - 1,
        windows="\n".join(_window_rows(found)),
        events="\n".join(_event_rows(found)),
        data=_data(found),
    )


def _x(found: Picture, at: float) -> float:
    return LEFT + at * (WIDTH - LEFT - RIGHT) / found.length


def _y(x_e6: int) -> float:
    return TOP + (100 - x_e6 / 1e6) * INDEX_HEIGHT / 100


def _lane_y(side: Side, height: float) -> float:
    return LANE[side] - height if side is Side.HOME else LANE[side] + height


def _class(side: Side) -> str:
    return "home" if side is Side.HOME else "away"


def _what(mark: Mark) -> str:
    """The mark in words."""
    name = f"{mark.kind} card" if mark.kind in ("yellow", "red") else mark.kind
    return " ".join(part for part in (name, mark.score, mark.player) if part)


def _svg(found: Picture) -> str:
    settled = ", ".join(
        f"{w.name} {'void' if w.settlement_e6 is None else format(w.settlement_e6 / 1e6, '.1f')}" for w in found.windows
    )
    parts = [
        f'<svg id="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(found.title)}: index by '
        f'second. Settlement of the windows: {escape(settled)}.">',
        *_frame(found),
        *_windows(found),
        *_curve(found),
    ]
    for side in Side:
        parts += _lane(found, side)
    y0 = f'y1="{LANE[Side.HOME] - XG_HEIGHT}" y2="{LANE[Side.AWAY] + XG_HEIGHT}"'
    parts.append(f'<line id="cursor" x1="0" x2="0" {y0} visibility="hidden"/>')
    parts.append('<circle id="dot" r="5" visibility="hidden"/></svg>')
    return "\n".join(parts)


def _frame(found: Picture) -> Iterable[str]:
    bottom = LANE[Side.AWAY] + XG_HEIGHT + ROW * (LEVELS + 1)
    for value in (0, 25, 50, 75, 100):
        y = _y(value * 1_000_000)
        kind = "level" if value == 50 else "grid"
        yield f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value}</text>'
    for before, after in zip(found.stretches, found.stretches[1:], strict=False):
        end = _x(found, before.start + len(before.x_e6) - 1)
        width = _x(found, after.start) - end
        yield f'<rect class="band" x="{end:.1f}" y="{TOP - 30}" width="{width:.1f}" height="{INDEX_HEIGHT + 30}"/>'
        name, x, y = "half-time" if before.period == 1 else "break", end + width / 2 + 4, TOP + INDEX_HEIGHT / 2
        yield f'<text x="{x:.1f}" y="{y}" text-anchor="middle" transform="rotate(-90 {x:.1f} {y})">{name}</text>'
    for at, label in found.ticks:
        anchor = "start" if at == 0 else "middle"
        yield f'<text x="{_x(found, at):.1f}" y="{bottom + 20}" text-anchor="{anchor}">{escape(label)}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{bottom + 40}" text-anchor="middle">match minute</text>'


def _windows(found: Picture) -> Iterable[str]:
    for window in found.windows:
        left, right = _x(found, window.start), _x(found, window.end)
        for x in (left, right):
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 28}" y2="{TOP + INDEX_HEIGHT}"/>'
        middle = (left + right) / 2
        told, kind = "void", ""
        if window.settlement_e6 is not None:
            told, kind = f"{window.settlement_e6 / 1e6:.1f}", "home" if window.settlement_e6 >= 50_000_000 else "away"
            y = _y(window.settlement_e6)
            yield f'<line class="mean {kind}" x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield (
            f'<text x="{middle:.1f}" y="{TOP - 11}" text-anchor="middle">{escape(window.name)} '
            f'<tspan class="{kind}" fill="currentColor" font-weight="700" font-size="15">{told}</tspan></text>'
        )


def _curve(found: Picture) -> Iterable[str]:
    level = _y(50_000_000)
    for stretch in found.stretches:
        points = [f"{_x(found, stretch.start + i):.1f} {_y(x):.1f}" for i, x in enumerate(stretch.x_e6)]
        first, last = _x(found, stretch.start), _x(found, stretch.start + len(points) - 1)
        for side, bound in (("home", max), ("away", min)):
            clipped = [
                f"{_x(found, stretch.start + i):.1f} {_y(bound(x, 50_000_000)):.1f}" for i, x in enumerate(stretch.x_e6)
            ]
            outline = f"M{first:.1f} {level:.1f}L{'L'.join(clipped)}L{last:.1f} {level:.1f}Z"
            yield f'<path class="fill {side}" d="{outline}"/>'
        yield f'<path class="line" d="M{"L".join(points)}"/>'
    for mark in found.marks:
        if "goal" in mark.kind:
            x, kind = f"{_x(found, mark.at):.1f}", _class(mark.side)
            yield f'<line class="dash {kind}" x1="{x}" x2="{x}" y1="{TOP}" y2="{TOP + INDEX_HEIGHT}"/>'
            yield f'<circle class="goal {kind}" cx="{x}" cy="{_y(mark.x_e6):.1f}" r="6"/>'


def _lane(found: Picture, side: Side) -> Iterable[str]:
    """Shots as stems as high as their xG, goals with a label, cards at the foot: the PNG's lanes."""
    foot, kind = LANE[side], _class(side)
    yield f'<g class="{kind}"><line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{foot}" y2="{foot}"/>'
    for value, label in ((0.0, "0"), (1.0, "xG 1")):
        y = _lane_y(side, value * XG_HEIGHT) + 4
        yield f'<text x="{LEFT - 8}" y="{y}" text-anchor="end">{label}</text>'
    name = found.home if side is Side.HOME else found.away
    y = _lane_y(side, XG_HEIGHT + ROW * (LEVELS + 0.5)) + (0 if side is Side.HOME else 10)
    yield f'<text class="own" x="0" y="{y:.0f}" font-size="14">{escape(name)}</text>'
    marks = [mark for mark in found.marks if mark.side is side]
    goals = [mark for mark in marks if "goal" in mark.kind]
    labels = [
        f"{m.score}{' ' + m.player if m.player else ''}{' (og)' * (m.kind == 'own goal')} {m.label}" for m in goals
    ]
    widths = [len(label) * _SIGN for label in labels]
    begins = [max(LEFT, min(_x(found, m.at) - w / 2, WIDTH - RIGHT - w)) for m, w in zip(goals, widths, strict=True)]
    levels = stagger(list(zip(begins, widths, strict=True)), LEVELS)
    heights = [XG_HEIGHT + ROW * (level + 0.6) for level in levels]
    for mark, height in zip(goals, heights, strict=True):
        at = f"{_x(found, mark.at):.1f}"
        yield f'<line class="dash" x1="{at}" x2="{at}" y1="{foot}" y2="{_lane_y(side, height):.1f}"/>'
    for mark in marks:
        x, y = _x(found, mark.at), _lane_y(side, mark.xg_e6 / 1e6 * XG_HEIGHT)
        note = f"<title>{escape(f'{mark.label} {_what(mark)}')}</title>"
        if mark.kind in ("yellow", "red"):
            top = _lane_y(side, -10) - 5
            yield f'<rect class="{mark.kind}" x="{x - 4:.1f}" y="{top:.1f}" width="8" height="10">{note}</rect>'
            continue
        yield f'<line class="stem" x1="{x:.1f}" x2="{x:.1f}" y1="{foot}" y2="{y:.1f}"/>'
        look = 'class="shot" r="4"' if mark.kind == "shot" else 'class="goal" r="6"'
        yield f'<circle {look} cx="{x:.1f}" cy="{y:.1f}">{note}</circle>'
    for label, begin, width, height in zip(labels, begins, widths, heights, strict=True):
        x, y = begin + width / 2, _lane_y(side, height) + 4
        yield f'<text class="own halo" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(label)}</text>'
    yield "</g>"


def _window_rows(found: Picture) -> Iterable[str]:
    for window in found.windows:
        told = "void" if window.settlement_e6 is None else f"{window.settlement_e6 / 1e6:.2f}"
        yield f'<tr><td>{escape(window.name)}</td><td class="number">{told}</td></tr>'


def _event_rows(found: Picture) -> Iterable[str]:
    for mark in found.marks:
        team = found.home if mark.side is Side.HOME else found.away
        xg = f"{mark.xg_e6 / 1e6:.2f}" if mark.kind in ("shot", "goal") else ""
        yield (
            f'<tr><td class="number">{escape(mark.label)}</td><td class="{_class(mark.side)}">{escape(team)}</td>'
            f'<td>{escape(_what(mark))}</td><td class="number">{xg}</td>'
            f'<td class="number">{mark.x_e6 / 1e6:.1f}</td></tr>'
        )


def _data(found: Picture) -> str:
    """What the script needs; ``<`` is escaped, so that no name can end the element."""
    document: dict[str, Any] = {
        "periods": {p: (first, length) for p, first, length in minutes.PERIODS},
        "scale": {
            "left": LEFT,
            "width": WIDTH - LEFT - RIGHT,
            "length": found.length,
            "top": TOP,
            "height": INDEX_HEIGHT,
        },
        "stretches": [
            {"period": s.period, "start": s.start, "x": [(x + 5_000) // 10_000 for x in s.x_e6]}
            for s in found.stretches
        ],
        "windows": [
            {
                "name": w.name,
                "start": w.start,
                "end": w.end,
                "mean": None if w.settlement_e6 is None else round(w.settlement_e6 / 1e6, 2),
            }
            for w in found.windows
        ],
        "marks": [
            {
                "at": m.at,
                "goal": "goal" in m.kind,
                "text": f"{m.label} {found.home if m.side is Side.HOME else found.away}: {_what(m)}",
            }
            for m in found.marks
        ],
    }
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")
