"""What a picture of a match shows, as plain data: index, goals, shots, cards, and the six windows with settlement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.events import FeedError, Kind, Side, score
from momentum import archive, minutes, pricing
from momentum.features import footprint, is_goal, xg_of
from momentum.methodology import Methodology
from momentum.replay import Final

WINDOW_S = 900
HALF_S = minutes.HALF_S
BREAK_S = 150
"""Room between two periods on the time axis."""

_FIRST_MINUTE = {period: minute for period, minute, _ in minutes.PERIODS}


@dataclass(frozen=True)
class Stretch:
    """A period on the axis: its first position, and the index of every second in 1e-6 points."""

    period: int
    start: int
    x_e6: tuple[int, ...]


@dataclass(frozen=True)
class Mark:
    """A goal, shot or card. ``at`` is its position on the axis, ``label`` the time as people write it."""

    kind: str  # goal, own goal, shot, yellow, red
    side: Side
    at: int
    label: str
    x_e6: int  # index of that second
    xg_e6: int = 0
    player: str = ""
    score: str = ""  # after a goal


@dataclass(frozen=True)
class Window:
    """A nominal 15-minute window: ``settlement_e6`` is its mean index, None where it is void (too little played)."""

    name: str
    start: int
    end: int
    settlement_e6: int | None


@dataclass(frozen=True)
class Picture:
    """Everything drawn. Positions are seconds, with `BREAK_S` between periods."""

    home: str
    away: str
    match_id: str
    score: tuple[int, int]
    methodology: Methodology
    stretches: tuple[Stretch, ...]
    marks: tuple[Mark, ...]
    windows: tuple[Window, ...]
    ticks: tuple[tuple[int, str], ...]

    @property
    def length(self) -> int:
        """The last position."""
        last = self.stretches[-1]
        return last.start + len(last.x_e6) - 1

    @property
    def title(self) -> str:
        """Teams and score."""
        return f"{self.home} {self.score[0]} - {self.score[1]} {self.away}"


def picture(final: Final, methodology: Methodology) -> Picture:
    """The picture of a match. Raises FeedError ``no_play`` when there is no second of play."""
    replayed = archive.replay(final.events, [methodology])
    if not len(replayed.period):
        raise FeedError("no_play", f"match {final.info.match_id} has no second of play: give the events of play")
    stretches, start = [], 0
    for period in sorted(set(replayed.period.tolist())):
        values = replayed.x_e6[methodology.name][replayed.period == period]
        stretches.append(Stretch(period, start, tuple(values.tolist())))
        start += len(values) - 1 + BREAK_S
    ticks = [tick for stretch in stretches for tick in _ticks(stretch)]
    return Picture(
        final.info.home.name,
        final.info.away.name,
        final.info.match_id,
        score(final.events),
        methodology,
        tuple(stretches),
        _marks(final, stretches, methodology),
        tuple(window for stretch in stretches for window in _windows(stretch)),
        tuple(ticks),
    )


def _ticks(stretch: Stretch) -> list[tuple[int, str]]:
    """A tick at every quarter of an hour played; a later period's first one would stand in the break's way."""
    first = _FIRST_MINUTE[stretch.period]
    nominal = HALF_S if stretch.period <= 2 else minutes.EXTRA_S
    seconds = range(0 if stretch.period == 1 else WINDOW_S, min(len(stretch.x_e6) - 1, nominal) + 1, WINDOW_S)
    return [(stretch.start + s, f"{first + s // 60}'") for s in seconds]


def _windows(stretch: Stretch) -> list[Window]:
    """Settlement as the programs settle: the index held from second to second, void below nine tenths played."""
    if stretch.period > 2:
        return []
    found = []
    for begin in range(0, HALF_S, WINDOW_S):
        played = stretch.x_e6[begin : begin + WINDOW_S]
        if len(stretch.x_e6) <= begin + WINDOW_S:
            played = stretch.x_e6[begin:-1]  # the last tick ends the play: it holds for no second more
        area = sum(played) * 1_000
        left_out_ms = (WINDOW_S - len(played)) * 1_000
        minute = _FIRST_MINUTE[stretch.period] + begin // 60
        settled = pricing.settlement(area, WINDOW_S * 1_000, left_out_ms)
        at = stretch.start + begin
        found.append(Window(f"{minute}'-{minute + 15}'", at, at + WINDOW_S, settled))
    return found


def _marks(final: Final, stretches: Sequence[Stretch], methodology: Methodology) -> tuple[Mark, ...]:
    by_period = {stretch.period: stretch for stretch in stretches}
    goals = {Side.HOME: 0, Side.AWAY: 0}
    found = []
    for event in final.events:
        mark, stretch = footprint(event), by_period.get(event.period)
        if mark is None or stretch is None or event.side is None:
            continue
        kind = {Kind.YELLOW: "yellow", Kind.RED: "red", Kind.SHOT: "shot"}.get(event.kind)
        if kind is None:
            continue
        told = ""
        if is_goal(event):
            kind = "own goal" if event.own_goal else "goal"
            goals[event.side] += 1
            told = f"{goals[Side.HOME]}-{goals[Side.AWAY]}"
        player = event.player if event.player and not event.player.isdigit() else ""
        found.append(
            Mark(
                kind,
                event.side,
                stretch.start + mark.second,
                minutes.label(event.period, mark.play_ms // 1000),
                stretch.x_e6[min(mark.second, len(stretch.x_e6) - 1)],
                xg_of(event, methodology) if kind in ("shot", "goal") else 0,
                player,
                told,
            )
        )
    return tuple(found)


def stagger(spans: Sequence[tuple[float, float]], levels: int) -> list[int]:
    """A level for each (begin, width), in order of begin, so that neighbours on one level do not overlap.

    The lowest free level is taken; where none is free, the one that ends first.
    """
    ends = [float("-inf")] * levels
    chosen = []
    for begin, width in spans:
        free = [level for level, end in enumerate(ends) if end <= begin]
        level = free[0] if free else ends.index(min(ends))
        ends[level] = max(ends[level], begin) + width
        chosen.append(level)
    return chosen
