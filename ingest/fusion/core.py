"""Several providers of one match as one feed: a primary with hot standbys, spliced and never replaced. A pure core.

Everything is a function of what was received and of data time: the providers are judged on a grid of `GRID_MS`,
however often and late anybody asks, so that a replay of the journal switches where the live feed did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.events import FeedError, Kind, Side, Upsert
from ingest.fusion.align import Offset, offset
from ingest.fusion.compare import Difference, difference
from ingest.fusion.critical import Place
from ingest.fusion.doubt import Cause, Doubts
from ingest.fusion.member import Member, Source, State
from ingest.fusion.policy import Bounds
from ingest.fusion.splice import Splice
from ingest.quality import Quality, Sign
from ingest.session import Delivery
from ingest.timeline import Change

GRID_MS = 250
COMPARE_MS = 5_000
HEALTH_MS = 1_000
BETTER, GOOD = 20, 80
"""A feed of little health gives way to one that is so much better; one returns at `GOOD`."""
NEAR_MS = 2_000
"""The provider that took over has come to the seam when it is so near: two providers' touches never coincide."""
_LEVEL = Offset(0, 0, False)


@dataclass(frozen=True, slots=True)
class Switch:
    """The feed passed from one provider to another at data time ``at_ms``; ``since_ms``: when the reason arose.

    ``seam`` is the fused playing time from which the new provider counts, ``offset`` what its times are moved by.
    ``difference`` is what the two differed by when they were compared last, if they were.
    """

    at_ms: int
    source: str
    target: str
    why: State  # the former's state; ``UP``: the preferred provider returned
    since_ms: int
    seam: Place
    offset: Offset
    told: int  # events that the switch added, changed or withdrew
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Condition:
    """The fused feed as a whole. ``causes`` not empty: it must not be traded on; each with the provider concerned."""

    active: str
    causes: tuple[tuple[Cause, str], ...]
    single: bool  # one provider works: nobody contradicts it
    doubt_e4: int  # what to add to a quote's uncertainty, 1e-4 points

    @property
    def suspended(self) -> bool:
        """Whether trading must stop."""
        return bool(self.causes)


@dataclass(frozen=True, slots=True)
class Fused:
    """What a step did. ``whistles`` has the arrival of the kick-offs and final whistles among ``changes`` by id."""

    changes: tuple[Change, ...] = ()
    whistles: Mapping[str, int] = field(default_factory=dict)
    switches: tuple[Switch, ...] = ()


