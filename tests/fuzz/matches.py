"""Real matches as the publishers see them: the index of every second and the moments at which trading must stop."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingest.events import Event, Kind
from ingest.feeds import adapter, default_match_paths
from momentum.archive import replay
from momentum.methodology import SPEC_DECAY
from momentum.replay import final_events

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "wyscout"
STOP_S = 45
"""How long trading rests after a goal, a red card or the award of a penalty."""


@dataclass(frozen=True)
class RealMatch:
    """Two halves of recorded play; ``x_e6[period][second]`` is the index in 1e-6 points."""

    name: str
    x_e6: dict[int, list[int]]
    stops: dict[int, list[int]]
    """Seconds of each half at which something happened that stops trading."""

    def length_s(self, period: int) -> int:
        """Return the last second of a half."""
        return len(self.x_e6[period]) - 1

    def stopped(self, period: int, second: int) -> bool:
        """Whether trading rests at a second of a half."""
        return any(at <= second < at + STOP_S for at in self.stops[period])


def _stops(event: Event) -> bool:
    return event.goal or event.kind in (Kind.RED, Kind.PENALTY_AWARDED, Kind.VAR_START)


@cache
def read(provider: str, path: Path | None) -> RealMatch:
    """Replay one recorded match; without a path the complete match of the installed kloppy package."""
    paths = default_match_paths(provider) if path is None else [path]
    info, events = final_events(adapter(provider), paths)
    ticks = replay(events)
    x_e6 = ticks.x_e6[SPEC_DECAY.name]
    halves = {period: x_e6[ticks.period == period].tolist() for period in (1, 2)}
    stops = {p: sorted(e.play_ms // 1000 for e in events if e.period == p and _stops(e)) for p in (1, 2)}
    return RealMatch(f"{provider} {info.match_id}", halves, stops)


def choose(rng: random.Random, count: int, *, shared: bool = True) -> list[RealMatch]:
    """Return the kloppy package's match and, where the shared archive is present, ``count`` random ones of it."""
    found = [read("statsperform", None)]
    folder = SHARED / "events"
    if shared and folder.is_dir():
        for path in rng.sample(sorted(folder.iterdir()), count):
            match = read("wyscout", path)
            if all(len(match.x_e6[period]) > 2_400 for period in (1, 2)):
                found.append(match)
    return found
