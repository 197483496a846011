"""One event set out of several providers': stretches of play, each one provider's, with reconciled critical events.

A pure core. Events are told under ``provider:id``, with versions of the splice's own, so that a correction of any
provider changes exactly what it concerns, and only where that provider's word counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from ingest.events import SHOOT_OUT, Delete, Event, Kind, Side, Upsert
from ingest.fusion.critical import WINDOW_MS, Class, Key, Place, Stretch, class_of, pairs, reconcile
from ingest.timeline import Applied, Change

FARTHEST_MS = 60_000
"""No provider's times are moved by more."""
REVIEWED = frozenset({"goal", "red", "penalty"})
"""What a referee takes back."""


class Splice:
    """The fused event set of one match."""

    def __init__(self, first: str) -> None:
        self.stretches: list[Stretch] = [Stretch(first)]
        self.goals: Counter[Side | None] = Counter()  # that the fused feed tells, the shoot-out aside
        self.reds: Counter[Side | None] = Counter()
        self._starts: list[Place] = [(0, 0)]
        self._events: dict[str, dict[str, Event]] = {}
        self._critical: dict[Class, dict[str, dict[str, Event]]] = {}
        self._counting: dict[Class, dict[Key, Place]] = {}
        self._revoked: dict[Class, dict[Key, Place]] = {}  # what another provider told and the leading one took back
        self._told: dict[Key, Event] = {}
        self._version = 0

    @property
    def active(self) -> str:
        """The provider of the stretch under way."""
        return self.stretches[-1].provider

    def apply(self, provider: str, applied: Iterable[Applied]) -> list[Change]:
        """What changes in the fused event set by changes of one provider's."""
        known = self._events.setdefault(provider, {})
        changes: list[Change] = []
        for change in applied:
            classes = []
            for event, present in ((change.old, False), (change.new, True)):
                if event is None:
                    continue
                kind = class_of(event)
                if kind is not None:
                    classes.append(kind)
                    of_class = self._critical.setdefault(kind, {}).setdefault(provider, {})
                    if present:
                        of_class[event.event_id] = event
                    else:
                        of_class.pop(event.event_id, None)
                if present:
                    known[event.event_id] = event
                else:
                    known.pop(event.event_id, None)
            if change.old is not None and classes and (change.new is None or class_of(change.new) != classes[0]):
                self._revoke(provider, change.old)
            named = change.new or change.old
            assert named is not None
            # A goal that becomes a shot is of two classes: both are counted before anything is told.
            moved = {key for kind in classes for key in self._recount(kind)}
            for key in sorted(moved | {(provider, named.event_id)}):
                changes += self._tell(key)
        return changes

    def cut(self, provider: str, at: Place, offset_ms: int) -> list[Change]:
        """From ``at`` on the feed is ``provider``'s; a seam never lies before the one before it."""
        at = max(at, self.stretches[-1].start)
        offset_ms = max(-FARTHEST_MS, min(FARTHEST_MS, offset_ms))
        kept = {
            key: event.play_ms - self._events[key[0]][key[1]].play_ms
            for key, event in self._told.items()
            if class_of(event) is not None and (event.period, event.play_ms) >= at
        }
        for revoked in self._revoked.values():  # who leads speaks for itself
            for key in [key for key in revoked if key[0] == provider]:
                del revoked[key]
        former = self.active
        self.stretches.append(Stretch(provider, at, offset_ms, kept))
        self._starts.append(at)
        changes: list[Change] = []
        moved = [self._recount(kind) for kind in list(self._critical) if kind[2] >= at[0]]
        for key in [key for keys in moved for key in keys]:
            changes += self._tell(key)
        earliest = (at[0], at[1] - FARTHEST_MS)
        for name in (former, provider):
            for event_id, event in self._events.get(name, {}).items():
                if (event.period, event.play_ms) >= earliest:
                    changes += self._tell((name, event_id))
        return changes

    def place(self, provider: str, event: Event) -> Place | None:
        """Where an ordinary event counts; None where another provider's word does."""
        first = self._owner((event.period, event.play_ms - FARTHEST_MS))
        last = self._owner((event.period, event.play_ms + FARTHEST_MS))
        for number in range(first, last + 1):
            stretch = self.stretches[number]
            if stretch.provider != provider:
                continue
            place = stretch.place(event)
            if self._owner(place) == number:
                return place
        return None

    def _owner(self, place: Place) -> int:
        return max(0, bisect_right(self._starts, place) - 1)

    def _recount(self, kind: Class) -> list[Key]:
        """Decide anew which events of a class count; those of which that changed."""
        before = self._counting.get(kind, {})
        revoked = self._revoked.get(kind, {})
        for key in pairs(self._leading(kind), revoked, WINDOW_MS[kind[0].split(":")[0]]).values():
            del revoked[key]  # told anew
        events = {
            name: tuple(event for event_id, event in found.items() if (name, event_id) not in revoked)
            for name, found in self._critical[kind].items()
        }
        after = reconcile(kind, self.stretches, events, frozenset(before))
        self._counting[kind] = after
        return [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]

    def _leading(self, kind: Class) -> dict[Key, Place]:
        """The leading provider's events of a class, and where they lie."""
        stretch = self.stretches[-1]
        events = self._critical.get(kind, {}).get(stretch.provider, {})
        return {(stretch.provider, event_id): stretch.place(event) for event_id, event in events.items()}

    def _revoke(self, provider: str, event: Event) -> None:
        """The leading provider took ``event`` back. One that it replaced had told the same and may never say so: its
        word goes, too, unless the leading one still has an event that is the same.
        """
        kind = class_of(event)
        if provider != self.active or kind is None or kind[0] not in REVIEWED:
            return
        others = {key: place for key, place in self._counting.get(kind, {}).items() if key[0] != provider}
        left, window_ms = self._leading(kind), WINDOW_MS[kind[0]]
        with_it = left | {(provider, event.event_id): self.stretches[-1].place(event)}
        gone = set(pairs(with_it, others, window_ms).values()) - set(pairs(left, others, window_ms).values())
        if gone:
            self._revoked.setdefault(kind, {}).update((key, others[key]) for key in gone)

    def _wanted(self, key: Key) -> Event | None:
        event = self._events.get(key[0], {}).get(key[1])
        if event is None:
            return None
        kind = class_of(event)
        place = self.place(key[0], event) if kind is None else self._counting[kind].get(key)
        if place is None:
            return None
        return replace(event, event_id=":".join(key), version=0, play_ms=place[1])

    def _tell(self, key: Key) -> list[Change]:
        """The change that makes what is told of an event what is wanted, if there is one."""
        wanted, told = self._wanted(key), self._told.get(key)
        if wanted == told:
            return []
        if wanted is not None and told is None and wanted.kind is Kind.PERIOD_START and self._too_late(wanted):
            return []
        self._version += 1
        for event, sign in ((told, -1), (wanted, 1)):
            if event is not None and event.period < SHOOT_OUT:
                self.goals[event.side] += sign * event.goal
                self.reds[event.side] += sign * (event.kind is Kind.RED)
        if wanted is None:
            del self._told[key]
            return [Delete(":".join(key), self._version)]
        self._told[key] = wanted
        return [Upsert(replace(wanted, version=self._version))]

    def _too_late(self, start: Event) -> bool:
        """A kick-off that nobody told before a later one began would set the playing clock back."""
        starts = [event.period for event in self._told.values() if event.kind is Kind.PERIOD_START]
        return start.period not in starts and any(period > start.period for period in starts)
