"""What holds for a fixture by everything its sources say, and what changed. Pure.

The first source in the stated order that tells a fact has it its way; sources that contradict each other are flagged.
The outcome follows from the sources' last words alone: their order of arrival and repetitions do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from ingest.catalogue import Entry, Status
from ingest.identity.model import NEAR_MS, apart_ms

ORDER = ("statsperform", "opta", "wyscout", "openfootball")
"""Whose word counts first; a source that is not named comes last, by name."""
SAME_KICKOFF_MS = 5 * 60_000
"""Kick-offs closer than this do not contradict each other."""
_PLAYED = (Status.LIVE, Status.FINISHED)
_NOT_PLAYED = (Status.POSTPONED, Status.CANCELLED)


class ChangeKind(StrEnum):
    """What happened to a fixture."""

    NEW = "new_fixture"
    KICKOFF = "kickoff_moved"
    POSTPONED = "postponed"
    RESCHEDULED = "rescheduled"
    STARTED = "started"
    ABANDONED = "abandoned"
    RESUMED = "resumed"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    CORRECTED = "status_corrected"
    SCORE = "score_changed"
    VENUE = "venue_changed"
    LINEUP = "lineup_announced"
    LINEUP_CHANGED = "lineup_changed"
    CONFLICT = "sources_conflict"
    AGREED = "sources_agree"


@dataclass(frozen=True, slots=True)
class Listed:
    """A player in a line-up, by the source's id."""

    provider: str
    source_id: str
    name: str
    shirt: int | None
    starter: bool


