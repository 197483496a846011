"""Measure switches on real matches and their siblings: `python -m tests.ingest.measure_fusion [MATCHES] [KILLS]`.

One run a match; at random moments and around goals the process forks, the primary dies in the child, and the child
tells how long the switch took and how far the fused index is then from that of the primary had it lived.
"""

from __future__ import annotations

import os
import pickle
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ingest.clock import PlayClock
from ingest.decoder import Decoder, decoder
from ingest.events import Kind, Upsert
from ingest.feed import FeedHeader, FeedMessage
from ingest.timeline import Timeline
from momentum.live import LiveMatch
from momentum.methodology import SPEC_DECAY
from tests.ingest.fusion_world import ALIKE, PRIMARY, SIBLING, Outage, Sibling, World, archive_matches, load, world

WATCH_MS = 12_000
HOWS = ("silent", "lost", "broken", "frozen")


class Reader:
    """A feed's index at any moment."""

    def __init__(self, header: FeedHeader) -> None:
        self.decoder: Decoder = decoder(header)
        self.timeline, self.live = Timeline(), LiveMatch((SPEC_DECAY,))

    def take(self, message: FeedMessage) -> int:
        return self._absorb(self.decoder.decode(message))

    def advance(self, at_ms: int) -> int:
        return self._absorb(self.decoder.advance(at_ms))

    def _absorb(self, decoded) -> int:
        self.live.apply(self.timeline.apply(decoded.changes))
        return len(decoded.switches)

    def index(self, period: int, second: int) -> int:
        return self.live.peek(period, second).x_e6[SPEC_DECAY.name]


@dataclass(frozen=True)
class Found:
    """One switch. Indices in 1e-6 points, times in ms."""

    how: str
    where: str
    took_ms: int  # from death to switch
    since_ms: int  # from the moment the reason had arisen
    step_e6: int  # at the switch, what it moved at once
    spliced_e6: int  # fused less primary had it lived, at the switch
    replaced_e6: int  # sibling less primary at the switch: the step had the standby replaced it
    score_wrong: bool


def plain(w: World, name: str) -> Reader:
    source = FeedHeader.make(w.provider, w.recorded.info.match_id, w.start_unix_ms, 1, w.recorded.raw_info)
    return Reader(source)


def clock_of(w: World) -> PlayClock:
    clock, reader = PlayClock(), plain(w, PRIMARY)
    for message in w.feeds[PRIMARY]:
        for change in reader.decoder.decode(message).changes:
            if isinstance(change, Upsert) and change.event.kind is Kind.PERIOD_START:
                clock.start(change.event.period, message.at_ms - change.event.play_ms)
            if isinstance(change, Upsert) and change.event.kind is Kind.PERIOD_END:
                clock.end(change.event.period, message.at_ms)
    return clock


def moments(w: World, clock: PlayClock, count: int, rng: random.Random) -> list[tuple[int, str]]:
    """When to kill: at random in play, just before and after each goal, in the break."""
    reader, found = plain(w, PRIMARY), []
    for message in w.feeds[PRIMARY]:
        for change in reader.decoder.decode(message).changes:
            if isinstance(change, Upsert) and change.event.goal and change.event.period < 3:
                found += [(message.at_ms + rng.randint(*near), "goal") for near in ((-3_000, 0), (1, 2_000))]
    first, second = clock.start_ms(1), clock.start_ms(2)
    found.append((second - 30_000, "break"))
    found += [(first + rng.randrange(120_000, w.end_ms - 200_000 - first), "play") for _ in range(count)]
    return sorted(found)


def place_of(clock: PlayClock, at_ms: int) -> tuple[int, int]:
    due = clock.at(at_ms)
    if due is not None:
        return due.period, due.second
    period = max(p for p in (1, 2) if clock.start_ms(p) <= at_ms)
    return period, (at_ms - clock.start_ms(period)) // 1000


class Tape:
    """A reader with what it has still to read."""

    def __init__(self, reader: Reader, messages: list[FeedMessage]) -> None:
        self.reader, self.messages, self.at = reader, messages, 0

    def play(self, until_ms: int) -> int:
        """Read up to and including ``until_ms``; how many switches there were."""
        switches = 0
        while self.at < len(self.messages) and self.messages[self.at].at_ms <= until_ms:
            switches += self.reader.take(self.messages[self.at])
            self.at += 1
        return switches + self.reader.advance(until_ms)


