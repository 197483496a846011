"""The replay loop: messages and seconds of play in the order of match time, at any speed.

The same loop runs at 1x, 60x and `max`; only the clock differs. A second that is more than one tick late is dropped
(latest wins) and counted as missed.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from backend.demo.clocks import MatchClock
from ingest.feed import FeedMessage
from oracle.core import KeeperCore, Received, Sample
from oracle.publisher import Pushed

Push = Callable[[Sample], Awaitable[Pushed]]
OnReceived = Callable[[Received], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PublishedTick:
    """A sample and how its publication went. Latencies in wall milliseconds, from when it was due."""

    sample: Sample
    pushed: Pushed
    quorum: bool
    due_to_confirmed_ms: float
    unix_ms: int


OnTick = Callable[[PublishedTick], Awaitable[None]]


@dataclass
class LoopStats:
    """Counters of a run."""

    messages: int = 0
    due: int = 0
    landed: int = 0
    refused: list[str] = field(default_factory=list)
    due_to_confirmed_ms: list[float] = field(default_factory=list)
    event_to_confirmed_ms: list[float] = field(default_factory=list)

    @property
    def missed(self) -> int:
        """Seconds of play without an aggregated sample."""
        return self.due - self.landed


class ReplayLoop:
    """Drives one match through the keeper's core."""

    def __init__(
        self,
        core: KeeperCore,
        messages: Sequence[FeedMessage],
        start_unix_ms: int,
        clock: MatchClock,
        push: Push,
        quorum: int,
        speed: float,
    ) -> None:
        self.core = core
        self.stats = LoopStats()
        self._messages = messages
        self._start_unix_ms = start_unix_ms
        self._clock = clock
        self._push = push
        self._quorum = quorum
        self._speed = speed
        self._next = 0
        self._waiting: list[int] = []  # arrival of play events that no sample has carried yet

    @property
    def used(self) -> Sequence[FeedMessage]:
        """The messages that were received: what belongs into the feed file."""
        return self._messages[: self._next]

    async def run(self, on_received: OnReceived, on_tick: OnTick, until_tick: int | None = None) -> None:
        """Play the match to the end of its last period, or to ``until_tick``."""
        last_tick = 0
        while not self.core.finished and (until_tick is None or last_tick < until_tick):
            due_ms = self.core.due_ms()
            message = self._messages[self._next] if self._next < len(self._messages) else None
            if message is not None and (due_ms is None or message.at_ms <= due_ms):
                await self._clock.sleep_until(self._start_unix_ms + message.at_ms)
                self._next += 1
                self.stats.messages += 1
                received = self.core.receive(message)
                if any(change.new is not None and change.new.side is not None for change in received.applied):
                    self._waiting.append(message.at_ms)
                await on_received(received)
                continue
            if due_ms is None:
                return  # the feed ended between periods: an abandoned match
            await self._clock.sleep_until(self._start_unix_ms + due_ms)
            last_tick = await self._sample(due_ms, last_tick, on_received, on_tick)

    async def _sample(self, due_ms: int, last_tick: int, on_received: OnReceived, on_tick: OnTick) -> int:
        late_ms = self._clock.late_ms(self._start_unix_ms + due_ms) * self._speed
        # A second of match time late or more: take the second that is under way now and drop the ones before,
        # unless a message belongs between them.
        data_ms = due_ms + max(0, int(late_ms // 1000)) * 1000
        message = self._messages[self._next] if self._next < len(self._messages) else None
        if message is not None and message.at_ms <= data_ms:
            data_ms = due_ms
        passed = self.core.advance(data_ms)
        if passed.applied:
            await on_received(passed)
        began = time.perf_counter()
        sample = self.core.sample(data_ms)
        pushed = await self._push(sample)
        took_ms = (time.perf_counter() - began) * 1000
        unix_ms = self._start_unix_ms + sample.data_ms
        late_now_ms = took_ms if self._clock.lockstep else self._clock.late_ms(unix_ms)
        quorum = pushed.accepted >= self._quorum
        self.stats.due += sample.tick - last_tick
        self.stats.landed += quorum
        self.stats.refused += pushed.errors
        self.stats.due_to_confirmed_ms.append(late_now_ms)
        # Waiting for the tick is match time; the way to the chain is wall time.
        self.stats.event_to_confirmed_ms += [(sample.data_ms - at) / self._speed + late_now_ms for at in self._waiting]
        self._waiting.clear()
        await on_tick(PublishedTick(sample, pushed, quorum, late_now_ms, unix_ms))
        return sample.tick