@dataclass(frozen=True, slots=True)
class View:
    """What holds for a fixture."""

    kickoff_ms: int | None
    day: str
    round: str
    status: Status
    venue: str | None
    score: tuple[int, int] | None
    home: tuple[Listed, ...]
    away: tuple[Listed, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as it is kept: ``before`` and ``after`` hold what changed, in JSON's terms."""

    fixture_id: str
    kind: ChangeKind
    source: str
    before: Any
    after: Any


def in_order(entries: Mapping[str, Entry], order: Sequence[str] = ORDER) -> list[Entry]:
    """The entries, the one whose word counts most first."""
    place = {provider: index for index, provider in enumerate(order)}
    return [entries[p] for p in sorted(entries, key=lambda p: (place.get(p, len(place)), p))]


def merged(old: Entry | None, new: Entry) -> Entry:
    """A source's newer word. What a shorter document leaves out (line-ups, venue) stays as it was said before."""
    if old is None:
        return new
    return Entry(new.fixture, new.status, new.venue or old.venue, new.score or old.score, new.lineups or old.lineups)


def turned(entry: Entry) -> Entry:
    """The entry of a source whose sides a person confirmed to be the other way round: score and line-ups turned."""
    score = None if entry.score is None else (entry.score[1], entry.score[0])
    return replace(entry, score=score, lineups=tuple(replace(x, home=not x.home) for x in entry.lineups))


def view(entries: Mapping[str, Entry], order: Sequence[str] = ORDER) -> View:
    """What holds by ``entries``, one for each provider, at least one."""
    ranked = in_order(entries, order)
    dated = next((e for e in ranked if e.fixture.kickoff_ms is not None), ranked[0])
    status = next((e.status for e in ranked if e.status is not None), Status.SCHEDULED)
    score = next((e.score for e in ranked if e.score is not None), None)
    lineups = {home: next((x for x in (_lineup(e, home) for e in ranked) if x), ()) for home in (True, False)}
    return View(
        # A day alone of a better source beats an hour of a worse one only where they are not the same day.
        (dated if apart_ms(dated.fixture, ranked[0].fixture) <= NEAR_MS else ranked[0]).fixture.kickoff_ms,
        ranked[0].fixture.day,
        next((e.fixture.round for e in ranked if e.fixture.round), ""),
        status,
        next((e.venue for e in ranked if e.venue), None),
        score if status in (*_PLAYED, Status.ABANDONED) else None,
        lineups[True],
        lineups[False],
        _conflicts(ranked),
    )


def _lineup(entry: Entry, home: bool) -> tuple[Listed, ...]:
    for lineup in entry.lineups:
        if lineup.home == home:
            both = ((True, lineup.starters), (False, lineup.bench))
            return tuple(
                Listed(p.provider, p.player_id, p.names[0], p.shirt, starter) for starter, part in both for p in part
            )
    return ()


def _conflicts(ranked: Sequence[Entry]) -> tuple[str, ...]:
    """Facts on which sources contradict each other: kick-off, status, score."""
    found: set[str] = set()
    for index, one in enumerate(ranked):
        for other in ranked[index + 1 :]:
            exact = one.fixture.kickoff_ms is not None and other.fixture.kickoff_ms is not None
            apart = apart_ms(one.fixture, other.fixture)
            if apart > (SAME_KICKOFF_MS if exact else NEAR_MS):
                found.add("kickoff")
            states = {one.status, other.status}
            if states & set(_NOT_PLAYED) and states & {*_PLAYED, Status.SCHEDULED}:
                found.add("status")
            if Status.ABANDONED in states and Status.FINISHED in states:
                found.add("status")
            if one.status is other.status is Status.FINISHED and None not in (one.score, other.score):
                found |= {"score"} if one.score != other.score else set()
    return tuple(sorted(found))


_STEPS = {
    Status.POSTPONED: ChangeKind.POSTPONED,
    Status.LIVE: ChangeKind.STARTED,
    Status.ABANDONED: ChangeKind.ABANDONED,
    Status.FINISHED: ChangeKind.FINISHED,
    Status.CANCELLED: ChangeKind.CANCELLED,
}


def _step(before: Status, after: Status) -> ChangeKind:
    if before is Status.ABANDONED and after in (Status.LIVE, Status.SCHEDULED):
        return ChangeKind.RESUMED
    if before is Status.POSTPONED and after is Status.SCHEDULED:
        return ChangeKind.RESCHEDULED
    if before in (Status.FINISHED, Status.CANCELLED) or after is Status.SCHEDULED:
        return ChangeKind.CORRECTED
    return _STEPS[after]


def changes(fixture_id: str, before: View | None, after: View, source: str) -> list[Change]:
    """What the source's word changed, in a fixed order; nothing for equal views."""
    if before is None:
        told = {"kickoff_ms": after.kickoff_ms, "day": after.day, "status": after.status.value}
        found = [Change(fixture_id, ChangeKind.NEW, source, None, told)]
        lists = [(name, getattr(after, name)) for name in ("home", "away") if getattr(after, name)]
        found += [Change(fixture_id, ChangeKind.LINEUP, source, None, {n: _told(x)}) for n, x in lists]
        if after.conflicts:
            found.append(Change(fixture_id, ChangeKind.CONFLICT, source, [], list(after.conflicts)))
        return found
    found = []
    if before.kickoff_ms != after.kickoff_ms or (after.kickoff_ms is None and before.day != after.day):
        whens = [{"kickoff_ms": v.kickoff_ms, "day": v.day} for v in (before, after)]
        found.append(Change(fixture_id, ChangeKind.KICKOFF, source, *whens))
    if before.status is not after.status:
        kind = _step(before.status, after.status)
        found.append(Change(fixture_id, kind, source, before.status.value, after.status.value))
    if before.score != after.score and before.score is not None:
        found.append(Change(fixture_id, ChangeKind.SCORE, source, before.score, after.score))
    if before.venue != after.venue:
        found.append(Change(fixture_id, ChangeKind.VENUE, source, before.venue, after.venue))
    for side in ("home", "away"):
        old, new = getattr(before, side), getattr(after, side)
        if old != new:
            kind = ChangeKind.LINEUP_CHANGED if old else ChangeKind.LINEUP
            found.append(Change(fixture_id, kind, source, {side: _told(old)}, {side: _told(new)}))
    if before.conflicts != after.conflicts:
        kind = ChangeKind.CONFLICT if set(after.conflicts) - set(before.conflicts) else ChangeKind.AGREED
        found.append(Change(fixture_id, kind, source, list(before.conflicts), list(after.conflicts)))
    return found


def _told(players: Sequence[Listed]) -> list[dict[str, Any]]:
    return [asdict(player) for player in players]