def measure(w: World, kills: int, seed: int) -> Iterator[Found]:
    rng = random.Random(seed)
    clock = clock_of(w)
    fused = Tape(Reader(w.header()), w.messages())
    alive, other = (Tape(plain(w, name), w.feeds[name]) for name in (PRIMARY, SIBLING))
    for kill_ms, where in moments(w, clock, kills, rng):
        for tape in (fused, alive, other):
            tape.play(kill_ms - 1)
        how = rng.choice(HOWS)
        parent, child = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(parent)
            result = branch(w, clock, fused.reader, alive, other, kill_ms, where, how)
            with os.fdopen(child, "wb") as out:
                pickle.dump(result, out)
            os._exit(0)
        os.close(child)
        with os.fdopen(parent, "rb") as inp:
            found = pickle.load(inp)
        os.waitpid(pid, 0)
        if found is not None:
            yield found


def branch(
    w: World, clock: PlayClock, reader: Reader, alive: Tape, other: Tape, kill_ms: int, where: str, how: str
) -> Found | None:
    """The primary dies; the second of play at the switch is compared with what would have been.

    Everybody is asked `WATCH_MS` later for that second, when the delays of the feeds no longer differ.
    """
    out = Outage(PRIMARY, kill_ms, kill_ms + 600_000, how, catches_up=False)
    fused = Tape(reader, [m for m in w.messages([out]) if kill_ms <= m.at_ms < kill_ms + 120_000])
    for now in range(kill_ms - kill_ms % 250 + 250, kill_ms + 100_000, 250):
        place = place_of(clock, now)
        before = reader.index(*place)
        if not fused.play(now):
            continue
        switch = reader.decoder.fusion.switches[-1]
        step = reader.index(*place) - before
        for tape in (fused, alive, other):
            tape.play(now + WATCH_MS)
        live = alive.reader.index(*place)
        goals = [sum(e.goal for e in tape.reader.timeline.events()) for tape in (fused, alive, other)]
        return Found(
            how,
            where,
            now - kill_ms,
            switch.at_ms - switch.since_ms,
            step,
            reader.index(*place) - live,
            other.reader.index(*place) - live,
            goals[0] not in goals[1:],
        )
    return None


def show(name: str, found: list[Found]) -> None:
    def line(what: str, values: list[int], unit: float) -> None:
        p = np.percentile(np.abs(values), [50, 90, 95, 99, 100]) / unit
        print(f"  {what:34} p50 {p[0]:7.3f}  p90 {p[1]:7.3f}  p95 {p[2]:7.3f}  p99 {p[3]:7.3f}  most {p[4]:7.3f}")

    print(f"{name}: {len(found)} switches")
    for how in HOWS:
        for where in ("play", "goal"):
            of = [f for f in found if f.how == how and f.where == where]
            if of:
                line(f"{how} ({where}): death to switch, s", [f.took_ms for f in of], 1e3)
        of = [f for f in found if f.how == how]
        if of:
            line(f"{how}: reason to switch, s", [f.since_ms for f in of], 1e3)
    line("spliced less primary, points", [f.spliced_e6 for f in found], 1e6)
    line("sibling less primary, points", [f.replaced_e6 for f in found], 1e6)
    line("moved at once, points", [f.step_e6 for f in found], 1e6)
    for f in sorted(found, key=lambda f: -abs(f.spliced_e6))[:3]:
        print(f"  farthest: {f}")
    beyond = sum(abs(f.spliced_e6) > abs(f.replaced_e6) + 500_000 for f in found)
    print(f"  spliced worse than replaced by half a point: {beyond}; score wrong: {sum(f.score_wrong for f in found)}")


def main() -> None:
    matches, kills = (int(a) for a in (*sys.argv[1:], "5", "40")[:2])
    for name, kind in (("alike", ALIKE), ("sibling", Sibling()), ("sibling, clock 4 s off", Sibling(clock_ms=4_000))):
        found = []
        for number, match in enumerate([None, *archive_matches(matches - 1)] if matches > 1 else [None]):
            found += measure(world(load("wyscout", match), number, kind), kills, number)
        found += measure(world(load("statsperform"), 1, kind), kills, 99)
        show(name, found)


if __name__ == "__main__":
    main()
