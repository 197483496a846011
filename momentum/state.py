"""When trading must stop: a pure state over the changes of the timeline.

Trading is suspended from a goal, the award of a penalty, a VAR check, a red card, or a corner (or penalty) whose
award the feed does not carry, until the first sample after play has gone on: an on-ball event later than the
cause is known. There is no time-out: only play itself resumes trading. A cause that becomes known late suspends
at least the sample that first knows it, so that no order crosses it; so does the withdrawal of a goal, penalty
or red card, from the moment it is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from ingest.events import Event, Kind
from momentum.features import SHOOT_OUT, is_goal, is_on_ball
from momentum.live import Change


class Reason(IntEnum):
    """Why trading is suspended, as the quote carries it. Feed loss and operator are the keeper's to set."""

    NONE = 0
    GOAL = 1
    PENALTY = 2
    VAR = 3
    RED_CARD = 4
    CORNER = 5
    FEED_LOSS = 6
    OPERATOR = 7


CARRIES_AWARDS = frozenset({"opta", "statsperform"})
"""Providers whose feeds carry the award of corners and penalties as events of their own."""


def awards_carried(adapters: Iterable[str]) -> bool:
    """Whether every provider that a feed may come from carries awards: one that does not decides for all."""
    return set(adapters) <= CARRIES_AWARDS


_BOX_X, _BOX_Y = 16.0, (20.0, 80.0)  # per cent; a little inside the fouling side's own area would miss the lines
_GOAL_LINES = (1.0, 99.0)


def _cause(event: Event | None, awards_carried: bool) -> Reason:
    """Why this event suspends trading; NONE if it does not."""
    if event is None or not 1 <= event.period < SHOOT_OUT:
        return Reason.NONE
    if is_goal(event):
        return Reason.GOAL
    if event.kind is Kind.PENALTY_AWARDED:
        return Reason.PENALTY
    if event.kind in (Kind.VAR_START, Kind.VAR_END):
        return Reason.VAR
    if event.kind is Kind.RED:
        return Reason.RED_CARD
    if awards_carried:
        return Reason.NONE
    # Without awards the ball's way out and the foul's place are the first that the feed tells; the kick itself
    # suspends its own sample, so that no order from before it is filled after it.
    if event.kind is Kind.SHOT and event.penalty:
        return Reason.PENALTY
    if event.kind is Kind.CORNER:
        return Reason.CORNER
    if event.x is None or event.y is None:
        return Reason.NONE
    if event.kind is Kind.FOUL and event.x <= _BOX_X and _BOX_Y[0] <= event.y <= _BOX_Y[1]:
        return Reason.PENALTY
    if event.kind is Kind.OUT and not _GOAL_LINES[0] < event.x < _GOAL_LINES[1]:
        return Reason.CORNER
    return Reason.NONE


def _weight(reason: Reason) -> int:
    """Of several causes the weightiest is told: goal, penalty, red card, VAR, corner."""
    return (Reason.GOAL, Reason.PENALTY, Reason.RED_CARD, Reason.VAR, Reason.CORNER).index(reason)


@dataclass(frozen=True, slots=True)
class _Open:
    """A cause that play has not gone on from. ``since`` is (period, play_ms) of the cause."""

    reason: Reason
    since: tuple[int, int]


class Suspension:
    """The state of one match. Deterministic in the changes and the ticks at which they became known."""

    def __init__(self, awards_carried: bool = True) -> None:
        """``awards_carried``: whether the feed has corner and penalty awards (see `CARRIES_AWARDS`)."""
        self._awards_carried = awards_carried
        self._open: list[_Open] = []
        self._on_ball: dict[str, tuple[int, int]] = {}

    def tick(self, changes: Iterable[Change], period: int, second: int) -> Reason:
        """The state at ``second`` of ``period``, with the changes that became known since the last tick."""
        now = (period, second * 1000)
        fresh: list[_Open] = []
        for change in changes:
            fresh += self._note(change, now)
        newest = max((at for at in self._on_ball.values() if at <= now), default=(0, 0)) if self._open else (0, 0)
        self._open = [cause for cause in self._open if cause.since >= newest] + fresh
        if not self._open:
            return Reason.NONE
        return min((cause.reason for cause in self._open), key=_weight)

    def _note(self, change: Change, now: tuple[int, int]) -> list[_Open]:
        old, new = change.old, change.new
        if old is not None:
            self._on_ball.pop(old.event_id, None)
        if new is not None and new.period < SHOOT_OUT and is_on_ball(new):
            self._on_ball[new.event_id] = (new.period, new.play_ms)
        before, after = _cause(old, self._awards_carried), _cause(new, self._awards_carried)
        if after is not Reason.NONE and after is not before and new is not None:
            return [_Open(after, (new.period, new.play_ms))]
        if after is Reason.NONE and before in (Reason.GOAL, Reason.PENALTY, Reason.RED_CARD):
            return [_Open(Reason.VAR, now)]
        return []


def suspensions(events: Iterable[Event], awards_carried: bool = True) -> dict[tuple[int, int], Reason]:
    """Every suspended (period, second) of a match whose events arrive on time: the pure function over events."""

    @dataclass(frozen=True)
    class Arrival:
        old: Event | None
        new: Event | None

    ordered = sorted(events, key=lambda e: (e.period, e.play_ms, e.event_id))
    result: dict[tuple[int, int], Reason] = {}
    state, at = Suspension(awards_carried), 0
    for period in sorted({e.period for e in ordered if 1 <= e.period < SHOOT_OUT}):
        last = max(-(-e.play_ms // 1000) for e in ordered if e.period == period)
        for second in range(last + 1):
            known = at
            while known < len(ordered) and (ordered[known].period, ordered[known].play_ms) <= (period, second * 1000):
                known += 1
            reason = state.tick([Arrival(None, e) for e in ordered[at:known]], period, second)
            at = known
            if reason is not Reason.NONE:
                result[(period, second)] = reason
    return result
