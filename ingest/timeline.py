"""The match as it is known now: a versioned set of events that absorbs corrections in any order.

A pure core. What counts for an event id is the message with the highest version; of two with the same version
a deletion wins over an event, and of two different events the one with the greater representation, so that the
final state never depends on the order of delivery. A deletion of an id never seen leaves a tombstone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ingest.events import Delete, Event, MatchInfo, Upsert

Change = Upsert | Delete
_Rank = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Applied:
    """One effective change of the event set: ``old`` is None for a new event, ``new`` for a withdrawn one."""

    old: Event | None
    new: Event | None


class Timeline:
    """The current events of one match."""

    def __init__(self, match: MatchInfo | None = None) -> None:
        self.match = match
        self._known: dict[str, tuple[_Rank, Event | None]] = {}
        self.stale = 0  # messages that were older than, or equal to, what was known

    def apply(self, changes: Iterable[Change]) -> tuple[Applied, ...]:
        """Absorb ``changes``; return those that altered the event set, in the order given."""
        applied = []
        for change in changes:
            key, rank, event = _told(change)
            known = self._known.get(key)
            if known is not None and _outranked(rank, event, known):
                self.stale += 1
                continue
            old = known[1] if known else None
            self._known[key] = (rank, event)
            if old != event:
                applied.append(Applied(old, event))
        return tuple(applied)

    def ignores(self, change: Change) -> bool:
        """Whether ``change`` says something else than what is known, and would be too old to count."""
        key, rank, event = _told(change)
        known = self._known.get(key)
        if known is None or not _outranked(rank, event, known):
            return False
        old = known[1]
        return event != old and (event is None or old is None or replace(event, version=old.version) != old)

    def snapshot(self, document: Iterable[Change], version: int) -> tuple[Applied, ...]:
        """Absorb a whole document as of ``version``: what is known and no longer in it is withdrawn.

        For providers that cancel a goal by dropping its event from the next full document, and for the first
        document after a reconnection. Events newer than the document stay.
        """
        changes = list(document)
        named = {c.event.event_id if isinstance(c, Upsert) else c.event_id for c in changes}
        gone = [key for key, (_, event) in self._known.items() if event is not None and key not in named]
        dropped = [Delete(key, version) for key in gone if self._known[key][0][0] <= version]
        return self.apply([*changes, *dropped])

    def events(self) -> tuple[Event, ...]:
        """All current events by period, playing time and id."""
        present = (event for _, event in self._known.values() if event is not None)
        return tuple(sorted(present, key=lambda e: (e.period, e.play_ms, e.event_id)))

    def tombstones(self) -> frozenset[str]:
        """Ids that are withdrawn."""
        return frozenset(key for key, (_, event) in self._known.items() if event is None)

    def __len__(self) -> int:
        return sum(event is not None for _, event in self._known.values())


def _told(change: Change) -> tuple[str, _Rank, Event | None]:
    """Whom ``change`` is about, its rank and what it says."""
    if isinstance(change, Upsert):
        return change.event.event_id, (change.event.version, False), change.event
    return change.event_id, (change.version, True), None


def _outranked(rank: _Rank, event: Event | None, known: tuple[_Rank, Event | None]) -> bool:
    return rank < known[0] or (rank == known[0] and repr(event) <= repr(known[1]))
