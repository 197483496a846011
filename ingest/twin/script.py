"""What the provider means: every version of every event with the time it stands in the feed. A pure core.

A recording is turned into a live match (`ingest.feeds.base.replay`), and the provider's own mistakes are put in: late
reports, wrong first versions, events withdrawn and brought back, goals that a review takes away. What stands at the
end is the truth that a consumer must hold, whatever happened on the way.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ingest.events import Delete, Event, MatchInfo, Upsert
from ingest.feeds.base import Adapter, Recorded, ReplayOptions, replay, split
from ingest.timeline import Timeline
from ingest.twin.faults import Fault, Faults, Ledger

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """From ``at_ms`` on the event ``key`` reads ``doc``; None: its row no longer stands in documents."""

    at_ms: int
    key: str
    doc: Doc | None


@dataclass(frozen=True, slots=True)
class Script:
    """A match as its provider tells it, in ms since ``start_unix_ms`` by a right clock."""

    adapter: Adapter
    info: MatchInfo
    raw_info: Doc
    start_unix_ms: int
    steps: tuple[Step, ...]
    skew_ms: int
    drift_ppm: int

    @property
    def end_ms(self) -> int:
        """When the last version comes."""
        return self.steps[-1].at_ms

    def clock_ms(self, at_ms: int) -> int:
        """What the provider's clock shows at ``at_ms``, in Unix ms."""
        return _clock_ms(self.start_unix_ms, at_ms, self.skew_ms, self.drift_ppm)

    def changed_ms(self, at_ms: int) -> int:
        """When the document as of ``at_ms`` last changed; 0 where nothing has happened."""
        count = bisect_right(self.steps, at_ms, key=lambda step: step.at_ms)
        return self.steps[count - 1].at_ms if count else 0

    def standing(self, at_ms: int) -> dict[str, Step]:
        """The rows of the document as of ``at_ms``, by key in the order of their first report."""
        rows: dict[str, Step] = {}
        for step in self.steps:
            if step.at_ms > at_ms:
                break
            rows[step.key] = step
        return {key: step for key, step in rows.items() if step.doc is not None}

    def truth(self) -> tuple[Event, ...]:
        """The events that stand at the end, without their versions, by period, time and id."""
        timeline = Timeline(self.info)
        final = self.standing(self.end_ms)
        for step in final.values():
            assert step.doc is not None
            changes, _ = split(self.adapter.parse(self.info, step.doc))
            timeline.apply(changes)
        return unversioned(timeline.events())


def unversioned(events: Iterable[Event]) -> tuple[Event, ...]:
    """The events as they read, whatever number their last correction had."""
    return tuple(replace(event, version=0) for event in events)


def write(adapter: Adapter, recorded: Recorded, faults: Faults, seed: int, ledger: Ledger) -> Script:
    """The recording as ``faults`` and ``seed`` make it. Every mistake stands in ``ledger``."""
    rng = random.Random(f"script {seed}")
    options = ReplayOptions(late=0.0, edited=faults.edited)
    header, messages = replay(adapter, recorded, seed, options)
    skew_ms = rng.randint(-faults.skew_ms, faults.skew_ms)
    drift_ppm = rng.randint(-faults.drift_ppm, faults.drift_ppm)
    if skew_ms or drift_ppm:
        ledger.add(0, Fault.SKEWED, f"{skew_ms} ms, {drift_ppm} ppm")
    told: dict[str, list[Step]] = {}
    for message in messages:
        key = adapter.key(message.doc)
        told.setdefault(key, []).append(Step(message.at_ms, key, message.doc))
    steps: list[Step] = []
    for versions in told.values():
        steps += _mistakes(adapter, recorded.info, versions, faults, rng, ledger)
    steps.sort(key=lambda step: step.at_ms)  # stable: versions of one key stay in order
    start = header.start_unix_ms
    stamped = tuple(
        step
        if step.doc is None
        else Step(step.at_ms, step.key, adapter.stamp(step.doc, _clock_ms(start, step.at_ms, skew_ms, drift_ppm)))
        for step in steps
    )
    return Script(adapter, recorded.info, recorded.raw_info, start, stamped, skew_ms, drift_ppm)


def _mistakes(
    adapter: Adapter,
    info: MatchInfo,
    versions: list[Step],
    faults: Faults,
    rng: random.Random,
    ledger: Ledger,
) -> list[Step]:
    """The versions of one event with what else its provider does to it."""
    first, final = versions[0], versions[-1]
    assert first.doc is not None
    if adapter.urgent(first.doc):
        return versions
    for step in versions[1:]:
        ledger.add(step.at_ms, Fault.DELETED if _is_gone(adapter, info, step.doc) else Fault.EDITED, step.key)
    if rng.random() < faults.late:
        delay = rng.randint(*faults.late_ms)
        ledger.add(first.at_ms, Fault.LATE, first.key)
        versions = [Step(step.at_ms + delay, step.key, step.doc) for step in versions]
        final = versions[-1]
    if _is_gone(adapter, info, final.doc):
        return versions
    draw = rng.random()
    if _is_goal(adapter, info, final.doc) and draw < faults.goal_dropped:
        returns = rng.random() < faults.goal_returned
        kinds = [Fault.GOAL_DROPPED, Fault.GOAL_RETURNED] if returns else [Fault.GOAL_DROPPED]
        return versions + _withdrawn(adapter, final, kinds, True, faults, rng, ledger)
    for kind in (Fault.DELETED, Fault.VANISHED, Fault.RESTORED):
        draw -= faults.of(kind)
        if draw < 0:
            kinds = [kind]
            silently = kind is Fault.VANISHED or (kind is Fault.RESTORED and rng.random() < 0.5)
            return versions + _withdrawn(adapter, final, kinds, silently, faults, rng, ledger)
    return versions


def _withdrawn(
    adapter: Adapter,
    final: Step,
    kinds: list[Fault],
    silently: bool,
    faults: Faults,
    rng: random.Random,
    ledger: Ledger,
) -> list[Step]:
    """A withdrawal, and the return where one of ``kinds`` is one."""
    gone_ms = final.at_ms + rng.randint(*faults.withdraw_ms)
    gone = Step(gone_ms, final.key, None if silently else adapter.withdrawal(final.key, 0))
    ledger.add(gone_ms, kinds[0], final.key)
    if Fault.RESTORED not in kinds and Fault.GOAL_RETURNED not in kinds:
        return [gone]
    back_ms = gone_ms + rng.randint(*faults.withdraw_ms)
    if kinds[-1] is not kinds[0]:
        ledger.add(back_ms, kinds[-1], final.key)
    return [gone, Step(back_ms, final.key, final.doc)]


def _clock_ms(start_unix_ms: int, at_ms: int, skew_ms: int, drift_ppm: int) -> int:
    return start_unix_ms + at_ms + skew_ms + at_ms * drift_ppm // 1_000_000


def _is_gone(adapter: Adapter, info: MatchInfo, doc: Doc | None) -> bool:
    changes, _ = split(adapter.parse(info, doc)) if doc is not None else ([], [])
    return bool(changes) and all(isinstance(change, Delete) for change in changes)


def _is_goal(adapter: Adapter, info: MatchInfo, doc: Doc | None) -> bool:
    changes, _ = split(adapter.parse(info, doc)) if doc is not None else ([], [])
    return any(isinstance(change, Upsert) and change.event.goal for change in changes)
