"""Where the providers contradict each other, since when, and whether trading must stop for it. A pure core."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ingest.events import Side
from ingest.fusion.align import Offset
from ingest.fusion.compare import LEAST_S, Difference
from ingest.fusion.member import Member
from ingest.fusion.policy import Bounds

Score = tuple[int, int]


class Cause(StrEnum):
    """Why a fused feed must not be traded on, weightiest first."""

    STALE = "stale"  # no provider works
    CATCHING_UP = "catching_up"  # the provider that took over has not come to the seam yet
    SCORE = "score"  # a healthy provider has another score
    RED_CARD = "red_card"  # or other red cards
    CLOCK = "clock"  # kick-off clocks too far apart
    BALL = "ball"  # the ball is mostly at the other side
    POSSESSION = "possession"
    SHOTS = "shots"


class Doubts:
    """What contradicts the fused feed, by cause and provider."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._since: dict[tuple[Cause, str, bool], int] = {}
        self._limit: dict[tuple[Cause, str, bool], int] = {}
        self.differences: dict[str, Difference] = {}

    def totals(self, now_ms: int, goals: Score, reds: Score, members: Iterable[Member]) -> None:
        """Compare the fused goals and red cards of home and away with those of every healthy provider."""
        bounds, healthy = self._bounds, set()
        for member in members:
            healthy.add(member.name)
            for cause, fused, count, behind_ms in (
                (Cause.SCORE, goals, member.goals, bounds.score_ms),
                (Cause.RED_CARD, reds, member.reds, bounds.red_ms),
            ):
                home, away = count[Side.HOME], count[Side.AWAY]
                more, fewer = home > fused[0] or away > fused[1], home < fused[0] or away < fused[1]
                self._note(now_ms, (cause, member.name, True), more, bounds.ahead_ms)
                self._note(now_ms, (cause, member.name, False), fewer, behind_ms)
        for key in [key for key in self._since if key[1] not in healthy]:
            del self._since[key], self._limit[key]

    def compared(self, now_ms: int, name: str, offset: Offset, found: Difference) -> None:
        """Note how ``name`` differs from the active provider's last minutes."""
        bounds, enough = self._bounds, found.compared_s >= LEAST_S
        self.differences[name] = found
        for cause, wrong in (
            (Cause.CLOCK, offset.sure and abs(offset.ms) > bounds.clock_ms),
            (Cause.BALL, enough and found.against_e4 > bounds.against_e4),
            (Cause.POSSESSION, enough and found.possession_e4 > bounds.possession_e4),
            (Cause.SHOTS, found.shots > bounds.shots),
        ):
            self._note(now_ms, (cause, name, False), wrong, bounds.contrary_ms)

    def forget(self) -> None:
        """Nobody can be compared with the active provider now, or another one is."""
        self.differences.clear()
        for key in [key for key in self._since if key[0] not in (Cause.SCORE, Cause.RED_CARD)]:
            del self._since[key], self._limit[key]

    def _note(self, now_ms: int, key: tuple[Cause, str, bool], wrong: bool, limit_ms: int) -> None:
        if wrong:
            self._since.setdefault(key, now_ms)
            self._limit[key] = limit_ms
        elif key in self._since:
            del self._since[key], self._limit[key]

    def causes(self, now_ms: int) -> list[tuple[Cause, str]]:
        """What has lasted beyond its bound, weightiest first, with the provider that contradicts."""
        if not self._since:
            return []
        found = {key[:2] for key, since in self._since.items() if now_ms - since >= self._limit[key]}
        order = list(Cause)
        return sorted(found, key=lambda one: (order.index(one[0]), one[1]))

    @property
    def doubt_e4(self) -> int:
        """What the greatest difference may move the index by beyond the usual, in 1e-4 points."""
        worst = max((one.index_e4 for one in self.differences.values() if one.compared_s >= LEAST_S), default=0)
        return max(0, worst - self._bounds.usual_e4)
