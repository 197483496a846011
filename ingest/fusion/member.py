"""What fusion keeps of one provider: its events as the fused match sees them, how far it has come, whether it works."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ingest.events import SHOOT_OUT, Event, FeedError, Kind, MatchInfo, Side
from ingest.fusion.align import ANCHORS
from ingest.fusion.critical import Place
from ingest.fusion.policy import Thresholds
from ingest.quality import ALIVE, QualityMeter, Sign, shows_life
from ingest.session import Delivery
from ingest.timeline import Applied

ON_BALL = frozenset({Kind.PASS, Kind.SHOT, Kind.TOUCH, Kind.FREE_KICK, Kind.CORNER, Kind.THROW_IN, Kind.GOAL_KICK})
NEWEST = 3
"""A provider has come as far as its newest event but two: one or two mistyped minutes move nothing."""
MEMORY_MS = 60_000
FAILURES_MS = 600_000
"""Each failure of the last ten minutes doubles the time a provider must be healthy before it returns,"""
MOST_DOUBLED = 3
"""up to eight times."""


class State(StrEnum):
    """Whether a provider works. All but ``UP`` are down."""

    UP = "up"
    ABSENT = "absent"  # has not told anything yet
    SILENT = "silent"  # no sign of life for too long
    LOST = "lost"  # its connection is gone
    BROKEN = "broken"  # what comes cannot be used
    BEHIND = "behind"  # alive, but lacks play that another healthy provider has
    UNHEALTHY = "unhealthy"  # its health is much lower than another's


@dataclass(frozen=True, slots=True)
class Source:
    """One provider of the match: the name that its lines carry, who plays by its ids, and which of these is at home.

    ``home`` and ``away`` are this provider's team ids of the fused match's sides, from the identity map: never guessed.
    """

    name: str
    info: MatchInfo
    home: str
    away: str
    thresholds: Thresholds = field(default_factory=Thresholds)
    leads: bool = True
    """Whether it tells enough for an index. One that does not is a witness: its score and cards are compared, and it
    never takes over."""

    @property
    def exchanged(self) -> bool:
        """Whether the provider calls the other team the home side (neutral ground).

        Raises FeedError ``sides_not_mapped`` when the map does not name exactly the provider's two teams.
        """
        theirs = (self.info.home.team_id, self.info.away.team_id)
        if (self.home, self.away) == theirs and self.home != self.away:
            return False
        if (self.away, self.home) == theirs and self.home != self.away:
            return True
        raise FeedError(
            "sides_not_mapped",
            f"provider {self.name} has teams {theirs[0]!r} and {theirs[1]!r}, mapped are {self.home!r} and "
            f"{self.away!r}: map its two teams to the match's home and away side",
        )


class Member:
    """One provider under way. Times are the fused data time, ms."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.name = source.name
        self.thresholds = source.thresholds
        self.quality = QualityMeter(source.thresholds.silent_ms)
        self.goals: Counter[Side] = Counter()
        self.reds: Counter[Side] = Counter()
        self.plays: dict[int, list[tuple[int, str, Side]]] = {}  # events of a side by period, in playing order
        self.balls: dict[int, list[tuple[int, str, Side]]] = {}  # those that give it the ball
        self.shots: dict[int, list[tuple[int, str, Side]]] = {}
        self.anchors: dict[int, dict[tuple[Kind, Side], list[int]]] = {}
        self.whistles: dict[str, int] = {}  # arrival of kick-offs and final whistles by event id
        self.reached: Place = (0, 0)  # its newest event but two, when it was judged last
        self.newest: Place = (0, 0)  # its newest event
        self.state = State.ABSENT
        self.since_ms = 0  # since when it has been down; in the future while an absent one may still come
        self.up_ms: int | None = None  # since when it has been up without a break
        self._exchanged = source.exchanged
        self._started: set[int] = set()
        self._lost_ms: int | None = None
        self._broken_ms: int | None = None  # of the newest arrival that could not be used
        self._failures: list[int] = []
        self._moved = False
        self._come: deque[tuple[int, Place]] = deque()

    # What it tells

    def deliver(self, at_ms: int, delivery: Delivery) -> list[Applied]:
        """Absorb an arrival; the changes with the fused match's sides."""
        self.quality.observe(at_ms, delivery)
        self._alive(at_ms, shows_life(delivery))
        applied = [Applied(self._turned(change.old), self._turned(change.new)) for change in delivery.applied]
        for change in applied:
            if change.old is not None:
                self._count(change.old, -1)
            if change.new is not None:
                self._count(change.new, 1)
                if change.new.kind in (Kind.PERIOD_START, Kind.PERIOD_END):
                    self.whistles.setdefault(change.new.event_id, at_ms)
        return applied

    def sign(self, at_ms: int, sign: Sign) -> None:
        """Absorb a sign."""
        self.quality.sign(at_ms, sign)
        if sign is Sign.LOST:
            self._lost_ms = at_ms if self._lost_ms is None else self._lost_ms
        elif sign in ALIVE:
            self._alive(at_ms, True)
        else:
            self._alive(at_ms, False)

    def _alive(self, at_ms: int, alive: bool) -> None:
        if alive:
            self._lost_ms = self._broken_ms = None
        else:
            self._broken_ms = at_ms

    def _turned(self, event: Event | None) -> Event | None:
        if event is None or event.side is None or not self._exchanged:
            return event
        return replace(event, side=event.side.other)

    def _count(self, event: Event, sign: int) -> None:
        if not 1 <= event.period < SHOOT_OUT:
            return
        self._moved = True
        if event.kind is Kind.PERIOD_START and sign > 0:
            self._started.add(event.period)
        side = event.side
        if side is None:
            return
        row = (event.play_ms, event.event_id, side)
        _place(self.plays.setdefault(event.period, []), row, sign)
        if event.kind in ON_BALL:
            _place(self.balls.setdefault(event.period, []), row, sign)
        if event.kind is Kind.SHOT:
            self.goals[side] += sign * event.goal
            _place(self.shots.setdefault(event.period, []), row, sign)
        if event.kind is Kind.RED:
            self.reds[side] += sign
        if event.kind in ANCHORS:
            times = self.anchors.setdefault(event.period, {}).setdefault((event.kind, side), [])
            if sign > 0:
                insort(times, event.play_ms)
            else:
                times.remove(event.play_ms)

    def _come_to(self, events: int) -> Place:
        """Where the newest event but ``events`` - 1 lies, by the provider's own clock; (0, 0) before play."""
        known = [period for period, plays in self.plays.items() if len(plays) >= events]
        period = max(known, default=0)
        place = (period, self.plays[period][-events][0]) if period else (0, 0)
        return max(place, (max(self._started, default=0), 0))

    # Whether it works

    def failing(self, now_ms: int, born_ms: int) -> tuple[State, int] | None:
        """Why it is down by its own doing, and since when; None while it works. ``born_ms``: when fusion began."""
        limit = self.thresholds
        if self._lost_ms is not None and now_ms - self._lost_ms >= limit.lost_ms:
            return State.LOST, self._lost_ms + limit.lost_ms
        heard = self.quality.last_sign_ms
        since = (born_ms if heard is None else heard) + limit.silent_ms
        if heard is None:
            return State.ABSENT, since  # until then it may still come
        if now_ms <= since:
            return None
        return (State.SILENT if self._broken_ms is None else State.BROKEN), since

    def note(self, now_ms: int) -> None:
        """Remember how far it has come by ``now_ms``."""
        if not self._moved:
            return
        self._moved = False
        self.reached, self.newest = self._come_to(NEWEST), self._come_to(1)
        if not self._come or self._come[-1][1] != self.reached:
            self._come.append((now_ms, self.reached))

    def had_reached(self, at_ms: int) -> Place:
        """How far it had come at ``at_ms``; what lies long before the last such question is forgotten."""
        while len(self._come) > 1 and self._come[1][0] <= at_ms - MEMORY_MS:
            self._come.popleft()
        place = (0, 0)
        for noted_ms, reached in self._come:
            if noted_ms > at_ms:
                break
            place = reached
        return place

    def judge(self, now_ms: int, state: State, since_ms: int) -> None:
        """Note the state at ``now_ms``."""
        if state is State.UP:
            if self.state is not State.UP:
                self.up_ms = now_ms
        elif state is State.ABSENT:
            self.since_ms = since_ms
        elif self.state is State.UP:
            self.up_ms, self.since_ms = None, since_ms
            self._failures = [*(at for at in self._failures if at > now_ms - FAILURES_MS), now_ms]
        self.state = state

    def may_return(self, now_ms: int) -> bool:
        """Whether it has been healthy for long enough; each recent failure doubles what is asked."""
        recent = sum(at > now_ms - FAILURES_MS for at in self._failures)
        needed = self.thresholds.return_ms << min(max(0, recent - 1), MOST_DOUBLED)
        return self.up_ms is not None and now_ms - self.up_ms >= needed


def _place(rows: list[tuple[int, str, Side]], row: tuple[int, str, Side], sign: int) -> None:
    at = bisect_left(rows, row)
    if sign > 0:
        rows.insert(at, row)
    else:
        del rows[at]
