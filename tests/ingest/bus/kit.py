"""What the tests of the bus share."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from ingest.bus import Bus, Message, Subscription
from ingest.bus.seen import Seen
from ingest.bus.tasks import end

Items = list[tuple[str, bytes]]


def numbered(keys: int, each: int, first: int = 1) -> Items:
    """Messages ``first``... of each key, keys in turn."""
    return [(f"m{key}", str(seq).encode()) for seq in range(first, first + each) for key in range(keys)]


class Ledger:
    """What a group did, written as a consumer with a database would: the effect and `Seen` together."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.effects: dict[str, list[int]] = defaultdict(list)
        self.deliveries = 0
        self.changed = asyncio.Event()

    def take(self, message: Message) -> None:
        self.deliveries += 1
        seq = int(message.value)
        if self.seen.fresh(message.key, seq):
            self.effects[message.key].append(seq)
            self.seen.done(message.key, seq)
            self.changed.set()

    @property
    def count(self) -> int:
        return sum(map(len, self.effects.values()))

    async def reaches(self, count: int, within_s: float = 30.0) -> None:
        async with asyncio.timeout(within_s):
            while self.count < count:
                self.changed.clear()
                await self.changed.wait()

    def is_exactly(self, items: Iterable[tuple[str, bytes]]) -> bool:
        wanted: dict[str, list[int]] = defaultdict(list)
        for key, value in items:
            wanted[key].append(int(value))
        return dict(wanted) == dict(self.effects)


async def work(bus: Bus, stream: str, group: str, name: str, ledger: Ledger, pause_s: float = 0.0) -> None:
    """A consumer that takes everything, until cancelled."""
    async with bus.consume(stream, group, name) as subscription:
        async for batch in subscription:
            for message in batch:
                ledger.take(message)
            if pause_s:
                await asyncio.sleep(pause_s)
            subscription.ack(batch[-1])


async def eventually(true: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not await true():
            await asyncio.sleep(0.02)


async def stopped(task: asyncio.Task[None]) -> None:
    await end(task)


async def first_batch(subscription: Subscription, within_s: float = 20.0) -> tuple[Message, ...]:
    async with asyncio.timeout(within_s):
        return await anext(aiter(subscription))