class Fusion:
    """One match. Feed it every provider's arrivals in order of data time; `tick` brings it to a later time.

    An arrival stamped earlier than the newest time seen counts as of that time.
    """

    def __init__(self, sources: Sequence[Source], bounds: Bounds | None = None) -> None:
        """``sources`` in order of preference.

        Raises FeedError ``bad_fusion_header`` for none or two of one name, ``sides_not_mapped`` (see `Source`).
        """
        names = [source.name for source in sources]
        if not names or len(set(names)) < len(names) or any(not name or ":" in name for name in names):
            raise FeedError("bad_fusion_header", f"providers {names}: name at least one, each once, without a colon")
        if not sources[0].leads:
            raise FeedError("no_index", f"{names[0]} does not tell enough for an index: name another provider first")
        self.bounds = bounds or Bounds()
        self.members = {source.name: Member(source) for source in sources}
        self.switches: list[Switch] = []
        self.condition = Condition(names[0], (), len(names) == 1, 0)
        self.now_ms: int | None = None
        self._born_ms: int | None = None  # when anybody was heard of first: before, there is nothing to judge
        self._splice = Splice(names[0])
        self._doubts = Doubts(self.bounds)
        self._offsets: dict[tuple[str, str], tuple[int, Offset]] = {}
        self._health: dict[str, int] = dict.fromkeys(names, 100)  # scores as of the last full second

    # What comes in

    def receive(self, provider: str, at_ms: int, delivery: Delivery) -> Fused:
        """A provider's delivery. Raises KeyError for an unknown provider."""
        member = self.members[provider]
        before = self._reach(at_ms)
        applied = member.deliver(self.now_ms or 0, delivery)
        changes = (*before.changes, *self._splice.apply(provider, applied))
        return Fused(changes, self._whistles(changes), before.switches)

    def sign(self, provider: str, at_ms: int, sign: Sign) -> Fused:
        """A provider's heartbeat, unchanged answer, broken document, loss or return. Raises KeyError like `receive`."""
        member = self.members[provider]
        before = self._reach(at_ms)
        member.sign(self.now_ms or 0, sign)
        return before

    def tick(self, now_ms: int) -> Fused:
        """Judge the providers at every point of the grid up to ``now_ms``. Earlier times change nothing, and neither
        does time before the first arrival.
        """
        if self.now_ms is None or self._born_ms is None:
            self.now_ms = now_ms if self.now_ms is None else max(self.now_ms, now_ms)
            return Fused()
        changes: list[Change] = []
        first = len(self.switches)
        point = (self.now_ms // GRID_MS + 1) * GRID_MS
        while point <= now_ms:
            changes += self._judge(point)
            point += GRID_MS
        self.now_ms = max(self.now_ms, now_ms)
        return Fused(tuple(changes), self._whistles(changes), tuple(self.switches[first:]))

    def _reach(self, at_ms: int) -> Fused:
        """Time comes to an arrival; the first one begins the match."""
        before = self.tick(at_ms)
        if self._born_ms is None:
            self._born_ms = self.now_ms
        return before

    # What it knows

    def quality(self, now_ms: int) -> dict[str, Quality]:
        """Every provider's counters at ``now_ms``."""
        return {name: member.quality.snapshot(now_ms) for name, member in self.members.items()}

    def states(self) -> dict[str, State]:
        """Every provider's state when it was judged last."""
        return {name: member.state for name, member in self.members.items()}

    def differences(self) -> dict[str, Difference]:
        """How every provider that works differs from the active one, as compared last."""
        return dict(self._doubts.differences)

    def _whistles(self, changes: Sequence[Change]) -> dict[str, int]:
        found: dict[str, int] = {}
        for change in changes:
            if isinstance(change, Upsert) and change.event.kind in (Kind.PERIOD_START, Kind.PERIOD_END):
                name, _, event_id = change.event.event_id.partition(":")
                found[change.event.event_id] = self.members[name].whistles[event_id]
        return found

    # Who works

    def _judge(self, now_ms: int) -> list[Change]:
        """One point of the grid."""
        if now_ms % HEALTH_MS == 0:
            self._health = {name: member.quality.health(now_ms).score for name, member in self.members.items()}
        if now_ms % COMPARE_MS == 0:
            self._offsets.clear()
        assert self._born_ms is not None
        failing = {name: member.failing(now_ms, self._born_ms) for name, member in self.members.items()}
        for member in self.members.values():
            member.note(now_ms)
        working = [self.members[name] for name, found in failing.items() if found is None]
        for name, member in self.members.items():
            state, since_ms = failing[name] or (self._worse(now_ms, member, working), now_ms)
            member.judge(now_ms, state, since_ms)
        changes = self._choose(now_ms)
        if now_ms % COMPARE_MS == 0:
            self._compare(now_ms)
        self._contradict(now_ms)
        return changes

    def _worse(self, now_ms: int, member: Member, working: Sequence[Member]) -> State:
        """Whether a member that works is worse than another that does."""
        for other in working:
            if other is member or not (member.source.leads and other.source.leads):
                continue
            # Three events and more that this one still lacks, long after the other told of them.
            period, at_ms = other.had_reached(now_ms - member.thresholds.behind_ms)
            if (period, at_ms + self._offset(member, other, period).ms - NEAR_MS) > member.newest:
                return State.BEHIND
            mine, theirs = self._health[member.name], self._health[other.name]
            if mine < self.bounds.least_health and theirs >= mine + BETTER:
                return State.UNHEALTHY
        return State.UP

    def _offset(self, reference: Member, other: Member, period: int) -> Offset:
        """What to add to ``other``'s times of ``period`` to have ``reference``'s; level where too little is known."""
        known = self._offsets.get((reference.name, other.name))
        if known is None or known[0] != period:
            found = offset(reference.anchors.get(period, {}), other.anchors.get(period, {}))
            known = self._offsets[reference.name, other.name] = (period, found)
        return known[1]

    # Who leads

    def _choose(self, now_ms: int) -> list[Change]:
        active = self.members[self._splice.active]
        up = [member for member in self.members.values() if member.state is State.UP and member.source.leads]
        if active.state is not State.UP:
            return self._switch(now_ms, up[0]) if up and active.since_ms <= now_ms else []
        last_ms = self.switches[-1].at_ms if self.switches else self._born_ms or 0
        if now_ms - last_ms < self.bounds.dwell_ms:
            return []
        for member in up:
            if member is active:
                break
            if member.may_return(now_ms) and self._health[member.name] >= GOOD:
                return self._switch(now_ms, member)
        return []

    def _switch(self, now_ms: int, target: Member) -> list[Change]:
        former = self.members[self._splice.active]
        stretch = self._splice.stretches[-1]
        period, at_ms = former.reached
        moved_ms = stretch.offset_ms if period == stretch.start[0] else 0
        found = self._offset(former, target, period)
        offset_ms = self._settled(target.name, period, moved_ms + found.ms, found.sure)
        seam = max((period, at_ms + moved_ms), stretch.start)
        changes = self._splice.cut(target.name, seam, offset_ms)
        self.switches.append(
            Switch(
                at_ms=now_ms,
                source=former.name,
                target=target.name,
                why=former.state,
                since_ms=now_ms if former.state is State.UP else former.since_ms,
                seam=seam,
                offset=Offset(offset_ms, found.votes, found.sure),
                told=len(changes),
                difference=self._doubts.differences.get(target.name),
            )
        )
        self._doubts.forget()
        return changes

    def _settled(self, name: str, period: int, estimate_ms: int, sure: bool) -> int:
        """What to move a provider's times of ``period`` by: as when it led before, unless its clock has drifted.

        Estimates are a little off each time; taken anew at every switch they would add up.
        """
        for stretch in reversed(self._splice.stretches):
            if stretch.provider == name and stretch.start[0] <= period:
                before_ms = stretch.offset_ms if stretch.start[0] == period else 0
                return estimate_ms if sure and abs(estimate_ms - before_ms) > NEAR_MS else before_ms
        return estimate_ms

    # Whether they agree

    def _compare(self, now_ms: int) -> None:
        """Put every standby that works beside the active provider."""
        active = self.members[self._splice.active]
        others = [m for m in self.members.values() if m is not active and m.state is State.UP and m.source.leads]
        if active.state is not State.UP or not others:
            self._doubts.forget()
            return
        period = active.reached[0]
        for other in others:
            found = self._offset(active, other, period)
            theirs_ms = other.reached[1] + found.ms if other.reached[0] == period else 0
            apart = difference(active, other, period, min(active.reached[1], theirs_ms), found.ms)
            self._doubts.compared(now_ms, other.name, found, apart)
            other.quality.difference_e4 = apart.against_e4
        active.quality.difference_e4 = min(other.quality.difference_e4 for other in others)

    def _contradict(self, now_ms: int) -> None:
        """Renew the condition."""
        up = [member for member in self.members.values() if member.state is State.UP]
        goals, reds = self._splice.goals, self._splice.reds
        self._doubts.totals(now_ms, (goals[Side.HOME], goals[Side.AWAY]), (reds[Side.HOME], reds[Side.AWAY]), up)
        active = self.members[self._splice.active]
        causes: list[tuple[Cause, str]] = []
        if active.state is not State.UP:
            causes.append((Cause.STALE, active.name))
        elif not self._at_seam(active):
            causes.append((Cause.CATCHING_UP, active.name))
        causes += self._doubts.causes(now_ms)
        self.condition = Condition(active.name, tuple(causes), len(up) < 2, self._doubts.doubt_e4)

    def _at_seam(self, active: Member) -> bool:
        stretch = self._splice.stretches[-1]
        period, at_ms = active.reached
        if period != stretch.start[0]:
            return period > stretch.start[0]
        return at_ms + stretch.offset_ms >= stretch.start[1] - NEAR_MS
