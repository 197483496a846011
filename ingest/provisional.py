"""Which announcements are still open: reviews without a verdict, possible goals without a shot. A pure core.

A feed marks what may still be overturned as ``provisional``; what settles it is another event (or its own correction or
deletion, after which it is no longer among the events).
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.events import Event, Kind

BEFORE_MS = 10_000
"""The shot that an announcement is about may stand so much earlier on the playing clock."""

_VERDICTS = frozenset({Kind.VAR_END, Kind.RESUME, Kind.PERIOD_START})
_WHISTLES = frozenset({Kind.PERIOD_START, Kind.PERIOD_END})
_SHOTS = frozenset({Kind.SHOT, Kind.SAVE})
_RESTARTS = frozenset({Kind.GOAL_KICK, Kind.CORNER, Kind.FREE_KICK, Kind.THROW_IN})


def unsettled(events: Iterable[Event]) -> tuple[Event, ...]:
    """Provisional events that no other has settled, by period and playing time.

    A review is settled by the first verdict, resumption or kick-off from its time on. Any other announcement (possible
    goal, attempt, save) is settled by a shot or save from `BEFORE_MS` before it on, or by a restart or whistle after.
    """
    known = sorted(events, key=lambda event: (event.period, event.play_ms, event.event_id))
    found = []
    for event in known:
        if event.provisional and not any(_settles(other, event) for other in known if other.event_id != event.event_id):
            found.append(event)
    return tuple(found)


def _settles(other: Event, event: Event) -> bool:
    if other.provisional or other.period < event.period:
        return False
    since_ms = other.play_ms - event.play_ms if other.period == event.period else 0
    later = other.period > event.period or since_ms > 0
    if event.kind is Kind.VAR_START:
        return other.kind in _VERDICTS and since_ms >= 0
    if other.kind in _SHOTS:
        return since_ms >= -BEFORE_MS
    return later and other.kind in _RESTARTS | _WHISTLES
