"""Providers made by hand that see the same match, for the tests of fusion."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ingest.events import Delete, Event, Kind, MatchInfo, Side, Team, Upsert, score
from ingest.fusion import Bounds, Fused, Fusion, Source, Switch, Thresholds
from ingest.quality import Sign
from ingest.session import Delivery, Item, Outcome
from ingest.timeline import Timeline

A, B, C = "a", "b", "c"


HOME, AWAY = Side.HOME, Side.AWAY


def info(provider: str, home: str = "1", away: str = "2") -> MatchInfo:
    return MatchInfo(provider, "m", Team(home, "Home", "HOM"), Team(away, "Away", "AWA"), 0, "Cup")


def source(name: str, **thresholds: int) -> Source:
    return Source(name, info(name), "1", "2", Thresholds(**thresholds))


@dataclass
class Rig:
    """Providers that all see the same match: a touch every 2 s from second 10 on, told half a second later.

    ``off`` are a provider's dark times (from, to, how); ``clock`` what its kick-off clock is late by, in ms.
    """

    fusion: Fusion
    clock: dict[str, int] = field(default_factory=dict)
    off: list[tuple[str, int, int, str]] = field(default_factory=list)
    extra: list[tuple[int, str, Event | Delete]] = field(default_factory=list)  # (data ms, provider, what it tells)
    deaf: bool = True  # what a dark provider would have told is lost
    blur_ms: int = 0  # by which B's times are off, either way

    def __post_init__(self) -> None:
        self.timeline = Timeline()
        self.timelines = {name: Timeline() for name in self.fusion.members}
        self.now_ms = 0
        self.causes: dict[int, list[str]] = {}
        self.seen: list[tuple[int, tuple[int, int]]] = []

    def run(self, until_ms: int) -> Rig:
        """Play on to ``until_ms``; kick-off is at data time 10,000."""
        for at_ms in range(self.now_ms, until_ms, 250):
            for name in self.fusion.members:
                self._one(name, at_ms)
            self._take(self.fusion.tick(at_ms))
            if self.fusion.condition.causes:
                self.causes[at_ms] = [cause.value for cause, _ in self.fusion.condition.causes]
            self.seen.append((at_ms, score(self.timeline.events())))
        self.now_ms = until_ms
        return self

    def _one(self, name: str, at_ms: int) -> None:
        how = next((h for n, start, end, h in self.off if n == name and start <= at_ms < end), None)
        if how is None or not self.deaf:
            for event in self._events(name, at_ms):
                self.tell(name, at_ms, event)
        if at_ms % 1_000 == 0:
            if how is None:
                self._take(self.fusion.sign(name, at_ms, Sign.HEARTBEAT))
            elif how in ("unchanged", "broken", "lost", "older"):
                self._take(self.fusion.sign(name, at_ms, Sign(how)))

    def _events(self, name: str, at_ms: int) -> list[Event | Delete]:
        found: list[Event | Delete] = [what for when, who, what in self.extra if who == name and when == at_ms]
        late = self.clock.get(name, 0)
        if at_ms == 10_000:
            found.append(Event(f"{name}-start", 1, 1, 0, Kind.PERIOD_START, None))
        play_ms = at_ms - 10_000 - 500
        if play_ms >= 0 and play_ms % 2_000 == 0:
            number = play_ms // 2_000
            kind = (Kind.PASS, Kind.PASS, Kind.TOUCH, Kind.THROW_IN, Kind.FOUL)[number % 5]
            if name == B:
                late += random.Random(number).randint(-self.blur_ms, self.blur_ms)
            side = random.Random(number).choice((HOME, AWAY))
            found.append(Event(f"{name}-{number}", 1, 1, max(0, play_ms - late), kind, side, 50.0, 50.0))
        return found

    def tell(self, name: str, at_ms: int, what: Event | Delete) -> None:
        change = what if isinstance(what, Delete) else Upsert(what)
        applied = self.timelines[name].apply([change])
        self._take(self.fusion.receive(name, at_ms, Delivery(Outcome.CHANGED, (Item({}, "", (change,)),), applied)))

    def _take(self, fused: Fused) -> None:
        self.timeline.apply(fused.changes)

    @property
    def switches(self) -> list[Switch]:
        return self.fusion.switches

    def by(self) -> list[tuple[int, str]]:
        """Who switched to whom, when."""
        return [(s.at_ms, s.target) for s in self.switches]

    def owners(self) -> list[str]:
        """Whose event stands at each place, in playing order."""
        return [e.event_id.split(":")[0] for e in self.timeline.events()]

    def first(self, cause: str) -> int | None:
        return next((at for at, found in self.causes.items() if cause in found), None)


def rig(*names: str, bounds: Bounds | None = None, **more: object) -> Rig:
    return Rig(Fusion([source(name) for name in names or (A, B)], bounds), **more)  # type: ignore[arg-type]


def goal(name: str, play_ms: int, side: Side = HOME, version: int = 1, **more: object) -> Event:
    return Event(f"{name}-goal", version, 1, play_ms, Kind.SHOT, side, 90.0, 50.0, goal=True, **more)  # type: ignore[arg-type]
