"""Goals, cards, reviews, whistles, shots and corners around the seams of a fused feed: none lost, none twice.

A pure function. Ordinary events belong to the provider whose stretch of play they fall into. For these, which move
the score or the index by themselves, that would not do: near a seam the one provider may place a goal before it and
the other after it, or the former may never have got to report it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.events import SHOOT_OUT, Event, Kind, Side

Key = tuple[str, str]
"""Provider and its event id."""
Place = tuple[int, int]
"""Period and fused playing time in ms."""
Class = tuple[str, Side | None, int]
"""What may be the same thing: name, side, period."""

WINDOW_MS = {
    "goal": 30_000,
    "red": 60_000,
    "yellow": 60_000,
    "penalty": 60_000,
    "var": 60_000,
    "start": 900_000,
    "end": 900_000,
    "shot": 5_000,
    "corner": 10_000,
}
"""Two providers' reports within this are one event. Between two goals of a side lie 85 s and more (60 real matches)."""
RESCUE_MS = {**WINDOW_MS, "goal": 60_000, "start": 60_000, "end": 60_000}
"""What only the new provider has counts from so long before the seam: the former never got to report it.

Older ones are no matter of a seam: the providers disagree, and for goals and red cards trading is suspended.
"""

_KINDS = {
    Kind.RED: "red",
    Kind.YELLOW: "yellow",
    Kind.CORNER: "corner",
    Kind.PENALTY_AWARDED: "penalty",
    Kind.VAR_START: "var",
    Kind.VAR_END: "var",
    Kind.PERIOD_START: "start",
    Kind.PERIOD_END: "end",
}


def class_of(event: Event) -> Class | None:
    """What the event may be the same as; None for an ordinary one. An own goal is a goal of the side that gains."""
    if event.kind is Kind.SHOT:
        return "goal" if event.goal else "shot", event.side, event.period
    name = _KINDS.get(event.kind)
    if name is None:
        return None
    if name == "var":
        return f"{name}:{event.kind}", None, event.period
    return name, None if name in ("start", "end") else event.side, event.period


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start`` on the feed is ``provider``'s, whose times are moved by ``offset_ms`` in the period of the seam.

    ``kept`` are critical events at or after ``start`` that had been told before the seam was made, with what their
    provider's times are moved by: what was told is not taken back because the seam lies before it.
    """

    provider: str
    start: Place = (0, 0)
    offset_ms: int = 0
    kept: Mapping[Key, int] = field(default_factory=dict)

    def place(self, event: Event) -> Place:
        """Where the provider's event lies in fused playing time."""
        moved = event.play_ms + self.offset_ms if event.period == self.start[0] else event.play_ms
        return event.period, max(0, moved)


def reconcile(
    kind: Class, stretches: Sequence[Stretch], events: Mapping[str, Iterable[Event]], told: frozenset[Key]
) -> dict[Key, Place]:
    """Which critical events of one class count, and where.

    ``events`` are each provider's of class ``kind``, ``told`` what counted before: of two that are one event, what was
    told stays. Seam by seam: the new provider's events from the seam on, and those shortly before it (`RESCUE_MS`),
    count unless they are one with an event of another provider that counts already.
    """
    found: dict[Key, Place] = {}
    name, period = kind[0].split(":")[0], kind[2]
    for number, stretch in enumerate(stretches):
        end = stretches[number + 1].start if number + 1 < len(stretches) else (SHOOT_OUT + 1, 0)
        if end < (period, 0) or stretch.start[0] > period:
            continue  # a seam of another period
        first = _before(stretch.start, RESCUE_MS[name]) if number else stretch.start
        for (provider, event_id), moved_ms in stretch.kept.items():
            for event in events.get(provider, ()):
                if event.event_id == event_id:
                    found.setdefault((provider, event_id), (event.period, max(0, event.play_ms + moved_ms)))
        fresh = {
            (stretch.provider, event.event_id): place
            for event in events.get(stretch.provider, ())
            if first <= (place := stretch.place(event)) < end and (stretch.provider, event.event_id) not in found
        }
        same = pairs(fresh, found, WINDOW_MS[name]) if fresh else {}
        for key in sorted(fresh):
            twin = same.get(key)
            if twin is None:
                found[key] = fresh[key]
            elif key in told and twin not in told:
                del found[twin]
                found[key] = fresh[key]
    return found


def _before(place: Place, by_ms: int) -> Place:
    return place[0], max(0, place[1] - by_ms)


def pairs(fresh: Mapping[Key, Place], counting: Mapping[Key, Place], window_ms: int) -> dict[Key, Key]:
    """One-to-one, nearest first: which of ``fresh`` is which of ``counting``, never two of one provider."""
    near = sorted(
        (abs(a[1] - b[1]), one, other)
        for one, a in fresh.items()
        for other, b in counting.items()
        if one[0] != other[0] and a[0] == b[0] and abs(a[1] - b[1]) <= window_ms
    )
    found: dict[Key, Key] = {}
    taken: set[Key] = set()
    for _, one, other in near:
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found
